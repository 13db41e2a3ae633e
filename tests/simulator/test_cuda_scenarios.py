"""Scenarios of one graph in one launch, on the simulated device, get the plain loops' integers to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_cases import case_shapes

from kernels.cuda import launch
from kernels.cuda import search as device_search
from kernels.plans import empty_state
from kernels.samples.calls import Call, ran, scenario_calls
from kernels.samples.packing import CaseShape, schedule
from kernels.samples.scenarios import make_scenarios
from kernels.stack import stacked_guides, stacked_models, stacked_states

THREADS = [(1, 1), (2, 1), (3, 2)]
SHAPE = CaseShape(33, (2, 1, 3), (2, 1), 4, partial_units=False, contract=True, heavy=False)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # the loops' draws wrap around


@pytest.fixture(autouse=True)
def tiny_grids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few threads, which stride over lanes and places; what tests set ends with them."""
    monkeypatch.setattr(launch, "limits", launch.Limits(2, 2))
    monkeypatch.setattr(device_search, "block_threads", device_search.BlockThreads(1, 1))


def compare(call: Call) -> tuple[Any, ...]:
    """Run a call on both, which must agree on every state; returns the arguments after it."""
    ours, theirs = ran(call, "cuda"), ran(call, "reference")
    for name, one, other in zip(ours[2]._fields, ours[2], theirs[2], strict=True):
        np.testing.assert_array_equal(one, other, err_msg=f"{call.kernel}: {name}")
    return theirs


def rounds(shape: CaseShape, n_scenarios: int, lanes: list[int], n_steps: int) -> Any:
    """Profiles raised, steps searched; returns the states."""
    models, guides = (list(each) for each in zip(*make_scenarios(shape, n_scenarios), strict=True))
    stacks = stacked_models(models), stacked_guides(guides)
    states = stacked_states([empty_state(model, 1) for model in models])
    for name, n in (("raise_scenarios", 0), ("search_scenarios", n_steps), ("raise_scenarios", 0)):
        plan = schedule(n, first_lane=2, first_step=1)
        states = compare(Call(name, (*stacks, states, np.array(lanes), plan)))[2]
    return states


@settings(max_examples=15)
@given(shape=case_shapes, threads=st.sampled_from(THREADS))
def test_any_small_problem(shape: CaseShape, threads: tuple[int, int]) -> None:
    launch.limits.n_threads = threads[0] * threads[1]
    device_search.block_threads = device_search.BlockThreads(*threads)
    rounds(shape, 3, [2, 0, 1], 2)


def test_some_lanes_and_fewer_blocks_than_lanes() -> None:
    states = rounds(SHAPE, 5, [4, 0, 1], 8)
    stands = states.n_racks.any(axis=(1, 2, 3, 4)).tolist()
    assert stands == [True, True, False, False, True]


def test_the_calls_of_the_self_test() -> None:
    for call in scenario_calls(3):
        compare(call)


def test_models_that_do_not_fit_are_searched_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_search, "MOST_SHARED_BYTES", 600)
    shape = CaseShape(4, (2, 5), (2, 1), 3, partial_units=True, contract=True, heavy=False)
    assert device_search.search_form(make_scenarios(shape, 1)[0][0])[0] == "lanes"
    rounds(shape, 3, [2, 1], 2)


def test_a_lane_that_there_is_not_is_refused() -> None:
    models, guides = (list(each) for each in zip(*make_scenarios(SHAPE, 2), strict=True))
    states = stacked_states([empty_state(model, 1) for model in models])
    call = Call(
        "search_scenarios",
        (stacked_models(models), stacked_guides(guides), states, np.array([2]), schedule(1)),
    )
    with pytest.raises(IndexError, match=r"lane_idx\[0\] is 2, it must lie from 0 to 1"):
        ran(call, "cuda")


def test_a_guide_that_points_outside_is_refused_by_name() -> None:
    models, guides = (list(each) for each in zip(*make_scenarios(SHAPE, 2), strict=True))
    guides[1] = guides[1]._replace(pattern_system_idx=guides[1].pattern_system_idx + 9)
    stacks = stacked_models(models), stacked_guides(guides)
    states = stacked_states([empty_state(model, 1) for model in models])
    with pytest.raises(IndexError, match=r"'search_scenarios' on backend cuda: guide\.pattern_system_idx"):
        ran(Call("search_scenarios", (*stacks, states, np.array([0]), schedule(1))), "cuda")
