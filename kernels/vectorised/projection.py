"""Nearest points of the sets that variables of the first-order iteration live in, in all lanes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def project_isotone(value: NDArray[np.floating], upper: NDArray[np.floating]) -> NDArray[np.floating]:
    """The nearest values that never fall over time and lie between 0 and their upper bounds, as in the loops.

    Every sequence has a stack of pools; one pass pools the last two of all that violate.
    Parameters: value and upper [n, n_periods, n_lanes].
    """
    n_periods = value.shape[1]
    by_time = np.ascontiguousarray(np.moveaxis(value, 1, 0)).reshape(n_periods, -1)
    bound = np.ascontiguousarray(np.moveaxis(upper, 1, 0)).reshape(n_periods, -1)
    total, width, level = np.empty_like(by_time), np.ones_like(by_time), np.empty_like(by_time)
    first = np.zeros(by_time.shape, np.int64)
    last_pool = np.full(by_time.shape[1], -1)
    everyone = np.arange(by_time.shape[1])
    for period in range(n_periods):
        last_pool += 1
        total[last_pool, everyone] = by_time[period]
        width[last_pool, everyone] = 1
        first[last_pool, everyone] = period
        level[last_pool, everyone] = np.minimum(np.maximum(by_time[period], 0), bound[period])
        active = everyone
        while active.size:
            pool = last_pool[active]
            falls = (pool > 0) & (level[pool - 1, active] > level[pool, active])
            active, pool = active[falls], pool[falls] - 1
            last_pool[active] = pool
            total[pool, active] += total[pool + 1, active]
            width[pool, active] += width[pool + 1, active]
            mean = total[pool, active] / width[pool, active]
            level[pool, active] = np.minimum(np.maximum(mean, 0), bound[first[pool, active], active])
    result = np.empty_like(by_time)
    for period in reversed(range(n_periods)):
        result[period] = level[last_pool, everyone]
        last_pool -= first[last_pool, everyone] == period
    return np.moveaxis(result.reshape(n_periods, value.shape[0], value.shape[2]), 0, 1)


def project_total(value: NDArray[np.floating], most: NDArray[np.floating]) -> NDArray[np.floating]:
    """The nearest non-negative values whose sum over time is at most a total, as in the loops.

    Parameters: value [n_periods, n_lanes]; most [n_lanes].
    """
    own = np.maximum(value, 0)
    cut, total = np.zeros_like(most), np.zeros_like(most)
    for count, each in enumerate(-np.sort(-own, axis=0), start=1):
        total = total + each
        cut = np.maximum(cut, (total - most) / value.dtype.type(count))
    result: NDArray[np.floating] = np.maximum(own - cut, 0)
    return result
