"""What the racks of a fabric block in shared memory are worth in a period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernels.cuda.block_racks import (
    configuration_at,
    positions_of,
    quotient,
    rows_of,
    standing_in,
    table_block,
    table_row,
)
from kernels.jitable import allocation_free, at

if TYPE_CHECKING:
    from kernels.contract import PackingModel
    from kernels.cuda.block_tables import BlockTables


@allocation_free
def row_worth(
    model: PackingModel,
    value: Any,
    tables: BlockTables,
    shared: Any,
    block: int,
    row_place: int,
    system: int,
    period: int,
) -> int:
    """Sum of a value over a row's racks. Parameters: value [n_rows, n_configurations, n_periods] cents of a rack."""
    row = table_row(model, shared, block, row_place)
    word_idx = tables.room.racks + row_place * positions_of(model, system) * model.capacity.shape[1] + period
    worth, position = 0, at(0)
    while position < positions_of(model, system):
        count = shared[at(word_idx + position * model.capacity.shape[1])]
        worth += count * value[row, configuration_at(model, system, position), period]
        position = at(position + 1)
    return worth


@allocation_free
def racks_worth(
    model: PackingModel, value: Any, tables: BlockTables, shared: Any, block: int, system: int, period: int
) -> int:
    """Sum of a value over all racks of a block."""
    worth, row_place = 0, at(0)
    while row_place < rows_of(model, block):
        worth += row_worth(model, value, tables, shared, block, row_place, system, period)
        row_place = at(row_place + 1)
    return worth


@allocation_free
def block_worth(
    model: PackingModel, value: Any, tables: BlockTables, shared: Any, block: int, system: int, period: int
) -> int:
    """Sum of a value over all racks of a block less its opening and unit costs, by parts."""
    standing, row_place = 0, at(0)
    while row_place < rows_of(model, block):
        n_positions, n_periods = positions_of(model, system), model.capacity.shape[1]
        standing += standing_in(tables, shared, row_place, period, n_positions, n_periods)
        row_place = at(row_place + 1)
    if standing == 0:
        return 0
    units = quotient(standing + model.unit_racks[system] - 1, model.unit_racks[system])
    place = table_block(shared, block)
    costs = model.open_cost[place, period] + units * model.unit_cost[place, system, period]
    return int(racks_worth(model, value, tables, shared, block, system, period) - costs)
