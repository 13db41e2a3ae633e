"""Search and construct with one thread block for each lane, which makes all steps of its lane in one launch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import int64

from kernels.constants import MOST_BLOCKS
from kernels.cuda.api import cuda, device
from kernels.cuda.block_racks import BLOCK, FIRST_BLOCK, FIRST_ROW, SYSTEM, table_block
from kernels.cuda.block_refill import refill
from kernels.cuda.block_state import (
    CHOSEN,
    N_CHOSEN,
    Kept,
    LaneNumbers,
    LaneState,
    Plans,
    copy_racks,
    copy_revenue,
    copy_slack,
    empty_block,
    move_slack,
    store_racks,
)
from kernels.cuda.block_tables import BlockTables, SharedRoom
from kernels.cuda.block_worth import block_worth, racks_worth
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.faults import INDEX
from kernels.cuda.launch import MOST_SHARED_BYTES, MOST_THREADS
from kernels.jitable import allocation_free, at
from kernels.loops.random import draw_of, step_word
from kernels.loops.search import choose_blocks, choose_pattern

if TYPE_CHECKING:
    from kernels.contract import PackingModel, Schedule, SearchGuide

BEFORE, REFUSED, LANE = 10, 11, 16
"""Words of a step: the objective before, whether its plan is refused, and the lane."""


def search_kernel(
    model: PackingModel,
    guide: SearchGuide,
    tables: BlockTables,
    plans: Plans,
    schedule: Schedule,
    fault: Any,  # noqa: ARG001
) -> None:
    """All steps of a lane, one thread block for each."""
    shared = cuda.shared.array(0, int64)
    place = at(cuda.blockIdx.x)
    while place < plans.lanes.lane_idx.shape[0]:
        begin_lane(model, plans, shared, plans.lanes.lane_idx[place])
        index = at(0)
        while index < schedule.threshold.shape[0]:
            step = schedule.first_step + index
            begin_step(model, tables, plans, shared, at(shared[LANE]), schedule.seed, step)
            number = at(0)
            while number < shared[N_CHOSEN]:
                block = at(shared[at(CHOSEN + number)])
                word = step_word(schedule.seed, plans.lanes.number[at(shared[LANE])], schedule.first_step + index)
                pattern = choose_pattern(guide, table_block(shared, block), draw_of(word, block + (1 << 20)))
                fill_block(model, guide, tables, plans, shared, block, pattern, word, schedule.first_step + index > 0)
                number = at(number + 1)
            end_step(model, tables, plans, shared, at(shared[LANE]), schedule.threshold[index])
            index = at(index + 1)
        place = at(place + cuda.gridDim.x)


def construct_kernel(
    model: PackingModel,
    guide: SearchGuide,
    tables: BlockTables,
    plans: Plans,
    block_pattern_idx: Any,
    block_order_idx: Any,
    schedule: Schedule,
    fault: Any,
) -> None:
    """Fill a lane's empty blocks in order, one thread block for each lane."""
    shared = cuda.shared.array(0, int64)
    lane = at(cuda.blockIdx.x)
    while lane < plans.own.slack.shape[0]:
        begin_lane(model, plans, shared, lane)
        add_premium(model, plans, at(shared[LANE]), -1)
        position = at(0)
        while position < block_order_idx.shape[0]:
            block = block_order_idx[position]
            if not is_known(guide, block_pattern_idx, block):
                cuda.atomic.max(fault, 0, INDEX)
            elif block_pattern_idx[at(block)] >= 0:
                word = step_word(schedule.seed, schedule.first_lane + shared[LANE], schedule.first_step)
                pattern, drawn = block_pattern_idx[at(block)], schedule.first_step > 0
                set_word(shared, BLOCK, block)
                fill_block(model, guide, tables, plans, shared, at(shared[BLOCK]), pattern, word, drawn)
            position = at(position + 1)
        add_premium(model, plans, at(shared[LANE]), 1)
        lane = at(lane + cuda.gridDim.x)


