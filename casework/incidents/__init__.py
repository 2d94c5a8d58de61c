"""Incidents: cases that belong together, led by people to one end. Pure; the store applies it."""
