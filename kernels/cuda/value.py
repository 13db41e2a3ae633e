"""What plans are worth on the device: blocks by period, CuPy's sums over blocks, then the contract's premium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernels.cuda.api import cuda, device
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.faults import INDEX
from kernels.cuda.launch import launch, over
from kernels.cuda.memory import array_module
from kernels.jitable import jitable
from kernels.loops.value import premium

if TYPE_CHECKING:
    from kernels.contract import PackingModel


def plan_value(
    model: PackingModel, n_racks: Any, block_value: Any, block_revenue: Any, revenue: Any, objective: Any
) -> None:
    """Value whole plans; every argument but the first two is written (shapes as in `SearchState`)."""
    block_value[...] = 0
    grid = over(block_revenue.size)
    launch(
        "plan_value", racks_value_kernel, grid,
        model=model, n_racks=n_racks, block_value=block_value, block_revenue=block_revenue,
    )  # fmt: skip
    launch("plan_value", standing_cost_kernel, grid, model=model, n_racks=n_racks, block_value=block_value)
    array_module().sum(block_revenue, axis=0, out=revenue)
    array_module().sum(block_value, axis=0, out=objective)
    launch("plan_value", premium_kernel, over(objective.size), model=model, revenue=revenue, objective=objective)


def racks_value_kernel(model: Any, n_racks: Any, block_value: Any, block_revenue: Any, fault: Any) -> None:
    """One thread for each place [block, period, lane], lanes fastest, adds up what its racks are worth and sell for."""
    n_periods, n_lanes = block_revenue.shape[1], block_revenue.shape[2]
    for place in range(cuda.grid(1), block_revenue.size, cuda.gridsize(1)):
        lane, rest = place % n_lanes, place // n_lanes
        block, period = rest // n_periods, rest % n_periods
        if model.block_ptr[block] > model.block_ptr[block + 1]:
            cuda.atomic.max(fault, 0, INDEX)
        worth, sold = 0, 0
        for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
            row = inside(model.block_row_idx, index, n_racks.shape[0])
            if row < 0:
                cuda.atomic.max(fault, 0, INDEX)
                continue
            for configuration in range(n_racks.shape[1]):
                count = n_racks[row, configuration, period, lane]
                worth += count * model.value[row, configuration, period]
                sold += count * model.revenue[row, configuration, period]
        block_revenue[block, period, lane] = sold
        cuda.atomic.add(block_value, (block, lane), worth)


def standing_cost_kernel(model: Any, n_racks: Any, block_value: Any, fault: Any) -> None:
    """One thread for each place [block, period, lane] takes off what its units and the open block cost.

    Blocks and rows are those that `racks_value_kernel` has looked through.
    """
    n_blocks, n_lanes = block_value.shape
    n_periods = n_racks.shape[2]
    for place in range(cuda.grid(1), n_blocks * n_periods * n_lanes, cuda.gridsize(1)):
        lane, rest = place % n_lanes, place // n_lanes
        block, period = rest // n_periods, rest % n_periods
        cost, standing = 0, 0
        for system in range(model.unit_racks.shape[0]):
            of_system = racks_of_system(model, n_racks, block, system, period, lane, fault)
            units = (of_system + model.unit_racks[system] - 1) // model.unit_racks[system]
            cost += units * model.unit_cost[block, system, period]
            standing += of_system
        if standing > 0:
            cost += model.open_cost[block, period]
        cuda.atomic.sub(block_value, (block, lane), cost)


@device
def racks_of_system(model: Any, n_racks: Any, block: int, system: int, period: int, lane: int, fault: Any) -> Any:
    """Racks of a system in a block."""
    standing = 0
    if model.system_ptr[system] > model.system_ptr[system + 1]:
        cuda.atomic.max(fault, 0, INDEX)
    for position in range(model.system_ptr[system], model.system_ptr[system + 1]):
        configuration = inside(model.system_configuration_idx, position, n_racks.shape[1])
        if configuration < 0:
            cuda.atomic.max(fault, 0, INDEX)
            continue
        for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
            row = inside(model.block_row_idx, index, n_racks.shape[0])
            if row >= 0:
                standing += n_racks[row, configuration, period, lane]
    return standing


def premium_kernel(model: Any, revenue: Any, objective: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each lane adds the worth of the contract to its plan's objective."""
    for lane in range(cuda.grid(1), objective.size, cuda.gridsize(1)):
        objective[lane] += premium(model, revenue, lane)


@jitable
def inside(indices: Any, place: int, n: int) -> int:
    """The index of one of n things that stands at a place, or -1 where the place or the index points outside."""
    index = -1
    if 0 <= place < indices.shape[0]:
        index = indices[place]
        if index >= n:
            index = -1
    return index


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    from kernels.samples.packing import CaseShape, empty_state, make_case

    model = make_case(CaseShape(1, (1,), (1,), 1, partial_units=True, contract=True, heavy=False)).model
    state = empty_state(model, 1)
    return [
        CompileCase("plan_value", racks_value_kernel, (model, state.n_racks, state.block_value, state.block_revenue)),
        CompileCase("plan_value", standing_cost_kernel, (model, state.n_racks, state.block_value)),
        CompileCase("plan_value", premium_kernel, (model, state.revenue, state.objective)),
    ]
