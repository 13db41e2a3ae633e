"""The first-order kernels on the simulated device: the plain loops' floats, but for the order of long sums."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernels.backends import home, kernel
from kernels.contract import FirstOrderModel, FirstOrderState
from kernels.cuda import launch
from kernels.cuda.first_order import check_model
from kernels.cuda.first_order_rows import CHUNK
from kernels.cuda.first_order_sums import TOLERANCE
from kernels.samples.calls import Call, ran
from kernels.samples.first_order import ModelShape, copy_of, lane_of, make_model, make_state

THERE = home("cuda")
KINDS = (np.float64, np.float32)
N_STEPS = 3
ROUNDING = {np.float64: 1e-13, np.float32: 1e-5}
"""Relative to the largest value: sums of some hundred terms in another order, carried through some steps."""
EMPTY = ModelShape(1, 3, 1, 2, 3, 2, contract=False)
LONG = ModelShape(7, 2 * CHUNK + 20, 2, 1, 2, 2, contract=True)
"""Its first constraint has more than two chunks of entries, as has the contract's revenue."""

every_kind = pytest.mark.parametrize("kind", KINDS)
shapes = st.builds(
    ModelShape, seed=st.integers(0, 2**32 - 1), n_isotone=st.integers(1, 9), n_boxed=st.integers(1, 4),
    n_constraints=st.integers(1, 5), n_periods=st.integers(2, 5), n_lanes=st.sampled_from([1, 2, 5]),
    contract=st.just(False),
)  # fmt: skip
grids = st.sampled_from([(1, 1), (4, 3), (7, 2)])


def set_grid(grid: tuple[int, int]) -> None:
    launch.limits.n_threads, launch.limits.n_blocks = grid


def both(name: str, *arguments: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    call = Call(name, arguments)
    return ran(call, "cuda"), ran(call, "reference")


@every_kind
@settings(max_examples=5)
@given(shape=shapes, grid=grids)
@example(shape=EMPTY, grid=(4, 3))
def test_steps_are_the_loops_to_the_bit(kind: Any, shape: ModelShape, grid: tuple[int, int]) -> None:
    """Without long constraints and revenue every sum runs in the loops' order."""
    set_grid(grid)
    model = make_model(shape, kind)
    ours, theirs = both("first_order_steps", model, make_state(model, shape.seed), N_STEPS)
    for part, other, field in zip(ours[1], theirs[1], FirstOrderState._fields, strict=True):
        np.testing.assert_array_equal(part, other, err_msg=field)


@every_kind
@settings(max_examples=4)
@given(shape=shapes, grid=grids)
def test_gains_and_loads_are_the_loops_to_the_bit(kind: Any, shape: ModelShape, grid: tuple[int, int]) -> None:
    set_grid(grid)
    model = make_model(shape, kind)
    state = make_state(model, shape.seed)
    for name, point, result in (
        ("first_order_gain", state.dual, model.gain), ("first_order_load", state.primal, model.gate)
    ):  # fmt: skip
        ours, theirs = both(name, model, point, np.full_like(result, 7))
        np.testing.assert_array_equal(ours[2], theirs[2])


@every_kind
@settings(max_examples=4)
@given(shape=shapes, grid=grids)
def test_errors_are_the_loops_but_for_the_order_of_sums(kind: Any, shape: ModelShape, grid: tuple[int, int]) -> None:
    set_grid(grid)
    model = make_model(shape, kind)
    state = make_state(model, shape.seed)
    ours, theirs = both("first_order_errors", model, state, np.full((5, shape.n_lanes), 7.0))
    within = TOLERANCE * theirs[2][[0, 1, 0, 3, 4]]
    within[2] = TOLERANCE * np.abs(state.dual_image - state.dual).max() * np.abs(model.gate).size * 10
    assert (np.abs(ours[2] - theirs[2]) <= within).all()
    squares = both("first_order_squares", model.gain, np.full(shape.n_lanes, 7.0))
    np.testing.assert_allclose(squares[0][1], squares[1][1], rtol=TOLERANCE)


@every_kind
def test_long_constraints_and_revenue_are_added_up_in_chunks(kind: Any) -> None:
    set_grid((8, 4))
    model = make_model(LONG, kind)
    assert model.constraint_ptr[1] > 2 * CHUNK
    assert model.revenue.shape[0] > 2 * CHUNK
    state = make_state(model, LONG.seed)
    ours, theirs = both("first_order_load", model, state.primal, np.full_like(model.gate, 7))
    most = np.abs(theirs[2]).max()
    np.testing.assert_allclose(ours[2], theirs[2], rtol=0, atol=ROUNDING[kind] * most)
    ours, theirs = both("first_order_steps", model, state, 1)
    for part, other, field in zip(ours[1], theirs[1], FirstOrderState._fields, strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=ROUNDING[kind] * most, err_msg=field)
    ours, theirs = both("first_order_errors", model, state, np.zeros((5, LONG.n_lanes)))
    np.testing.assert_allclose(ours[2], theirs[2], rtol=ROUNDING[kind] * 10)


def test_lanes_are_independent() -> None:
    shape = replace(EMPTY, n_lanes=5, contract=True)
    model = make_model(shape, np.float64)
    state = make_state(model, 3)
    whole = ran(Call("first_order_steps", (model, state, N_STEPS)), "cuda")[1]
    own = FirstOrderState(*(np.ascontiguousarray(part[..., 3:4]) for part in copy_of(state)))
    alone = ran(Call("first_order_steps", (lane_of(model, 3), own, N_STEPS)), "cuda")[1]
    for part, other in zip(alone, whole, strict=True):
        np.testing.assert_array_equal(part, other[..., 3:4])


def damaged(model: FirstOrderModel, field: str, place: int, value: int) -> FirstOrderModel:
    array = getattr(model, field).copy()
    array[place] = value
    return model._replace(**{field: array})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("constraint_variable_idx", -1), ("constraint_variable_idx", 99), ("variable_constraint_idx", -2),
        ("variable_constraint_idx", 99), ("gate_variable_idx", 99), ("constraint_ptr", -1), ("constraint_ptr", 999),
        ("variable_ptr", -1), ("variable_ptr", 999), ("gate_ptr", -3), ("gate_ptr", 999),
    ],
)  # fmt: skip
def test_an_index_outside_is_a_fault(field: str, value: int) -> None:
    """Said by the look at the model, before anything could read there in silence."""
    model = make_model(replace(EMPTY, n_constraints=3), np.float64)
    check_model("first_order_gain", THERE.put(model))
    launch.check()
    check_model("first_order_gain", THERE.put(damaged(model, field, 1, value)))
    with pytest.raises(IndexError, match="kernel 'first_order_gain' on backend cuda: an index points outside"):
        launch.check()


def test_arrays_of_the_host_are_refused() -> None:
    model = make_model(EMPTY, np.float64)
    with pytest.raises(TypeError, match=r"argument 'result' lies in the host's memory"):
        kernel("first_order_gain", "cuda")(*THERE.put((model, model.gate)), np.zeros_like(model.gain))
