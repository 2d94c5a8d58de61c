"""Operational health in the store: a day's facts, records of days, and what drives an alert."""
