"""Loads and slack of whole plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.contract import PackingModel


def loads(model: PackingModel, n_racks: NDArray[np.int64], load: NDArray[np.int64]) -> None:
    """Load of every limit, scaled by 2^20.

    Parameters: n_racks [n_rows, n_configurations, n_periods, n_lanes]; load [n_limits, n_periods, n_lanes], written.
    """
    load[:] = 0
    n_rows, n_configurations, n_periods, n_lanes = n_racks.shape
    for row in range(n_rows):
        for entry in range(model.row_ptr[row], model.row_ptr[row + 1]):
            limit = model.entry_limit_idx[entry]
            for configuration in range(n_configurations):
                coefficient = model.entry_coefficient[entry, configuration]
                if coefficient != 0:
                    for period in range(n_periods):
                        for lane in range(n_lanes):
                            load[limit, period, lane] += coefficient * n_racks[row, configuration, period, lane]


def slack(model: PackingModel, load: NDArray[np.int64], result: NDArray[np.int64]) -> None:
    """Capacity less load.

    Parameters: load and result [n_limits, n_periods, n_lanes]; result is written.
    """
    n_limits, n_periods, n_lanes = load.shape
    for limit in range(n_limits):
        for period in range(n_periods):
            for lane in range(n_lanes):
                result[limit, period, lane] = model.capacity[limit, period] - load[limit, period, lane]
