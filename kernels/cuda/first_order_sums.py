"""Squared distances of the first-order iteration: sums in 64 bits, in an order that follows from the shapes alone.

Each lane's places are dealt out to at most `PARTS` threads in turn; one thread then adds up what they found. So sums
differ from the loops', which run in index order, by rounding: at most `TOLERANCE` of the sum of their terms' sizes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.cuda.first_order_rows import KINDS, load_at, sample

PARTS = 256
"""Threads of a lane at the most; as many terms are added one after another in the end."""
TOLERANCE = 1e-12
"""Relative, of sums in 64 bits over up to some thousand million terms of the same sign."""


def primal_sums_kernel(state: Any, moved: Any, sums: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each (part, lane): image less point, kept in `moved`, and less anchor, both squared."""
    n_periods, n_parts, n_lanes = moved.shape[1], sums.shape[1], sums.shape[2]
    for own in range(cuda.grid(1), n_parts * n_lanes, cuda.gridsize(1)):
        part, lane = own // n_lanes, own % n_lanes
        near, away = 0.0, 0.0
        for place in range(part, moved.shape[0] * n_periods, n_parts):
            variable, period = place // n_periods, place % n_periods
            image = state.primal_image[variable, period, lane]
            step = image - state.primal[variable, period, lane]
            far = np.float64(image - state.primal_anchor[variable, period, lane])
            moved[variable, period, lane] = step
            near += np.float64(step) * np.float64(step)
            away += far * far
        sums[0, part, lane], sums[3, part, lane] = near, away


def dual_sums_kernel(model: Any, state: Any, moved: Any, partial: Any, sums: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each (part, lane): the same of the prices, and their product with what `moved` loads."""
    n_periods, n_parts, n_lanes = moved.shape[1], sums.shape[1], sums.shape[2]
    for own in range(cuda.grid(1), n_parts * n_lanes, cuda.gridsize(1)):
        part, lane = own // n_lanes, own % n_lanes
        near, product, away = 0.0, 0.0, 0.0
        for place in range(part, state.dual.shape[0] * n_periods, n_parts):
            constraint, period = place // n_periods, place % n_periods
            image = state.dual_image[constraint, period, lane]
            step = np.float64(image - state.dual[constraint, period, lane])
            far = np.float64(image - state.dual_anchor[constraint, period, lane])
            near += step * step
            product += step * np.float64(load_at(model, moved, partial, constraint, period, lane))
            away += far * far
        sums[1, part, lane], sums[2, part, lane], sums[4, part, lane] = near, product, away


def squares_kernel(value: Any, sums: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each (part, lane)."""
    n_periods, n_parts, n_lanes = value.shape[1], sums.shape[1], sums.shape[2]
    for own in range(cuda.grid(1), n_parts * n_lanes, cuda.gridsize(1)):
        part, lane = own // n_lanes, own % n_lanes
        total = 0.0
        for place in range(part, value.shape[0] * n_periods, n_parts):
            each = np.float64(value[place // n_periods, place % n_periods, lane])
            total += each * each
        sums[0, part, lane] = total


def totals_kernel(sums: Any, totals: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each (sum, lane) adds up all parts in order."""
    n_lanes = sums.shape[2]
    for own in range(cuda.grid(1), totals.size, cuda.gridsize(1)):
        index, lane = own // n_lanes, own % n_lanes
        total = 0.0
        for part in range(sums.shape[1]):
            total += sums[index, part, lane]
        totals[index, lane] = total


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    sums, totals = np.zeros((1, 1, 1)), np.zeros((1, 1))
    cases = [CompileCase("first_order_errors", totals_kernel, (sums, totals))]
    for floats in KINDS:
        model, state, value = sample(floats)
        cases += [
            CompileCase("first_order_errors", primal_sums_kernel, (state, value, sums), floats=floats),
            CompileCase("first_order_errors", dual_sums_kernel, (model, state, value, value, sums), floats=floats),
            CompileCase("first_order_squares", squares_kernel, (value, sums), floats=floats),
        ]
    return cases
