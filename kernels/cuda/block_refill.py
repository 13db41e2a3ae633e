"""One refill of a fabric block by one thread block, in shared memory: `kernels.loops.refill` without its scans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernels.constants import FREELY, HALF, LEVEL_ONLY, LEVELS, NO_LEVEL
from kernels.cuda.api import cuda, device
from kernels.cuda.block_fill import CHANCE, LEVEL, begin_refill, fill_rows, trim, turned
from kernels.cuda.block_racks import (
    BLOCK,
    SYSTEM,
    configuration_at,
    end_entry,
    first_entry,
    fitting,
    gather_least,
    keep_racks,
    load_slots,
    place_of,
    positions_of,
    row_at,
    rows_of,
    table_row,
)
from kernels.cuda.block_worth import block_worth, row_worth
from kernels.jitable import allocation_free, at
from kernels.loops.random import draw_of

if TYPE_CHECKING:
    import numpy as np

    from kernels.contract import PackingModel, SearchGuide
    from kernels.cuda.block_tables import BlockTables


@device
def refill(
    model: PackingModel,
    guide: SearchGuide,
    tables: BlockTables,
    shared: Any,
    block: int,
    system: int,
    most: int,
    word: np.uint64,
    drawn: bool,
) -> None:
    """Fill an empty block with at most `most` racks of a system; its slack lies in shared memory, its racks will.

    Parameters: word, the draws' state after seed, lane and step; drawn, whether draws decide beside the guide.
    """
    begin_refill(model, guide, tables, shared, block, system, word, drawn)
    turn = at(0 if shared[LEVEL] >= HALF else 1)
    while turn < 2 and (turn == 0 or shared[LEVEL] < LEVEL_ONLY):
        fill_rows(model, guide, tables, shared, 1 + shared[LEVEL] % LEVELS if turn == 0 else NO_LEVEL)
        turn = at(turn + 1)
    cuda.syncthreads()
    trim(model, tables, shared, most)
    draw_chances(model, tables, shared, word)
    raise_rows(model, guide, tables, shared)
    cuda.syncthreads()
    start_where_worth(model, guide, tables, shared)


@device
def draw_chances(model: PackingModel, tables: BlockTables, shared: Any, word: np.uint64) -> None:
    """Write into `by_row` what each row's upgrades in each period draw; 0 where they happen wherever they fit."""
    block = at(shared[BLOCK])
    n_periods, row_place = model.capacity.shape[1], at(cuda.threadIdx.y)
    while row_place < rows_of(model, block):
        period = at(cuda.threadIdx.x)
        while period < n_periods:
            chance = 0
            if shared[CHANCE] >= FREELY:
                number = (1 << 23) + row_at(model, block, row_place) * n_periods + period
                chance = draw_of(word, number)
            shared[at(tables.room.by_row + row_place * n_periods + period)] = chance
            period = at(period + cuda.blockDim.x)
        row_place = at(row_place + cuda.blockDim.y)
    cuda.syncthreads()


@device
def raise_rows(model: PackingModel, guide: SearchGuide, tables: BlockTables, shared: Any) -> None:
    """Exchange a block's racks for profiles of more value, highest first, where they fit and draws allow it."""
    block, system = at(shared[BLOCK]), at(shared[SYSTEM])
    place, n_positions = at(0), positions_of(model, system)
    while place < rows_of(model, block):
        row_place = turned(shared, place, rows_of(model, block))
        low = at(0)
        while low + 1 < n_positions:
            high = at(n_positions - 1)
            while high > low:
                exchange(model, guide, tables, shared, block, row_place, system, low, high)
                high = at(high - 1)
            low = at(low + 1)
        place = at(place + 1)


@device
def exchange(
    model: PackingModel,
    guide: SearchGuide,
    tables: BlockTables,
    shared: Any,
    block: int,
    row_place: int,
    system: int,
    low: int,
    high: int,
) -> None:
    """Exchange a row's racks at one of a system's positions for another's, as many as every part has room for."""
    n_periods, place = model.capacity.shape[1], place_of(model, block, row_place)
    lower = configuration_at(model, system, low)
    higher = configuration_at(model, system, high)
    at_row = tables.room.racks + row_place * positions_of(model, system) * n_periods
    period = at(cuda.threadIdx.x)
    while period < n_periods:
        count, row = shared[at(at_row + low * n_periods + period)], table_row(model, shared, block, row_place)
        chance = shared[at(tables.room.by_row + row_place * n_periods + period)]
        if count > 0 and may_exchange(model, guide, row, lower, higher, period, chance):
            count = measure_exchange(tables, shared, place, lower, higher, period, n_periods, count)
        else:
            count = 0
        shared[at(tables.room.parts + cuda.threadIdx.y * n_periods + period)] = count
        period = at(period + cuda.blockDim.x)
    cuda.syncthreads()
    if cuda.threadIdx.y == 0:
        gather_least(tables, shared, n_periods)
        move_racks(tables, shared, at_row + low * n_periods, at_row + high * n_periods, n_periods)
    cuda.syncthreads()
    period = at(cuda.threadIdx.x)
    while period < n_periods:
        count = shared[at(tables.room.least + period)]
        if count != 0:
            load_slots(tables, shared, place, higher, period, n_periods, count)
            load_slots(tables, shared, place, lower, period, n_periods, -count)
        period = at(period + cuda.blockDim.x)


