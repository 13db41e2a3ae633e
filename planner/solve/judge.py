"""What search cannot see of a plan's worth: kernels get prices for it, and plans are judged exactly afterwards.

A tariff's minimum demand and what is decided beside the racks depend on all racks of a site together. Kernels see them
as prices on racks, and limits as wide as the instalments of the first plan make them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import MULTIPLIER_BITS, SHARE_BITS, Plan
from planner.side.decide import best_decisions
from planner.side.prices import bound_term, rack_value
from planner.solve.demand import demand_value
from planner.solve.feasible import decided_capacity
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.guide import Guide

BROKEN = -(2**62)
"""Worth of a plan that keeps the kernels' limits, but not what is decided beside it."""
_MOST_VALUE = 2**50
"""Cents beyond which a price on a rack says no more to search."""


class Judge:
    """The kernels' view of a problem, and the exact worth of what they find."""

    def __init__(self, problem: Problem, guide: Guide) -> None:
        """Take a problem of which kernels see only a part.

        Parameters: guide, with the prices for the rest and the plan to begin with.
        """
        self._problem, self._guide = problem, guide
        self.priced = demand_value(problem, guide.demand_price) + self._side_value()
        """[n_rows, n_configurations, n_periods] cents that prices add to a rack."""

    def _side_value(self) -> NDArray[np.int64] | int:
        value = rack_value(self._problem, self._guide.side_price.astype(object))
        if isinstance(value, int):
            return value
        whole: NDArray[np.int64] = np.clip(value >> MULTIPLIER_BITS, -_MOST_VALUE, _MOST_VALUE).astype(np.int64)
        return whole

    @cached_property
    def widened(self) -> Problem:
        """The problem with capacities as what is decided beside the guide's first plan makes them."""
        capacity = decided_capacity(self._problem, Plan(self._guide.start_racks.astype(np.int32)))
        return self._problem if capacity is self._problem.capacity else replace(self._problem, capacity=capacity)

    def worth(self, n_racks: NDArray[np.integer[Any]]) -> int:
        """Whole cents of a plan of the kernels'; `BROKEN` where nothing can be decided beside it that holds."""
        plan = Plan(n_racks.astype(np.int32))
        decisions = best_decisions(self._problem, plan.n_racks)
        if decisions is not None and not decisions.holds:
            return BROKEN
        return objective_cents(self._problem, plan)

    def is_no_better(self, n_racks: NDArray[np.integer[Any]], seen: int, best: int) -> bool:
        """Whether a plan cannot be worth more than the best one, told from what kernels see of it.

        By weak duality: whatever is decided beside the racks is worth no more than the prices say. A cent for each
        standing rack and period covers what kernels round away.
        Parameters: seen, cents by the kernels; best, cents.
        """
        if self._most_beside is None:
            return False
        return seen + self._most_beside + int(n_racks.sum()) + self._problem.n_periods + 1 <= best

    @cached_property
    def _most_beside(self) -> int | None:
        """Cents that prices leave to be decided at the most; None where minimum demands are priced too."""
        problem = self._problem
        if problem.side is None or problem.minimum_demands:
            return None
        none = np.zeros(problem.capacity.shape, object)
        term = bound_term(problem, self._guide.side_price.astype(object), none, MULTIPLIER_BITS)
        return -(-term >> (MULTIPLIER_BITS + SHARE_BITS))


def judge_of(problem: Problem, guide: Guide) -> Judge | None:
    """The judge of a problem that kernels see only a part of; None where they see all."""
    return Judge(problem, guide) if problem.minimum_demands or problem.side is not None else None
