"""Scenarios of a generated campus by seed, and how many of them a minute brings to a certified gap.

A scenario only takes away: deliveries, power, landing and buildings come later or smaller, never sooner or larger.
What lowering left out because other limits imply it therefore stays implied. Prices go either way.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS
from planner.solve.batch import solve_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.scenario import BatchOptions, BatchSolution

_ONE = 2**SHARE_BITS
_SLIPS = (0, 0, 1, 2)
"""Quarters by which deliveries, power or a building are late."""
_HOURS_PER_QUARTER = 2190
_DISCOUNT_PER_YEAR = 1.09


@dataclass(frozen=True)
class ScenarioRun:
    """What a batch of scenarios took."""

    n_scenarios: int
    start_s: float
    """Python and all imports, in a process of its own."""
    compile_s: float
    """Kernels compiled, or loaded from the cache, before the clock."""
    wall_s: float
    cpu_s: float
    """Processor time of all processes, what is shared by the scenarios included."""
    gaps: tuple[float, ...]
    """Certified gap of each scenario."""
    first_bound_excess: tuple[float, ...]
    """What the bound by the multipliers of others was above the last bound, as a share of it."""

    def per_minute(self, n_cores: int) -> float:
        """Scenarios a minute on so many cores that do nothing else, by processor time."""
        return 60.0 * self.n_scenarios * n_cores / self.cpu_s


def draw_scenario(problem: Problem, seed: int) -> Problem:
    """The problem with other supply, power, landing, opening dates and prices. The same seed gives the same numbers."""
    draw = random.Random(seed)
    capacity, first_period = problem.capacity.copy(), problem.first_period.copy()
    families = np.array([limit.family for limit in problem.limits])
    for limit in np.flatnonzero(families == "supply"):
        capacity[limit] = _late(problem.capacity[limit], draw.choice(_SLIPS), draw.uniform(0.8, 1.0))
    for family in ("meter", "envelope"):
        slip, part = draw.choice(_SLIPS), draw.uniform(0.85, 1.0)
        for limit in np.flatnonzero(families == family):
            capacity[limit] = _held_back(problem.capacity[limit], slip, part)
    landings = np.flatnonzero(families == "landing")
    buildings = sorted({(problem.limits[limit].site, problem.limits[limit].element) for limit in landings})
    for building in buildings:
        slip, part = draw.choice((0, *_SLIPS)), draw.uniform(0.8, 1.0)
        for limit in landings:
            if (problem.limits[limit].site, problem.limits[limit].element) == building:
                capacity[limit] = _late(problem.capacity[limit], slip, part)
                rows = problem.entry_row_idx[_entries(problem, limit)]
                first_period[rows] = np.minimum(problem.first_period[rows] + slip, problem.n_periods)
    _wait_for_supply(problem, families, capacity, first_period)
    period_value, start_value = _other_prices(problem, families, draw)
    return replace(
        problem, capacity=capacity, first_period=first_period, period_value=period_value, start_value=start_value
    )


def _entries(problem: Problem, limit: np.integer[Any]) -> slice:
    return slice(int(problem.limit_ptr[limit]), int(problem.limit_ptr[limit + 1]))


def _late(capacity: NDArray[np.int64], slip: int, part: float) -> NDArray[np.int64]:
    """A capacity in whole racks that is late and shrinks; nothing before it begins."""
    shifted = np.concatenate((np.zeros(slip, np.int64), capacity[: capacity.size - slip]))
    whole = np.floor(np.where(shifted == INACTIVE, 0, shifted) // _ONE * part).astype(np.int64) * _ONE
    return np.where(capacity == INACTIVE, INACTIVE, whole)


def _held_back(capacity: NDArray[np.int64], slip: int, part: float) -> NDArray[np.int64]:
    """A capacity whose steps are late and smaller; before the first step it is what it was."""
    before = np.concatenate((np.repeat(capacity[:1], slip), capacity[: capacity.size - slip]))
    whole = np.floor(np.minimum(before, capacity) / _ONE * part).astype(np.int64) * _ONE
    return np.where(capacity == INACTIVE, INACTIVE, whole)


def _wait_for_supply(
    problem: Problem, families: NDArray[np.str_], capacity: NDArray[np.int64], first_period: NDArray[np.int32]
) -> None:
    """Nothing stands before the first rack of its system is delivered."""
    for limit in np.flatnonzero(families == "supply"):
        supplied = np.flatnonzero(problem.entry_coefficient[_entries(problem, limit)].any(axis=0))
        delivered = np.flatnonzero(capacity[limit] >= _ONE)
        first = int(delivered[0]) if delivered.size else problem.n_periods
        first_period[:, supplied] = np.maximum(first_period[:, supplied], first)


def _other_prices(
    problem: Problem, families: NDArray[np.str_], draw: random.Random
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What racks earn by level, trend and system, what starting them costs, and another price of energy."""
    level, trend = draw.uniform(0.93, 1.07), draw.uniform(-0.01, 0.01)
    period = np.arange(problem.n_periods)
    earns = np.array([draw.uniform(0.97, 1.03) for _ in range(problem.n_systems)])
    starts = np.array([draw.uniform(0.96, 1.04) for _ in range(problem.n_systems)])
    factor = level * earns[problem.system_of_configuration_idx][:, None] * (1.0 + trend * period)
    period_value = np.floor(problem.period_value * factor).astype(np.int64)
    cents_per_wh = draw.uniform(-10.0, 25.0) * 100.0 / 1e6
    cents_per_w = cents_per_wh * _HOURS_PER_QUARTER * _DISCOUNT_PER_YEAR ** (-period / 4)
    for limit in np.flatnonzero(families == "meter"):
        there = np.flatnonzero(problem.capacity[limit] != INACTIVE)
        entries = _entries(problem, limit)
        watts = problem.entry_coefficient[entries] / _ONE
        dearer = np.ceil(watts[:, :, None] * cents_per_w[there]).astype(np.int64)
        period_value[np.ix_(problem.entry_row_idx[entries], np.arange(problem.n_configurations), there)] -= dearer
    return period_value, np.floor(problem.start_value * starts[None, :, None]).astype(np.int64)


