"""The report of a whole batch: ranking, map, ramp, sites against scenarios, failures, and how it was made."""
