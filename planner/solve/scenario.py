"""One of many problems of the same graph, solved from what the others have taught: columns, basis, fillings, bounds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
from planner.solve.polish import Polish
from planner.solve.pools import mixed_pool
from planner.solve.relaxation import lift
from planner.solve.settle import settled_plan
from planner.solve.value import objective_cents

if TYPE_CHECKING:
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


def solve_scenario(shared: Shared, evaluate: ClassBound, problem: Problem, options: BatchOptions) -> BatchSolution:
    """Bound and plan one problem of a batch until its gap is small enough.

    Parameters: shared; evaluate, the bound over the shared classes; problem; options.
    """
    started = time.process_time()
    patterns = row_patterns(problem, book=shared.book, row_class=shared.classes.row)
    bounding = Bounding(shared, evaluate, problem, patterns)
    enough = bounding.bound - _ENOUGH * options.gap * abs(bounding.bound)
    assignment = rounded_assignment(problem, patterns, shared.classes, shared.fillings, enough)
    polish = _polish(shared, bounding, assignment, options)
    plan, n_rounds = Plan(polish.n_racks), 0
    while gap(objective_cents(problem, plan), bounding.bound) > options.gap and n_rounds < options.most_rounds:
        if n_rounds % _ROUNDS_AT_ONCE == 0 and bounding.more_columns():
            continue
        polish.round()
        plan, n_rounds = Plan(polish.n_racks), n_rounds + 1
    if not holds(problem, plan):
        msg = "the plan of a scenario breaks a rule of its own problem"
        raise AssertionError(msg)
    return BatchSolution(
        plan=plan, objective=objective_cents(problem, plan), bound=bounding.bound, certificate=bounding.proof,
        gap_asked=options.gap, first_bound=bounding.first_bound, n_rounds=n_rounds,
        n_columns=len(bounding.formulation.made), cpu_s=time.process_time() - started,
    )  # fmt: skip


def start_of_search(shared: Shared) -> tuple[PackingModel, SearchGuide]:
    """Model and guide of the base, to load kernels with."""
    known, base = shared.known[0], shared.base
    patterns = row_patterns(base, book=shared.book, row_class=shared.classes.row)
    none = np.zeros(known.relaxation.racks.shape, np.int64)
    guide = make_guide(base, known.proof, shared.classes, known.relaxation, none)
    model = packing_model(base, patterns)
    return model, guide.for_search(model)


def _polish(shared: Shared, bounding: Bounding, assignment: Assignment | None, options: BatchOptions) -> Polish:
    """The lane of search that begins at the assignment's plan, or at none where that breaks a rule."""
    problem, relaxation = bounding.problem, bounding.relaxation
    start = np.zeros(relaxation.racks.shape, np.int64)
    if assignment is not None:
        relaxation = replace(relaxation, racks=assignment.racks, pool=mixed_pool(assignment, relaxation.pool))
        start = _settled(shared, bounding, assignment, options)
    guide = make_guide(problem, bounding.proof, shared.classes, relaxation, start)
    model = packing_model(problem, bounding.patterns)
    return Polish(model, guide.for_search(model), start, options.backend, options.seed)


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
