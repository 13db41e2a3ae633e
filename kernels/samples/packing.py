"""Tiny packing problems, guides and states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState

if TYPE_CHECKING:
    from numpy.typing import NDArray

Ints = np.ndarray[Any, np.dtype[np.int64]]

SCALE = 1 << 20
INACTIVE = 1 << 62
MOST_IN_A_ROW = 9
HEAVY = 1 << 25
"""Factor that brings loads beyond what float64 holds exactly, and keeps them within 64 bits."""


@dataclass(frozen=True)
class CaseShape:
    """How large a case is and which rules it has."""

    seed: int
    n_rows_by_block: tuple[int, ...]
    n_profiles_by_system: tuple[int, ...]
    n_periods: int
    partial_units: bool
    contract: bool
    heavy: bool
    """Whether loads are so large that whole numbers need 64 bits."""
    flat: bool = False
    """Whether all plans are worth the same, so that every step is accepted by a tie."""


@dataclass(frozen=True)
class Case:
    """A model with its guide and a first plan's patterns."""

    model: PackingModel
    guide: SearchGuide
    block_pattern_idx: NDArray[np.int64]
    block_order_idx: NDArray[np.int64]


def make_case(shape: CaseShape) -> Case:
    """The case of a shape; the same shape gives the same case."""
    random = np.random.default_rng(shape.seed)
    model = _model(shape, random)
    guide = _guide(model, random)
    n_blocks = len(shape.n_rows_by_block)
    return Case(model, guide, random.integers(-1, guide.pattern_racks.size, n_blocks), random.permutation(n_blocks))


