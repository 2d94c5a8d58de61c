"""Incidents in the store: their life, people, cases, notes, work, holds and story."""
