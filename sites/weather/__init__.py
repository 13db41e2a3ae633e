"""Hourly weather: readers of EPW and CSV files, moist air, and compact bundled years."""
