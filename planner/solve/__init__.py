"""From a lowered problem to a certified plan: reduce, relax, bound, round, search."""

from __future__ import annotations

from planner.solve.options import Progress, SolveOptions, Status, StopReason
from planner.solve.solve import Solution, solve

__all__ = ["Progress", "Solution", "SolveOptions", "Status", "StopReason", "solve"]
