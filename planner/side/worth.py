"""Whether decisions beside the racks keep their rows, and what they are worth: in whole numbers (model, section 7a)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem, SideProgram

_SAFE = 2.0**61
"""Sums of magnitudes below this are formed in 64 bits; beyond, in Python's integers."""


def rack_rights(side: SideProgram, n_racks: NDArray[np.integer[Any]]) -> list[int]:
    """[n_side_rows] right-hand sides with what the standing racks add.

    Parameters: n_racks, [n_rows, n_configurations, n_periods].
    """
    counts = group_counts(side, n_racks)
    place = (side.rack_group_idx, side.rack_configuration_idx, side.rack_period_idx)
    row_idx = np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr))
    added = _sums(side.rack_coefficient, counts[place], row_idx, side.n_rows)
    return [right + more for right, more in zip(side.row_right, added, strict=True)]


def group_counts(side: SideProgram, n_racks: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """[n_groups, n_configurations, n_periods] standing racks of each group.

    Parameters: n_racks, [n_rows, n_configurations, n_periods].
    """
    of_group = [side.group_of_row_idx == group for group in range(side.n_groups)]
    return np.array([n_racks[own].sum(axis=0, dtype=np.int64) for own in of_group]).reshape(-1, *n_racks.shape[1:])


def row_loads(side: SideProgram, decisions: Sequence[int]) -> list[int]:
    """[n_side_rows] Σ coefficient · v.

    Parameters: decisions, v of every column.
    """
    column_idx = np.repeat(np.arange(side.n_columns), np.diff(side.term_ptr))
    value = np.array(decisions, object)[column_idx]
    return _sums(side.term_coefficient, value, side.term_row_idx, side.n_rows)


def rows_hold(side: SideProgram, n_racks: NDArray[np.integer[Any]], decisions: Sequence[int]) -> bool:
    """Whether 0 ≤ v ≤ most and every row hold.

    Parameters: n_racks, [n_rows, n_configurations, n_periods]; decisions, v of every column.
    """
    boxed = all(0 <= v <= most for v, most in zip(decisions, side.column_most, strict=True))
    rows = zip(row_loads(side, decisions), rack_rights(side, n_racks), strict=True)
    return boxed and all(load <= right for load, right in rows)


def worth_cents(side: SideProgram, decisions: Sequence[int]) -> int:
    """What decisions earn, discounted, rounded down once.

    Parameters: decisions, v of every column.
    """
    return sum(worth * v for worth, v in zip(side.column_worth, decisions, strict=True) if v) >> SHARE_BITS


def added_capacity(problem: Problem, decisions: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(limit, period, amount) that decisions add to capacities, scaled by 2^20; several may fall on one place.

    Parameters: decisions, v of every column.
    """
    side = problem.side
    if side is None:
        return
    for column in np.flatnonzero(np.diff(side.capacity_ptr)).tolist():
        v = decisions[column]
        for entry in range(side.capacity_ptr[column], side.capacity_ptr[column + 1]) if v else ():
            yield (
                int(side.capacity_limit_idx[entry]),
                int(side.capacity_period_idx[entry]),
                int(side.capacity_amount[entry]) * v,
            )


def raised_capacity(problem: Problem, decisions: Sequence[int]) -> NDArray[np.int64]:
    """[n_limits, n_periods] capacities with what decisions add, scaled by 2^20; inactive ones stay inactive.

    Parameters: decisions, v of every column.
    """
    if problem.side is None or not problem.side.capacity_amount.size:
        return problem.capacity
    capacity = problem.capacity.copy()
    for limit, period, amount in added_capacity(problem, decisions):
        if problem.capacity[limit, period] != INACTIVE:
            capacity[limit, period] = min(int(capacity[limit, period]) + amount, int(INACTIVE) - 1)
    return capacity


def with_decided_capacity(problem: Problem, decisions: Mapping[str, int]) -> Problem:
    """The problem at the capacities that decisions make of its own.

    Parameters: decisions, by name of column; one that is not named is 0.
    """
    if problem.side is None or not problem.side.capacity_amount.size:
        return problem
    values = [decisions.get(name, 0) for name in problem.side.column_names]
    return replace(problem, capacity=raised_capacity(problem, values))


def _sums(
    coefficient: NDArray[np.int64], value: NDArray[Any], group: NDArray[np.integer[Any]], n_groups: int
) -> list[int]:
    """Σ coefficient · value of each group, exact."""
    sizes = np.abs(coefficient.astype(np.float64) * value.astype(np.float64))
    is_safe = (np.bincount(group, weights=sizes, minlength=n_groups) < _SAFE).all()
    whole: type = np.int64 if is_safe else object
    total: NDArray[Any] = np.zeros(n_groups, whole)
    np.add.at(total, group, coefficient.astype(whole) * value.astype(whole))
    return [int(one) for one in total.tolist()]
