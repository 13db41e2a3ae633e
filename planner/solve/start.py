"""What the search starts from: an assignment of systems to blocks, its mix as aims and pools, and a plan of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import Plan
from planner.solve.assignment import Assignment, assign
from planner.solve.beside import Beside
from planner.solve.dive import rounded_assignment
from planner.solve.fillings import block_fillings
from planner.solve.pools import mixed_pool
from planner.solve.settle import settled_plan
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.fillings import Fillings
    from planner.solve.patterns import RowPatterns
    from planner.solve.relaxation import Relaxation

_PART_OF_TIME = 0.9
"""Of the time that is left, what one look for an assignment may take beside the search."""
_LEVELS = 4
_PATIENCE = 30
"""Rounds without a better plan after which a deeper start is looked for, and rounds after which it is taken in."""


@dataclass(frozen=True)
class _Settled:
    assignment: Assignment
    racks: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] of a plan that keeps every rule."""
    objective: int


@dataclass(frozen=True)
class Starter:
    """Makes plans to start from, ever more thoroughly."""

    problem: Problem
    patterns: RowPatterns
    classes: Classes
    relaxation: Relaxation
    time_left: Callable[[], float | None]

    @cached_property
    def _fillings(self) -> tuple[Fillings, ...]:
        _, blocks = np.unique(self.classes.block, return_index=True)
        return block_fillings(self.problem, self.patterns, self.relaxation, blocks)

    @cached_property
    def _rounded(self) -> Assignment | None:
        """The linear program's, rounded: the same for every look."""
        return rounded_assignment(self.problem, self.patterns, self.classes, self._fillings, float("inf"))

    def first(self) -> tuple[Relaxation, NDArray[np.int64]]:
        """The relaxation with the assignment's racks and fillings in place of its own, and a plan; empty if none.

        The assignment is the linear program's, rounded; without a time limit that of the integer program too, and then
        the better plan's.
        """
        tried = [self._rounded] if self.time_left() is not None else [self._rounded, self._assign(0)]
        found = [one for assignment in tried if assignment is not None for one in self._settled(assignment)]
        if not found:
            return self.relaxation, np.zeros(self.relaxation.racks.shape, np.int64)
        best = max(found, key=lambda one: one.objective)
        pool = mixed_pool(best.assignment, self.relaxation.pool)
        return replace(self.relaxation, racks=best.assignment.racks, pool=pool), best.racks

    def deeper(self, level: int) -> NDArray[np.int64] | None:
        """A plan from a longer search for the assignment; None where there is none that holds.

        Parameters: level, from 0 on; each takes longer than the one before.
        """
        assignment = self._assign(level)
        found = [] if assignment is None else self._settled(assignment)
        return max(found, key=lambda one: one.objective).racks if found else None

    def _assign(self, level: int) -> Assignment | None:
        left = self.time_left()
        brake = None if left is None else max(left, 0.0) * _PART_OF_TIME
        return assign(self.problem, self.patterns, self.classes, self.relaxation, level, brake, self._rounded)

    def _settled(self, assignment: Assignment) -> list[_Settled]:
        """The assignment handed out to blocks in both ways of filling them, as far as that keeps every rule."""
        found = []
        for by_period in (True, False):
            racks = settled_plan(self.problem, self.patterns, self.classes, assignment, by_period=by_period)
            if racks is not None:
                worth = objective_cents(self.problem, Plan(racks.astype(np.int32)))
                found.append(_Settled(assignment, racks, worth))
        return found


class Deeper:
    """Looks for better starts in a thread beside the rounds of the search.

    Without a time limit a look begins after some rounds in vain and is waited for after as many more, so that plans
    depend on rounds alone. With one, one look follows the other as soon as it is done.
    """

    def __init__(self, starter: Starter) -> None:
        """Begin the first look at once where time is limited; the starter has taken its time for it otherwise."""
        self._starter, self._timed = starter, starter.time_left() is not None
        self._level, self._since = (0 if self._timed else 1), 0
        self._look: Beside[NDArray[np.int64] | None] | None = None
        if self._timed:
            self._begin(0)

    def after(self, round_number: int, n_in_vain: int) -> NDArray[np.int64] | None:
        """A plan to take in after this round, where there is one.

        Parameters: n_in_vain, rounds since the plan became better.
        """
        found = None
        if self._look is not None:
            if not (self._look.done if self._timed else round_number - self._since >= _PATIENCE):
                return None
            found, self._look = self._look.result(), None
        if self._level < _LEVELS and (self._timed or n_in_vain >= _PATIENCE):
            self._begin(round_number)
        return found

    def _begin(self, round_number: int) -> None:
        level, self._level, self._since = self._level, self._level + 1, round_number
        self._look = Beside(lambda: self._starter.deeper(level))
