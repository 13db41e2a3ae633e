"""Scenarios: named changes to the files that a plan is made from."""
