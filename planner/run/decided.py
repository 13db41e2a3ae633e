"""The problem as a plan's own decisions leave it: with the capacities that they add."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner.side.worth import raised_capacity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.problem import Problem


def with_decided_capacity(problem: Problem, decisions: Mapping[str, int]) -> Problem:
    """The same problem with what decisions add to capacities; itself where they add nothing.

    Parameters: decisions, of the side program by name of column; what is not named is 0.
    """
    side = problem.side
    if side is None or not side.capacity_amount.size:
        return problem
    values = [decisions.get(name, 0) for name in side.column_names]
    return replace(problem, capacity=raised_capacity(problem, values))
