"""Every backend's form of every kernel gives what the plain loops give: integers to the bit."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_cases import assert_plan_rules, assert_same, case_shapes, loads_by_hand

from kernels.backends import BACKENDS, kernel, why_not
from kernels.constants import ALWAYS, GUIDED, MOST_BLOCKS, NEVER
from kernels.loops import random as loop_random
from kernels.loops import refill as loop_refill
from kernels.loops import search as loop_search
from kernels.plans import empty_state
from kernels.registry import KERNELS
from kernels.samples.packing import INACTIVE, Case, CaseShape, copy_of, make_case, schedule
from kernels.vectorised import random as array_random
from kernels.vectorised import refill as array_refill
from kernels.vectorised import search as array_search
from kernels.vectorised.tables import block_table
from planner.lower import lower
from planner.solve.options import SolveOptions
from planner.solve.solve import solve
from sites.world import load_world

if TYPE_CHECKING:
    from kernels.contract import SearchState
    from planner.problem import Problem

ROOT = Path(__file__).parent.parent
TOYS = ROOT / "sites" / "library" / "toys"
RUNNABLE = [name for name in BACKENDS if why_not(name) is None]
N_STEPS = 12

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # the loops' draws wrap around

every_backend = pytest.mark.parametrize("backend", RUNNABLE)
lane_counts = st.sampled_from([1, 2, 5])


def run(case: Case, state: SearchState, name: str, backend: str, n_steps: int = 0, first_lane: int = 0) -> None:
    """Run one kernel on a state."""
    first_step = 0 if name == "construct" else 1
    extra = (case.block_pattern_idx, case.block_order_idx) if name == "construct" else ()
    plan = schedule(n_steps, first_lane=first_lane, first_step=first_step)
    kernel(name, backend)(case.model, case.guide, state, *extra, plan)


ROUND = ("construct", "raise_profiles", "strip", "search", "raise_profiles")


def searched(case: Case, n_lanes: int, backend: str, first_lane: int = 0) -> SearchState:
    """The state after one round."""
    state = empty_state(case.model, n_lanes)
    for name in ROUND:
        run(case, state, name, backend, N_STEPS, first_lane)
    return state


def test_every_kernel_is_compared() -> None:
    compared = {*ROUND, "loads", "slack", "plan_value"}
    compared |= {name for name in KERNELS if name.startswith("first_order_")}  # in test_first_order_kernels.py
    compared |= {"search_scenarios", "raise_scenarios"}  # in test_scenario_kernels.py
    compared.add("hourly_year")  # in floating point, within a tolerance, in test_year.py
    assert compared == KERNELS.keys()


@every_backend
@settings(max_examples=80)
@given(shape=case_shapes, n_lanes=lane_counts)
def test_a_round_of_search_is_the_same(backend: str, shape: CaseShape, n_lanes: int) -> None:
    case = make_case(shape)
    ours, theirs = empty_state(case.model, n_lanes), empty_state(case.model, n_lanes)
    for name in ROUND:
        run(case, ours, name, backend, N_STEPS)
        run(case, theirs, name, "reference", N_STEPS)
        assert_same(ours, theirs, name)


@every_backend
@settings(max_examples=40)
@given(shape=case_shapes)
def test_an_overdrawn_limit_is_left_alone_in_the_same_way(backend: str, shape: CaseShape) -> None:
    """Soft limits may be overdrawn when a plan is carried over; nothing more is placed on them."""
    case = make_case(shape)
    state = searched(case, 3, "numpy")
    active = state.slack[::2] < INACTIVE // 2
    state.slack[::2] = np.where(active, -state.slack[::2] - np.arange(3), state.slack[::2])
    ours, theirs = copy_of(state), copy_of(state)
    for name in ("strip", "search", "raise_profiles"):
        run(case, ours, name, backend, N_STEPS)
        run(case, theirs, name, "reference", N_STEPS)
        assert_same(ours, theirs, name)


@every_backend
@settings(max_examples=50)
@given(shape=case_shapes, n_lanes=lane_counts)
def test_searched_plans_keep_the_rules(backend: str, shape: CaseShape, n_lanes: int) -> None:
    case = make_case(shape)
    state = searched(case, n_lanes, backend)
    assert_plan_rules(case, state.n_racks)
    left = case.model.capacity.astype(object)[:, :, None] - loads_by_hand(case.model, state.n_racks)
    assert (left >= 0).all(), "a limit is overdrawn"
    assert (left == state.slack).all(), "slack is not capacity less load"
    again = copy_of(state)
    kernel("plan_value", backend)(case.model, state.n_racks, *again[2:])
    assert_same(again, state, "plan_value")


@every_backend
@settings(max_examples=40)
@given(shape=case_shapes, n_lanes=lane_counts, cut=st.integers(1, 4))
def test_lanes_are_independent(backend: str, shape: CaseShape, n_lanes: int, cut: int) -> None:
    """Lanes split over parts, in the end one by one, are the lanes of the whole."""
    case = make_case(shape)
    whole = searched(case, n_lanes, backend)
    for first in range(0, n_lanes, cut):
        end = min(first + cut, n_lanes)
        part = searched(case, end - first, backend, first_lane=first)
        assert_same(part, copy_of(whole, slice(first, end)), f"lanes {first} to {end}")


def test_random_cases_put_search_to_work() -> None:
    """The cases above would prove little if nothing were ever placed, accepted or refused."""
    shapes = [CaseShape(seed, (2, 3, 1, 2), (2, 3), 4, seed % 2 == 0, seed % 3 == 0, False) for seed in range(8)]
    placed, profiles, moved, refused = 0, set(), 0, 0
    for shape in shapes:
        case = make_case(shape)
        state = searched(case, 3, "numpy")
        placed += int(state.n_racks.sum())
        profiles |= set(np.flatnonzero(state.n_racks.sum(axis=(0, 2, 3))).tolist())
        before = copy_of(state)
        run(case, state, "search", "numpy", 1)
        changed = (state.n_racks != before.n_racks).any(axis=(0, 1, 2))
        moved, refused = moved + int(changed.sum()), refused + int((~changed).sum())
    assert placed > 0
    assert len(profiles) > 2
    assert moved > 0
    assert refused > 0


@every_backend
@settings(max_examples=50)
@given(shape=case_shapes, n_lanes=lane_counts)
def test_loads_slack_and_value_are_the_same(backend: str, shape: CaseShape, n_lanes: int) -> None:
    """Of any racks, not only of plans."""
    case = make_case(shape)
    model, state = case.model, empty_state(case.model, n_lanes)
    random = np.random.default_rng(shape.seed)
    state.n_racks[:] = random.integers(0, 5, state.n_racks.shape) * random.integers(0, 2, state.n_racks.shape)
    load, left = np.full_like(state.slack, 7), np.full_like(state.slack, 7)
    kernel("loads", backend)(model, state.n_racks, load)
    assert (load == loads_by_hand(model, state.n_racks)).all()
    kernel("slack", backend)(model, load, left)
    np.testing.assert_array_equal(left, model.capacity[:, :, None] - load)
    ours, theirs = copy_of(state), copy_of(state)
    kernel("plan_value", backend)(model, state.n_racks, *ours[2:])
    kernel("plan_value", "reference")(model, state.n_racks, *theirs[2:])
    assert_same(ours, theirs, "plan_value")


@given(
    seed=st.integers(0, 2**63 - 1), lane=st.integers(0, 2**41), step=st.integers(0, 2**40), number=st.integers(0, 2**40)
)
def test_draws_are_the_same(seed: int, lane: int, step: int, number: int) -> None:
    words = array_random.step_words(array_random.lane_words(seed, np.array([lane])), step)
    expected = loop_random.draw(seed, lane, step, number)
    assert array_random.draw(words, number).tolist() == [expected]
    assert array_random.draw(words, np.array([[number], [number + 1]])).tolist()[0] == [expected]


@given(seed=st.integers(0, 2**32), step=st.integers(0, 10**6), n_blocks=st.integers(1, 200_000))
def test_steps_choose_the_same_blocks(seed: int, step: int, n_blocks: int) -> None:
    words = array_random.step_words(array_random.lane_words(seed, np.array([array_random.COMMON_LANE])), step)
    expected = np.zeros(MOST_BLOCKS, np.int64)
    n_chosen = loop_search.choose_blocks(seed, step, n_blocks, expected)
    assert array_search.choose_blocks(words, n_blocks) == expected[:n_chosen].tolist()


def test_draws_on_the_edge_mean_the_same() -> None:
    edges = [edge + near for edge in (0, GUIDED, NEVER, ALWAYS, 65535) for near in (-1, 0, 1)]
    guide = make_case(CaseShape(1, (2,), (1,), 4, True, False, False)).guide
    switch = array_refill.drawn_switch(guide.switch_period[0], 4, np.array(edges), np.array(7))
    assert switch.tolist() == [loop_refill.drawn_switch(guide, 0, 4, edge, 7) for edge in edges]
    weight = np.array([10, 10, 500, 65536])
    guide = guide._replace(pool_ptr=np.array([0, 1, 4]), pattern_weight=weight, pool_of_block_idx=np.array([0, 1]))
    for block in range(2):
        edges = [int(edge) + near for edge in weight for near in (-1, 0, 1)]
        expected = [loop_search.choose_pattern(guide, block, edge) for edge in edges]
        assert array_search.choose_pattern(guide, block, np.array(edges)).tolist() == expected


@pytest.mark.parametrize("heavy", [False, True])
def test_floats_are_used_only_where_they_are_exact(heavy: bool) -> None:
    case = make_case(CaseShape(5, (3, 2), (2, 1), 3, True, True, heavy))
    table = block_table(case.model, 0)
    assert table.in_floats is not heavy
    racks = np.random.default_rng(5).integers(0, 9, (3, 3, 3, 40))
    whole = np.zeros((5, 3, 3, 40), np.int64)
    whole[table.row_idx] = racks
    assert (table.load(racks) == loads_by_hand(case.model, whole)[table.limit_idx]).all()


def test_the_numpy_backend_needs_no_numba() -> None:
    lines = [
        "import sys; sys.modules['numba'] = None",
        "from kernels.backends import kernel, resolve, why_not",
        "from kernels.registry import KERNELS",
        "[kernel(name, 'numpy') for name in KERNELS]",
        "assert why_not('numpy') is None",
        "assert not [name for name in sys.modules if name.startswith(('numba.', 'llvmlite'))]",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, cwd=ROOT, timeout=60)


@cache
def problem_of(toy: str) -> Problem:
    return lower(load_world(TOYS / toy / "portfolio.yaml")).problem


@pytest.mark.skipif("numba" not in RUNNABLE, reason="the backend numba does not run here")
@pytest.mark.parametrize("toy", ["toy-profiles", "toy-wait-for-next", "toy-whole-units", "toy-supply"])
@pytest.mark.parametrize("n_lanes", [1, 4])
def test_whole_solves_are_the_same(toy: str, n_lanes: int) -> None:
    found = [
        solve(problem_of(toy), SolveOptions(backend=backend, work_limit=600, seed=3, n_lanes=n_lanes))
        for backend in ("numba", "numpy")
    ]
    ours, theirs = found
    np.testing.assert_array_equal(ours.plan.n_racks, theirs.plan.n_racks)
    assert ours.plan.n_racks.any()
    assert (ours.objective, ours.bound, ours.work) == (theirs.objective, theirs.bound, theirs.work)
    assert (ours.backend, theirs.backend) == ("numba", "numpy")