@device
def move_racks(tables: BlockTables, shared: Any, at_low: int, at_high: int, n_periods: int) -> None:
    """Move as many racks as `least` says from one configuration to another."""
    period = at(cuda.threadIdx.x)
    while period < n_periods:
        shared[at(at_low + period)] -= shared[at(tables.room.least + period)]
        shared[at(at_high + period)] += shared[at(tables.room.least + period)]
        period = at(period + cuda.blockDim.x)


@allocation_free
def may_exchange(
    model: PackingModel, guide: SearchGuide, row: int, low: int, high: int, period: int, chance: int
) -> bool:
    """Whether a row's racks at `low` are worth more at `high`, may stand there, and the period's draw allows it."""
    if guide.guided_value[row, high, period] <= guide.guided_value[row, low, period]:
        return False
    if model.most_racks[row, high, period] <= 0:
        return False
    return bool(chance < guide.upgrade_share[row, high, period])


@device
def measure_exchange(
    tables: BlockTables, shared: Any, place: int, low: int, high: int, period: int, n_periods: int, count: int
) -> int:
    """How many of `count` racks the slots of this thread's part let go from `low` to `high`."""
    entry = first_entry(tables, place)
    while entry < end_entry(tables, place):
        extra = tables.entry_coefficient[entry, high] - tables.entry_coefficient[entry, low]
        if extra > 0:
            left = shared[at(tables.room.slack + tables.entry_slot_idx[entry] * n_periods + period)]
            count = fitting(left, extra, count)
        entry = at(entry + 1)
    return count


@device
def start_where_worth(model: PackingModel, guide: SearchGuide, tables: BlockTables, shared: Any) -> None:
    """Clear each row, then the block, before the period from which what stands is worth most to the end.

    Where units must be whole, rows are left as they are: one that starts later would leave a unit part empty.
    """
    if model.partial_units[at(shared[BLOCK])] == 1:
        find_row_starts(model, guide, tables, shared)
        keep_from_start(model, tables, shared)
    find_block_start(model, guide, tables, shared)
    keep_from_start(model, tables, shared)


@allocation_free
def best_start(shared: Any, begin: int, n_periods: int) -> int:
    """The earliest period from which the sum of worths to the end is largest; n_periods where none is positive."""
    start, best, total = n_periods, 0, 0
    period = n_periods
    while period > 0:
        period -= 1
        total += shared[at(begin + period)]
        if total > 0 and total >= best:
            best, start = total, period
    return start


@device
def find_row_starts(model: PackingModel, guide: SearchGuide, tables: BlockTables, shared: Any) -> None:
    """Write the period from which each row is worth most."""
    block, system = at(shared[BLOCK]), at(shared[SYSTEM])
    n_periods = model.capacity.shape[1]
    row_place = at(cuda.threadIdx.y)
    while row_place < rows_of(model, block):
        period = at(cuda.threadIdx.x)
        while period < n_periods:
            worth = row_worth(model, guide.guided_value, tables, shared, block, row_place, system, period)
            shared[at(tables.room.by_row + row_place * n_periods + period)] = worth
            period = at(period + cuda.blockDim.x)
        row_place = at(row_place + cuda.blockDim.y)
    cuda.syncthreads()
    row_place = at(cuda.threadIdx.x + cuda.threadIdx.y * cuda.blockDim.x)
    while row_place < rows_of(model, block):
        word_idx = tables.room.by_row + row_place * n_periods
        shared[at(tables.room.rows + row_place)] = best_start(shared, word_idx, n_periods)
        row_place = at(row_place + cuda.blockDim.x * cuda.blockDim.y)
    cuda.syncthreads()


@device
def find_block_start(model: PackingModel, guide: SearchGuide, tables: BlockTables, shared: Any) -> None:
    """Write for each row the period from which the block is worth most."""
    block, system = at(shared[BLOCK]), at(shared[SYSTEM])
    n_periods = model.capacity.shape[1]
    period = at(cuda.threadIdx.x + cuda.threadIdx.y * cuda.blockDim.x)
    while period < n_periods:
        worth = block_worth(model, guide.guided_value, tables, shared, block, system, period)
        shared[at(tables.room.least + period)] = worth
        period = at(period + cuda.blockDim.x * cuda.blockDim.y)
    cuda.syncthreads()
    row_place = at(cuda.threadIdx.x + cuda.threadIdx.y * cuda.blockDim.x)
    while row_place < rows_of(model, block):
        shared[at(tables.room.rows + row_place)] = best_start(shared, tables.room.least, n_periods)
        row_place = at(row_place + cuda.blockDim.x * cuda.blockDim.y)
    cuda.syncthreads()


@device
def keep_from_start(model: PackingModel, tables: BlockTables, shared: Any) -> None:
    """Clear each row before its start."""
    block = at(shared[BLOCK])
    n_periods, row_place = model.capacity.shape[1], at(cuda.threadIdx.y)
    while row_place < rows_of(model, block):
        period = at(cuda.threadIdx.x)
        while period < n_periods:
            starts = period >= shared[at(tables.room.rows + row_place)]
            shared[at(tables.room.by_row + row_place * n_periods + period)] = NO_LEVEL if starts else 0
            period = at(period + cuda.blockDim.x)
        row_place = at(row_place + cuda.blockDim.y)
    cuda.syncthreads()
    keep_racks(model, tables, shared)