def _model(shape: CaseShape, random: np.random.Generator) -> PackingModel:
    n_rows, n_configurations = sum(shape.n_rows_by_block), sum(shape.n_profiles_by_system)
    n_systems, n_periods, n_blocks = len(shape.n_profiles_by_system), shape.n_periods, len(shape.n_rows_by_block)
    limits = _limits(shape, random)
    capacity = np.array([each for each, _ in limits], np.int64)
    touched = [[limit for limit, (_, loads) in enumerate(limits) if loads[row].any()] for row in range(n_rows)]
    entries = [(limit, row) for row in range(n_rows) for limit in random.permutation(touched[row]).tolist()]
    coefficient = np.array([limits[limit][1][row] for limit, row in entries], np.int64)
    row_of_entry = np.array([row for _, row in entries], np.int64)
    row_ptr = np.concatenate(([0], np.cumsum(np.bincount(row_of_entry, minlength=n_rows)))).astype(np.int64)
    limit_idx = np.array([limit for limit, _ in entries], np.int64)
    rack_shape = (n_rows, n_configurations, n_periods)
    worth = 0 if shape.flat else 1
    return PackingModel(
        row_ptr=row_ptr,
        entry_limit_idx=limit_idx,
        entry_coefficient=coefficient,
        capacity=capacity,
        block_ptr=np.concatenate(([0], np.cumsum(shape.n_rows_by_block))).astype(np.int64),
        block_row_idx=random.permutation(n_rows),
        system_ptr=np.concatenate(([0], np.cumsum(shape.n_profiles_by_system))).astype(np.int64),
        system_configuration_idx=random.permutation(n_configurations),
        most_racks=_most_racks(row_ptr, limit_idx, coefficient, capacity, random),
        value=worth * random.integers(-200_000, 900_000, rack_shape),
        revenue=worth * random.integers(0, 5_000_000, rack_shape),
        open_cost=worth * random.integers(-30_000, 100_000, (n_blocks, n_periods)),
        unit_cost=worth * random.integers(-10_000, 50_000, (n_blocks, n_systems, n_periods)),
        unit_racks=random.integers(1, 5, n_systems),
        partial_units=np.full(n_blocks, int(shape.partial_units), np.int64),
        contract_amount=np.array([random.integers(10**7, 10**9) if shape.contract else 0]),
        contract_rate=-np.sort(-random.integers(0, SCALE // 2, n_periods)),
    )


def _limits(shape: CaseShape, random: np.random.Generator) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of capacity [n_periods] and loads [n_rows, n_configurations]: one row's, some rows', or all rows'."""
    n_rows, n_configurations = sum(shape.n_rows_by_block), sum(shape.n_profiles_by_system)
    factor = HEAVY if shape.heavy else 1
    watts = random.integers(80, 240, n_configurations) * SCALE + random.integers(0, SCALE, n_configurations)
    result = []
    for row in range(n_rows):
        own = np.zeros((n_rows, n_configurations), np.int64)
        own[row] = SCALE
        result.append((np.sort(random.integers(2 * SCALE, (MOST_IN_A_ROW + 1) * SCALE, shape.n_periods)), own))
    for _ in range(2 * len(shape.n_rows_by_block) + 2):
        share = random.integers(1, 3, (n_rows, 1)) * (random.random((n_rows, 1)) < random.choice([0.3, 0.6, 1.0]))
        loads = share * watts * random.integers(0, 6, n_configurations).clip(0, 1) * factor // 2
        most = max(int(loads.max(axis=1).sum() * MOST_IN_A_ROW * random.uniform(0.2, 0.9)), factor * SCALE)
        result.append((_capacity(random, shape.n_periods, most), loads))
    return result


def _capacity(random: np.random.Generator, n_periods: int, most: int) -> NDArray[np.int64]:
    """Capacities that grow, or stay, and sometimes do not exist in the first periods."""
    capacity = np.sort(random.integers(most // 3, most, n_periods))
    capacity[: random.integers(0, 2)] //= 2
    if random.integers(0, 3) == 0:
        capacity[:] = most
    if random.integers(0, 4) == 0:
        capacity[: random.integers(0, n_periods + 1)] = INACTIVE
    return capacity


def _most_racks(
    row_ptr: Ints, limit_idx: Ints, coefficient: Ints, capacity: Ints, random: np.random.Generator
) -> NDArray[np.int64]:
    """Racks that fit the empty row, none before a first period."""
    n_rows, n_configurations, n_periods = row_ptr.size - 1, coefficient.shape[1], capacity.shape[1]
    result = np.full((n_rows, n_configurations, n_periods), MOST_IN_A_ROW, np.int64)
    for row in range(n_rows):
        for entry in range(row_ptr[row], row_ptr[row + 1]):
            for configuration in np.flatnonzero(coefficient[entry]):
                room = capacity[limit_idx[entry]] // coefficient[entry, configuration]
                np.minimum(result[row, configuration], room, out=result[row, configuration])
    first = np.maximum(random.integers(-3 * n_periods, n_periods + 1, (n_rows, n_configurations, 1)), 0)
    result *= np.arange(n_periods) >= first
    return result


def _guide(model: PackingModel, random: np.random.Generator) -> SearchGuide:
    n_rows, _, n_periods = model.value.shape
    n_systems, n_pools = model.unit_racks.size, 2
    counts = random.integers(0, 5, n_pools) + np.array([1, 0])
    weights = [np.sort(random.integers(0, 65537, count)) for count in counts]
    for weight in weights:
        weight[-1:] = np.where(random.integers(0, 3) > 0, 65536, weight[-1:])
    return SearchGuide(
        guided_value=model.value + random.integers(-50_000, 50_000, model.value.shape),
        may_start=(random.integers(0, 4, (n_rows, n_systems, n_periods)) > 0).astype(np.int64),
        pool_of_block_idx=random.integers(0, n_pools, (model.open_cost.shape[0],)),
        pool_ptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        pattern_system_idx=random.integers(0, n_systems, counts.sum()),
        pattern_racks=random.integers(0, 3 * MOST_IN_A_ROW, counts.sum()),
        pattern_weight=np.concatenate(weights),
        switch_period=random.integers(0, n_periods + 1, n_rows),
        upgrade_share=random.integers(0, 65537, model.value.shape) * (random.random(model.value.shape) < 0.8),
    )


def copy_of(state: SearchState, lanes: slice = slice(None)) -> SearchState:
    """Some lanes of a state, in memory of their own."""
    return SearchState(*(np.ascontiguousarray(array[..., lanes]).copy() for array in state))


def thresholds(n_steps: int, seed: int = 0) -> NDArray[np.int64]:
    """Thresholds of a few racks' worth, the last ones 0."""
    first = np.random.default_rng(seed).integers(0, 3_000_000)
    steps = np.arange(n_steps, dtype=np.int64)
    result: NDArray[np.int64] = np.maximum(first * (n_steps - 2 - steps) // n_steps, 0)
    return result


def schedule(n_steps: int = 0, *, seed: int = 11, first_lane: int = 0, first_step: int = 0) -> Schedule:
    """A schedule of some steps."""
    return Schedule(seed, first_lane, first_step, thresholds(n_steps, seed))
