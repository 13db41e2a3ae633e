"""Batches: sites × scenarios × settings, each a unit of work that is keyed by all that it depends on."""
