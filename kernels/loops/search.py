"""Ruin and recreate over fabric blocks, with threshold acceptance, in lock step over lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.constants import HALF, MOST_BLOCKS, NEAR
from kernels.contract import Room
from kernels.jitable import allocation_free, at, jitable
from kernels.loops.random import COMMON_LANE, draw, draw_of, step_word
from kernels.loops.refill import clear_block, refill_block
from kernels.loops.rows import shift_racks
from kernels.loops.value import block_worth, premium

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState


@allocation_free
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


@allocation_free
def draw_below(seed: int, step: int, number: int, end: int) -> int:
    """A draw common to all lanes in [0, end), for ends beyond 65536 too."""
    drawn = draw(seed, COMMON_LANE, step, number) * 65536 + draw(seed, COMMON_LANE, step, number + 1024)
    return int(drawn % end)


@allocation_free
def choose_pattern(guide: SearchGuide, block: int, chance: int) -> int:
    """The pattern of a block's pool that this draw picks by weight; -1 where the pool is empty."""
    pool = at(guide.pool_of_block_idx[block])
    pattern = guide.pool_ptr[pool]
    while pattern < guide.pool_ptr[at(pool + 1)]:
        if chance < guide.pattern_weight[at(pattern)]:
            return int(pattern)
        pattern += 1
    return -1


@allocation_free
def refill_chosen(
    model: PackingModel,
    guide: SearchGuide,
    state: SearchState,
    block: int,
    lane: int,
    word: np.uint64,
    drawn: bool,
    room: NDArray[np.int64],
) -> None:
    """Draw a pattern for an empty block of one lane, and fill it."""
    pattern = choose_pattern(guide, block, draw_of(word, block + (1 << 20)))
    if pattern >= 0:
        refill_block(model, guide, state.n_racks, state.slack, block, at(pattern), lane, word, drawn, room)


@allocation_free
def revalue(model: PackingModel, state: SearchState, block: int, lane: int) -> None:
    """Value a block again and carry the difference into the lane's revenue and objective (without premium)."""
    worth = 0
    period = at(0)
    while period < state.revenue.shape[0]:
        before = state.block_revenue[block, period, lane]
        worth += block_worth(model, state.n_racks, block, period, lane, state.block_revenue)
        state.revenue[period, lane] += state.block_revenue[block, period, lane] - before
        period = at(period + 1)
    state.objective[lane] += worth - state.block_value[block, lane]
    state.block_value[block, lane] = worth


@allocation_free
def keep_block(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    block: int,
    first: int,
    period: int,
    lane: int,
    kept: NDArray[np.int64],
) -> int:
    """Copy a block's racks in a period to kept from row `first` on; returns the next free row of kept."""
    index = at(model.block_ptr[block])
    while index < model.block_ptr[at(block + 1)]:
        row = at(model.block_row_idx[index])
        configuration = at(0)
        while configuration < n_racks.shape[1]:
            kept[first, configuration, period, lane] = n_racks[row, configuration, period, lane]
            configuration = at(configuration + 1)
        first = at(first + 1)
        index = at(index + 1)
    return first


@allocation_free
def put_back(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    first: int,
    period: int,
    lane: int,
    kept: NDArray[np.int64],
) -> int:
    """Bring a block back in a period to the racks kept from row `first` on; returns the next row of kept."""
    index = at(model.block_ptr[block])
    while index < model.block_ptr[at(block + 1)]:
        row = at(model.block_row_idx[index])
        configuration = at(0)
        while configuration < n_racks.shape[1]:
            change = kept[first, configuration, period, lane] - n_racks[row, configuration, period, lane]
            shift_racks(model, n_racks, slack, row, configuration, period, lane, change)
            configuration = at(configuration + 1)
        first = at(first + 1)
        index = at(index + 1)
    return first


@allocation_free
def attempt(
    model: PackingModel,
    guide: SearchGuide,
    state: SearchState,
    chosen: NDArray[np.int64],
    n_chosen: int,
    lane: int,
    word: np.uint64,
    drawn: bool,
    threshold: int,
    room: Room,
) -> None:
    """Empty the chosen blocks of one lane, fill them anew, and keep the better plan within the threshold."""
    before = state.objective[lane]
    state.objective[lane] -= premium(model, state.revenue, lane)
    for period in range(state.revenue.shape[0]):
        first = at(0)
        for number in range(n_chosen):
            block = at(chosen[number])
            first = keep_block(model, state.n_racks, block, first, at(period), lane, room.kept)
            clear_block(model, state.n_racks, state.slack, block, at(period), lane)
    for number in range(n_chosen):
        refill_chosen(model, guide, state, at(chosen[number]), lane, word, drawn, room.counts)
        revalue(model, state, at(chosen[number]), lane)
    after = state.objective[lane] + premium(model, state.revenue, lane)
    if after + threshold < before:
        for period in range(state.revenue.shape[0]):
            first = at(0)
            for number in range(n_chosen):
                block = at(chosen[number])
                first = put_back(model, state.n_racks, state.slack, block, first, at(period), lane, room.kept)
        for number in range(n_chosen):
            revalue(model, state, at(chosen[number]), lane)
        after = before
    state.objective[lane] = after


@allocation_free
def largest_block(model: PackingModel) -> int:
    """Rows of the block that has most."""
    largest = 0
    for block in range(model.block_ptr.shape[0] - 1):
        largest = max(largest, model.block_ptr[block + 1] - model.block_ptr[block])
    return int(largest)


@jitable
def search(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """Make one step for each entry of the schedule's thresholds, in every lane; the state is changed in place."""
    n_blocks = model.block_ptr.shape[0] - 1
    _, n_configurations, n_periods, n_lanes = state.n_racks.shape
    kept = np.zeros((MOST_BLOCKS * largest_block(model), n_configurations, n_periods, n_lanes), np.int64)
    room = Room(np.zeros((n_periods, n_lanes), np.int64), kept)
    chosen = np.zeros(MOST_BLOCKS, np.int64)
    for index in range(schedule.threshold.shape[0]):
        step = schedule.first_step + index
        n_chosen = choose_blocks(schedule.seed, step, n_blocks, chosen)
        for lane in range(n_lanes):
            word = step_word(schedule.seed, schedule.first_lane + lane, step)
            threshold = schedule.threshold[index]
            attempt(model, guide, state, chosen, n_chosen, at(lane), word, step > 0, threshold, room)


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
    room = np.zeros(state.revenue.shape, np.int64)
    for lane in range(state.objective.shape[0]):
        word = step_word(schedule.seed, schedule.first_lane + lane, schedule.first_step)
        state.objective[lane] -= premium(model, state.revenue, at(lane))
        for position in range(block_order_idx.shape[0]):
            block = at(block_order_idx[position])
            pattern = block_pattern_idx[block]
            if pattern >= 0:
                drawn = schedule.first_step > 0
                refill_block(model, guide, state.n_racks, state.slack, block, at(pattern), at(lane), word, drawn, room)
                revalue(model, state, block, at(lane))
        state.objective[lane] += premium(model, state.revenue, at(lane))
