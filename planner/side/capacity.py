"""Limits to whose capacity the side program may add.

Such a limit binds all its rows together at a capacity that no row knows alone. So the points of a row keep it at its
most, and it counts as a limit over several blocks wherever its rows lie (model, section 8a).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem


def growing_limits(problem: Problem) -> NDArray[np.bool_]:
    """[n_limits] whether some column adds to the limit's capacity."""
    grows = np.zeros(problem.n_limits, np.bool_)
    if problem.side is not None:
        grows[problem.side.capacity_limit_idx] = True
    return grows


def most_capacity(problem: Problem) -> NDArray[np.int64]:
    """[n_limits, n_periods] capacities with every column that adds to them at its most, scaled by 2^20.

    Raises ValueError where a capacity grows beyond 2^62, which no limit may.
    """
    side = problem.side
    if side is None or not side.capacity_amount.size:
        return problem.capacity
    capacity = problem.capacity.astype(object)
    column = np.repeat(np.arange(side.n_columns), np.diff(side.capacity_ptr))
    for one, limit, period, amount in zip(
        column, side.capacity_limit_idx, side.capacity_period_idx, side.capacity_amount, strict=True
    ):
        if problem.capacity[limit, period] != INACTIVE:
            capacity[limit, period] += side.column_most[one] * max(int(amount), 0)
    for limit, period in np.argwhere((capacity >= int(INACTIVE)) & (problem.capacity != INACTIVE)):
        msg = (
            f"{problem.limits[limit].name} grows to {capacity[limit, period]} / 2^20 by what is decided beside racks; "
            "no capacity may pass 2^62 / 2^20"
        )
        raise ValueError(msg)
    return capacity.astype(np.int64)
