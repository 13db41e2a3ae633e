"""Search and construct by thread blocks, on the simulated device, give the plain loops' integers to the bit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import assert_same, case_shapes

from kernels.backends import home
from kernels.cuda import lane_search, launch
from kernels.cuda import search as device_search
from kernels.plans import empty_state
from kernels.samples.calls import Call, ran
from kernels.samples.packing import INACTIVE, Case, CaseShape, make_case, schedule

if TYPE_CHECKING:
    from kernels.contract import SearchState

THERE = home("cuda")
THREADS = [(1, 1), (2, 1), (3, 2)]
"""Threads of a block: the whole lane's work by one; periods strided; periods strided and slots in two parts."""

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # the loops' draws wrap around


def set_threads(threads: tuple[int, int]) -> None:
    launch.limits.n_threads = threads[0] * threads[1]
    device_search.block_threads = device_search.BlockThreads(*threads)


def constructed(case: Case, n_lanes: int, backend: str) -> SearchState:
    orders = case.block_pattern_idx, case.block_order_idx
    begin = (case.model, case.guide, empty_state(case.model, n_lanes), *orders, schedule())
    return ran(Call("construct", begin), backend)[2]


def searched(case: Case, state: SearchState, backend: str, n_steps: int, first_lane: int = 0) -> SearchState:
    plan = schedule(n_steps, first_step=1, first_lane=first_lane)
    return ran(Call("search", (case.model, case.guide, state, plan)), backend)[2]


def compare(case: Case, n_lanes: int, n_steps: int, first_lane: int = 0) -> SearchState:
    """Construct and search on both; returns the plans searched."""
    first = constructed(case, n_lanes, "reference")
    assert_same(constructed(case, n_lanes, "cuda"), first, "construct")
    theirs = searched(case, first, "reference", n_steps, first_lane)
    assert_same(searched(case, first, "cuda", n_steps, first_lane), theirs, "search")
    return theirs


@given(shape=case_shapes, n_lanes=st.sampled_from([1, 2, 5]), threads=st.sampled_from(THREADS))
def test_any_small_problem(shape: CaseShape, n_lanes: int, threads: tuple[int, int]) -> None:
    set_threads(threads)
    compare(make_case(shape), n_lanes, 3, first_lane=7)


SHAPES = [
    CaseShape(2, (3, 2, 3), (3,), 4, partial_units=True, contract=True, heavy=False),
    CaseShape(5, (2, 3), (2, 3), 5, partial_units=False, contract=True, heavy=True),
    CaseShape(8, (3, 3, 1, 2), (2, 1), 3, partial_units=True, contract=False, heavy=False),
    CaseShape(1, (2, 2, 2), (1, 3), 4, partial_units=False, contract=False, heavy=False, flat=True),
]


@pytest.mark.parametrize("shape", SHAPES, ids=["contract", "heavy whole units", "no contract", "flat"])
def test_many_steps(shape: CaseShape) -> None:
    """By one thread, and to be told apart from a search that does nothing, with steps accepted and refused."""
    set_threads((1, 1))
    case = make_case(shape)
    state = compare(case, 2, 20)
    assert state.n_racks.any()


@pytest.mark.parametrize("shape", SHAPES[:2], ids=["contract", "heavy whole units"])
def test_threads_share_a_lane(shape: CaseShape) -> None:
    set_threads((3, 2))
    compare(make_case(shape), 2, 6)


def test_a_block_takes_several_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch.limits, "n_blocks", 2)
    set_threads((2, 1))
    compare(make_case(SHAPES[0]), 5, 3)


def test_an_overdrawn_limit_is_left_alone() -> None:
    """Soft limits may be overdrawn when a plan is carried over; nothing more is placed on them."""
    set_threads((2, 2))
    case = make_case(SHAPES[2])
    state = constructed(case, 2, "reference")
    active = state.slack[::2] < INACTIVE // 2
    state.slack[::2] = np.where(active, -state.slack[::2] - 1, state.slack[::2])
    assert_same(searched(case, state, "cuda", 6), searched(case, state, "reference", 6), "search")


@pytest.mark.parametrize("name", ["block_order_idx", "block_pattern_idx"])
def test_an_index_that_points_outside_is_a_fault(name: str) -> None:
    set_threads((1, 1))
    case = make_case(SHAPES[0])
    outside = np.full_like(getattr(case, name), 99)
    with pytest.raises(IndexError, match="points outside of its array"):
        constructed(replace(case, **{name: outside}), 1, "cuda")


def test_a_guide_that_points_outside_is_refused_by_name() -> None:
    case = make_case(SHAPES[0])
    guide = case.guide._replace(pattern_system_idx=case.guide.pattern_system_idx + 9)
    with pytest.raises(IndexError, match=r"'search' on backend cuda: guide\.pattern_system_idx"):
        searched(replace(case, guide=guide), empty_state(case.model, 1), "cuda", 1)


def test_a_model_that_does_not_fit_is_searched_by_one_thread_for_each_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    set_threads((2, 1))
    shape = CaseShape(4, (2, 5), (2, 1), 3, partial_units=True, contract=True, heavy=False)
    monkeypatch.setattr(device_search, "MOST_SHARED_BYTES", 600)
    launched: list[str] = []
    own = lane_search.repeat
    monkeypatch.setattr(lane_search, "repeat", lambda name, *rest: (launched.append(name), own(name, *rest)))
    assert device_search.search_form(make_case(shape).model)[0] == "lanes"
    compare(make_case(shape), 2, 2)
    assert set(launched) == {"construct", "search"}


def test_the_form_is_chosen_by_what_fits() -> None:
    set_threads((3, 2))
    model = make_case(SHAPES[0]).model
    form, n_bytes = device_search.search_form(model)
    assert form == "blocks"
    assert (form, n_bytes) == device_search.search_form(THERE.put(model)), "host and device see the same model"
    # words: 19 of its own, least 4, parts 2 x 4, rows 2 x 3, by row 3 x 4, racks 3 x 3 x 4, slack of the slots
    n_slots = (int(n_bytes) // 8 - (19 + 4 + 8 + 6 + 12 + 36)) / 4
    assert n_slots == max(_n_limits(model, block) for block in range(3))
    long = np.zeros((model.capacity.shape[0], 4096), np.int64)
    form, why = device_search.search_form(model._replace(capacity=long))
    assert form == "lanes"
    assert "4096 periods" in str(why)


def _n_limits(model: Any, block: int) -> int:
    rows = model.block_row_idx[model.block_ptr[block] : model.block_ptr[block + 1]]
    return len({limit for row in rows for limit in model.entry_limit_idx[model.row_ptr[row] : model.row_ptr[row + 1]]})


def test_a_model_is_arranged_once() -> None:
    set_threads((1, 1))
    model = THERE.put(make_case(SHAPES[0]).model)
    first = device_search.tables_of(model)
    assert device_search.tables_of(model) is first
    assert device_search.tables_of(model._replace(value=model.value + 1)) is first, "made of other arrays"
    assert device_search.tables_of(model._replace(row_ptr=model.row_ptr.copy())) is not first
