"""Search with one thread for each lane, and profiles, on the simulated device give the integers of the plain loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_cases import assert_same, case_shapes

from kernels.backends import home
from kernels.cuda import lane_search, launch, profiles
from kernels.loops import profiles as loop_profiles
from kernels.loops import search as loops
from kernels.plans import empty_state
from kernels.samples.packing import INACTIVE, Case, CaseShape, copy_of, make_case, schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernels.contract import SearchState

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # draws wrap around

THERE = home("cuda")
N_STEPS = 3
batches = st.sampled_from([1, 2, 5])
grids = st.sampled_from([(1, 1), (2, 3), (4, 2)])
FORMS: dict[str, tuple[Callable[..., None], Callable[..., None]]] = {
    "construct": (lane_search.construct, loops.construct),
    "raise_profiles": (profiles.raise_profiles, loop_profiles.raise_profiles),
    "strip": (profiles.strip, loop_profiles.strip),
    "search": (lane_search.search, loops.search),
}
ROUND = ("construct", "raise_profiles", "strip", "search")


def both(case: Case, state: SearchState, name: str, n_steps: int = N_STEPS, **plan: int) -> SearchState:
    """The state after one kernel on the device, which is that of the loops."""
    arguments: tuple[Any, ...] = (case.model, case.guide, copy_of(state))
    arguments += (case.block_pattern_idx, case.block_order_idx) if name == "construct" else ()
    arguments += (schedule(n_steps, **{"first_step": 0 if name == "construct" else 1, **plan}),)
    on_device, expected = FORMS[name]
    there = THERE.put(arguments)
    on_device(*there)
    ours: SearchState = THERE.get(there[2])
    expected(*arguments)
    assert_same(ours, arguments[2], name)
    return ours


def searched(case: Case, n_lanes: int, n_steps: int = N_STEPS) -> SearchState:
    state = empty_state(case.model, n_lanes)
    for name in ROUND:
        state = both(case, state, name, n_steps)
    return state


@settings(max_examples=15)
@given(shape=case_shapes, n_lanes=batches, grid=grids)
def test_a_round_of_search_is_the_loops(shape: CaseShape, n_lanes: int, grid: tuple[int, int]) -> None:
    launch.limits.n_threads, launch.limits.n_blocks = grid
    searched(make_case(shape), n_lanes)


@pytest.mark.parametrize(
    ("whole", "contract", "heavy", "flat"),
    [(True, True, False, False), (False, False, True, False), (False, True, True, True)],
)
def test_steps_are_accepted_and_refused_as_in_the_loops(whole: bool, contract: bool, heavy: bool, flat: bool) -> None:
    """Enough steps on plans that hold racks of several profiles for some lane to accept and some lane to refuse."""
    case = make_case(CaseShape(6, (2, 3, 1, 2), (2, 3), 3, not whole, contract, heavy, flat))
    state = searched(case, 3)
    accepted = refused = 0
    for step in range(4, 8):
        after = both(case, state, "search", 1, first_step=step)
        moved = (after.n_racks != state.n_racks).any(axis=(0, 1, 2))
        accepted, refused, state = accepted + int(moved.sum()), refused + int((~moved).sum()), after
    assert state.n_racks.any()
    assert accepted
    assert refused


def test_an_overdrawn_limit_is_left_alone() -> None:
    case = make_case(CaseShape(9, (2, 2, 1), (3, 1), 3, True, False, False))
    state = searched(case, 2, 0)
    active = state.slack[::2] < INACTIVE // 2
    state.slack[::2] = np.where(active, -state.slack[::2] - np.arange(2), state.slack[::2])
    for name in ("strip", "search", "raise_profiles"):
        state = both(case, state, name, first_lane=1)


def test_drawn_fillings_of_a_first_plan() -> None:
    """Construct draws nothing at step 0 and everything later, as the loops do; lanes count from any number."""
    case = make_case(CaseShape(4, (3, 2, 1), (2, 2), 4, False, True, False))
    plans = [both(case, empty_state(case.model, 5), "construct", first_step=step, first_lane=7) for step in (0, 3)]
    assert plans[0].n_racks.any()
    assert (plans[0].n_racks != plans[1].n_racks).any()


def broken(case: Case, part: str, field: str, place: int, value: int) -> Case:
    """A case with one index changed."""
    arrays = getattr(case, part)
    column = getattr(arrays, field).copy()
    column[place] = value
    return Case(**{**vars(case), part: arrays._replace(**{field: column})})


@pytest.mark.parametrize(
    ("part", "field", "value", "message"),
    [
        ("model", "entry_limit_idx", -1, r"entry_limit_idx\[0\] is -1, it must lie from 0 to"),
        ("model", "block_row_idx", 99, r"block_row_idx\[0\] is 99, it must lie from 0 to 4"),
        ("model", "system_configuration_idx", 3, r"system_configuration_idx\[0\] is 3, it must lie from 0 to 2"),
        ("guide", "pattern_system_idx", 2, r"pattern_system_idx\[0\] is 2, it must lie from 0 to 1"),
        ("guide", "pool_of_block_idx", 2, r"pool_of_block_idx\[0\] is 2, it must lie from 0 to 1"),
        ("model", "row_ptr", 1, r"row_ptr goes from 1 to \d+, it must rise from 0 to"),
    ],
)
def test_an_index_that_points_outside_is_named(part: str, field: str, value: int, message: str) -> None:
    case = broken(make_case(CaseShape(2, (2, 3), (2, 1), 2, True, True, False)), part, field, 0, value)
    there = THERE.put((case.model, case.guide, empty_state(case.model, 1), schedule(1)))
    for name in ("search", "strip", "raise_profiles"):
        with pytest.raises(IndexError, match=f"kernel '{name}' on backend cuda: {part}.{message}"):
            FORMS[name][0](*there)


def test_offsets_that_fall_are_named() -> None:
    case = broken(make_case(CaseShape(2, (2, 3, 1), (2, 1), 2, True, True, False)), "model", "block_ptr", 1, 6)
    there = THERE.put((case.model, case.guide, empty_state(case.model, 1), schedule(1)))
    with pytest.raises(
        IndexError, match=r"block_ptr goes from 0 to 6, it must rise from 0 to 6; it falls after place 1"
    ):
        lane_search.search(*there)


@pytest.mark.parametrize(
    ("field", "value"),
    [("block_pattern_idx", 99), ("block_pattern_idx", None), ("block_order_idx", 2), ("block_order_idx", -1)],
)
def test_a_first_plan_of_no_such_block_or_pattern_is_a_fault(field: str, value: int | None) -> None:
    """None stands for the first number that is too large."""
    case = make_case(CaseShape(2, (2, 3), (2, 1), 2, True, True, False))
    column = getattr(case, field).copy()
    column[0] = case.guide.pattern_racks.size if value is None else value
    case = Case(**{**vars(case), field: column})
    there = THERE.put(
        (case.model, case.guide, empty_state(case.model, 2), case.block_pattern_idx, case.block_order_idx, schedule())
    )
    lane_search.construct(*there)
    with pytest.raises(IndexError, match="construct"):
        THERE.get(there[2])


def test_an_array_of_the_host_is_refused() -> None:
    case = make_case(CaseShape(2, (2, 3), (2, 1), 2, True, True, False))
    there = THERE.put((case.model, case.guide, empty_state(case.model, 1)))
    with pytest.raises(TypeError, match=r"'search'.*'schedule\.threshold' lies in the host's memory"):
        lane_search.search(*there, schedule(1))
