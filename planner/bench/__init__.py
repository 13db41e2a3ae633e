"""Generated campuses, and a race of solvers over them: certified gap against time."""
