"""Problems of the same graph, solved from what others of it have taught: columns, basis, fillings, bounds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from planner.problem import Plan
from planner.solve.certificate import Certificate, certificate
from planner.solve.dive import rounded_assignment
from planner.solve.feasible import holds
from planner.solve.formulation import MONEY_CENTS, Formulation
from planner.solve.generation import add_columns
from planner.solve.guide import make_guide
from planner.solve.master import Master
from planner.solve.options import gap
from planner.solve.packing import effective_values, packing_model
from planner.solve.patterns import PatternBook, row_patterns
from planner.solve.polish import PolishTogether
from planner.solve.pools import mixed_pool
from planner.solve.relaxation import lift
from planner.solve.settle import settled_plan
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchGuide
    from planner.problem import Problem
    from planner.solve.assignment import Assignment
    from planner.solve.class_bound import ClassBound
    from planner.solve.classes import Classes
    from planner.solve.column_pool import ColumnPool
    from planner.solve.fillings import Fillings
    from planner.solve.known import JointLoads, Known
    from planner.solve.patterns import RowPatterns
    from planner.solve.relaxation import Relaxation

Found = TypeVar("Found")

_LOOSE = 5e-4
"""Share by which a bound may pass the master's value before more columns are looked for."""
_ENOUGH = 0.7
"""Of the gap that is asked for, what rounding blocks may leave before other roundings are tried."""
_ROUNDS_AT_ONCE = 4
"""Rounds of refilling between looks for columns."""


@dataclass(frozen=True)
class Shared:
    """What all problems of a batch start from."""

    base: Problem
    classes: Classes
    """Alike in all problems; the bound is evaluated over these."""
    joined: Classes
    """With fewer classes of rows; the relaxation is solved over these."""
    book: PatternBook
    pool: ColumnPool
    basis: tuple[NDArray[np.int8], NDArray[np.int8]]
    """Where the master of the base stood, with all columns of the pool."""
    fillings: tuple[Fillings, ...]
    known: tuple[Known, ...]
    """What was proven for the base and for the problems that were solved first."""
    loads: JointLoads
    """What prices of joint limits charge the racks of each class."""


@dataclass(frozen=True)
class BatchOptions:
    """When to stop, and with what."""

    gap: float = 0.01
    """Certified gap at which a problem is done."""
    most_rounds: int = 12
    """Rounds of refilling, each about two refills of every block, after which it is done at whatever gap it has."""
    n_probes: int = 6
    """Problems, spread over the batch, whose columns are found before the others begin."""
    n_lanes: int = 32
    """Problems that are bounded and searched side by side, which takes memory for each; plans do not depend on it."""
    n_processes: int = 2
    backend: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class BatchSolution:
    """A plan of one problem and how good it is proven to be."""

    plan: Plan
    objective: int
    """Cents, exact."""
    bound: int
    """Cents, exact: no plan is worth more."""
    certificate: Certificate
    """The multipliers that prove the bound."""
    gap_asked: float
    """Certified gap at which the problem would have been done; see `is_done`."""
    first_bound: int
    """Cents: what the multipliers of problems solved before prove, without a step of its own."""
    n_rounds: int
    n_columns: int
    """Columns made for this problem alone."""
    cpu_s: float
    """Processor time."""

    @property
    def gap(self) -> float:
        """(bound − objective) / |bound|."""
        return gap(self.objective, self.bound)

    @property
    def is_done(self) -> bool:
        """Whether the gap that was asked for is reached; if not, the rounds were used up."""
        return self.gap <= self.gap_asked


class Bounding:
    """The relaxation of one problem over the shared columns, and the best bound that it has proven."""

    def __init__(self, shared: Shared, evaluate: ClassBound, problem: Problem, patterns: RowPatterns) -> None:
        """Bound the problem by the multipliers of the nearest one that is known, moved with its values."""
        self.problem, self.patterns, self._evaluate = problem, patterns, evaluate
        value = effective_values(problem).rack
        nearest = min(shared.known, key=lambda known: known.distance(problem, value))
        self.proof = nearest.moved(problem, value, shared.loads)
        self.first_bound = self.bound = evaluate.bound_cents(problem, patterns, self.proof)
        self.formulation = Formulation(problem, patterns, shared.joined)
        self._master = Master(self.formulation.columns, self.formulation.rows)
        shared.pool.put_into(self.formulation, self._master)
        # Where limits come into being at other times the rows are others; the solve then starts from nothing.
        if shared.basis[1].size == self.formulation.rows.n:
            self._master.start_from(shared.basis)
        self.relaxation = self._solve()

    def more_columns(self) -> bool:
        """Look for columns that the multipliers call for, and solve again, unless the bound is tight already.

        Returns whether the bound is lower now.
        """
        before = self.bound
        if self.bound > self._master.objective * MONEY_CENTS + _LOOSE * abs(self.bound):
            add_columns(self.formulation, self._master, self._master.dual)
            self.relaxation = self._solve()
        return self.bound < before

    def _solve(self) -> Relaxation:
        self._master.solve()
        relaxation = lift(self.formulation, self._master)
        proof = certificate(self.problem, relaxation)
        bound = self._evaluate.bound_cents(self.problem, self.patterns, proof)
        if bound < self.bound:
            self.bound, self.proof = bound, proof
        return relaxation


