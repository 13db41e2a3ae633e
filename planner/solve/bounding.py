"""The proven bound: within a second from joined rows, then sharper beside the search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.solve.certificate import certificate
from planner.solve.class_bound import ClassBound
from planner.solve.classes import equitable, joined_rows, refine, singletons
from planner.solve.first_order.choice import chosen_relaxation, uses_columns
from planner.solve.patterns import row_patterns
from planner.solve.relaxation import relax

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.problem import Problem
    from planner.solve.certificate import Certificate
    from planner.solve.relaxation import Relaxation

_LOOSE = 1e-4
"""Share by which a bound may pass the value of its linear program before rows are told apart."""
_SHARP = 1e-6
"""Columns that could add less than this share of the optimum end the sharper relaxation."""


@dataclass(frozen=True)
class Proven:
    """Multipliers and what they prove."""

    relaxation: Relaxation
    proof: Certificate
    bound: int
    """Cents: no plan is worth more."""


class Bounding:
    """Relaxations of one problem, first a quick one."""

    def __init__(self, problem: Problem, method: str, backend: str) -> None:
        """Find the classes and the points of rows.

        Parameters: method, one of `first_order.choice.BOUNDS`; backend, of the iteration.
        """
        self._problem, self._method, self._backend = problem, method, backend
        found = refine(problem)
        self.classes = found if equitable(problem, found) else singletons(problem)
        self.patterns = row_patterns(problem, row_class=self.classes.row)
        self._joined = joined_rows((problem,), self.classes, self.patterns)
        self._evaluate = ClassBound(problem, self.classes)

    def first(self, time_limit_s: float | None) -> Proven:
        """The bound over joined rows.

        Parameters: time_limit_s, of which at most half is used.
        """
        relaxation = chosen_relaxation(
            self._problem, self.patterns, self._joined, self._method, time_limit_s, self._backend
        )
        return self._proven(relaxation)

    def sharper(self, first: Proven, time_left: Callable[[], float | None]) -> Proven:
        """The bound once columns are generated to the end; where joined rows prove too little, over rows told apart.

        Depends on nothing but the problem, unless time is short.
        """
        if not uses_columns(self._problem, self._joined, self._method):
            return first
        best = min(first, self._relaxed(joined=True, time_left=time_left), key=lambda one: one.bound)
        alike = self._joined.counts[0] == self.classes.counts[0]
        if alike or best.bound <= best.relaxation.value * (1.0 + _LOOSE):
            return best
        return min(best, self._relaxed(joined=False, time_left=time_left), key=lambda one: one.bound)

    def _relaxed(self, *, joined: bool, time_left: Callable[[], float | None]) -> Proven:
        classes = self._joined if joined else self.classes
        return self._proven(relax(self._problem, self.patterns, classes, time_left(), _SHARP))

    def _proven(self, relaxation: Relaxation) -> Proven:
        proof = certificate(self._problem, relaxation)
        return Proven(relaxation, proof, self._evaluate.bound_cents(self._problem, self.patterns, proof))
