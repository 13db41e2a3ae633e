"""Scenarios of one graph in one call: each gets the integers of a search of one lane by its own model and guide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_cases import assert_same, case_shapes

from kernels.backends import BACKENDS, kernel, why_not
from kernels.plans import empty_state
from kernels.samples.packing import CaseShape, make_case, schedule
from kernels.samples.scenarios import make_scenarios
from kernels.stack import StateStack, stacked_guides, stacked_models, stacked_states, state_of

if TYPE_CHECKING:
    from kernels.contract import PackingModel, SearchGuide, SearchState

RUNNABLE = [name for name in BACKENDS if why_not(name) is None]
MOVES = (("raise", "raise_profiles", 0), ("search", "search", 12), ("raise", "raise_profiles", 0))
"""Names on scenarios and on one lane, and steps."""
SHAPE = CaseShape(33, (2, 1, 3), (2, 1), 4, partial_units=False, contract=True, heavy=False)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # the loops' draws wrap around

every_backend = pytest.mark.parametrize("backend", RUNNABLE)


def together(pairs: list[tuple[PackingModel, SearchGuide]], lanes: list[int], backend: str) -> StateStack:
    """Plans of scenarios after a round, those left out untouched."""
    models, guides = stacked_models([model for model, _ in pairs]), stacked_guides([guide for _, guide in pairs])
    states = stacked_states([empty_state(model, 1) for model, _ in pairs])
    for name, _, n_steps in MOVES:
        plan = schedule(n_steps, first_lane=2, first_step=1)
        kernel(f"{name}_scenarios", backend)(models, guides, states, np.array(lanes, np.int64), plan)
    return states


def alone(pair: tuple[PackingModel, SearchGuide], backend: str) -> SearchState:
    """The plan of a scenario after the same round with the kernels of one model."""
    state = empty_state(pair[0], 1)
    for _, name, n_steps in MOVES:
        kernel(name, backend)(*pair, state, schedule(n_steps, first_lane=2, first_step=1))
    return state


@every_backend
@settings(max_examples=30)
@given(shape=case_shapes, n_scenarios=st.sampled_from([1, 2, 4]))
def test_each_scenario_is_searched_as_if_alone(backend: str, shape: CaseShape, n_scenarios: int) -> None:
    pairs = make_scenarios(shape, n_scenarios)
    states = together(pairs, list(range(n_scenarios)), backend)
    for lane, pair in enumerate(pairs):
        assert_same(state_of(states, lane), alone(pair, "numpy"), f"scenario {lane}")


@every_backend
def test_neither_order_nor_company_changes_a_plan(backend: str) -> None:
    pairs = make_scenarios(SHAPE, 5)
    whole = together(pairs, list(range(5)), backend)
    assert len({racks.tobytes() for racks in whole.n_racks}) > 1, "all scenarios have one plan, which proves nothing"
    turned = together(pairs[::-1], [3, 0, 1, 4, 2], backend)
    for lane in range(5):
        assert_same(state_of(turned, 4 - lane), state_of(whole, lane), f"scenario {lane}")


@every_backend
def test_a_lane_that_is_left_out_stays_as_it_is(backend: str) -> None:
    pairs = make_scenarios(SHAPE, 4)
    states = together(pairs, [2, 0], backend)
    for lane, pair in enumerate(pairs):
        untouched = empty_state(pair[0], 1)
        assert_same(state_of(states, lane), untouched if lane in {1, 3} else alone(pair, "numpy"), f"lane {lane}")


def test_models_of_two_graphs_are_no_stack() -> None:
    model = make_case(SHAPE).model
    with pytest.raises(ValueError, match="model 1 differs from model 0 in 'entry_coefficient'"):
        stacked_models([model, model._replace(entry_coefficient=model.entry_coefficient + 1)])


def test_no_draw_picks_a_pattern_that_fills_a_guide_up() -> None:
    [(_, short), (_, long)] = make_scenarios(SHAPE, 2)
    long = long._replace(pool_ptr=np.append(long.pool_ptr[:-1], long.pool_ptr[-1] + 2))
    long = long._replace(**{name: np.append(getattr(long, name), [0, 0]) for name in ("pattern_racks",)})
    long = long._replace(pattern_system_idx=np.append(long.pattern_system_idx, [0, 0]))
    long = long._replace(pattern_weight=np.append(long.pattern_weight, [65536, 65536]))
    stack = stacked_guides([short, long])
    padded = stack.pattern_weight[0]
    for pool in range(short.pool_ptr.size - 1):
        before = short.pattern_weight[short.pool_ptr[pool] : short.pool_ptr[pool + 1]]
        after = padded[stack.pool_ptr[0, pool] : stack.pool_ptr[0, pool + 1]]
        for chance in [0, 1, 65535, *before.tolist()]:
            drawn = int(np.searchsorted(before, chance, side="right"))
            again = int(np.searchsorted(after, chance, side="right"))
            assert again == (after.size if drawn == before.size else drawn)
