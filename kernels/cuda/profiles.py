"""Profiles exchanged over whole plans: one thread for each period of a lane goes through the rows in the lane's order.

Rows share limits, so their order is kept; periods share nothing, and neighbouring threads work on neighbouring lanes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.launch import launch, over
from kernels.cuda.soundness import sound
from kernels.cuda.value import plan_value
from kernels.loops.profiles import first_raised, raise_period, strip_period

if TYPE_CHECKING:
    from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState


def strip(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """In every odd lane, turn all racks of randomly drawn periods to their system's lowest profile."""
    sound("strip", model, guide)
    launch("strip", strip_kernel, over(state.revenue.size), model=model, state=state, schedule=schedule)
    plan_value(model, state.n_racks, state.block_value, state.block_revenue, state.revenue, state.objective)


def raise_profiles(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """In every lane, raise racks to profiles of more value wherever they fit, rows from a drawn one on."""
    sound("raise_profiles", model, guide)
    launch(
        "raise_profiles", raise_kernel, over(state.revenue.size),
        model=model, guide=guide, state=state, schedule=schedule,
    )  # fmt: skip
    plan_value(model, state.n_racks, state.block_value, state.block_revenue, state.revenue, state.objective)


def strip_kernel(model: Any, state: Any, schedule: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [period, lane], lanes fastest."""
    n_lanes = state.n_racks.shape[3]
    place = cuda.grid(1)
    while place < state.revenue.size:
        strip_period(model, state, schedule, np.uint32(place // n_lanes), np.uint32(place % n_lanes))
        place += cuda.gridsize(1)


def raise_kernel(model: Any, guide: Any, state: Any, schedule: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [period, lane], lanes fastest."""
    n_lanes = state.n_racks.shape[3]
    place = cuda.grid(1)
    while place < state.revenue.size:
        lane, period = np.uint32(place % n_lanes), np.uint32(place // n_lanes)
        raise_period(model, guide, state, first_raised(schedule, lane), period, lane)
        place += cuda.gridsize(1)


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    from kernels.plans import empty_state
    from kernels.samples.packing import CaseShape, make_case, schedule

    case = make_case(CaseShape(1, (1,), (1,), 1, partial_units=True, contract=True, heavy=False))
    state, plan = empty_state(case.model, 1), schedule(1)
    return [
        CompileCase("strip", strip_kernel, (case.model, state, plan)),
        CompileCase("raise_profiles", raise_kernel, (case.model, case.guide, state, plan)),
    ]
