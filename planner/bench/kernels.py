"""Rounds of search by the clock: how they grow with rows and periods, and what each backend takes for one plan."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.bench.campus import CampusSize
from planner.bench.portfolio import PortfolioSize, write_portfolio
from planner.bench.race import generated_problem, lowered_problem
from planner.solve.certificate import bound_cents, certificate
from planner.solve.classes import joined_rows, refine
from planner.solve.formulation import Formulation
from planner.solve.generation import generate
from planner.solve.guide import Guide, make_guide
from planner.solve.master import Master
from planner.solve.packing import packing_model
from planner.solve.patterns import row_patterns
from planner.solve.recombine import path_pool
from planner.solve.relaxation import lift
from planner.solve.search import search_rounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernels.contract import PackingModel
    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns
    from planner.solve.recombine import PathPool
    from planner.solve.relaxation import Relaxation

AIM_RATIO = 12.0
"""Ten times the rows may cost this many times the time of one iteration."""
AIM_BACKENDS = 15.0
"""NumPy may take this many times as long as Numba at 64 lanes or more."""
LARGEST_CAMPUS = 600
"""Rows of one campus at the most; more are several sites that share supply and an envelope."""
_ROUNDS = 3
"""Rounds that are timed; the fourth would recombine block paths, which no kernel does."""


@dataclass(frozen=True)
class ScalePoint:
    """What one size takes, in seconds of processor time."""

    n_rows: int
    n_periods: int
    n_limits: int
    n_blocks: int
    n_row_classes: int
    lowering_s: float
    relaxation_s: float
    n_iterations: int
    """Of column generation."""
    bound_s: float
    """Evaluating the certificate in exact integers, once."""
    round_s: float
    """One round of search in all lanes: strip, about two refills of every block, raise."""
    steps_per_s: float
    """Steps times lanes a second of one core, within such rounds."""

    @property
    def iteration_s(self) -> float:
        """One iteration of column generation."""
        return self.relaxation_s / self.n_iterations


@dataclass(frozen=True)
class BackendRun:
    """Rounds of one backend from one guide."""

    backend: str
    n_lanes: int
    n_threads: int
    n_steps: int
    """Steps times lanes."""
    cpu_s: float
    wall_s: float
    objective_cents: int


@dataclass(frozen=True)
class BackendRace:
    """All backends on one campus."""

    n_rows: int
    n_periods: int
    runs: tuple[BackendRun, ...]
    same_plan: bool
    """Whether runs of as many lanes ended with the same racks."""

    def ratio(self, n_lanes: int) -> float:
        """Processor time of NumPy over that of Numba, each on one thread."""
        seconds = {run.backend: run.cpu_s for run in self.runs if run.n_lanes == n_lanes and run.n_threads == 1}
        return seconds["numpy"] / seconds["numba"]


class _Counted(Master):
    """A master that counts how often it is solved."""

    n_solved = 0

    def solve(self) -> None:
        self.n_solved += 1
        super().solve()


@dataclass(frozen=True)
class _Search:
    model: PackingModel
    guide: Guide
    paths: Callable[[], PathPool]

    def rounds(self, backend: str, n_lanes: int, n_threads: int) -> tuple[BackendRun, bytes]:
        """Time some rounds; returns the best plan's bytes beside."""
        rounds = search_rounds(
            self.model, self.guide, self.paths(), None, backend=backend, seed=0, n_lanes=n_lanes, n_threads=n_threads
        )
        found = next(rounds)
        cpu_s, wall_s = time.process_time(), time.monotonic()
        for _ in range(_ROUNDS):
            found = next(rounds)
        run = BackendRun(
            backend, n_lanes, n_threads, found.work, time.process_time() - cpu_s, time.monotonic() - wall_s,
            found.objective,
        )  # fmt: skip
        return run, found.n_racks.tobytes()


