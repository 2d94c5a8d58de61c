"""Clocks: how much time was promised, how much has been used, and when it will be gone."""
