"""One call of every kernel on tiny samples, for checks of a backend against the plain loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.backends import home, kernel
from kernels.plans import empty_state
from kernels.samples.first_order import ModelShape, make_model, make_state
from kernels.samples.packing import CaseShape, make_case, schedule
from kernels.samples.scenarios import make_scenarios
from kernels.samples.years import empty_year, make_year
from kernels.stack import stacked_guides, stacked_models, stacked_states

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LANES = (1, 3, 32)
"""Batch sizes of the samples: alone, an odd few, and as many as threads of a warp."""
FLOAT_TOLERANCES = {np.float64: 1e-9, np.float32: 1e-4}
"""Difference allowed after some steps over an array's largest value: a device fuses multiply and add."""
YEAR_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Call:
    """A kernel, the arguments for it, in the host's memory, and what its floats may differ by."""

    kernel: str
    arguments: tuple[Any, ...]
    tolerance: float = 0.0


def sample_calls(lanes: Sequence[int] = LANES) -> Iterator[Call]:
    """Calls of every registered kernel for each batch size, and of the search over very many periods."""
    for n_lanes in lanes:
        yield from packing_calls(n_lanes)
        yield from scenario_calls(n_lanes)
        for dtype in FLOAT_TOLERANCES:
            yield from first_order_calls(n_lanes, dtype)
        yield from year_calls(n_lanes)
    yield from long_calls()


def packing_calls(n_lanes: int, seed: int = 33) -> Iterator[Call]:
    """Loads, slack, value and every move of the search, on plans of the reference that each move changes."""
    case = make_case(CaseShape(seed, (2, 1, 3), (2, 1), 4, partial_units=False, contract=True, heavy=False))
    model = case.model
    begin = (model, case.guide, empty_state(model, n_lanes), case.block_pattern_idx, case.block_order_idx, schedule())
    yield Call("construct", begin)
    state = ran(Call("construct", begin), "reference")[2]
    for name in ("raise_profiles", "strip", "search"):
        call = Call(name, (model, case.guide, state, schedule(6, first_lane=1, first_step=1)))
        yield call
        state = ran(call, "reference")[2]
    load = np.full_like(state.slack, 7)
    yield Call("loads", (model, state.n_racks, load))
    yield Call("slack", (model, state.slack, load))
    yield Call("plan_value", (model, state.n_racks, *(np.full_like(part, 7) for part in state[2:])))


def scenario_calls(n_lanes: int, seed: int = 33) -> Iterator[Call]:
    """Profiles raised and steps of the search on scenarios of one graph, last lane first."""
    shape = CaseShape(seed, (2, 1, 3), (2, 1), 4, partial_units=False, contract=True, heavy=False)
    models, guides = (list(each) for each in zip(*make_scenarios(shape, n_lanes), strict=True))
    stacks = stacked_models(models), stacked_guides(guides)
    lane_idx = np.arange(n_lanes)[::-1].copy()
    case = make_case(shape)
    fill = (case.block_pattern_idx, case.block_order_idx, schedule())
    begun = [
        ran(Call("construct", (model, guide, empty_state(model, 1), *fill)), "reference")[2]
        for model, guide in zip(models, guides, strict=True)
    ]
    states = stacked_states(begun)
    for name in ("raise_scenarios", "search_scenarios"):
        call = Call(name, (*stacks, states, lane_idx, schedule(6, first_lane=1, first_step=1)))
        yield call
        states = ran(call, "reference")[2]


def long_calls(n_lanes: int = 2, seed: int = 6) -> Iterator[Call]:
    """A plan over so many periods that the state of a block outgrows what a thread block of a device may share."""
    case = make_case(CaseShape(seed, (3, 1), (2, 1), 320, partial_units=False, contract=True, heavy=False))
    state = empty_state(case.model, n_lanes)
    call = Call("construct", (case.model, case.guide, state, case.block_pattern_idx, case.block_order_idx, schedule()))
    yield call
    state = ran(call, "reference")[2]
    yield Call("search", (case.model, case.guide, state, schedule(3, first_lane=1, first_step=1)))


def first_order_calls(n_lanes: int, dtype: Any, seed: int = 5) -> Iterator[Call]:
    """Some steps, their errors, gains and loads, in one kind of float."""
    shape = ModelShape(seed, 7, 2, 4, 3, n_lanes, contract=True)
    model, tolerance = make_model(shape, dtype), FLOAT_TOLERANCES[dtype]
    state = make_state(model, seed)
    yield Call("first_order_steps", (model, state, 5), tolerance)
    yield Call("first_order_errors", (model, state, np.full((5, n_lanes), 7.0)), tolerance)
    yield Call("first_order_squares", (model.gain, np.full(n_lanes, 7.0)), tolerance)
    yield Call("first_order_gain", (model, state.dual, np.full_like(model.gain, 7)), tolerance)
    yield Call("first_order_load", (model, state.primal, np.full_like(model.gate, 7)), tolerance)


def year_calls(n_scenarios: int, seed: int = 7) -> Iterator[Call]:
    """A short year of two sites."""
    model, weather = make_year(seed, n_scenarios)
    yield Call("hourly_year", (model, weather, empty_year(model, weather)), YEAR_TOLERANCE)


def ran(call: Call, backend: str) -> tuple[Any, ...]:
    """The arguments of a call after a backend's kernel ran on copies of them, in the host's memory."""
    where = home(backend)
    arguments = where.put(copied(call.arguments))
    with np.errstate(over="ignore"):  # draws of the plain loops wrap around
        kernel(call.kernel, backend)(*arguments)
    return where.get(arguments)


def copied(value: Any) -> Any:
    """A value with arrays of its own."""
    if isinstance(value, tuple):
        parts = [copied(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value.copy() if isinstance(value, np.ndarray) else value