def run_scenarios(
    base: Problem,
    scenarios: Sequence[Problem],
    options: BatchOptions,
    progress: Callable[[int, BatchSolution], None] | None = None,
) -> ScenarioRun:
    """Solve scenarios together by the clock; Python's start and the kernels' compiling are measured apart.

    Parameters: base, lowered; scenarios of its graph; options; progress, called for each scenario.
    """
    start_s = _start_seconds()
    begun = time.monotonic()
    # The first batch of a process compiles; those of the clock find the kernels in the cache.
    solve_batch(base, scenarios[:1], replace(options, n_probes=0, n_processes=1, most_rounds=1))
    first_s = time.monotonic() - begun
    begun = time.monotonic()
    solve_batch(base, scenarios[:1], replace(options, n_probes=0, n_processes=1, most_rounds=1))
    compile_s = max(first_s - (time.monotonic() - begun), 0.0)
    begun, cpu_s = time.monotonic(), _cpu_seconds()
    solved = solve_batch(base, scenarios, options, progress)
    return ScenarioRun(
        n_scenarios=len(solved), start_s=start_s, compile_s=compile_s, wall_s=time.monotonic() - begun,
        cpu_s=_cpu_seconds() - cpu_s, gaps=tuple(one.gap for one in solved),
        first_bound_excess=tuple((one.first_bound - one.bound) / abs(one.bound) for one in solved if one.bound),
    )  # fmt: skip


def _start_seconds() -> float:
    """Wall clock of a Python that imports what a batch imports, and ends."""
    begun = time.monotonic()
    code = "import highspy, numba, planner.solve.batch"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent.parent)
    return time.monotonic() - begun


def _cpu_seconds() -> float:
    """Processor time of this process and of those that it started and that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
