"""Loads and slack of whole plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel


def loads(model: PackingModel, n_racks: NDArray[np.int64], load: NDArray[np.int64]) -> None:
    """Load of every limit, scaled by 2^20.

    Parameters: n_racks [n_rows, n_configurations, n_periods, n_lanes]; load [n_limits, n_periods, n_lanes], written.
    """
    load[:] = 0
    add_loads(model, n_racks, load)


def add_loads(model: PackingModel, n_racks: NDArray[np.int64], load: NDArray[np.int64]) -> None:
    """Add the load of racks to `load`; a row has each limit once, so no addition is lost."""
    for row in range(n_racks.shape[0]):
        entries = slice(model.row_ptr[row], model.row_ptr[row + 1])
        limits, coefficient = model.entry_limit_idx[entries], model.entry_coefficient[entries, :, None, None]
        for configuration, count in enumerate(n_racks[row]):
            if count.any():
                load[limits] += coefficient[:, configuration] * count


def slack(model: PackingModel, load: NDArray[np.int64], result: NDArray[np.int64]) -> None:
    """Capacity less load.

    Parameters: load and result [n_limits, n_periods, n_lanes]; result is written.
    """
    np.subtract(model.capacity[:, :, None], load, out=result)
