"""The console: where people take cases, read them, decide, and look at the history."""
