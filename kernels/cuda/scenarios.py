"""Scenarios of one graph on a device: every lane goes by its own model and guide, all lanes in one launch.

Searching takes the thread blocks of `block_search`, whose tables by row and by block hold the lanes' models one after
the other: a lane's word says where its own begin. A pointer for each lane and array would not do: a thread then takes
96 to 110 registers, and spills 284 to 444 bytes when it is held to 64. Where a fabric block does not fit, lanes are
searched one after the other by `lane_search`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.cuda import lane_search
from kernels.cuda.api import cuda, inlined
from kernels.cuda.block_search import search_kernel
from kernels.cuda.block_state import LaneNumbers, LaneState, Plans
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.device_home import DeviceHome
from kernels.cuda.launch import launch, over
from kernels.cuda.memory import array_module
from kernels.cuda.search import grid_of, kept_of, search_form, tables_of
from kernels.cuda.soundness import require_index, sound
from kernels.jitable import at
from kernels.loops.profiles import first_raised, raise_period
from kernels.loops.value import block_worth, premium
from kernels.stack import STRUCTURE, guide_of, model_of, state_of

if TYPE_CHECKING:
    from kernels.contract import PackingModel, Schedule, SearchGuide
    from kernels.stack import GuideStack, ModelStack, StateStack

_lane_model, _lane_guide, _lane_state = inlined(model_of), inlined(guide_of), inlined(state_of)


@dataclass(frozen=True)
class _Flat:
    """A stack as one model and guide whose tables by row and by block hold all lanes, one after the other."""

    models: ModelStack
    guides: GuideStack
    """Kept so that no others take their places in memory."""
    model: PackingModel
    guide: SearchGuide


_known: list[_Flat] = []
_MOST_KNOWN = 4


def search_scenarios(
    models: ModelStack, guides: GuideStack, states: StateStack, lane_idx: Any, schedule: Schedule
) -> None:
    """Make all steps of the schedule in some lanes as `search` does in one; their states are changed in place."""
    flat = _flat("search_scenarios", models, guides)
    lanes = _lanes("search_scenarios", models, lane_idx)
    if search_form(flat.model)[0] == "lanes":
        for lane in lanes:
            own = model_of(models, lane), guide_of(guides, lane), state_of(states, lane)
            lane_search.search(*own, schedule)
        return
    tables = tables_of(flat.model)
    grid = grid_of(flat.model, len(lanes), tables.room)
    numbers = LaneNumbers(lane_idx, *_numbers(states.objective.shape[0], schedule.first_lane))
    plans = Plans(_lanes_last(states), _own(states), kept_of(flat.model, tables.room, grid), numbers)
    launch(
        "search_scenarios", search_kernel, grid,
        model=flat.model, guide=flat.guide, tables=tables, plans=plans, schedule=schedule,
    )  # fmt: skip
    _bring_back(plans, states)


def raise_scenarios(
    models: ModelStack, guides: GuideStack, states: StateStack, lane_idx: Any, schedule: Schedule
) -> None:
    """Raise profiles in some lanes as `raise_profiles` does in one, and value their plans; slack must be true."""
    _flat("raise_scenarios", models, guides)
    n_lanes, (n_blocks, n_periods) = len(_lanes("raise_scenarios", models, lane_idx)), models.open_cost.shape[1:]
    here: dict[str, Any] = {"models": models, "states": states, "lane_idx": lane_idx}
    launch("raise_scenarios", raise_kernel, over(n_lanes * n_periods), **here, guides=guides, schedule=schedule)
    states.block_value[lane_idx] = 0
    launch("raise_scenarios", value_kernel, over(n_lanes * n_blocks * n_periods), **here)
    states.revenue[lane_idx] = states.block_revenue[lane_idx].sum(axis=1)
    states.objective[lane_idx] = states.block_value[lane_idx].sum(axis=1)
    launch("raise_scenarios", premium_kernel, over(n_lanes), **here)


def _flat(kernel: str, models: ModelStack, guides: GuideStack) -> _Flat:
    """The stack's arrays as one model's, looked through and arranged once; views of them where they can be."""
    arrays = (*models, *guides)
    for known in _known:
        if all(one is other for one, other in zip(arrays, (*known.models, *known.guides), strict=True)):
            return known
    xp, n_lanes = array_module(), models.value.shape[0]
    first = xp.arange(n_lanes, dtype="int64")[:, None]
    own = {name: _joined(getattr(models, name)) for name in models._fields if name not in STRUCTURE}
    model = model_of(models, 0)._replace(**{**own, "capacity": models.capacity[0]})
    shifted = guides._replace(
        pool_of_block_idx=guides.pool_of_block_idx + first * guides.pool_ptr.shape[1],
        pool_ptr=guides.pool_ptr + first * guides.pattern_racks.shape[1],
    )
    guide = guide_of(guides, 0)._replace(**{name: _joined(array) for name, array in shifted._asdict().items()})
    sound(kernel, model_of(models, 0), guide)
    found = _Flat(models, guides, model, guide)
    _known.append(found)
    del _known[:-_MOST_KNOWN]
    return found


def _joined(array: Any) -> Any:
    """An array with its two leading axes as one."""
    return array.reshape(-1, *array.shape[2:])


def _lanes(kernel: str, models: ModelStack, lane_idx: Any) -> list[int]:
    """The lanes, on the host. Raises IndexError for one that there is not."""
    lanes = DeviceHome().get(lane_idx)
    require_index(f"kernel '{kernel}' on backend cuda: lane_idx", lanes, models.value.shape[0])
    return [int(lane) for lane in lanes]


def _numbers(n_lanes: int, first_lane: int) -> tuple[Any, Any]:
    """Each lane's model is its own; all draw by the first lane's number."""
    own = array_module().arange(n_lanes, dtype="int64")
    return own, own * 0 + first_lane


def _own(states: StateStack) -> LaneState:
    """Racks and slack where they lie."""
    return LaneState(*(array.reshape(array.shape[:-1]) for array in (states.n_racks, states.slack)))


def _lanes_last(states: StateStack) -> Any:
    """What of the states is small, as copies with lanes last; racks and slack of a lane, which are not read."""
    turned = [array_module().moveaxis(array[..., 0], 0, -1).copy() for array in states[2:]]
    return state_of(states, 0)._replace(**dict(zip(states._fields[2:], turned, strict=True)))


def _bring_back(plans: Plans, states: StateStack) -> None:
    for turned, array in zip(plans.state[2:], states[2:], strict=True):
        array[..., 0] = array_module().moveaxis(turned, -1, 0)


def raise_kernel(models: Any, states: Any, lane_idx: Any, guides: Any, schedule: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [lane, period], periods fastest."""
    n_periods = states.revenue.shape[1]
    place = np.uint32(cuda.grid(1))
    while place < lane_idx.shape[0] * n_periods:
        lane, period = np.uint32(lane_idx[np.uint32(place // n_periods)]), np.uint32(place % n_periods)
        model, guide, state = _lane_model(models, lane), _lane_guide(guides, lane), _lane_state(states, lane)
        raise_period(model, guide, state, first_raised(schedule, 0), period, np.uint32(0))
        place = np.uint32(place + cuda.gridsize(1))


def value_kernel(models: Any, states: Any, lane_idx: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [lane, block, period], periods fastest; cents are added up by atomics."""
    n_blocks, n_periods = states.block_revenue.shape[1], states.block_revenue.shape[2]
    place = cuda.grid(1)
    while place < lane_idx.shape[0] * n_blocks * n_periods:
        lane, rest = at(lane_idx[at(place // (n_blocks * n_periods))]), place % (n_blocks * n_periods)
        block, state = at(rest // n_periods), _lane_state(states, lane)
        model = _lane_model(models, lane)
        worth = block_worth(model, state.n_racks, block, at(rest % n_periods), at(0), state.block_revenue)
        cuda.atomic.add(states.block_value, (lane, block, at(0)), worth)
        place += cuda.gridsize(1)


def premium_kernel(models: Any, states: Any, lane_idx: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each lane adds the worth of its contract."""
    place = cuda.grid(1)
    while place < lane_idx.shape[0]:
        lane = at(lane_idx[at(place)])
        model, state = _lane_model(models, lane), _lane_state(states, lane)
        state.objective[at(0)] += premium(model, state.revenue, at(0))
        place += cuda.gridsize(1)


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    from kernels.plans import empty_state
    from kernels.samples.packing import CaseShape, make_case, schedule
    from kernels.stack import stacked_guides, stacked_models, stacked_states

    case = make_case(CaseShape(1, (1,), (1,), 1, partial_units=True, contract=True, heavy=False))
    here = stacked_models([case.model]), stacked_states([empty_state(case.model, 1)]), np.zeros(1, np.int64)
    return [
        CompileCase("raise_scenarios", raise_kernel, (*here, stacked_guides([case.guide]), schedule(1))),
        CompileCase("raise_scenarios", value_kernel, here),
        CompileCase("raise_scenarios", premium_kernel, here),
    ]
