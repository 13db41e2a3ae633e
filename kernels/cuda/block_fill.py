"""Fill the rows of an empty fabric block in shared memory and trim them: the first half of a refill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernels.cuda.api import cuda, device
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
    standing_in,
    table_row,
)
from kernels.jitable import allocation_free, at
from kernels.loops.random import draw_of
from kernels.loops.refill import lowest_profile, row_switch

if TYPE_CHECKING:
    import numpy as np

    from kernels.contract import PackingModel, SearchGuide
    from kernels.cuda.block_tables import BlockTables

OFFSET, LEVEL, CHANCE = 0, 1, 2
"""Words of a refill: the place at which its order of rows begins, the draws of its level and of its upgrades."""


@allocation_free
def turned(shared: Any, place: int, n_rows: int) -> int:
    """The row at a place of the refill's order, which begins anywhere."""
    row_place = place + shared[OFFSET]
    return at(row_place - n_rows if row_place >= n_rows else row_place)


@device
def begin_refill(
    model: PackingModel,
    guide: SearchGuide,
    tables: BlockTables,
    shared: Any,
    block: int,
    system: int,
    word: np.uint64,
    drawn: bool,
) -> None:
    """Draw what the refill goes by, find each row's switch and lowest profile, and begin without a rack."""
    n_periods = model.capacity.shape[1]
    if cuda.threadIdx.x == 0 and cuda.threadIdx.y == 0:
        shared[BLOCK], shared[SYSTEM] = block, system
        shared[OFFSET] = draw_of(word, 16 + block) % max(rows_of(model, block), 1)
        shared[LEVEL] = draw_of(word, 16 + block + (5 << 21)) if drawn else 0
        shared[CHANCE] = draw_of(word, 16 + block + (1 << 22))
    row_place = at(cuda.threadIdx.y)
    while row_place < rows_of(model, block):
        if cuda.threadIdx.x == 0:
            row, word_idx = table_row(model, shared, block, row_place), tables.room.rows + row_place
            shared[at(word_idx)] = row_switch(
                guide, block, row, row_at(model, block, row_place), n_periods, word, drawn
            )
            shared[at(word_idx + tables.room.n_rows)] = (
                lowest_profile(model, row, system, n_periods) - model.system_ptr[system]
            )
        place = at(cuda.threadIdx.x)
        while place < positions_of(model, system) * n_periods:
            shared[at(tables.room.racks + row_place * positions_of(model, system) * n_periods + place)] = 0
            place = at(place + cuda.blockDim.x)
        row_place = at(row_place + cuda.blockDim.y)
    cuda.syncthreads()


@device
def fill_rows(model: PackingModel, guide: SearchGuide, tables: BlockTables, shared: Any, most: int) -> None:
    """Fill a block's rows one after another, each with at most `most` more racks."""
    block, system = at(shared[BLOCK]), at(shared[SYSTEM])
    place = at(0)
    while place < rows_of(model, block):
        row_place = turned(shared, place, rows_of(model, block))
        measure_row(model, tables, shared, block, row_place, system)
        cuda.syncthreads()
        if cuda.threadIdx.y == 0:
            gather_least(tables, shared, model.capacity.shape[1])
        cuda.syncthreads()
        place_row(model, guide, tables, shared, block, row_place, system, most)
        place = at(place + 1)


@allocation_free
def position_in(tables: BlockTables, shared: Any, row_place: int, period: int, n_positions: int) -> int:
    """Which of a system's configurations fills a row in a period: its highest before the switch, then its lowest."""
    word_idx = tables.room.rows + row_place
    return at(n_positions - 1 if period < shared[at(word_idx)] else shared[at(word_idx + tables.room.n_rows)])


