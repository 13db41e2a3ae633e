"""What a lane's thread block brings into shared memory, keeps, empties and puts back.

Lanes lie outermost in its arrays and periods innermost, so that neighbouring threads read neighbouring words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernels.constants import MOST_BLOCKS
from kernels.cuda.api import cuda, device
from kernels.cuda.block_racks import configuration_at, load_slots, place_of, positions_of, row_at, rows_of
from kernels.jitable import at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchState
    from kernels.cuda.block_tables import BlockTables

CHOSEN, N_CHOSEN, VALUES = 4, 8, 12
"""Words of a step: the blocks that it empties, how many, and their values before."""


class LaneState(NamedTuple):
    """Racks and slack, lanes outermost."""

    n_racks: NDArray[np.int64]
    """[n_lanes, n_rows, n_configurations, n_periods]"""
    slack: NDArray[np.int64]
    """[n_lanes, n_limits, n_periods]"""


class Kept(NamedTuple):
    """What a step may have to put back, for each thread block."""

    n_racks: NDArray[np.int64]
    """[n_thread_blocks, MOST_BLOCKS * most rows of a block, n_configurations, n_periods]"""
    slack: NDArray[np.int64]
    """[n_thread_blocks, MOST_BLOCKS * most slots of a block, n_periods]"""
    revenue: NDArray[np.int64]
    """[n_thread_blocks, MOST_BLOCKS + 1, n_periods] of the blocks, and last of the whole plan."""


class LaneNumbers(NamedTuple):
    """Which lanes are searched, and what each goes by."""

    lane_idx: NDArray[np.int64]
    """[n_searched] lanes, one for each thread block at a time."""
    model_idx: NDArray[np.int64]
    """[n_lanes] model of each lane among those that lie one after the other."""
    number: NDArray[np.int64]
    """[n_lanes] that each lane draws by."""


class Plans(NamedTuple):
    """All that a search changes."""

    state: SearchState
    own: LaneState
    """Takes the place of the state's racks and slack."""
    kept: Kept
    lanes: LaneNumbers


@device
def move_slack(tables: BlockTables, plans: Plans, shared: Any, block: int, lane: int, back: bool) -> None:
    """Bring the slack of a block's limits into shared memory, or back; each thread moves its own slots."""
    n_periods, slot, first = plans.own.slack.shape[2], at(cuda.threadIdx.y), tables.slot_ptr[block]
    while slot < tables.slot_ptr[block + 1] - first:
        limit, word_idx = at(tables.slot_limit_idx[at(first + slot)]), tables.room.slack + slot * n_periods
        period = at(cuda.threadIdx.x)
        while period < n_periods:
            if back:
                plans.own.slack[lane, limit, period] = shared[at(word_idx + period)]
            else:
                shared[at(word_idx + period)] = plans.own.slack[lane, limit, period]
            period = at(period + cuda.blockDim.x)
        slot = at(slot + cuda.blockDim.y)


@device
def store_racks(
    model: PackingModel, tables: BlockTables, plans: Plans, shared: Any, block: int, system: int, lane: int
) -> None:
    """Bring a block's racks back from shared memory."""
    n_periods, row_place = plans.own.n_racks.shape[3], at(cuda.threadIdx.y)
    while row_place < rows_of(model, block):
        row, position = row_at(model, block, row_place), at(0)
        while position < positions_of(model, system):
            configuration = configuration_at(model, system, position)
            word_idx = tables.room.racks + (row_place * positions_of(model, system) + position) * n_periods
            period = at(cuda.threadIdx.x)
            while period < n_periods:
                plans.own.n_racks[lane, row, configuration, period] = shared[at(word_idx + period)]
                period = at(period + cuda.blockDim.x)
            position = at(position + 1)
        row_place = at(row_place + cuda.blockDim.y)


@device
def copy_racks(
    model: PackingModel, tables: BlockTables, plans: Plans, block: int, number: int, lane: int, back: bool
) -> None:
    """Copy a block's racks to what is kept, or back."""
    row_place = at(cuda.threadIdx.y)
    while row_place < rows_of(model, block):
        row, kept_row = row_at(model, block, row_place), at(number * tables.room.n_rows + row_place)
        configuration = at(0)
        while configuration < plans.own.n_racks.shape[2]:
            period = at(cuda.threadIdx.x)
            while period < plans.own.n_racks.shape[3]:
                if back:
                    count = plans.kept.n_racks[cuda.blockIdx.x, kept_row, configuration, period]
                    plans.own.n_racks[lane, row, configuration, period] = count
                else:
                    count = plans.own.n_racks[lane, row, configuration, period]
                    plans.kept.n_racks[cuda.blockIdx.x, kept_row, configuration, period] = count
                period = at(period + cuda.blockDim.x)
            configuration = at(configuration + 1)
        row_place = at(row_place + cuda.blockDim.y)


