"""One of many problems of the same graph, solved from what the others have taught: columns, basis, fillings, bounds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, Plan
from planner.solve.assignment import Assignment, ClassProgram, assignment_of
from planner.solve.certificate import Certificate, certificate
from planner.solve.feasible import holds
from planner.solve.formulation import MONEY_CENTS, Formulation
from planner.solve.generation import add_columns
from planner.solve.guide import make_guide
from planner.solve.master import Master
from planner.solve.options import gap
from planner.solve.packing import effective_values, packing_model
from planner.solve.patterns import PatternBook, row_patterns
from planner.solve.polish import Polish
from planner.solve.program import Relaxed
from planner.solve.relaxation import lift
from planner.solve.rounding import BALANCES, exchanges, whole_ends, whole_starts
from planner.solve.settle import settle
from planner.solve.start import mixed_pool
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchGuide
    from planner.problem import Problem
    from planner.solve.class_bound import ClassBound
    from planner.solve.classes import Classes
    from planner.solve.column_pool import ColumnPool
    from planner.solve.fillings import Fillings
    from planner.solve.patterns import RowPatterns
    from planner.solve.program import Answer
    from planner.solve.relaxation import Relaxation

_LOOSE = 5e-4
"""Share by which a bound may pass the master's value before more columns are looked for."""
_ENOUGH = 0.5
"""Of the gap that is asked for, what rounding blocks may leave before other roundings are tried."""
_ROUNDS_AT_ONCE = 4
"""Rounds of refilling between looks for columns."""


@dataclass(frozen=True)
class Known:
    """Multipliers of a problem that was solved before, with what tells how they fare in another."""

    proof: Certificate
    relaxation: Relaxation
    capacity: NDArray[np.int64]
    value: NDArray[np.int64]
    """Of each standing rack, start values by parts."""

    def distance(self, problem: Problem, value: NDArray[np.int64]) -> float:
        """How far another problem is from this one, in cents: what its limits and racks are worth more or less here.

        Parameters: value [n_rows, n_configurations, n_periods] of each standing rack in the other problem.
        """
        change = np.where(self.capacity == INACTIVE, 0, problem.capacity - self.capacity)
        racks = float((self.relaxation.racks * np.abs(value - self.value)).sum())
        return racks + float((np.abs(change) * self.relaxation.limit).sum())


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


class Bounding:
    """The relaxation of one problem over the shared columns, and the best bound that it has proven."""

    def __init__(self, shared: Shared, evaluate: ClassBound, problem: Problem, patterns: RowPatterns) -> None:
        """Bound the problem by the multipliers of the nearest one that is known."""
        self.problem, self.patterns, self._evaluate = problem, patterns, evaluate
        value = effective_values(problem).rack
        self.proof = min(shared.known, key=lambda known: known.distance(problem, value)).proof
        self.first_bound = self.bound = evaluate.bound_cents(problem, patterns, self.proof)
        self.formulation = Formulation(problem, patterns, shared.joined)
        self._master = Master(self.formulation.columns, self.formulation.rows)
        shared.pool.put_into(self.formulation, self._master)
        # Where limits come into being at other times the rows are others; the solve then starts from nothing.
        if shared.basis[1].size == self.formulation.rows.n:
            self._master.start_from(shared.basis)
        self.relaxation = self._solve()

    def more_columns(self) -> None:
        """Look for columns that the multipliers call for, and solve again, unless the bound is tight already."""
        if self.bound > self._master.objective * MONEY_CENTS + _LOOSE * abs(self.bound):
            add_columns(self.formulation, self._master, self._master.dual)
            self.relaxation = self._solve()

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
        if n_rounds % _ROUNDS_AT_ONCE == 0 and n_rounds:
            bounding.more_columns()
        polish.round()
        plan, n_rounds = Plan(polish.n_racks), n_rounds + 1
    if not holds(problem, plan):
        msg = "the plan of a scenario breaks a rule of its own problem"
        raise AssertionError(msg)
    return BatchSolution(
        plan=plan, objective=objective_cents(problem, plan), bound=bounding.bound, certificate=bounding.proof,
        first_bound=bounding.first_bound, n_rounds=n_rounds, n_columns=len(bounding.formulation.made),
        cpu_s=time.process_time() - started,
    )  # fmt: skip


