"""Nearest points of the sets that variables of the first-order iteration live in, in every lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.jitable import jitable

if TYPE_CHECKING:
    from numpy.typing import NDArray


@jitable
def project_isotone(
    value: NDArray[np.floating],
    upper: NDArray[np.floating],
    result: NDArray[np.floating],
    pools: NDArray[np.floating],
    first: NDArray[np.int64],
) -> None:
    """The nearest values that never fall over time and lie between 0 and their upper bounds.

    Adjacent violators are pooled; a pool lies at its mean, clipped to 0 and the bound of its first period, which is
    its smallest (Best, Chakravarti, "Active set algorithms for isotonic regression", 1990, for convex terms).
    Parameters: value and upper [n_periods, n_lanes], upper never falling over time; result [n_periods, n_lanes],
    written; pools [3, n_periods] and first [n_periods], room to work in.
    """
    n_periods, n_lanes = result.shape
    total, width, level = pools[0], pools[1], pools[2]
    zero = value.dtype.type(0)
    for lane in range(n_lanes):
        n_pools = 0
        for period in range(n_periods):
            total[n_pools], width[n_pools], first[n_pools] = value[period, lane], 1, period
            level[n_pools] = min(max(total[n_pools], zero), upper[period, lane])
            n_pools += 1
            while n_pools > 1 and level[n_pools - 2] > level[n_pools - 1]:
                n_pools -= 1
                total[n_pools - 1] += total[n_pools]
                width[n_pools - 1] += width[n_pools]
                mean = total[n_pools - 1] / width[n_pools - 1]
                level[n_pools - 1] = min(max(mean, zero), upper[first[n_pools - 1], lane])
        pool = n_pools - 1
        for back in range(n_periods):
            period = n_periods - 1 - back
            result[period, lane] = level[pool]
            if first[pool] == period:
                pool -= 1


@jitable
def project_total(value: NDArray[np.floating], most: NDArray[np.floating], result: NDArray[np.floating]) -> None:
    """The nearest non-negative values whose sum over time is at most a total.

    Parameters: value [n_periods, n_lanes]; most [n_lanes]; result [n_periods, n_lanes], written.
    Source: Held, Wolfe, Crowder, "Validation of subgradient optimization", 1974.
    """
    n_periods, n_lanes = result.shape
    sorted_value = np.empty(n_periods, value.dtype)
    zero = value.dtype.type(0)
    for lane in range(n_lanes):
        for period in range(n_periods):
            own = max(value[period, lane], zero)
            place = period
            while place > 0 and sorted_value[place - 1] < own:
                sorted_value[place] = sorted_value[place - 1]
                place -= 1
            sorted_value[place] = own
        total, count, cut = zero, zero, zero
        for place in range(n_periods):
            total += sorted_value[place]
            count += value.dtype.type(1)
            cut = max(cut, (total - most[lane]) / count)
        for period in range(n_periods):
            result[period, lane] = max(max(value[period, lane], zero) - cut, zero)
