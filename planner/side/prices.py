"""Prices of the side program's rows: what they add to a standing rack, and to the bound, in exact integers.

Source: section 8a of `docs/model.md`. A price is a whole number of 2^-grid_bits cents for each unit of its row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem, SideProgram


def no_prices(problem: Problem) -> NDArray[np.object_]:
    """[n_side_rows] of nothing."""
    n_rows = 0 if problem.side is None else problem.side.n_rows
    return np.array([0] * n_rows, object)


def group_value(problem: Problem, price: NDArray[np.object_]) -> NDArray[np.object_]:
    """What prices add to a standing rack: [n_groups, n_configurations, n_periods], in the unit of the prices.

    Parameters: price, [n_side_rows] whole multiples of a grid of cents. Empty without a side program.
    """
    side = problem.side
    n_groups = 0 if side is None else side.n_groups
    value = np.zeros((n_groups, problem.n_configurations, problem.n_periods), object)
    if side is None or not side.rack_coefficient.size:
        return value
    each = price.astype(object)[_row_of_entry(side)] * side.rack_coefficient.astype(object)
    place = (side.rack_group_idx, side.rack_configuration_idx, side.rack_period_idx)
    priced = np.flatnonzero(each != 0)
    np.add.at(value, tuple(index[priced] for index in place), each[priced])
    return value


def rack_value(problem: Problem, price: NDArray[np.object_]) -> NDArray[np.object_] | int:
    """The same row by row, [n_rows, n_configurations, n_periods]; 0 without a side program."""
    return 0 if problem.side is None else group_value(problem, price)[problem.side.group_of_row_idx]


def _row_of_entry(side: SideProgram) -> NDArray[np.int64]:
    return np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr))


def excess_worth(
    problem: Problem, price: NDArray[np.object_], limit_price: NDArray[np.object_], grid_bits: int
) -> list[int]:
    """[n_columns] what a unit of each column is worth beyond what prices charge it, in 2^-(grid_bits + 20) cents.

    Parameters: price, [n_side_rows]; limit_price, [n_limits, n_periods] cents for each unit of a limit; both on the
    grid.
    """
    side = problem.side
    if side is None:
        return []
    excess = np.array([worth << grid_bits for worth in side.column_worth], object)
    charge = price.astype(object)[side.term_row_idx] * (side.term_coefficient.astype(object) << SHARE_BITS)
    np.subtract.at(excess, np.repeat(np.arange(side.n_columns), np.diff(side.term_ptr)), charge)
    given = limit_price[side.capacity_limit_idx, side.capacity_period_idx].astype(object)
    given = given * side.capacity_amount.astype(object)
    np.add.at(excess, np.repeat(np.arange(side.n_columns), np.diff(side.capacity_ptr)), given)
    return [int(one) for one in excess]


Held = tuple["NDArray[np.object_]", "NDArray[np.object_]"]
"""[n_columns] least and most that a branch leaves of every column."""


def bound_term(
    problem: Problem,
    price: NDArray[np.object_],
    limit_price: NDArray[np.object_],
    grid_bits: int,
    held: Held | None = None,
) -> int:
    """What rows and columns of the side program and the constant add to the bound, in 2^-(grid_bits + 20) cents.

    Parameters as for `excess_worth`; held, where a branch leaves less of columns than the program does.
    """
    total = problem.constant_cents << (grid_bits + SHARE_BITS)
    if problem.side is None:
        return total
    total += sum(int(each) * right for each, right in zip(price, problem.side.row_right, strict=True)) << SHARE_BITS
    excess = excess_worth(problem, price, limit_price, grid_bits)
    least, most = held or ([0] * problem.side.n_columns, problem.side.column_most)
    return total + sum(max(int(low) * one, int(high) * one) for low, high, one in zip(least, most, excess, strict=True))
