"""Calls of every kernel at the size of a campus, to be timed on a device, and the models that search would be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.contract import Schedule, SearchState
from kernels.samples.calls import Call
from kernels.samples.first_order import make_state
from kernels.samples.years import empty_year, make_year
from kernels.stack import stacked_guides, stacked_models, stacked_states
from planner.lower import lower
from planner.solve.aims import with_aims
from planner.solve.certificate import certificate
from planner.solve.classes import refine
from planner.solve.first_order.program import CompactProgram
from planner.solve.first_order.scaling import scaled
from planner.solve.folding import folded
from planner.solve.guide import make_guide
from planner.solve.lanes import Bench
from planner.solve.packing import packing_model
from planner.solve.patterns import row_patterns
from planner.solve.portfolio.split import split_sites, takes_apart
from planner.solve.relaxation import relax
from sites.world import load_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernels.contract import FirstOrderModel, PackingModel
    from planner.problem import Problem

CAMPUSES = ("reference-1gw", "claude-on-azure-1gw")
"""Portfolios of the library: the first is timed, all say how the search would run."""
LANES = (8, 64, 512)
_MOST_MODELS = 64
"""Scenarios that a launch is timed with: each has a model, a guide and a plan of its own, some megabytes."""
_ENOUGH = 1e-2
_STEPS, _HOURS, _SITES, _SEED = 20, 8760, 4, 3


def library_problem(name: str) -> Problem:
    """A portfolio of the library, lowered, as search takes it."""
    problem = lower(load_world(name)).problem
    form = folded(problem)
    return problem if form is None else form.slots


def search_models(problem: Problem) -> Iterator[tuple[str, PackingModel]]:
    """The models that search would be given: of each site by its name where sites are planned one by one."""
    if takes_apart(problem):
        for part in split_sites(problem).parts:
            yield part.site, packing_model(part.problem, row_patterns(part.problem))
    else:
        group = refine(problem).block[problem.block_of_row_idx]
        aims = np.zeros(((int(group.max()) + 1) * problem.n_systems, problem.n_periods), np.int64)
        systems = problem.system_of_configuration_idx.astype(np.int64)
        yield "all sites", with_aims(packing_model(problem, row_patterns(problem)), aims, group, systems)


def campus_calls(problem: Problem, n_lanes: int) -> Iterator[Call]:
    """A call of every kernel but `construct`, which a solve calls once, with so many lanes alike.

    Of scenarios, which have a model each, at most `_MOST_MODELS`.
    """
    yield from _packing_calls(problem, n_lanes)
    for dtype in (np.float64, np.float32):
        yield from _first_order_calls(problem, n_lanes, dtype)
    model, weather = make_year(_SEED, n_lanes, _SITES, _HOURS)
    yield Call("hourly_year", (model, weather, empty_year(model, weather)))


def _packing_calls(problem: Problem, n_lanes: int) -> Iterator[Call]:
    patterns, classes = row_patterns(problem), refine(problem)
    relaxation = relax(problem, patterns, classes, None, _ENOUGH)
    none = np.zeros(relaxation.racks.shape, np.int64)
    guide = make_guide(problem, certificate(problem, relaxation), classes, relaxation, none)
    model = packing_model(problem, patterns)
    bench = Bench(model, guide.for_search(model), "numpy")
    single = bench.empty(1)
    schedule = Schedule(_SEED, 0, 0, np.zeros(0, np.int64))
    bench.run("construct", single, schedule, guide.block_pattern_idx, guide.block_order_idx)
    state = SearchState(*(np.repeat(array, n_lanes, axis=-1) for array in single))
    yield Call("loads", (model, state.n_racks, np.zeros_like(state.slack)))
    yield Call("slack", (model, state.slack, np.zeros_like(state.slack)))
    yield Call("plan_value", (model, state.n_racks, *state[2:]))
    for name, n_steps in (("strip", 0), ("raise_profiles", 0), ("search", _STEPS)):
        own = Schedule(_SEED, 0, 1, np.zeros(n_steps, np.int64))
        yield Call(name, (model, bench.guide, state, own))
    n_models = min(n_lanes, _MOST_MODELS)
    stacks = stacked_models([model] * n_models), stacked_guides([bench.guide] * n_models)
    states, lane_idx = stacked_states([single] * n_models), np.arange(n_models)
    for name, n_steps in (("raise_scenarios", 0), ("search_scenarios", _STEPS)):
        own = Schedule(_SEED, 0, 1, np.zeros(n_steps, np.int64))
        yield Call(name, (*stacks, states, lane_idx, own))


def _first_order_calls(problem: Problem, n_lanes: int, dtype: type[np.floating]) -> Iterator[Call]:
    program = CompactProgram([problem], [row_patterns(problem)], refine(problem))
    model = _with_lanes(scaled(program, dtype).model, n_lanes)
    state = make_state(model, _SEED)
    yield Call("first_order_steps", (model, state, 10))
    yield Call("first_order_errors", (model, state, np.zeros((5, n_lanes))))
    yield Call("first_order_squares", (model.gain, np.zeros(n_lanes)))
    yield Call("first_order_gain", (model, state.dual, np.zeros_like(model.gain)))
    yield Call("first_order_load", (model, state.primal, np.zeros_like(model.gate)))


def _with_lanes(model: FirstOrderModel, n_lanes: int) -> FirstOrderModel:
    """The model of one lane with so many alike."""
    by_lane = ("gate", "right_side", "gain", "upper", "revenue", "amount")
    wider: dict[str, Any] = {name: np.repeat(getattr(model, name), n_lanes, axis=-1) for name in by_lane}
    return model._replace(**wider)
