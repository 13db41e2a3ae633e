"""What plans are worth, in whole cents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel


def premium(model: PackingModel, revenue: NDArray[np.int64]) -> NDArray[np.int64]:
    """Worth of the contract in each lane: revenue, never negative, is sold earliest first until the amount is used up.

    Parameters: revenue [n_periods, n_lanes] cents.
    """
    sold = np.minimum(np.cumsum(revenue, axis=0), model.contract_amount[0])
    sold[1:] -= sold[:-1].copy()
    worth: NDArray[np.int64] = (((sold >> 10) * model.contract_rate[:, None]) >> 10).sum(axis=0)
    return worth


def block_worth(
    model: PackingModel, block: int, racks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cents [n_lanes] of one block without the premium, and its contract revenue [n_periods, n_lanes].

    Parameters: racks [n_block_rows, n_configurations, n_periods, n_lanes].
    """
    rows = model.block_row_idx[model.block_ptr[block] : model.block_ptr[block + 1]]
    worth = (racks * model.value[rows, :, :, None]).sum(axis=(0, 1, 2))
    revenue = (racks * model.revenue[rows, :, :, None]).sum(axis=(0, 1))
    of_configuration = racks.sum(axis=0)
    standing = np.zeros_like(revenue)
    for system, unit_racks in enumerate(model.unit_racks):
        members = model.system_configuration_idx[model.system_ptr[system] : model.system_ptr[system + 1]]
        of_system = of_configuration[members].sum(axis=0)
        units = (of_system + unit_racks - 1) // unit_racks
        worth -= (units * model.unit_cost[block, system, :, None]).sum(axis=0)
        standing += of_system
    worth -= ((standing > 0) * model.open_cost[block, :, None]).sum(axis=0)
    return worth, revenue


def plan_value(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    block_value: NDArray[np.int64],
    block_revenue: NDArray[np.int64],
    revenue: NDArray[np.int64],
    objective: NDArray[np.int64],
) -> None:
    """Value whole plans; every argument but the first two is written (shapes as in `SearchState`)."""
    for block in range(model.block_ptr.shape[0] - 1):
        rows = model.block_row_idx[model.block_ptr[block] : model.block_ptr[block + 1]]
        block_value[block], block_revenue[block] = block_worth(model, block, n_racks[rows])
    np.sum(block_revenue, axis=0, out=revenue)
    np.add(block_value.sum(axis=0), premium(model, revenue), out=objective)
