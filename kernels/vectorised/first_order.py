"""Restarted primal–dual iteration with reflected Halpern averaging, all variables, constraints and lanes at once.

Sums run in index order, as in the loops: short ones place by place over everything, long ones by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels.vectorised.projection import project_isotone, project_total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import FirstOrderModel, FirstOrderState

_SHORT = 24
"""Sums of more terms than this are taken one by one."""


class _Sums(NamedTuple):
    """Which entries are added where."""

    places: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    """Short sums: targets that have a first entry, and these entries, then the second ones, and so on."""
    long: list[tuple[int, slice]]


def first_order_steps(model: FirstOrderModel, state: FirstOrderState, n_steps: int) -> None:
    """Make steps in every lane; the images are those of the points that the last step came to.

    Parameters: n_steps; primal, dual, their images and n_steps of the state are written.
    """
    by_variable, by_constraint, by_gate = _sums(model.variable_ptr), _sums(model.constraint_ptr), _sums(model.gate_ptr)
    primal, image, dual = state.primal, state.primal_image, state.dual
    isotone = model.n_isotone
    for _ in range(n_steps):
        _average(state.n_steps, primal, image, state.primal_anchor)
        _average(state.n_steps, dual, state.dual_image, state.dual_anchor)
        value = _gain(model, dual, by_variable, by_gate)
        np.multiply(value, state.primal_step, out=value)
        np.add(primal, value, out=value)
        image[:isotone] = project_isotone(value[:isotone], model.upper[:isotone])
        image[isotone:-1] = np.minimum(np.maximum(value[isotone:-1], 0), model.upper[isotone:-1])
        image[-1] = project_total(value[-1], model.amount)
        over = _load(model, image + image - primal, by_constraint)
        over -= model.right_side
        np.multiply(over, state.dual_step, out=over)
        np.maximum(np.add(dual, over, out=over), 0, out=state.dual_image)
        np.add(state.n_steps, 1, out=state.n_steps)


def first_order_gain(model: FirstOrderModel, dual: NDArray[np.floating], result: NDArray[np.floating]) -> None:
    """What a unit of each variable gains after the constraints' prices.

    Parameters: dual [n_constraints, n_periods, n_lanes]; result [n_variables, n_periods, n_lanes], written.
    """
    result[:] = _gain(model, dual, _sums(model.variable_ptr), _sums(model.gate_ptr))


def first_order_load(model: FirstOrderModel, primal: NDArray[np.floating], result: NDArray[np.floating]) -> None:
    """What the variables load each constraint with, gates taken off.

    Parameters: primal [n_variables, n_periods, n_lanes]; result [n_constraints, n_periods, n_lanes], written.
    """
    result[:] = _load(model, primal, _sums(model.constraint_ptr))


def first_order_errors(model: FirstOrderModel, state: FirstOrderState, errors: NDArray[np.float64]) -> None:
    """Squared distances by which a restart is judged, summed in 64 bits in index order.

    Parameters: errors [5, n_lanes], written: image less point of primal and of dual, the product of the two over the
    constraints, image less anchor of primal and of dual.
    """
    moved, priced = state.primal_image - state.primal, state.dual_image - state.dual
    load = _load(model, moved, _sums(model.constraint_ptr))
    errors[0] = _total(moved, moved)
    errors[1] = _total(priced, priced)
    errors[2] = _total(priced, load)
    for index, image, anchor in (
        (3, state.primal_image, state.primal_anchor), (4, state.dual_image, state.dual_anchor)
    ):  # fmt: skip
        errors[index] = _total(image - anchor, image - anchor)


def first_order_squares(value: NDArray[np.floating], total: NDArray[np.float64]) -> None:
    """Sum of squares of every lane, in 64 bits in index order.

    Parameters: value [n, n_periods, n_lanes]; total [n_lanes], written.
    """
    total[:] = _total(value, value)


def _total(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    product = first.astype(np.float64) * second.astype(np.float64)
    # Running sums keep to index order for one lane, too, where a plain sum would pair.
    total: NDArray[np.float64] = np.cumsum(product.reshape(-1, product.shape[2]), axis=0)[-1]
    return total


def _average(
    n_steps: NDArray[np.int64], point: NDArray[np.floating], image: NDArray[np.floating], anchor: NDArray[np.floating]
) -> None:
    """The next point: the reflected image, drawn towards the anchor."""
    own, rest = (part.astype(point.dtype) for part in (n_steps / (n_steps + 1.0), 1.0 / (n_steps + 1.0)))
    reflected = image + image - point
    np.add(own * reflected, rest * anchor, out=point)


def _gain(model: FirstOrderModel, dual: NDArray[np.floating], sums: _Sums, gates: _Sums) -> NDArray[np.floating]:
    result = np.zeros_like(model.gain)
    _add(result, sums, model.variable_factor, dual, model.variable_constraint_idx)
    opened = model.gate[model.gate_constraint_idx] * dual[model.gate_constraint_idx]
    for targets, entries in gates.places:
        result[targets] -= opened[entries]
    for target, together in gates.long:
        for each in opened[together]:
            result[target] -= each
    if model.revenue.shape[0]:
        result[:-1] -= model.revenue[:-1] * dual[-1]
    result[-1] += dual[-1]
    difference: NDArray[np.floating] = np.subtract(model.gain, result, out=result)
    return difference


def _load(model: FirstOrderModel, primal: NDArray[np.floating], sums: _Sums) -> NDArray[np.floating]:
    result = np.zeros_like(model.gate)
    _add(result, sums, model.constraint_factor, primal, model.constraint_variable_idx)
    gated = np.flatnonzero(model.gate_variable_idx >= 0)
    result[gated] -= model.gate[gated] * primal[model.gate_variable_idx[gated]]
    result[-1] += primal[-1]
    if model.revenue.shape[0]:
        for earned in model.revenue[:-1] * primal[:-1]:
            result[-1] -= earned
    return result


def _add(
    result: NDArray[np.floating], sums: _Sums, factor: NDArray[np.floating], value: NDArray[np.floating],
    source: NDArray[np.int64],
) -> None:  # fmt: skip
    """Add factor · value[source] of every entry to its target."""
    for targets, entries in sums.places:
        result[targets] += factor[entries, None, None] * value[source[entries]]
    for target, together in sums.long:
        result[target] = (factor[together, None, None] * value[source[together]]).sum(axis=0)


def _sums(offsets: NDArray[np.int64]) -> _Sums:
    count = np.diff(offsets)
    places = []
    for place in range(min(int(count.max(initial=0)), _SHORT)):
        targets = np.flatnonzero((count > place) & (count <= _SHORT))
        places.append((targets, offsets[targets] + place))
    long = [(int(target), slice(offsets[target], offsets[target + 1])) for target in np.flatnonzero(count > _SHORT)]
    return _Sums(places, long)
