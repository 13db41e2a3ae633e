"""The first-order kernels: projections are nearest points, both forms give the same floats, lanes are independent."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.backends import BACKENDS, kernel, why_not
from kernels.contract import FirstOrderState
from kernels.loops.projection import project_isotone, project_total
from kernels.samples.first_order import ModelShape, copy_of, lane_of, make_model, make_state
from kernels.vectorised import projection as vectorised

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUNNABLE = [name for name in BACKENDS if why_not(name) is None]
PRECISIONS = (np.float64, np.float32)
N_STEPS = 7

every_backend = pytest.mark.parametrize("backend", RUNNABLE)
every_precision = pytest.mark.parametrize("dtype", PRECISIONS)
shapes = st.builds(
    ModelShape, seed=st.integers(0, 2**32 - 1), n_isotone=st.integers(1, 30), n_boxed=st.integers(1, 4),
    n_constraints=st.integers(1, 6), n_periods=st.integers(2, 5), n_lanes=st.sampled_from([1, 2, 5]),
    contract=st.booleans(),
)  # fmt: skip


def isotone(value: NDArray[np.floating], upper: NDArray[np.floating]) -> NDArray[np.floating]:
    """The loops' projection of [n_periods, n_lanes]."""
    found, n_periods = np.empty_like(value), value.shape[0]
    project_isotone(value, upper, found, np.empty((3, n_periods), value.dtype), np.empty(n_periods, np.int64))
    return found


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), n_periods=st.integers(1, 6), constant=st.booleans())
def test_the_isotone_projection_is_the_nearest_point(seed: int, n_periods: int, constant: bool) -> None:
    """No corner of the set lies ahead of the point along the rest of the way: that is what makes it the nearest."""
    random = np.random.default_rng(seed)
    value = random.normal(0.3, 1.0, n_periods)
    upper = np.sort(random.uniform(0.0, 1.5, n_periods))
    upper = np.full(n_periods, upper[-1]) if constant else upper
    nearest = isotone(value[:, None], upper[:, None])[:, 0]
    assert (np.diff(nearest) >= 0).all()
    assert ((nearest >= 0) & (nearest <= upper)).all()
    for rises in product((False, True), repeat=n_periods):
        corner = np.maximum.accumulate(np.where(rises, upper, 0.0))
        assert (value - nearest) @ (corner - nearest) <= 1e-12


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), n_periods=st.integers(1, 6), most=st.floats(0.0, 3.0))
def test_the_projection_under_a_total_is_the_nearest_point(seed: int, n_periods: int, most: float) -> None:
    value = np.random.default_rng(seed).normal(0.3, 1.0, n_periods)
    found = np.empty((n_periods, 1))
    project_total(value[:, None], np.array([most]), found)
    nearest = found[:, 0]
    assert (nearest >= 0).all()
    assert nearest.sum() <= most + 1e-12
    for corner in (np.zeros(n_periods), *(most * np.eye(n_periods))):
        assert (value - nearest) @ (corner - nearest) <= 1e-12


@every_precision
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9), n_periods=st.integers(1, 7), n_lanes=st.integers(1, 3))
def test_projections_are_the_same_in_both_forms(
    dtype: type[np.floating], seed: int, n: int, n_periods: int, n_lanes: int
) -> None:
    random = np.random.default_rng(seed)
    value = random.normal(0.3, 1.0, (n, n_periods, n_lanes)).astype(dtype)
    upper = np.sort(random.uniform(0.0, 1.5, value.shape), axis=1).astype(dtype)
    most = random.uniform(0.0, 2.0, n_lanes).astype(dtype)
    ours, theirs = vectorised.project_isotone(value, upper), np.empty_like(value)
    for index in range(n):
        theirs[index] = isotone(value[index], upper[index])
    np.testing.assert_array_equal(ours, theirs)
    total = np.empty_like(value[0])
    project_total(value[0], most, total)
    np.testing.assert_array_equal(vectorised.project_total(value[0], most), total)


