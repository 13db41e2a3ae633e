"""Loads and slack of whole plans on the device.

The model lists what rows put on limits, not the reverse, so loads scatter: one thread for each row, period and lane
adds the row's whole load to each of its limits by an integer atomic, exact in any order. A gather by limit would read
every count once for each entry and leave a whole site's rows to one thread; here the counts of a row stay in cache
over its entries, a limit that nothing draws on is not written, and neighbouring lanes share a memory sector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.faults import INDEX
from kernels.cuda.launch import launch, over

if TYPE_CHECKING:
    from kernels.contract import PackingModel


def loads(model: PackingModel, n_racks: Any, load: Any) -> None:
    """Load of every limit; shapes as in `kernels.loops.loads`."""
    load[...] = 0
    launch(
        "loads", loads_kernel, over(n_racks[:, 0].size),
        row_ptr=model.row_ptr, entry_limit_idx=model.entry_limit_idx, entry_coefficient=model.entry_coefficient,
        n_racks=n_racks, load=load,
    )  # fmt: skip


def loads_kernel(
    row_ptr: Any, entry_limit_idx: Any, entry_coefficient: Any, n_racks: Any, load: Any, fault: Any
) -> None:
    """One thread for each place [row, period, lane], lanes fastest."""
    n_rows, n_configurations, n_periods, n_lanes = n_racks.shape
    n_limits, n_entries = load.shape[0], entry_limit_idx.shape[0]
    for place in range(cuda.grid(1), n_rows * n_periods * n_lanes, cuda.gridsize(1)):
        lane, rest = place % n_lanes, place // n_lanes
        row, period = rest // n_periods, rest % n_periods
        if row_ptr[row] < 0 or row_ptr[row + 1] < row_ptr[row] or row_ptr[row + 1] > n_entries:
            cuda.atomic.max(fault, 0, INDEX)
            continue
        for entry in range(row_ptr[row], row_ptr[row + 1]):
            limit = entry_limit_idx[entry]
            if limit < 0 or limit >= n_limits:
                cuda.atomic.max(fault, 0, INDEX)
                continue
            drawn = 0
            for configuration in range(n_configurations):
                drawn += entry_coefficient[entry, configuration] * n_racks[row, configuration, period, lane]
            if drawn != 0:
                cuda.atomic.add(load, (limit, period, lane), drawn)


def slack(model: PackingModel, load: Any, result: Any) -> None:
    """Capacity less load; shapes as in `kernels.loops.loads`."""
    launch("slack", slack_kernel, over(load.size), capacity=model.capacity, load=load, result=result)


def slack_kernel(capacity: Any, load: Any, result: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [limit, period, lane], lanes fastest."""
    n_periods, n_lanes = load.shape[1], load.shape[2]
    for place in range(cuda.grid(1), load.size, cuda.gridsize(1)):
        lane, rest = place % n_lanes, place // n_lanes
        limit, period = rest // n_periods, rest % n_periods
        result[limit, period, lane] = capacity[limit, period] - load[limit, period, lane]


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    indices, table = np.zeros(1, np.int64), np.zeros((1, 1), np.int64)
    racks, places = np.zeros((1, 1, 1, 1), np.int64), np.zeros((1, 1, 1), np.int64)
    return [
        CompileCase("loads", loads_kernel, (indices, indices, table, racks, places)),
        CompileCase("slack", slack_kernel, (table, places, places)),
    ]