@device
def measure_row(model: PackingModel, tables: BlockTables, shared: Any, block: int, row_place: int, system: int) -> None:
    """How many racks of the configuration that fills a row the slots of each part leave room for."""
    n_periods, place = model.capacity.shape[1], place_of(model, block, row_place)
    period = at(cuda.threadIdx.x)
    while period < n_periods:
        position = position_in(tables, shared, row_place, period, positions_of(model, system))
        configuration = configuration_at(model, system, position)
        room = model.most_racks[table_row(model, shared, block, row_place), configuration, period]
        entry = first_entry(tables, place)
        while entry < end_entry(tables, place):
            coefficient = tables.entry_coefficient[entry, configuration]
            if coefficient > 0:
                left = shared[at(tables.room.slack + tables.entry_slot_idx[entry] * n_periods + period)]
                room = fitting(left, coefficient, room)
            entry = at(entry + 1)
        shared[at(tables.room.parts + cuda.threadIdx.y * n_periods + period)] = room
        period = at(period + cuda.blockDim.x)


@device
def place_row(
    model: PackingModel,
    guide: SearchGuide,
    tables: BlockTables,
    shared: Any,
    block: int,
    row_place: int,
    system: int,
    most: int,
) -> None:
    """Put racks into a row so that their number never falls and grows only where starting pays."""
    n_periods, place = model.capacity.shape[1], place_of(model, block, row_place)
    period = at(cuda.threadIdx.x)
    while period < n_periods:
        row = table_row(model, shared, block, row_place)
        count = lasting_room(guide, tables, shared, row, system, period, n_periods, most)
        if count != 0:
            position = position_in(tables, shared, row_place, period, positions_of(model, system))
            if cuda.threadIdx.y == 0:
                word_idx = tables.room.racks + (row_place * positions_of(model, system) + position) * n_periods
                shared[at(word_idx + period)] += count
            configuration = configuration_at(model, system, position)
            load_slots(tables, shared, place, configuration, period, n_periods, count)
        period = at(period + cuda.blockDim.x)


@allocation_free
def lasting_room(
    guide: SearchGuide,
    tables: BlockTables,
    shared: Any,
    row: int,
    system: int,
    period: int,
    n_periods: int,
    most: int,
) -> int:
    """The least room from the last period on, up to this one, in which starting pays; 0 where it never has paid."""
    end = at(period + 1)
    while end > 0 and guide.may_start[row, system, at(end - 1)] != 1:
        end = at(end - 1)
    if end == 0:
        return 0
    while end <= n_periods:
        most = min(most, shared[at(tables.room.least + end - 1)])
        end = at(end + 1)
    return most


@device
def trim(model: PackingModel, tables: BlockTables, shared: Any, most: int) -> None:
    """Cut a block to at most `most` racks, and to whole units where it must, latest period and last row first."""
    block, system = at(shared[BLOCK]), at(shared[SYSTEM])
    n_periods = model.capacity.shape[1]
    row_place = at(cuda.threadIdx.y)
    while row_place < rows_of(model, block):
        period = at(cuda.threadIdx.x)
        while period < n_periods:
            standing = standing_in(tables, shared, row_place, period, positions_of(model, system), n_periods)
            shared[at(tables.room.by_row + row_place * n_periods + period)] = standing
            period = at(period + cuda.blockDim.x)
        row_place = at(row_place + cuda.blockDim.y)
    cuda.syncthreads()
    if cuda.threadIdx.x == 0 and cuda.threadIdx.y == 0:
        units = 1 if model.partial_units[block] == 1 else model.unit_racks[system]
        period = at(n_periods)
        while period > 0:
            period = at(period - 1)
            trim_period(tables, shared, period, n_periods, rows_of(model, block), most, units)
    cuda.syncthreads()
    keep_racks(model, tables, shared)


@allocation_free
def trim_period(
    tables: BlockTables, shared: Any, period: int, n_periods: int, n_rows: int, most: int, units: int
) -> None:
    """Cut the racks that are to stay in each row to those of the next period, and to `most` in all."""
    total, row_place = 0, at(0)
    while row_place < n_rows:
        word_idx = tables.room.by_row + row_place * n_periods + period
        if period + 1 < n_periods:
            shared[at(word_idx)] = min(shared[at(word_idx)], shared[at(word_idx + 1)])
        total += shared[at(word_idx)]
        row_place = at(row_place + 1)
    excess = max(total - most, 0)
    excess += (total - excess) % units
    while excess > 0 and row_place > 0:
        row_place = at(row_place - 1)
        word_idx = tables.room.by_row + row_place * n_periods + period
        taken = min(shared[at(word_idx)], excess)
        shared[at(word_idx)] -= taken
        excess -= taken
