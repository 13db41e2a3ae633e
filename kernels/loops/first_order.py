"""Restarted primal–dual iteration with reflected Halpern averaging, lane by lane.

A step maps z = (x, y) to T(z): x' = proj(x + τ (gain − Aᵀy)), y' = max(0, y + σ (A (2 x' − x) − b)); the next point is
k/(k+1) (2 T(z) − z) + 1/(k+1) z₀ (Lu, Yang, "Restarted Halpern PDHG for Linear Programming", arXiv 2407.16144).
Each variable and each constraint gathers what it needs, so that steps have no order among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.jitable import jitable
from kernels.loops.projection import project_isotone, project_total
from kernels.loops.wide import subtract_from, subtract_product, sum_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import FirstOrderModel, FirstOrderState


def first_order_steps(model: FirstOrderModel, state: FirstOrderState, n_steps: int) -> None:
    """Make steps in every lane; the images are those of the points that the last step came to.

    Parameters: n_steps; primal, dual, their images and n_steps of the state are written.
    """
    n_variables, n_periods, n_lanes = state.primal.shape
    gain, load = np.empty_like(state.primal), np.empty_like(state.dual)
    for _ in range(n_steps):
        average(state.n_steps, state.primal, state.primal_image, state.primal_anchor)
        average(state.n_steps, state.dual, state.dual_image, state.dual_anchor)
        first_order_gain(model, state.dual, gain)
        primal_images(model, state, gain)
        for variable in range(n_variables):
            for period in range(n_periods):
                for lane in range(n_lanes):
                    image = state.primal_image[variable, period, lane]
                    gain[variable, period, lane] = image + image - state.primal[variable, period, lane]
        first_order_load(model, gain, load)
        dual_images(model, state, load)
        for lane in range(n_lanes):
            state.n_steps[lane] += 1


@jitable
def first_order_gain(model: FirstOrderModel, dual: NDArray[np.floating], result: NDArray[np.floating]) -> None:
    """What a unit of each variable gains after the constraints' prices.

    Parameters: dual [n_constraints, n_periods, n_lanes]; result [n_variables, n_periods, n_lanes], written.
    """
    last, n = dual.shape[0] - 1, dual.shape[1] * dual.shape[2]
    price, own, gate = dual.reshape(last + 1, n), result.reshape(result.shape[0], n), model.gate.reshape(last + 1, n)
    offset, gate_ptr, premium = model.variable_ptr, model.gate_ptr, result.shape[0] - 1
    n_earning = model.revenue.shape[0]
    revenue, gain = model.revenue.reshape(n_earning, n), model.gain.reshape(result.shape[0], n)
    for variable in range(premium):
        first, end = offset[variable], offset[variable + 1]
        sum_rows(own, variable, model.variable_factor, model.variable_constraint_idx, first, end, price)
        for index in range(gate_ptr[variable], gate_ptr[variable + 1]):
            constraint = model.gate_constraint_idx[index]
            subtract_product(own, variable, gate, constraint, price, constraint)
        if n_earning > 0:
            subtract_product(own, variable, revenue, variable, price, last)
        subtract_from(own, variable, gain)
    for place in range(n):
        own[premium, place] = gain[premium, place] - price[last, place]


@jitable
def first_order_load(model: FirstOrderModel, primal: NDArray[np.floating], result: NDArray[np.floating]) -> None:
    """What the variables load each constraint with, gates taken off.

    Parameters: primal [n_variables, n_periods, n_lanes]; result [n_constraints, n_periods, n_lanes], written.
    """
    last, n = result.shape[0] - 1, primal.shape[1] * primal.shape[2]
    n_variables, n_earning = primal.shape[0], model.revenue.shape[0]
    value, own, gate = primal.reshape(n_variables, n), result.reshape(last + 1, n), model.gate.reshape(last + 1, n)
    offset, revenue = model.constraint_ptr, model.revenue.reshape(n_earning, n)
    for constraint in range(last):
        first, end, opened = offset[constraint], offset[constraint + 1], model.gate_variable_idx[constraint]
        sum_rows(own, constraint, model.constraint_factor, model.constraint_variable_idx, first, end, value)
        if opened >= 0:
            subtract_product(own, constraint, gate, constraint, value, opened)
    own[last] = value[n_variables - 1]
    if n_earning > 0:
        for variable in range(n_variables - 1):
            subtract_product(own, last, revenue, variable, value, variable)


def first_order_errors(model: FirstOrderModel, state: FirstOrderState, errors: NDArray[np.float64]) -> None:
    """Squared distances by which a restart is judged, summed in 64 bits in index order.

    Parameters: errors [5, n_lanes], written: image less point of primal and of dual, the product of the two over the
    constraints, image less anchor of primal and of dual.
    """
    n_variables, n_periods, n_lanes = state.primal.shape
    errors[:] = 0.0
    moved, load = state.primal_image - state.primal, np.empty_like(state.dual)
    for variable in range(n_variables):
        for period in range(n_periods):
            for lane in range(n_lanes):
                step = np.float64(moved[variable, period, lane])
                image = state.primal_image[variable, period, lane]
                far = np.float64(image - state.primal_anchor[variable, period, lane])
                errors[0, lane] += step * step
                errors[3, lane] += far * far
    first_order_load(model, moved, load)
    for constraint in range(state.dual.shape[0]):
        for period in range(n_periods):
            for lane in range(n_lanes):
                image = state.dual_image[constraint, period, lane]
                step = np.float64(image - state.dual[constraint, period, lane])
                far = np.float64(image - state.dual_anchor[constraint, period, lane])
                errors[1, lane] += step * step
                errors[2, lane] += step * np.float64(load[constraint, period, lane])
                errors[4, lane] += far * far


def first_order_squares(value: NDArray[np.floating], total: NDArray[np.float64]) -> None:
    """Sum of squares of every lane, in 64 bits in index order.

    Parameters: value [n, n_periods, n_lanes]; total [n_lanes], written.
    """
    total[:] = 0.0
    for index in range(value.shape[0]):
        for period in range(value.shape[1]):
            for lane in range(value.shape[2]):
                each = np.float64(value[index, period, lane])
                total[lane] += each * each


@jitable
def average(
    n_steps: NDArray[np.int64], point: NDArray[np.floating], image: NDArray[np.floating], anchor: NDArray[np.floating]
) -> None:
    """The next point: the reflected image, drawn towards the anchor."""
    n, n_periods, n_lanes = point.shape
    own, rest = np.empty(n_lanes, point.dtype), np.empty(n_lanes, point.dtype)
    for lane in range(n_lanes):
        own[lane] = n_steps[lane] / (n_steps[lane] + 1.0)
        rest[lane] = 1.0 / (n_steps[lane] + 1.0)
    for index in range(n):
        for period in range(n_periods):
            for lane in range(n_lanes):
                to = image[index, period, lane]
                reflected = to + to - point[index, period, lane]
                point[index, period, lane] = own[lane] * reflected + rest[lane] * anchor[index, period, lane]


@jitable
def primal_images(model: FirstOrderModel, state: FirstOrderState, gain: NDArray[np.floating]) -> None:
    """Ascend along what variables gain, and project: isotone, boxed, or under one total."""
    n_variables, n_periods, n_lanes = state.primal.shape
    primal, image, upper, steps = state.primal, state.primal_image, model.upper, state.primal_step
    value = np.empty((n_periods, n_lanes), primal.dtype)
    pools, first = np.empty((3, n_periods), primal.dtype), np.empty(n_periods, np.int64)
    zero, n_isotone = value.dtype.type(0), model.n_isotone
    for variable in range(n_variables):
        for period in range(n_periods):
            for lane in range(n_lanes):
                value[period, lane] = primal[variable, period, lane] + steps[lane] * gain[variable, period, lane]
        if variable < n_isotone:
            project_isotone(value, upper[variable], image[variable], pools, first)
        elif variable == n_variables - 1:
            project_total(value, model.amount, image[variable])
        else:
            for period in range(n_periods):
                for lane in range(n_lanes):
                    image[variable, period, lane] = min(max(value[period, lane], zero), upper[variable, period, lane])


@jitable
def dual_images(model: FirstOrderModel, state: FirstOrderState, load: NDArray[np.floating]) -> None:
    """Raise the prices of overdrawn constraints and lower the others, not below 0."""
    n_constraints, n_periods, n_lanes = state.dual.shape
    dual, image, right_side, steps = state.dual, state.dual_image, model.right_side, state.dual_step
    zero = dual.dtype.type(0)
    for constraint in range(n_constraints):
        for period in range(n_periods):
            for lane in range(n_lanes):
                over = load[constraint, period, lane] - right_side[constraint, period, lane]
                image[constraint, period, lane] = max(dual[constraint, period, lane] + steps[lane] * over, zero)
