"""Exact bounds from the first-order iteration: of one problem, or of many of one graph as lanes.

Prices are put on the certificate's grid and evaluated in whole numbers every so often; the best is kept. So the bound
is valid whenever the iteration stops, in single precision too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernels.backends import resolve
from planner.solve.certificate import Certificate, certificate
from planner.solve.class_bound import ClassBound
from planner.solve.classes import equitable, refine_together, singletons
from planner.solve.first_order.iteration import Iteration
from planner.solve.first_order.multipliers import relaxation_of
from planner.solve.first_order.program import CompactProgram
from planner.solve.first_order.scaling import scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns
    from planner.solve.relaxation import Relaxation

_FIRST_LOOK = 160
"""Steps before the first exact evaluation."""


@dataclass(frozen=True)
class FirstOrderOptions:
    """When to stop, and with what."""

    n_steps: int = 4000
    """Most steps; the same number gives the same bound on every backend, whatever the time."""
    enough: float = 2e-4
    """A lane is done when bound and value of the racks are twice in a row no further apart than this share."""
    growth: float = 1.5
    """Steps from one exact evaluation to the next grow by this factor."""
    precision: str = "float64"
    """Or `float32`: half the memory, and bounds that are just as valid."""
    backend: str = "auto"
    restarts: bool = True
    """Whether averaging ever begins anew; without, only for comparison."""


@dataclass(frozen=True)
class FirstOrderBound:
    """What the iteration proves of one problem, and what search can start from."""

    bound: int
    """Cents, exact."""
    certificate: Certificate
    relaxation: Relaxation
    n_steps: int
    """Steps made until the lane was done."""
    done: bool
    """Whether bound and value of the racks met, before steps or time ended it."""


@dataclass(frozen=True)
class Start:
    """Where a problem's iteration ended: a point for others of its graph to begin at."""

    primal: NDArray[np.float64]
    """[n_variables, n_periods] in the program's own units."""
    dual: NDArray[np.float64]
    """[n_constraints, n_periods] cents."""
    weight: float
    """Ratio of dual to primal in the program's own units."""


def first_order_bound(
    problem: Problem,
    patterns: RowPatterns,
    classes: Classes,
    options: FirstOrderOptions = FirstOrderOptions(),
    time_limit_s: float | None = None,
) -> FirstOrderBound:
    """Bound one problem.

    Parameters: patterns of its rows; classes, which may be singletons; options; time_limit_s, of which at most half is
    used, since the same problem is still to be planned. Raises BackendError when the backend does not run here.
    """
    return Bounder([problem], [patterns], classes, options).run(time_limit_s)[0]


def bound_scenarios(
    problems: Sequence[Problem],
    patterns: Sequence[RowPatterns],
    classes: Classes,
    options: FirstOrderOptions = FirstOrderOptions(),
    start: Start | None = None,
) -> list[FirstOrderBound]:
    """Bound many problems of one graph together, each a lane of one iteration.

    Parameters: problems, alike within classes; patterns of each, from one book; start, of a problem of the graph,
    where all lanes begin. A lane is bounded as it would be alone.
    """
    return Bounder(problems, patterns, classes, options, start).run(None) if problems else []


def _proven_over(problems: Sequence[Problem], classes: Classes) -> Classes:
    """Classes whose members are alike in everything: over others a program may be made, but nothing proven."""
    if equitable(problems[0], classes):
        return classes
    found = refine_together(problems)
    return found if equitable(problems[0], found) else singletons(problems[0])


class Bounder:
    """One program in all its lanes, and the best that is proven in each."""

    def __init__(
        self,
        problems: Sequence[Problem],
        patterns: Sequence[RowPatterns],
        classes: Classes,
        options: FirstOrderOptions,
        start: Start | None = None,
    ) -> None:
        """Build and scale the program and find its step sizes."""
        self.program = CompactProgram(problems, patterns, classes)
        self.scaled = scaled(self.program, np.float32 if options.precision == "float32" else np.float64)
        self._options, self._evaluate = options, ClassBound(problems[0], _proven_over(problems, classes))
        self.iteration = Iteration(self.scaled.model, resolve(options.backend), options.restarts)
        if start is not None:
            self._begin(start)
        self._best: list[FirstOrderBound | None] = [None] * len(problems)
        self._met = np.zeros(len(problems), np.int64)

    def run(self, time_limit_s: float | None) -> list[FirstOrderBound]:
        """Step until every lane is done, or steps or time are spent."""
        started, next_look = time.monotonic(), float(_FIRST_LOOK)
        while (self._met < 2).any() and self.iteration.n_steps < self._options.n_steps:
            self.iteration.look()
            spent = time_limit_s is not None and time.monotonic() - started > time_limit_s / 2
            if self.iteration.n_steps >= min(next_look, self._options.n_steps) or spent:
                next_look *= self._options.growth
                self._evaluate_lanes()
            if spent:
                break
        if None in self._best:
            self._evaluate_lanes()
        return [one for one in self._best if one is not None]

    def end(self, lane: int = 0) -> Start:
        """The point that a lane has come to."""
        self._points = self.iteration.points()
        primal, dual, _ = self._point(lane)
        return Start(primal, dual, float(self.iteration.weights()[lane]) * self.scaled.money_cents)

    def _begin(self, start: Start) -> None:
        money = self.scaled.money_cents
        primal = start.primal / self.scaled.variable_scale[:, None]
        dual = start.dual / (self.scaled.constraint_scale[:, None] * money)
        self.iteration.start_at(primal, dual, start.weight / money)

    def _point(self, lane: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Values, multipliers in cents and gains in cents, without scales."""
        money = self.scaled.money_cents
        variable, constraint = self.scaled.variable_scale[:, None], self.scaled.constraint_scale[:, None]
        primal, dual, gain = (part[..., lane].astype(np.float64) for part in self._points)
        return primal * variable, dual * constraint * money, gain * money / variable

    def _evaluate_lanes(self) -> None:
        """Prove what the multipliers of every lane that is not done prove, and see whether it is."""
        self._points = self.iteration.points()
        for lane in np.flatnonzero(self._met < 2):
            self._evaluate_lane(int(lane))

    def _evaluate_lane(self, lane: int) -> None:
        problem, patterns = self.program.problems[lane], self.program.patterns[lane]
        primal, dual, gain = self._point(lane)
        value = self._value(lane)
        relaxation = relaxation_of(self.program, lane, primal, dual, gain, "first-order", value)
        proof = certificate(problem, relaxation)
        bound = self._evaluate.bound_cents(problem, patterns, proof)
        near = abs(bound - value) <= self._options.enough * abs(bound)
        self._met[lane] = self._met[lane] + 1 if near else 0
        best = self._best[lane]
        if best is None or bound < best.bound:
            best = FirstOrderBound(bound, proof, relaxation, 0, done=False)
        self._best[lane] = replace(best, n_steps=self.iteration.n_steps, done=bool(self._met[lane] >= 2))

    def _value(self, lane: int) -> float:
        """Cents that the lane's racks are worth, as far as they hold."""
        model = self.scaled.model
        image = self._points[0][..., lane].astype(np.float64)
        return float(np.sum(model.gain[..., lane] * image)) * self.scaled.money_cents
