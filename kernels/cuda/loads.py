"""Loads and slack of whole plans: every limit gathers what its rows put on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.launch import launch, over

if TYPE_CHECKING:
    from kernels.contract import PackingModel


def slack(model: PackingModel, load: Any, result: Any) -> None:
    """Capacity less load; shapes as in `kernels.loops.loads`."""
    launch("slack", slack_kernel, over(load.size), capacity=model.capacity, load=load, result=result)


def slack_kernel(capacity: Any, load: Any, result: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [limit, period, lane], lanes fastest."""
    n_periods, n_lanes = load.shape[1], load.shape[2]
    for place in range(cuda.grid(1), load.size, cuda.gridsize(1)):
        lane = place % n_lanes
        period = (place // n_lanes) % n_periods
        limit = place // (n_lanes * n_periods)
        result[limit, period, lane] = capacity[limit, period] - load[limit, period, lane]


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    periods, lanes = np.zeros((1, 1), np.int64), np.zeros((1, 1, 1), np.int64)
    return [CompileCase("slack", slack_kernel, (periods, lanes, lanes))]
