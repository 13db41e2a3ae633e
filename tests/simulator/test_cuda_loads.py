"""Loads, slack and value of any racks, on the simulated device, are those of the plain loops, to the bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_cases import case_shapes, loads_by_hand

from kernels.cuda import launch
from kernels.plans import empty_state
from kernels.samples.calls import Call, ran
from kernels.samples.packing import CaseShape, make_case

batches = st.sampled_from([1, 2, 5])
grids = st.sampled_from([(1, 1), (4, 3), (7, 2)])


def set_grid(grid: tuple[int, int]) -> None:
    launch.limits.n_threads, launch.limits.n_blocks = grid


@settings(max_examples=25)
@given(shape=case_shapes, n_lanes=batches, grid=grids)
def test_loads_slack_and_value_are_the_loops(shape: CaseShape, n_lanes: int, grid: tuple[int, int]) -> None:
    set_grid(grid)
    model, state = make_case(shape).model, empty_state(make_case(shape).model, n_lanes)
    random = np.random.default_rng(shape.seed)
    racks = random.integers(0, 5, state.n_racks.shape) * random.integers(0, 2, state.n_racks.shape)
    other = np.full_like(state.slack, 7)
    load = ran(Call("loads", (model, racks, other)), "cuda")[2]
    assert (load == loads_by_hand(model, racks)).all()
    left = ran(Call("slack", (model, load, other)), "cuda")[2]
    np.testing.assert_array_equal(left, model.capacity[:, :, None] - load)
    call = Call("plan_value", (model, racks, *(np.full_like(part, 7) for part in state[2:])))
    for ours, theirs in zip(ran(call, "cuda")[1:], ran(call, "reference")[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_row_may_have_no_limit() -> None:
    model = make_case(CaseShape(4, (2, 1), (2,), 2, partial_units=True, contract=False, heavy=False)).model
    first = model.row_ptr[1]
    bare = model._replace(
        row_ptr=np.maximum(model.row_ptr - first, 0), entry_limit_idx=model.entry_limit_idx[first:],
        entry_coefficient=model.entry_coefficient[first:],
    )  # fmt: skip
    racks = np.ones((*model.value.shape, 2), np.int64)
    load = np.zeros((*model.capacity.shape, 2), np.int64)
    found = ran(Call("loads", (bare, racks, load)), "cuda")[2]
    assert (found == loads_by_hand(bare, racks)).all()
    assert found.any()


def test_a_block_may_have_no_row() -> None:
    model = make_case(CaseShape(4, (2, 1), (2,), 2, partial_units=True, contract=False, heavy=False)).model
    model = model._replace(
        block_ptr=np.append(0, model.block_ptr),
        **{
            name: np.repeat(getattr(model, name), [2, 1], axis=0)
            for name in ("open_cost", "unit_cost", "partial_units")
        },
    )
    state = empty_state(model, 2)
    state.n_racks[...] = 1
    call = Call("plan_value", (model, state.n_racks, *(np.full_like(part, 7) for part in state[2:])))
    for ours, theirs in zip(ran(call, "cuda")[1:], ran(call, "reference")[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)