@device
def copy_slack(tables: BlockTables, plans: Plans, block: int, number: int, lane: int, back: bool) -> None:
    """Copy the slack of a block's limits to what is kept, or back; blocks that share a limit kept the same."""
    slot, first = at(cuda.threadIdx.y), tables.slot_ptr[block]
    while slot < tables.slot_ptr[block + 1] - first:
        limit, kept_slot = at(tables.slot_limit_idx[at(first + slot)]), at(number * tables.room.n_slots + slot)
        period = at(cuda.threadIdx.x)
        while period < plans.own.slack.shape[2]:
            if back:
                plans.own.slack[lane, limit, period] = plans.kept.slack[cuda.blockIdx.x, kept_slot, period]
            else:
                plans.kept.slack[cuda.blockIdx.x, kept_slot, period] = plans.own.slack[lane, limit, period]
            period = at(period + cuda.blockDim.x)
        slot = at(slot + cuda.blockDim.y)


@device
def copy_revenue(model: PackingModel, plans: Plans, shared: Any, lane: int, back: bool) -> None:
    """Copy the lane's revenue, and revenue and value of the chosen blocks, to what is kept, or back."""
    period = at(cuda.threadIdx.x + cuda.threadIdx.y * cuda.blockDim.x)
    while period < model.capacity.shape[1]:
        if back:
            plans.state.revenue[period, lane] = plans.kept.revenue[cuda.blockIdx.x, MOST_BLOCKS, period]
        else:
            plans.kept.revenue[cuda.blockIdx.x, MOST_BLOCKS, period] = plans.state.revenue[period, lane]
        number = at(0)
        while number < shared[N_CHOSEN]:
            block = at(shared[at(CHOSEN + number)])
            if back:
                plans.state.block_revenue[block, period, lane] = plans.kept.revenue[cuda.blockIdx.x, number, period]
            else:
                plans.kept.revenue[cuda.blockIdx.x, number, period] = plans.state.block_revenue[block, period, lane]
            number = at(number + 1)
        period = at(period + cuda.blockDim.x * cuda.blockDim.y)
    if cuda.threadIdx.x == 0 and cuda.threadIdx.y < shared[N_CHOSEN]:
        copy_values(plans, shared, lane, back)


@device
def copy_values(plans: Plans, shared: Any, lane: int, back: bool) -> None:
    """Copy the values of the chosen blocks to what is kept, or back; threads of the first column share them."""
    number = at(cuda.threadIdx.y)
    while number < shared[N_CHOSEN]:
        block = at(shared[at(CHOSEN + number)])
        if back:
            plans.state.block_value[block, lane] = shared[at(VALUES + number)]
        else:
            shared[at(VALUES + number)] = plans.state.block_value[block, lane]
        number = at(number + cuda.blockDim.y)


@device
def empty_block(model: PackingModel, tables: BlockTables, plans: Plans, shared: Any, number: int, lane: int) -> None:
    """Take every rack out of a chosen block, whose racks are kept."""
    block = at(shared[at(CHOSEN + number)])
    move_slack(tables, plans, shared, block, lane, False)
    row_place = at(0)
    while row_place < rows_of(model, block):
        configuration = at(0)
        while configuration < plans.own.n_racks.shape[2]:
            empty_row(model, tables, plans, shared, number, row_place, configuration, lane)
            configuration = at(configuration + 1)
        row_place = at(row_place + 1)
    move_slack(tables, plans, shared, block, lane, True)


@device
def empty_row(
    model: PackingModel,
    tables: BlockTables,
    plans: Plans,
    shared: Any,
    number: int,
    row_place: int,
    configuration: int,
    lane: int,
) -> None:
    """Take the racks of a configuration out of a row."""
    n_periods, kept_row = plans.own.n_racks.shape[3], at(number * tables.room.n_rows + row_place)
    block = at(shared[at(CHOSEN + number)])
    place = place_of(model, block, row_place)
    period = at(cuda.threadIdx.x)
    while period < n_periods:
        count = plans.kept.n_racks[cuda.blockIdx.x, kept_row, configuration, period]
        if count != 0:
            load_slots(tables, shared, place, configuration, period, n_periods, -count)
            if cuda.threadIdx.y == 0:
                plans.own.n_racks[lane, row_at(model, block, row_place), configuration, period] = 0
        period = at(period + cuda.blockDim.x)
