"""Operational health: measures by day, trends, forecasts and staffing. Pure."""