def solve_scenarios(
    shared: Shared, evaluate: ClassBound, problems: Sequence[Problem], options: BatchOptions
) -> Iterator[tuple[int, BatchSolution]]:
    """Bound and plan problems of a batch side by side, each until its gap is small enough.

    Parameters: shared; evaluate, the bound over the shared classes; problems, a lane for each; options. Yields the
    place of a problem and its solution as soon as it is done; it then takes no more part. A problem's solution is the
    same whatever others are beside it.
    """
    underway, begun = {}, []
    for place, problem in enumerate(problems):
        underway[place] = _Underway(shared, evaluate, problem, options)
        begun.append(underway[place].start())
    polish, spent_s = _timed(lambda: PolishTogether(begun, options.backend, options.seed))
    begun.clear()
    while underway:
        share_s = spent_s / len(underway)
        for place in list(underway):
            if underway[place].is_to_go_on(polish.n_racks(place), share_s):
                continue
            yield place, underway.pop(place).solution()
        if underway:
            _, spent_s = _timed(partial(polish.round, list(underway)))


class _Underway:
    """One of the problems that are solved side by side."""

    def __init__(self, shared: Shared, evaluate: ClassBound, problem: Problem, options: BatchOptions) -> None:
        """Bound the problem."""
        begun = time.process_time()
        self._shared, self._problem, self._options = shared, problem, options
        patterns = row_patterns(problem, book=shared.book, row_class=shared.classes.row)
        self._bounding = Bounding(shared, evaluate, problem, patterns)
        self._plan, self._objective, self._n_rounds = Plan(np.zeros(0, np.int32)), 0, -1
        self._cpu_s = time.process_time() - begun

    def start(self) -> tuple[PackingModel, SearchGuide, NDArray[np.int64]]:
        """Where the search begins: at the rounded assignment's plan, or at none where that breaks a rule."""
        begun = time.process_time()
        bounding, shared = self._bounding, self._shared
        enough = bounding.bound - _ENOUGH * self._options.gap * abs(bounding.bound)
        assignment = rounded_assignment(self._problem, bounding.patterns, shared.classes, shared.fillings, enough)
        found = _start(shared, bounding, assignment, self._options)
        self._cpu_s += time.process_time() - begun
        return found

    def is_to_go_on(self, n_racks: NDArray[np.int32], share_s: float) -> bool:
        """Take in the plan of a round; whether another is wanted.

        Parameters: n_racks [n_rows, n_configurations, n_periods]; share_s, processor time of the round for this lane.
        """
        begun = time.process_time()
        self._plan, self._n_rounds = Plan(n_racks), self._n_rounds + 1
        self._objective = objective_cents(self._problem, self._plan)
        found = self._wants_a_round()
        self._cpu_s += time.process_time() - begun + share_s
        return found

    def _wants_a_round(self) -> bool:
        while gap(self._objective, self._bounding.bound) > self._options.gap:
            if self._n_rounds >= self._options.most_rounds:
                return False
            if self._n_rounds % _ROUNDS_AT_ONCE != 0 or not self._bounding.more_columns():
                return True
        return False

    def solution(self) -> BatchSolution:
        """The plan and what is proven of it."""
        if not holds(self._problem, self._plan):
            msg = "the plan of a scenario breaks a rule of its own problem"
            raise AssertionError(msg)
        bounding = self._bounding
        return BatchSolution(
            plan=self._plan, objective=self._objective, bound=bounding.bound, certificate=bounding.proof,
            gap_asked=self._options.gap, first_bound=bounding.first_bound, n_rounds=self._n_rounds,
            n_columns=len(bounding.formulation.made), cpu_s=self._cpu_s,
        )  # fmt: skip


def _timed(function: Callable[[], Found]) -> tuple[Found, float]:
    """What a function returns, and the processor time that it took."""
    begun = time.process_time()
    found = function()
    return found, time.process_time() - begun


def start_of_search(shared: Shared) -> tuple[PackingModel, SearchGuide]:
    """Model and guide of the base, to load kernels with."""
    known, base = shared.known[0], shared.base
    patterns = row_patterns(base, book=shared.book, row_class=shared.classes.row)
    none = np.zeros(known.relaxation.racks.shape, np.int64)
    guide = make_guide(base, known.proof, shared.classes, known.relaxation, none)
    model = packing_model(base, patterns)
    return model, guide.for_search(model)


def _start(
    shared: Shared, bounding: Bounding, assignment: Assignment | None, options: BatchOptions
) -> tuple[PackingModel, SearchGuide, NDArray[np.int64]]:
    """Model, guide and plan that a lane of the search begins with."""
    problem, relaxation = bounding.problem, bounding.relaxation
    start = np.zeros(relaxation.racks.shape, np.int64)
    if assignment is not None:
        relaxation = replace(relaxation, racks=assignment.racks, pool=mixed_pool(assignment, relaxation.pool))
        start = _settled(shared, bounding, assignment, options)
    guide = make_guide(problem, bounding.proof, shared.classes, relaxation, start)
    model = packing_model(problem, bounding.patterns)
    return model, guide.for_search(model), start


def _settled(shared: Shared, bounding: Bounding, assignment: Assignment, options: BatchOptions) -> NDArray[np.int64]:
    """The assignment handed out to blocks; where that misses the gap, in both ways of filling them, the better one."""
    problem = bounding.problem
    best, value = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int64), 0
    for by_period in (True, False):
        racks = settled_plan(problem, bounding.patterns, shared.classes, assignment, by_period=by_period)
        worth = 0 if racks is None else objective_cents(problem, Plan(racks.astype(np.int32)))
        if racks is not None and worth > value:
            best, value = racks, worth
        if gap(value, bounding.bound) <= options.gap:
            break
    return best
