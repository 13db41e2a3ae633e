"""A plan's cash by quarter to the end of its racks' lives, and what planners measure by it."""
