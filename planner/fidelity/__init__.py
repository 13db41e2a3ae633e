"""Public figures computed again from our own catalogue: what others publish, and what ours gives on their basis."""