@every_backend
@every_precision
@settings(max_examples=15, deadline=None)
@given(shape=shapes)
def test_every_kernel_gives_the_loops_floats(backend: str, dtype: type[np.floating], shape: ModelShape) -> None:
    """To the bit: sums run in index order in all forms."""
    model = make_model(shape, dtype)
    ours = make_state(model, shape.seed)
    theirs = copy_of(ours)
    for state, name in ((ours, backend), (theirs, "reference")):
        kernel("first_order_steps", name)(model, state, N_STEPS)
    for part, other, field in zip(ours, theirs, FirstOrderState._fields, strict=True):
        np.testing.assert_array_equal(part, other, err_msg=field)
    found = []
    for name in (backend, "reference"):
        errors, gain, load = np.empty((5, shape.n_lanes)), np.empty_like(model.gain), np.empty_like(model.gate)
        kernel("first_order_errors", name)(model, theirs, errors)
        kernel("first_order_gain", name)(model, theirs.dual, gain)
        kernel("first_order_load", name)(model, theirs.primal, load)
        found.append((errors, gain, load))
    for part, other in zip(*found, strict=True):
        assert np.isfinite(part).all()
        np.testing.assert_array_equal(part, other)


@every_backend
@every_precision
@settings(max_examples=8, deadline=None)
@given(shape=shapes)
def test_lanes_are_independent(backend: str, dtype: type[np.floating], shape: ModelShape) -> None:
    model = make_model(shape, dtype)
    whole = make_state(model, shape.seed)
    alone = copy_of(whole)
    errors = np.empty((5, shape.n_lanes))
    kernel("first_order_steps", backend)(model, whole, N_STEPS)
    kernel("first_order_errors", backend)(model, whole, errors)
    for lane in range(shape.n_lanes):
        own = slice(lane, lane + 1)
        state = FirstOrderState(*(np.ascontiguousarray(part[..., own]) for part in alone))
        kernel("first_order_steps", backend)(lane_of(model, lane), state, N_STEPS)
        for part, other in zip(state, whole, strict=True):
            np.testing.assert_array_equal(part, other[..., own])
        found = np.empty((5, 1))
        kernel("first_order_errors", backend)(lane_of(model, lane), state, found)
        np.testing.assert_array_equal(found, errors[:, own])


def test_a_step_moves_along_gains_and_prices() -> None:
    """One variable, one constraint x ≤ 1 in two periods, worked by hand."""
    shape = ModelShape(0, 1, 1, 1, 2, 1, contract=False)
    model = make_model(shape, np.float64)
    model = model._replace(
        constraint_ptr=np.array([0, 1]), constraint_variable_idx=np.array([0]), constraint_factor=np.array([1.0]),
        variable_ptr=np.array([0, 1, 1]), variable_constraint_idx=np.array([0]), variable_factor=np.array([1.0]),
        gate_variable_idx=np.array([-1, -1]), gate_ptr=np.array([0, 0, 0]), gate_constraint_idx=np.zeros(0, np.int64),
        gate=np.zeros((2, 2, 1)), right_side=np.array([[[1.0], [1.0]], [[0.0], [0.0]]]),
        gain=np.array([[[3.0], [1.0]], [[0.0], [0.0]], [[0.0], [0.0]]]), upper=np.full((3, 2, 1), 5.0),
    )  # fmt: skip
    nothing = [np.zeros_like(part) for _ in range(3) for part in (model.gain, model.gate)]
    state = FirstOrderState(*nothing, np.zeros(1, np.int64), np.array([0.5]), np.array([0.25]))
    kernel("first_order_steps", "numpy")(model, state, 1)
    # Gains 3 and 1 times ½ fall over time and are pooled at 1; the price is ¼ · (2 · 1 − 1).
    np.testing.assert_array_equal(state.primal_image[0, :, 0], [1.0, 1.0])
    np.testing.assert_array_equal(state.dual_image[0, :, 0], [0.25, 0.25])
    kernel("first_order_steps", "numpy")(model, state, 1)
    # Half of the reflected image 2, from which gains less the price 0.25 go on: (1 + 1.375, 1 + 0.375), pooled.
    np.testing.assert_array_equal(state.primal[0, :, 0], [1.0, 1.0])
    np.testing.assert_allclose(state.primal_image[0, :, 0], [1.875, 1.875])
