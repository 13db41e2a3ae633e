"""What plans are worth, in whole cents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.jitable import allocation_free, at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.contract import PackingModel


@allocation_free
def premium(model: PackingModel, revenue: NDArray[np.int64], lane: int) -> int:
    """Worth of the contract: revenue is sold at the contract's price, earliest first, until it is used up.

    Parameters: revenue [n_periods, n_lanes] cents. The rate's 20 bits are taken off in two halves so that large
    contracts stay within 64 bits; the plan's objective is computed again exactly.
    """
    left = model.contract_amount[0]
    worth = 0
    period = at(0)
    while period < revenue.shape[0]:
        used = min(revenue[period, lane], left)
        left -= used
        worth += ((used >> 10) * model.contract_rate[period]) >> 10
        period = at(period + 1)
    return worth


@allocation_free
def block_worth(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    block: int,
    period: int,
    lane: int,
    block_revenue: NDArray[np.int64],
) -> int:
    """Cents of one block in one period without the premium; writes its contract revenue.

    Parameters: n_racks [n_rows, n_configurations, n_periods, n_lanes]; block_revenue [n_blocks, n_periods, n_lanes].
    """
    worth, revenue, standing = 0, 0, 0
    system = at(0)
    while system < model.unit_racks.shape[0]:
        of_system = 0
        position = at(model.system_ptr[system])
        while position < model.system_ptr[at(system + 1)]:
            configuration = at(model.system_configuration_idx[position])
            index = at(model.block_ptr[block])
            while index < model.block_ptr[at(block + 1)]:
                row = at(model.block_row_idx[index])
                count = n_racks[row, configuration, period, lane]
                worth += count * model.value[row, configuration, period]
                revenue += count * model.revenue[row, configuration, period]
                of_system += count
                index = at(index + 1)
            position = at(position + 1)
        units = (of_system + model.unit_racks[system] - 1) // model.unit_racks[system]
        worth -= units * model.unit_cost[block, system, period]
        standing += of_system
        system = at(system + 1)
    if standing > 0:
        worth -= model.open_cost[block, period]
    block_revenue[block, period, lane] = revenue
    return int(worth)


@allocation_free
def plan_value(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    block_value: NDArray[np.int64],
    block_revenue: NDArray[np.int64],
    revenue: NDArray[np.int64],
    objective: NDArray[np.int64],
) -> None:
    """Value whole plans; every argument but the first two is written (shapes as in `SearchState`)."""
    n_blocks = model.block_ptr.shape[0] - 1
    n_periods, n_lanes = n_racks.shape[2], n_racks.shape[3]
    revenue[:] = 0
    for lane in range(n_lanes):
        total = 0
        for block in range(n_blocks):
            block_value[block, lane] = 0
            for period in range(n_periods):
                block_value[block, lane] += block_worth(model, n_racks, at(block), at(period), at(lane), block_revenue)
                revenue[period, lane] += block_revenue[block, period, lane]
            total += block_value[block, lane]
        objective[lane] = total + premium(model, revenue, at(lane))
