"""What plans are worth on the device: blocks by period, CuPy's sums over blocks, then the contract's premium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.faults import INDEX, all_inside
from kernels.cuda.launch import launch, over
from kernels.cuda.memory import array_module
from kernels.jitable import jitable
from kernels.loops.value import block_period_worth, premium

if TYPE_CHECKING:
    from kernels.contract import PackingModel


def plan_value(
    model: PackingModel, n_racks: Any, block_value: Any, block_revenue: Any, revenue: Any, objective: Any
) -> None:
    """Value whole plans; every argument but the first two is written (shapes as in `SearchState`)."""
    block_value[...] = 0
    launch(
        "plan_value", block_value_kernel, over(block_revenue.size),
        model=model, n_racks=n_racks, block_value=block_value, block_revenue=block_revenue,
    )  # fmt: skip
    array_module().sum(block_revenue, axis=0, out=revenue)
    array_module().sum(block_value, axis=0, out=objective)
    launch("plan_value", premium_kernel, over(objective.size), model=model, revenue=revenue, objective=objective)


def block_value_kernel(model: Any, n_racks: Any, block_value: Any, block_revenue: Any, fault: Any) -> None:
    """One thread for each place [block, period, lane], lanes fastest; cents are added up over periods by atomics."""
    n_periods, n_lanes = block_revenue.shape[1], block_revenue.shape[2]
    for place in range(cuda.grid(1), block_revenue.size, cuda.gridsize(1)):
        lane = place % n_lanes
        period = (place // n_lanes) % n_periods
        block = place // (n_lanes * n_periods)
        if block_is_inside(model, n_racks, block):
            worth = block_period_worth(model, n_racks, block, period, lane, block_revenue)
            cuda.atomic.add(block_value, (block, lane), worth)
        else:
            cuda.atomic.max(fault, 0, INDEX)


def premium_kernel(model: Any, revenue: Any, objective: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each lane adds the worth of the contract to its plan's objective."""
    for lane in range(cuda.grid(1), objective.size, cuda.gridsize(1)):
        objective[lane] += premium(model, revenue, lane)


@jitable
def block_is_inside(model: Any, n_racks: Any, block: int) -> bool:
    """Whether a block's rows and all systems' configurations are indices of counts."""
    rows, configurations = model.block_row_idx, model.system_configuration_idx
    of_rows: bool = all_inside(model.block_ptr[block], model.block_ptr[block + 1], rows, n_racks.shape[0])
    of_configurations: bool = all_inside(0, configurations.shape[0], configurations, n_racks.shape[1])
    return of_rows and of_configurations


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    from kernels.samples.packing import CaseShape, empty_state, make_case

    model = make_case(CaseShape(1, (1,), (1,), 1, partial_units=True, contract=True, heavy=False)).model
    state = empty_state(model, 1)
    return [
        CompileCase("plan_value", block_value_kernel, (model, state.n_racks, state.block_value, state.block_revenue)),
        CompileCase("plan_value", premium_kernel, (model, state.revenue, state.objective)),
    ]
