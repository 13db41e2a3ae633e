"""Ruin and recreate over fabric blocks, with threshold acceptance, in lock step over lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.constants import HALF, MOST_BLOCKS, NEAR
from kernels.jitable import jitable
from kernels.loops.random import COMMON_LANE, draw
from kernels.loops.refill import empty_block, refill_block, shift_racks
from kernels.loops.value import block_worth, premium

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState


@jitable
def choose_blocks(seed: int, step: int, n_blocks: int, chosen: NDArray[np.int64]) -> int:
    """The distinct blocks that a step empties: one anywhere, others near it or anywhere; returns how many.

    Parameters: chosen [4], written. All lanes of a step take the same blocks.
    """
    wanted = min(1 + draw(seed, COMMON_LANE, step, 0) % MOST_BLOCKS, n_blocks)
    chosen[0] = draw_below(seed, step, 1, n_blocks)
    n_chosen = 1
    for number in range(1, wanted):
        if draw(seed, COMMON_LANE, step, 2 * number) < HALF:
            candidate = (chosen[0] + 1 + draw(seed, COMMON_LANE, step, 2 * number + 1) % NEAR) % n_blocks
        else:
            candidate = draw_below(seed, step, 2 * number + 1, n_blocks)
        known = False
        for index in range(n_chosen):
            known = known or chosen[index] == candidate
        if not known:
            chosen[n_chosen] = candidate
            n_chosen += 1
    return n_chosen


@jitable
def draw_below(seed: int, step: int, number: int, end: int) -> int:
    """A draw common to all lanes in [0, end), for ends beyond 65536 too."""
    drawn = draw(seed, COMMON_LANE, step, number) * 65536 + draw(seed, COMMON_LANE, step, number + 1024)
    return int(drawn % end)


@jitable
def choose_pattern(guide: SearchGuide, block: int, chance: int) -> int:
    """The pattern of a block's pool that this draw picks by weight; -1 where the pool is empty."""
    pool = guide.pool_of_block_idx[block]
    for pattern in range(guide.pool_ptr[pool], guide.pool_ptr[pool + 1]):
        if chance < guide.pattern_weight[pattern]:
            return pattern
    return -1


@jitable
def refill_chosen(
    model: PackingModel,
    guide: SearchGuide,
    state: SearchState,
    block: int,
    lane: int,
    seed: int,
    global_lane: int,
    step: int,
) -> None:
    """Draw a pattern for an empty block of one lane, and fill it."""
    pattern = choose_pattern(guide, block, draw(seed, global_lane, step, block + (1 << 20)))
    if pattern >= 0:
        refill_block(model, guide, state.n_racks, state.slack, block, pattern, lane, seed, global_lane, step)


@jitable
def revalue(model: PackingModel, state: SearchState, block: int, lane: int) -> None:
    """Value a block again and carry the difference into the lane's revenue and objective (without premium)."""
    for period in range(state.revenue.shape[0]):
        state.revenue[period, lane] -= state.block_revenue[block, period, lane]
    state.objective[lane] -= state.block_value[block, lane]
    state.block_value[block, lane] = block_worth(model, state.n_racks, block, lane, state.block_revenue)
    state.objective[lane] += state.block_value[block, lane]
    for period in range(state.revenue.shape[0]):
        state.revenue[period, lane] += state.block_revenue[block, period, lane]


@jitable
def keep_rows(
    model: PackingModel,
    state: SearchState,
    chosen: NDArray[np.int64],
    n_chosen: int,
    lane: int,
    kept: NDArray[np.int64],
) -> None:
    """Copy the racks of the chosen blocks to kept [n_kept_rows, n_configurations, n_periods]."""
    position = 0
    for number in range(n_chosen):
        for index in range(model.block_ptr[chosen[number]], model.block_ptr[chosen[number] + 1]):
            kept[position] = state.n_racks[model.block_row_idx[index], :, :, lane]
            position += 1


@jitable
def put_back(
    model: PackingModel,
    state: SearchState,
    chosen: NDArray[np.int64],
    n_chosen: int,
    lane: int,
    kept: NDArray[np.int64],
) -> None:
    """Bring the chosen blocks back to the racks that were kept."""
    position = 0
    change = np.zeros(kept.shape[2], np.int64)
    for number in range(n_chosen):
        for index in range(model.block_ptr[chosen[number]], model.block_ptr[chosen[number] + 1]):
            row = model.block_row_idx[index]
            for configuration in range(kept.shape[1]):
                for period in range(kept.shape[2]):
                    standing = state.n_racks[row, configuration, period, lane]
                    change[period] = kept[position, configuration, period] - standing
                shift_racks(model, state.n_racks, state.slack, row, configuration, lane, change)
            position += 1


@jitable
def attempt(
    model: PackingModel,
    guide: SearchGuide,
    state: SearchState,
    chosen: NDArray[np.int64],
    n_chosen: int,
    lane: int,
    seed: int,
    global_lane: int,
    step: int,
    threshold: int,
    kept: NDArray[np.int64],
) -> None:
    """Empty the chosen blocks of one lane, fill them anew, and keep the better plan within the threshold."""
    before = state.objective[lane]
    keep_rows(model, state, chosen, n_chosen, lane, kept)
    state.objective[lane] -= premium(model, state.revenue, lane)
    for number in range(n_chosen):
        empty_block(model, state.n_racks, state.slack, chosen[number], lane)
    for number in range(n_chosen):
        refill_chosen(model, guide, state, chosen[number], lane, seed, global_lane, step)
        revalue(model, state, chosen[number], lane)
    after = state.objective[lane] + premium(model, state.revenue, lane)
    if after + threshold < before:
        put_back(model, state, chosen, n_chosen, lane, kept)
        for number in range(n_chosen):
            revalue(model, state, chosen[number], lane)
        after = before
    state.objective[lane] = after


def search(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """Make one step for each entry of the schedule's thresholds, in every lane; the state is changed in place."""
    n_blocks = model.block_ptr.shape[0] - 1
    largest = 0
    for block in range(n_blocks):
        largest = max(largest, model.block_ptr[block + 1] - model.block_ptr[block])
    kept = np.zeros((MOST_BLOCKS * largest, state.n_racks.shape[1], state.n_racks.shape[2]), np.int64)
    chosen = np.zeros(MOST_BLOCKS, np.int64)
    for index in range(schedule.threshold.shape[0]):
        step = schedule.first_step + index
        n_chosen = choose_blocks(schedule.seed, step, n_blocks, chosen)
        for lane in range(state.objective.shape[0]):
            attempt(
                model, guide, state, chosen, n_chosen, lane, schedule.seed, schedule.first_lane + lane, step,
                schedule.threshold[index], kept,
            )  # fmt: skip


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
    for lane in range(state.objective.shape[0]):
        state.objective[lane] -= premium(model, state.revenue, lane)
        for position in range(block_order_idx.shape[0]):
            block = block_order_idx[position]
            pattern = block_pattern_idx[block]
            if pattern >= 0:
                refill_block(
                    model, guide, state.n_racks, state.slack, block, pattern, lane, schedule.seed,
                    schedule.first_lane + lane, schedule.first_step,
                )  # fmt: skip
                revalue(model, state, block, lane)
        state.objective[lane] += premium(model, state.revenue, lane)
