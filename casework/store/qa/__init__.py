"""QA in the store: plans drawn, re-reviews and their gates, disputes, golden items, reports."""