@device
def begin_lane(model: PackingModel, plans: Plans, shared: Any, lane: int) -> None:
    """Write down a thread block's lane, and where the tables of its model begin."""
    set_word(shared, LANE, lane)
    model_idx = plans.lanes.model_idx[at(shared[LANE])]
    set_word(shared, FIRST_ROW, model_idx * plans.own.n_racks.shape[1])
    set_word(shared, FIRST_BLOCK, model_idx * (model.block_ptr.shape[0] - 1))


@device
def set_word(shared: Any, place: int, value: int) -> None:
    """Write down a block or lane; calls that read it again leave no registers to what is derived from it."""
    cuda.syncthreads()
    if cuda.threadIdx.x == 0 and cuda.threadIdx.y == 0:
        shared[place] = value
    cuda.syncthreads()


@allocation_free
def is_known(guide: SearchGuide, block_pattern_idx: Any, block: int) -> bool:
    """Whether a block exists, and the pattern that it is to be filled after."""
    if block < 0 or block >= block_pattern_idx.shape[0]:
        return False
    return bool(block_pattern_idx[at(block)] < guide.pattern_system_idx.shape[0])


@device
def begin_step(
    model: PackingModel, tables: BlockTables, plans: Plans, shared: Any, lane: int, seed: int, step: int
) -> None:
    """Choose the step's blocks, keep what stands in them, and empty them."""
    if cuda.threadIdx.x == 0 and cuda.threadIdx.y == 0:
        n_blocks = model.block_ptr.shape[0] - 1
        shared[N_CHOSEN] = choose_blocks(seed, step, n_blocks, shared[CHOSEN : CHOSEN + MOST_BLOCKS])
        shared[BEFORE] = plans.state.objective[lane]
    add_premium(model, plans, lane, -1)
    copy_revenue(model, plans, shared, lane, False)
    number = at(0)
    while number < shared[N_CHOSEN]:
        copy_racks(model, tables, plans, at(shared[at(CHOSEN + number)]), number, lane, False)
        copy_slack(tables, plans, at(shared[at(CHOSEN + number)]), number, lane, False)
        number = at(number + 1)
    cuda.syncthreads()
    number = at(0)
    while number < shared[N_CHOSEN]:
        empty_block(model, tables, plans, shared, number, lane)
        cuda.syncthreads()
        number = at(number + 1)


@device
def end_step(model: PackingModel, tables: BlockTables, plans: Plans, shared: Any, lane: int, threshold: int) -> None:
    """Keep the lane's new plan where it is worse by no more than the threshold, else put the one before back."""
    if cuda.threadIdx.x == 0 and cuda.threadIdx.y == 0:
        after = plans.state.objective[lane] + lane_premium(model, plans, lane)
        refused = after + threshold < shared[BEFORE]
        shared[REFUSED] = 1 if refused else 0
        plans.state.objective[lane] = shared[BEFORE] if refused else after
    cuda.syncthreads()
    if shared[REFUSED] == 1:
        copy_revenue(model, plans, shared, lane, True)
        number = at(0)
        while number < shared[N_CHOSEN]:
            copy_racks(model, tables, plans, at(shared[at(CHOSEN + number)]), number, lane, True)
            copy_slack(tables, plans, at(shared[at(CHOSEN + number)]), number, lane, True)
            number = at(number + 1)
    cuda.syncthreads()


@allocation_free
def lane_premium(model: PackingModel, plans: Plans, lane: int) -> int:
    """Worth of the contract, see `kernels.loops.value.premium`."""
    model_idx = at(plans.lanes.model_idx[lane])
    left, worth, period = model.contract_amount[model_idx], 0, at(0)
    while period < plans.state.revenue.shape[0]:
        used = min(plans.state.revenue[period, lane], left)
        left -= used
        rate = model.contract_rate[at(model_idx * plans.state.revenue.shape[0] + period)]
        worth += ((used >> 10) * rate) >> 10
        period = at(period + 1)
    return worth