def start_of_search(shared: Shared) -> tuple[PackingModel, SearchGuide]:
    """Model and guide of the base, to load kernels with."""
    known, base = shared.known[0], shared.base
    patterns = row_patterns(base, book=shared.book, row_class=shared.classes.row)
    none = np.zeros(known.relaxation.racks.shape, np.int64)
    guide = make_guide(base, known.proof, shared.classes, known.relaxation, none)
    model = packing_model(base, patterns)
    return model, guide.for_search(model)


def rounded_assignment(
    problem: Problem, patterns: RowPatterns, classes: Classes, fillings: tuple[Fillings, ...], enough: float
) -> Assignment | None:
    """The program over classes of blocks without its whole numbers, starts rounded, and racks again for these starts.

    Parameters: fillings, made for a problem of the same graph; enough, cents at which no other rounding is tried. None
    where nothing can stand or HiGHS finds nothing.
    """
    program = ClassProgram(problem, patterns, classes, lambda blocks: _usable(patterns, problem, fillings, blocks))
    program.build()
    if not program.program.gain:
        return None
    relaxed = Relaxed(program.program)
    answer = relaxed.solve()
    if answer is None:
        return None
    blocks = np.cumsum(np.append(answer.values, 0.0)[program.start], axis=1)
    best = _Rounding(program, relaxed, blocks).best(enough / MONEY_CENTS)
    return None if best is None else assignment_of(program, best)


class _Rounding:
    """Tries whole starts for one program; each is a linear program that begins where the last one stood."""

    def __init__(self, program: ClassProgram, relaxed: Relaxed, blocks: NDArray[np.float64]) -> None:
        self._program, self._relaxed, self._blocks = program, relaxed, blocks
        self._there = program.start >= 0
        self._known: dict[bytes, Answer | None] = {}

    def best(self, enough: float) -> Answer | None:
        """The best answer found: several ways of rounding, then blocks of a class that change sides one by one."""
        fillings, wanted, size = self._program.fillings, self._blocks[:, -1], self._program.block_size
        best, ends = None, np.zeros(len(fillings), np.int64)
        for balance in BALANCES:
            other = whole_ends(fillings, size, wanted, balance)
            found = self._racks(other)
            if found is not None and (best is None or found.objective > best.objective):
                best, ends = found, other
            if best is not None and best.objective >= enough:
                return best
        for up, down in exchanges(fillings, wanted, ends):
            other = ends.copy()
            other[up], other[down] = ends[up] - 1, ends[down] + 1
            found = self._racks(other) if ends[up] > wanted[up] and ends[down] < wanted[down] else None
            if best is not None and found is not None and found.objective > best.objective:
                best, ends = found, other
        return best

    def _racks(self, ends: NDArray[np.int64]) -> Answer | None:
        """The best racks for these blocks."""
        key = ends.tobytes()
        if key not in self._known:
            starts = whole_starts(self._blocks, ends)[self._there]
            self._relaxed.fix(self._program.start[self._there], starts.astype(np.float64))
            self._known[key] = self._relaxed.solve()
        return self._known[key]


def _usable(
    patterns: RowPatterns, problem: Problem, fillings: tuple[Fillings, ...], blocks: NDArray[np.int64]
) -> tuple[Fillings, ...]:
    """The fillings from the first period on in which some row of their block can hold the system here."""
    result = []
    for one in fillings:
        rows = np.flatnonzero(problem.block_of_row_idx == blocks[one.block_class])
        usable = np.flatnonzero((patterns.pattern_set_idx[rows, one.system] >= 0).any(axis=0))
        if usable.size:
            result.append(replace(one, first_period=int(usable[0])))
    return tuple(result)


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
        racks = settle(problem, bounding.patterns, shared.classes, assignment, by_period=by_period)
        plan = Plan(racks.astype(np.int32))
        worth = objective_cents(problem, plan)
        if worth > value and holds(problem, plan):
            best, value = racks, worth
        if gap(value, bounding.bound) <= options.gap:
            break
    return best
