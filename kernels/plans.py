"""Plans before a search: no rack stands anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.contract import SearchState

if TYPE_CHECKING:
    from kernels.contract import PackingModel


def empty_state(model: PackingModel, n_lanes: int) -> SearchState:
    """Plans without a rack, in the host's memory: all capacity is slack."""
    n_rows, n_configurations, n_periods = model.value.shape
    n_blocks = model.open_cost.shape[0]
    return SearchState(
        n_racks=np.zeros((n_rows, n_configurations, n_periods, n_lanes), np.int64),
        slack=np.repeat(model.capacity[:, :, None], n_lanes, axis=2),
        block_value=np.zeros((n_blocks, n_lanes), np.int64),
        block_revenue=np.zeros((n_blocks, n_periods, n_lanes), np.int64),
        revenue=np.zeros((n_periods, n_lanes), np.int64),
        objective=np.zeros(n_lanes, np.int64),
    )