def measure_scale(folder: Path, seed: int, size: CampusSize, n_lanes: int = 8) -> ScalePoint:
    """Lower, relax, bound and search one generated campus on one thread, by processor time, kernels compiled before.

    Parameters: folder, which must exist, for the campus; seed; size, over `LARGEST_CAMPUS` rows several campuses in one
    portfolio; n_lanes of the search.
    """
    clock = time.process_time
    begun = clock()
    problem = _problem(folder, seed, size)
    lowering_s, begun = clock() - begun, clock()
    patterns, classes = row_patterns(problem), refine(problem)
    relaxation, n_iterations = _relaxed(problem, patterns, classes)
    relaxation_s, begun = clock() - begun, clock()
    proof = certificate(problem, relaxation)
    bound_cents(problem, patterns, proof)
    bound_s = clock() - begun
    run, _ = _search(problem, patterns, classes, relaxation).rounds("numba", n_lanes, 1)
    return ScalePoint(
        problem.n_rows, problem.n_periods, problem.n_limits, problem.n_blocks, classes.counts[0], lowering_s,
        relaxation_s, n_iterations, bound_s, run.cpu_s / _ROUNDS, run.n_steps / run.cpu_s,
    )  # fmt: skip


def _problem(folder: Path, seed: int, size: CampusSize) -> Problem:
    n_sites = round(size.n_rows / LARGEST_CAMPUS)
    if n_sites <= 1:
        return generated_problem(folder, seed, size)
    return lowered_problem(write_portfolio(folder, seed, PortfolioSize(n_sites, LARGEST_CAMPUS, size.n_periods)))


def _relaxed(problem: Problem, patterns: RowPatterns, classes: Classes) -> tuple[Relaxation, int]:
    """The relaxation over joined rows, and how often its master was solved."""
    formulation = Formulation(problem, patterns, joined_rows([problem], classes, patterns))
    master = _Counted(formulation.columns, formulation.rows)
    generate(formulation, master, None)
    return lift(formulation, master), master.n_solved


def _search(problem: Problem, patterns: RowPatterns, classes: Classes, relaxation: Relaxation) -> _Search:
    """A search from an empty plan, steered by the relaxation alone."""
    proof = certificate(problem, relaxation)
    guide = make_guide(problem, proof, classes, relaxation, np.zeros(relaxation.racks.shape, np.int64))
    return _Search(packing_model(problem, patterns), guide, lambda: path_pool(problem, proof, classes, None))


def warm_up(folder: Path) -> None:
    """Compile or load the kernels on a small campus.

    Parameters: folder, which must exist and may be thrown away.
    """
    measure_scale(folder, 1, CampusSize(12, 4), 1)


def ratios(points: list[ScalePoint], quantity: Callable[[ScalePoint], float]) -> dict[tuple[int, int], float]:
    """What ten times the rows cost, for every pair of sizes that stand about so, by (rows, rows).

    Parameters: points of one number of periods; quantity, seconds of a point. Sites are not of one size, so cost and
    rows are compared: what a row costs more, times ten.
    """
    return {
        (small.n_rows, large.n_rows): 10 * quantity(large) / quantity(small) * small.n_rows / large.n_rows
        for small in points for large in points if 8 <= large.n_rows / small.n_rows <= 12.5
    }  # fmt: skip


def race_backends(problem: Problem, lane_counts: tuple[int, ...]) -> BackendRace:
    """The same guide and work on each backend, on one thread, and Numba on two as `plan` runs it.

    Parameters: problem, as lowered; lane_counts, lanes of each comparison.
    """
    patterns, classes = row_patterns(problem), refine(problem)
    relaxation, _ = _relaxed(problem, patterns, classes)
    search = _search(problem, patterns, classes, relaxation)
    search.rounds("numba", 1, 1)  # compiles
    runs: list[BackendRun] = []
    same = True
    for n_lanes in lane_counts:
        plans = set()
        for backend, n_threads in (("numba", 1), ("numba", 2), ("numpy", 1)):
            run, plan = search.rounds(backend, n_lanes, n_threads)
            runs.append(run)
            plans.add((plan, run.objective_cents))
        same = same and len(plans) == 1
    return BackendRace(problem.n_rows, problem.n_periods, tuple(runs), same)