@device
def add_premium(model: PackingModel, plans: Plans, lane: int, sign: int) -> None:
    """Add the contract's premium to a lane's objective, or take it off."""
    cuda.syncthreads()
    if cuda.threadIdx.x == 0 and cuda.threadIdx.y == 0:
        plans.state.objective[lane] += sign * lane_premium(model, plans, lane)
    cuda.syncthreads()


@device
def fill_block(
    model: PackingModel,
    guide: SearchGuide,
    tables: BlockTables,
    plans: Plans,
    shared: Any,
    block: int,
    pattern: int,
    word: np.uint64,
    drawn: bool,
) -> None:
    """Fill an empty block after a pattern (none below 0) and value it again."""
    system = at(0)
    if pattern >= 0:
        system = at(guide.pattern_system_idx[at(pattern)])
        move_slack(tables, plans, shared, block, at(shared[LANE]), False)
        refill(model, guide, tables, shared, block, system, guide.pattern_racks[at(pattern)], word, drawn)
        move_slack(tables, plans, shared, at(shared[BLOCK]), at(shared[LANE]), True)
        store_racks(model, tables, plans, shared, at(shared[BLOCK]), at(shared[SYSTEM]), at(shared[LANE]))
    revalue(model, tables, plans, shared, block, system, pattern >= 0, at(shared[LANE]))


@device
def revalue(
    model: PackingModel,
    tables: BlockTables,
    plans: Plans,
    shared: Any,
    block: int,
    system: int,
    placed: bool,
    lane: int,
) -> None:
    """Value a block again and carry the difference into the lane's revenue and objective (without premium).

    Parameters: placed, whether the block was filled, with racks of the system; else it is empty.
    """
    period = at(cuda.threadIdx.x + cuda.threadIdx.y * cuda.blockDim.x)
    while period < model.capacity.shape[1]:
        revalue_period(model, tables, plans, shared, block, system, placed, period, lane)
        period = at(period + cuda.blockDim.x * cuda.blockDim.y)
    cuda.syncthreads()
    if cuda.threadIdx.x == 0 and cuda.threadIdx.y == 0:
        worth, period = 0, at(0)
        while period < model.capacity.shape[1]:
            worth += shared[at(tables.room.least + period)]
            period = at(period + 1)
        plans.state.objective[lane] += worth - plans.state.block_value[block, lane]
        plans.state.block_value[block, lane] = worth
    cuda.syncthreads()


@device
def revalue_period(
    model: PackingModel,
    tables: BlockTables,
    plans: Plans,
    shared: Any,
    block: int,
    system: int,
    placed: bool,
    period: int,
    lane: int,
) -> None:
    """What a block is worth in one period, into shared memory, and its revenue."""
    worth, revenue = 0, 0
    if placed:
        worth = block_worth(model, model.value, tables, shared, block, system, period)
        revenue = racks_worth(model, model.revenue, tables, shared, block, system, period)
    shared[at(tables.room.least + period)] = worth
    plans.state.revenue[period, lane] += revenue - plans.state.block_revenue[block, period, lane]
    plans.state.block_revenue[block, period, lane] = revenue


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    from kernels.plans import empty_state
    from kernels.samples.packing import CaseShape, make_case, schedule

    case = make_case(CaseShape(1, (1,), (1,), 1, partial_units=True, contract=True, heavy=False))
    line, square, cube = (np.zeros((1,) * n, np.int64) for n in (1, 2, 3))
    racks = np.zeros((1, 1, 1, 1), np.int64)
    tables = BlockTables(line, line, square, line, line, SharedRoom(*range(len(SharedRoom._fields))))
    plans = Plans(
        empty_state(case.model, 1), LaneState(racks, cube), Kept(racks, cube, cube), LaneNumbers(line, line, line)
    )
    given = (case.model, case.guide, tables, plans)
    most = MOST_THREADS, MOST_SHARED_BYTES
    return [
        CompileCase("search", search_kernel, (*given, schedule(1)), *most),
        CompileCase("construct", construct_kernel, (*given, line, line, schedule(1)), *most),
    ]
