"""Ruin and recreate over fabric blocks, with threshold acceptance, every step in all lanes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels.constants import HALF, MOST_BLOCKS, NEAR
from kernels.vectorised.random import COMMON_LANE, draw, lane_words, step_words
from kernels.vectorised.refill import refill_block
from kernels.vectorised.tables import Tables
from kernels.vectorised.value import block_worth, premium

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState


def choose_blocks(words: NDArray[np.uint64], n_blocks: int) -> list[int]:
    """The distinct blocks that a step empties: one anywhere, others near it or anywhere.

    Parameters: words [1] state of the generator of the common lane after the step.
    """
    numbers = np.arange(2 * MOST_BLOCKS)
    low, high = draw(words, numbers).tolist(), draw(words, numbers + 1024).tolist()
    anywhere = [(first * 65536 + second) % n_blocks for first, second in zip(low, high, strict=True)]
    chosen = [anywhere[1]]
    for number in range(1, min(1 + low[0] % MOST_BLOCKS, n_blocks)):
        is_near = low[2 * number] < HALF
        near = (chosen[0] + 1 + low[2 * number + 1] % NEAR) % n_blocks
        candidate = near if is_near else anywhere[2 * number + 1]
        if candidate not in chosen:
            chosen.append(candidate)
    return chosen


def choose_pattern(guide: SearchGuide, block: int, chance: NDArray[np.int64]) -> NDArray[np.int64]:
    """The pattern of a block's pool that each draw picks by weight; -1 where the pool has none for it."""
    pool = guide.pool_of_block_idx[block]
    first, end = guide.pool_ptr[pool], guide.pool_ptr[pool + 1]
    picked = np.searchsorted(guide.pattern_weight[first:end], chance, side="right")
    return np.where(picked < end - first, first + picked, -1)


@dataclass(frozen=True)
class _Emptied:
    """One block of a step as it was before."""

    block: int
    racks: NDArray[np.int64]
    load: NDArray[np.int64]
    value: NDArray[np.int64]
    revenue: NDArray[np.int64]


def _empty(tables: Tables, state: SearchState, block: int) -> _Emptied:
    """Give a block's load back to the slack; its racks are written over when it is filled again."""
    table = tables.block(block)
    racks = state.n_racks[table.row_idx]
    load = table.load(racks)
    state.slack[table.limit_idx] += load
    return _Emptied(block, racks, load, state.block_value[block].copy(), state.block_revenue[block].copy())


def _set_block(state: SearchState, block: int, worth: tuple[NDArray[np.int64], NDArray[np.int64]]) -> None:
    """Carry a block's new value and revenue into every lane's objective (without premium) and revenue."""
    state.objective[:] += worth[0] - state.block_value[block]
    state.revenue[:] += worth[1] - state.block_revenue[block]
    state.block_value[block], state.block_revenue[block] = worth


def _put(tables: Tables, state: SearchState, block: int, racks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stand racks in an empty block; returns their load."""
    table = tables.block(block)
    load = table.load(racks)
    state.n_racks[table.row_idx] = racks
    state.slack[table.limit_idx] -= load
    _set_block(state, block, block_worth(tables.model, block, racks))
    return load


def _attempt(
    tables: Tables, state: SearchState, chosen: list[int], words: NDArray[np.uint64], step: int, threshold: int
) -> None:
    """Empty the chosen blocks, fill them anew, and keep the better plan of each lane within the threshold."""
    before = state.objective.copy()
    state.objective[:] -= premium(tables.model, state.revenue)
    emptied = [_empty(tables, state, block) for block in chosen]
    loads = []
    for block in chosen:
        pattern = choose_pattern(tables.guide, block, draw(words, block + (1 << 20)))
        loads.append(_put(tables, state, block, refill_block(tables, state.slack, block, pattern, words, step)))
    state.objective[:] += premium(tables.model, state.revenue)
    rejected = state.objective + threshold < before
    if rejected.any():
        for old, load in zip(emptied, loads, strict=True):
            _put_back(tables, state, old, load, rejected)
        state.objective[rejected] = before[rejected]


def _put_back(
    tables: Tables, state: SearchState, old: _Emptied, load: NDArray[np.int64], rejected: NDArray[np.bool_]
) -> None:
    """Bring a block of the rejected lanes back to what it was."""
    table = tables.block(old.block)
    lanes = np.flatnonzero(rejected)
    state.n_racks[table.row_idx[:, None], ..., lanes] = np.moveaxis(old.racks[..., lanes], -1, 1)
    state.slack[table.limit_idx] += (load - old.load) * rejected
    state.revenue[:] += (old.revenue - state.block_revenue[old.block]) * rejected
    state.block_value[old.block, lanes] = old.value[lanes]
    state.block_revenue[old.block][:, lanes] = old.revenue[:, lanes]


def search(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """Make one step for each entry of the schedule's thresholds, in every lane; the state is changed in place."""
    tables = Tables(model, guide)
    words = _lane_words(state, schedule)
    common = lane_words(schedule.seed, np.array([COMMON_LANE]))
    with np.errstate(divide="ignore"):
        for index, threshold in enumerate(schedule.threshold):
            step = schedule.first_step + index
            chosen = choose_blocks(step_words(common, step), model.block_ptr.shape[0] - 1)
            _attempt(tables, state, chosen, step_words(words, step), step, int(threshold))


def _lane_words(state: SearchState, schedule: Schedule) -> NDArray[np.uint64]:
    lanes = np.arange(state.objective.size)
    return lane_words(schedule.seed, schedule.first_lane + lanes)


def construct(
    model: PackingModel,
    guide: SearchGuide,
    state: SearchState,
    block_pattern_idx: NDArray[np.int64],
    block_order_idx: NDArray[np.int64],
    schedule: Schedule,
) -> None:
    """Round the guide: fill empty blocks in the given order after the given patterns, keeping every limit.

    Parameters: block_pattern_idx [n_blocks], -1 leaves a block empty; block_order_idx [n_blocks].
    """
    tables = Tables(model, guide)
    words = step_words(_lane_words(state, schedule), schedule.first_step)
    state.objective[:] -= premium(model, state.revenue)
    with np.errstate(divide="ignore"):
        for block in block_order_idx.tolist():
            if block_pattern_idx[block] >= 0:
                pattern = np.full(words.size, block_pattern_idx[block])
                racks = refill_block(tables, state.slack, block, pattern, words, schedule.first_step)
                _put(tables, state, block, racks)
    state.objective[:] += premium(model, state.revenue)
