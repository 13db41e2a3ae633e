"""Nearest points of the sets that variables of the first-order iteration live in.

A thread ascends along what its variable gains and projects, like `kernels.loops.projection`. `value` comes with what
variables gain and leaves with their images reflected at their points. No further room is needed: pools and sorted
values stand in the arrays that are written, in places whose values have been read.
"""

from __future__ import annotations

from typing import Any

from kernels.cuda.api import cuda
from kernels.cuda.compile_list import CompileCase
from kernels.jitable import jitable


def pool_kernel(model: Any, state: Any, value: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each (variable, lane) whose values never fall over time: adjacent violators are pooled.

    Total and width of each pool stand in image and value at the pool's number, which is never beyond its first period.
    """
    n_lanes, zero, one = value.shape[2], value.dtype.type(0), value.dtype.type(1)
    for column in range(cuda.grid(1), model.n_isotone * n_lanes, cuda.gridsize(1)):
        variable, lane = column // n_lanes, column % n_lanes
        totals, widths = state.primal_image[variable, :, lane], value[variable, :, lane]
        point, upper, n_pools = state.primal[variable, :, lane], model.upper[variable, :, lane], 0
        for period in range(widths.size):
            total, width, first = point[period] + state.primal_step[lane] * widths[period], one, period
            while n_pools > 0:
                level = clipped(total / width, zero, upper[first])
                before = widths[n_pools - 1]
                if clipped(totals[n_pools - 1] / before, zero, upper[first - int(before)]) <= level:
                    break
                n_pools -= 1
                total, width, first = totals[n_pools] + total, before + width, first - int(before)
            totals[n_pools], widths[n_pools] = total, width
            n_pools += 1


def spread_kernel(model: Any, state: Any, value: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each (variable, lane): the level of every pool goes to all its periods, the last pool first."""
    n_lanes, zero = value.shape[2], value.dtype.type(0)
    for column in range(cuda.grid(1), model.n_isotone * n_lanes, cuda.gridsize(1)):
        variable, lane = column // n_lanes, column % n_lanes
        image, reflected = state.primal_image[variable, :, lane], value[variable, :, lane]
        n_pools, end = 0, 0
        while end < image.size:
            end += int(reflected[n_pools])
            n_pools += 1
        first, level = end, zero
        for back in range(image.size):
            period = image.size - 1 - back
            if period < first:
                n_pools -= 1
                first -= int(reflected[n_pools])
                level = clipped(image[n_pools] / reflected[n_pools], zero, model.upper[variable, first, lane])
            image[period] = level
            reflected[period] = level + level - state.primal[variable, period, lane]


def boxed_kernel(model: Any, state: Any, value: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each place [variable, period, lane] of the variables free of each other."""
    n_periods, n_lanes = value.shape[1], value.shape[2]
    n, zero = value.shape[0] - 1 - model.n_isotone, value.dtype.type(0)
    for place in range(cuda.grid(1), n * n_periods * n_lanes, cuda.gridsize(1)):
        lane, period = place % n_lanes, (place // n_lanes) % n_periods
        variable = model.n_isotone + place // (n_lanes * n_periods)
        point = state.primal[variable, period, lane]
        to = point + state.primal_step[lane] * value[variable, period, lane]
        image = clipped(to, zero, model.upper[variable, period, lane])
        state.primal_image[variable, period, lane] = image
        value[variable, period, lane] = image + image - point


def total_kernel(model: Any, state: Any, value: Any, fault: Any) -> None:  # noqa: ARG001
    """One thread for each lane's premium, the last variable, whose sum over time is at most a total."""
    for lane in range(cuda.grid(1), value.shape[2], cuda.gridsize(1)):
        image_total(model.amount[lane], state, value, lane)


@jitable
def clipped(value: Any, zero: Any, most: Any) -> Any:
    """A value between 0 and a bound."""
    return min(max(value, zero), most)


@jitable
def image_total(most: Any, state: Any, value: Any, lane: int) -> None:
    """Non-negative values whose sum over time is at most a total; they are sorted in the image's own places."""
    primal, image, step = state.primal, state.primal_image, state.primal_step[lane]
    variable, zero = primal.shape[0] - 1, primal.dtype.type(0)
    for period in range(primal.shape[1]):
        own, place = max(primal[variable, period, lane] + step * value[variable, period, lane], zero), period
        while place > 0 and image[variable, place - 1, lane] < own:
            image[variable, place, lane] = image[variable, place - 1, lane]
            place -= 1
        image[variable, place, lane] = own
    total, count, cut = zero, zero, zero
    for place in range(primal.shape[1]):
        total += image[variable, place, lane]
        count += primal.dtype.type(1)
        cut = max(cut, (total - most) / count)
    for period in range(primal.shape[1]):
        point = primal[variable, period, lane]
        own = max(max(point + step * value[variable, period, lane], zero) - cut, zero)
        image[variable, period, lane] = own
        value[variable, period, lane] = own + own - point


def compile_cases() -> list[CompileCase]:
    """How the bodies are launched."""
    from kernels.cuda.first_order_rows import KINDS, sample

    cases = []
    for floats in KINDS:
        model, state, value = sample(floats)
        cases += [
            CompileCase("first_order_steps", body, (model, state, value), floats=floats)
            for body in (pool_kernel, spread_kernel, boxed_kernel, total_kernel)
        ]
    return cases
