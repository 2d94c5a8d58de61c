"""The webhook receiver: takes what other systems post, and keeps it before it says so."""
