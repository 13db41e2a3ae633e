"""What the search starts from: an assignment of systems to blocks, its mix as aims and pools, and a plan of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import Plan
from planner.solve.assignment import Assignment, assign
from planner.solve.feasible import holds
from planner.solve.relaxation import PoolPattern, Relaxation
from planner.solve.settle import settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns

_SMALLEST_WEIGHT = 1e-3
_PART_OF_TIME = 0.45
"""Of the time that is left, what one assignment may take."""


@dataclass(frozen=True)
class Starter:
    """Makes plans to start from, ever more thoroughly."""

    problem: Problem
    patterns: RowPatterns
    classes: Classes
    relaxation: Relaxation
    time_left: Callable[[], float | None]

    def first(self) -> tuple[Relaxation, NDArray[np.int64]]:
        """The relaxation with the assignment's racks and fillings in place of its own, and a plan; empty if none."""
        assignment = self._assign(0)
        if assignment is None:
            return self.relaxation, np.zeros(self.relaxation.racks.shape, np.int64)
        steered = replace(self.relaxation, racks=assignment.racks, pool=mixed_pool(assignment, self.relaxation.pool))
        plan = self._settled(assignment)
        return steered, np.zeros(steered.racks.shape, np.int64) if plan is None else plan

    def deeper(self, level: int) -> NDArray[np.int64] | None:
        """A plan from a longer search for the assignment; None where there is none that holds.

        Parameters: level, from 1 on; each takes longer than the one before.
        """
        assignment = self._assign(level)
        return None if assignment is None else self._settled(assignment)

    def _assign(self, level: int) -> Assignment | None:
        left = self.time_left()
        brake = None if left is None else max(left, 0.0) * _PART_OF_TIME
        return assign(self.problem, self.patterns, self.classes, self.relaxation, level, brake)

    def _settled(self, assignment: Assignment) -> NDArray[np.int64] | None:
        plan = settle(self.problem, self.patterns, self.classes, assignment)
        return plan if holds(self.problem, Plan(plan.astype(np.int32))) else None


def mixed_pool(assignment: Assignment, pool: tuple[PoolPattern, ...]) -> tuple[PoolPattern, ...]:
    """The fillings that an assignment ends with by their number of blocks, and others for trying out.

    Parameters: pool, of the relaxation.
    """
    weights: dict[tuple[int, int, int], float] = {(one.block_class, one.system, one.n_racks): 0.0 for one in pool}
    for one, mixed in zip(assignment.fillings, assignment.mixed, strict=True):
        for choice, weight in zip(one.choices, mixed[:, -1], strict=True):
            if weight > _SMALLEST_WEIGHT:
                weights[one.block_class, one.system, choice.racks] = float(weight)
    return tuple(PoolPattern(*key, weight=weights[key]) for key in sorted(weights))
