"""Racks and slack of one fabric block in the shared memory of a thread block: who owns what, and how racks are taken.

Threads (x, y) of a block: x takes periods, y a part of the block's slots, so that every word of slack belongs to one
thread. What crosses threads goes through a barrier: the least room that parts found, sums over periods, and racks,
which one thread writes. Every barrier is passed by all threads, since branches around one ask for values that all
threads of a block read alike.

Loops count in 32 bits and by `while`: Numba makes of a `range` over 64 bits a loop that divides for its length, is
unrolled four times and takes half of a thread's registers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.cuda.api import cuda, device
from kernels.jitable import allocation_free, at

if TYPE_CHECKING:
    from kernels.contract import PackingModel
    from kernels.cuda.block_tables import BlockTables

FIRST_ROW, FIRST_BLOCK = 17, 18
"""Words of a lane: where its model begins in tables by row and by block; 0 where all lanes have one model."""
BLOCK, SYSTEM = 3, 9
"""Words of a refill: its block and system.

Each part of a refill reads them again, for what the compiler derives from them otherwise takes registers throughout.
"""


@allocation_free
def rows_of(model: PackingModel, block: int) -> int:
    """Rows of a block."""
    return int(model.block_ptr[at(block + 1)] - model.block_ptr[block])


@allocation_free
def positions_of(model: PackingModel, system: int) -> int:
    """Configurations of a system."""
    return int(model.system_ptr[at(system + 1)] - model.system_ptr[system])


@allocation_free
def place_of(model: PackingModel, block: int, row_place: int) -> int:
    """Position of a block's row in the order of all blocks."""
    return at(model.block_ptr[block] + row_place)


@allocation_free
def row_at(model: PackingModel, block: int, row_place: int) -> int:
    """A block's row."""
    return at(model.block_row_idx[place_of(model, block, row_place)])


@allocation_free
def table_row(model: PackingModel, shared: Any, block: int, row_place: int) -> int:
    """Where a block's row stands in tables that the lanes' models have each for itself, one after the other."""
    return at(model.block_row_idx[place_of(model, block, row_place)] + shared[FIRST_ROW])


@allocation_free
def table_block(shared: Any, block: int) -> int:
    """Where a block stands in such tables."""
    return at(block + shared[FIRST_BLOCK])


@allocation_free
def configuration_at(model: PackingModel, system: int, position: int) -> int:
    """A system's configuration."""
    return at(model.system_configuration_idx[at(model.system_ptr[system] + position)])


@device
def first_entry(tables: BlockTables, place: int) -> int:
    """Where the entries of a row begin that belong to this thread's part."""
    return at(tables.part_ptr[at(place * tables.room.n_parts + cuda.threadIdx.y)])


@device
def end_entry(tables: BlockTables, place: int) -> int:
    """Where they end."""
    return at(tables.part_ptr[at(place * tables.room.n_parts + cuda.threadIdx.y + 1)])


@device
def load_slots(
    tables: BlockTables, shared: Any, place: int, configuration: int, period: int, n_periods: int, count: int
) -> None:
    """Take what `count` racks of a row load from the slots of this thread's part in a period.

    Parameters: place, of the row in the order of all blocks.
    """
    entry = first_entry(tables, place)
    while entry < end_entry(tables, place):
        load = count * tables.entry_coefficient[entry, configuration]
        shared[at(tables.room.slack + tables.entry_slot_idx[entry] * n_periods + period)] -= load
        entry = at(entry + 1)


@allocation_free
def quotient(dividend: int, divisor: int) -> int:
    """A whole quotient of numbers that are not negative, in fewer registers than of any numbers."""
    return int(np.int64(np.uint64(dividend) // np.uint64(divisor)))


@allocation_free
def fitting(left: int, coefficient: int, count: int) -> int:
    """How many of `count` racks fit into what a limit has left."""
    if left < coefficient * count:
        return int(quotient(max(left, 0), coefficient))
    return count


@device
def gather_least(tables: BlockTables, shared: Any, n_periods: int) -> None:
    """Write the least that any part found for each period."""
    period = at(cuda.threadIdx.x)
    while period < n_periods:
        shared[at(tables.room.least + period)] = least_of_parts(tables, shared, period, n_periods)
        period = at(period + cuda.blockDim.x)


@allocation_free
def least_of_parts(tables: BlockTables, shared: Any, period: int, n_periods: int) -> int:
    """The least that any part found for a period."""
    word_idx = tables.room.parts + period
    least, part = shared[at(word_idx)], at(1)
    while part < tables.room.n_parts:
        least = min(least, shared[at(word_idx + part * n_periods)])
        part = at(part + 1)
    return int(least)


@allocation_free
def standing_in(tables: BlockTables, shared: Any, row_place: int, period: int, n_positions: int, n_periods: int) -> int:
    """Racks of the system in a row."""
    standing, position = 0, at(0)
    while position < n_positions:
        standing += shared[at(tables.room.racks + (row_place * n_positions + position) * n_periods + period)]
        position = at(position + 1)
    return standing


@device
def keep_racks(model: PackingModel, tables: BlockTables, shared: Any) -> None:
    """Take racks out of each row, lowest configuration first, until no more than `by_row` says are left."""
    block, system = at(shared[BLOCK]), at(shared[SYSTEM])
    row_place = at(0)
    while row_place < rows_of(model, block):
        take_racks(model, tables, shared, block, row_place, system, False)
        row_place = at(row_place + 1)
    cuda.syncthreads()
    row_place = at(cuda.threadIdx.y)
    while row_place < rows_of(model, block):
        take_racks(model, tables, shared, block, row_place, system, True)
        row_place = at(row_place + cuda.blockDim.y)
    cuda.syncthreads()


@device
def take_racks(
    model: PackingModel, tables: BlockTables, shared: Any, block: int, row_place: int, system: int, from_racks: bool
) -> None:
    """What `keep_racks` takes out of one row: added to slack, or else taken from the racks."""
    n_periods, n_positions = model.capacity.shape[1], positions_of(model, system)
    period = at(cuda.threadIdx.x)
    while period < n_periods:
        excess = standing_in(tables, shared, row_place, period, n_positions, n_periods)
        excess -= shared[at(tables.room.by_row + row_place * n_periods + period)]
        position = at(0)
        while excess > 0 and position < n_positions:
            word_idx = tables.room.racks + (row_place * n_positions + position) * n_periods + period
            taken = min(shared[at(word_idx)], excess)
            excess -= taken
            if from_racks:
                shared[at(word_idx)] -= taken
            elif taken > 0:
                configuration = configuration_at(model, system, position)
                place = place_of(model, block, row_place)
                load_slots(tables, shared, place, configuration, period, n_periods, -taken)
            position = at(position + 1)
        period = at(period + cuda.blockDim.x)
