"""What plans are worth on the device: blocks by period, CuPy's sums over blocks, then the contract's premium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.faults import INDEX, is_index, is_offset
from kernels.cuda.launch import launch, over
from kernels.cuda.memory import array_module
from kernels.jitable import at
from kernels.loops.value import block_worth, premium

if TYPE_CHECKING:
    from kernels.contract import PackingModel


def plan_value(
    model: PackingModel, n_racks: Any, block_value: Any, block_revenue: Any, revenue: Any, objective: Any
) -> None:
    """Value whole plans; every argument but the first two is written (shapes as in `SearchState`)."""
    block_value[...] = 0
    outside = array_module().zeros(1, "int64")
    sizes = (model.block_ptr.size, model.block_row_idx.size, model.system_ptr.size, model.system_configuration_idx.size)
    launch("plan_value", indices_kernel, over(max(sizes)), model=model, n_racks=n_racks, outside=outside)
    launch(
        "plan_value", block_value_kernel, over(block_revenue.size),
        model=model, n_racks=n_racks, outside=outside, block_value=block_value, block_revenue=block_revenue,
    )  # fmt: skip
    array_module().sum(block_revenue, axis=0, out=revenue)
    array_module().sum(block_value, axis=0, out=objective)
    launch("plan_value", premium_kernel, over(objective.size), model=model, revenue=revenue, objective=objective)


def indices_kernel(model: Any, n_racks: Any, outside: Any, fault: Any) -> None:
    """One thread for each place of the index arrays that values are read through says whether it points outside."""
    rows, configurations = model.block_row_idx, model.system_configuration_idx
    n = max(model.block_ptr.size, rows.size, model.system_ptr.size, configurations.size)
    for place in range(cuda.grid(1), n, cuda.gridsize(1)):
        good = is_index(rows, place, n_racks.shape[0]) and is_index(configurations, place, n_racks.shape[1])
        if not (
            good and is_offset(model.block_ptr, place, rows) and is_offset(model.system_ptr, place, configurations)
        ):
            outside[0] = 1
            cuda.atomic.max(fault, 0, INDEX)


def block_value_kernel(
    model: Any,
    n_racks: Any,
    outside: Any,
    block_value: Any,
    block_revenue: Any,
    fault: Any,  # noqa: ARG001
) -> None:
    """One thread for each place [block, period, lane], lanes fastest; cents are added up over periods by atomics.

    Nothing is read through index arrays in which `indices_kernel` found a fault.
    """
    n_periods, n_lanes = block_revenue.shape[1], block_revenue.shape[2]
    n_places = block_revenue.size if outside[0] == 0 else 0
    for place in range(cuda.grid(1), n_places, cuda.gridsize(1)):
        lane, rest = place % n_lanes, place // n_lanes
        block, period = rest // n_periods, rest % n_periods
        worth = block_worth(model, n_racks, at(block), at(period), at(lane), block_revenue)
        cuda.atomic.add(block_value, (block, lane), worth)


def premium_kernel(model: Any, revenue: Any, objective: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each lane adds the worth of the contract to its plan's objective."""
    for lane in range(cuda.grid(1), objective.size, cuda.gridsize(1)):
        objective[lane] += premium(model, revenue, at(lane))


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    from kernels.plans import empty_state
    from kernels.samples.packing import CaseShape, make_case

    model = make_case(CaseShape(1, (1,), (1,), 1, partial_units=True, contract=True, heavy=False)).model
    state, flag = empty_state(model, 1), np.zeros(1, np.int64)
    values = state.block_value, state.block_revenue
    return [
        CompileCase("plan_value", block_value_kernel, (model, state.n_racks, flag, *values)),
        CompileCase("plan_value", indices_kernel, (model, state.n_racks, flag)),
        CompileCase("plan_value", premium_kernel, (model, state.revenue, state.objective)),
    ]
