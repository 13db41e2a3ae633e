"""Rounded prices of the side program moved a little, so that its columns earn nothing beyond what they are charged.

Any prices prove a bound (section 8a of `docs/model.md`), but a column worth a hair more than its charge counts with
its `most`, which may be far more than racks can ever do. So the price of a rack-hour rises to what the best work of
that hour earns, and the price of a minimum falls to what missing it costs: their closed forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS, ColumnKind
from planner.side.prices import excess_worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem, SideProgram


def repaired(
    problem: Problem,
    price: NDArray[np.object_],
    limit_price: NDArray[np.object_],
    grid_bits: int,
    racks: NDArray[np.float64],
    free: NDArray[np.bool_] | None = None,
) -> NDArray[np.object_]:
    """Prices at which no `needed` column earns anything of its own, nor a `chosen` one where that costs less.

    Parameters: price, [n_side_rows]; limit_price, [n_limits, n_periods]; whole multiples of 2^-grid_bits cents; racks,
    [n_rows, n_configurations, n_periods] about as many as will stand; free, [n_columns] which a branch leaves as the
    program has them: the others are left as they are.
    """
    side = problem.side
    if side is None:
        return price
    price = price.copy()
    excess = excess_worth(problem, price, limit_price, grid_bits)
    asking, drawn = (
        {column: place for column, place in rows.items() if free is None or free[column]}
        for rows in (_asking_rows(side), _rows_of_racks(side))
    )
    for row, (step, _) in _steps(side, ColumnKind.NEEDED, excess, asking).items():
        price[row] = max(price[row] - step, 0)
    excess, room = excess_worth(problem, price, limit_price, grid_bits), _room(side, racks)
    for row, (step, most) in _steps(side, ColumnKind.CHOSEN, excess, drawn).items():
        if float(step << SHARE_BITS) * max(room[row], 0.0) <= float(most):
            price[row] += step
    return price


def _steps(
    side: SideProgram, kind: ColumnKind, excess: list[int], row_of_column: dict[int, tuple[int, int]]
) -> dict[int, tuple[int, int]]:
    """By row: what the dearest of its columns of a kind asks of its price, and what all of them add to the bound.

    Parameters: excess, of each column in 2^-20 of the grid; row_of_column, the row and coefficient whose price settles
    what a column earns.
    """
    steps: dict[int, tuple[int, int]] = {}
    for column, (row, coefficient) in row_of_column.items():
        if side.column_kind[column] is kind and excess[column] > 0:
            step = -(-excess[column] // (abs(coefficient) << SHARE_BITS))
            dearest, total = steps.get(row, (0, 0))
            steps[row] = (max(dearest, step), total + side.column_most[column] * excess[column])
    return steps


def _room(side: SideProgram, racks: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n_side_rows] right-hand sides with what racks add."""
    of_group = np.zeros((side.n_groups, *racks.shape[1:]))
    np.add.at(of_group, side.group_of_row_idx, racks)
    given = of_group[side.rack_group_idx, side.rack_configuration_idx, side.rack_period_idx] * side.rack_coefficient
    room = np.array([float(one) for one in side.row_right])
    np.add.at(room, np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr)), given)
    return room


def _asking_rows(side: SideProgram) -> dict[int, tuple[int, int]]:
    """Of every column, the first row that it fills up, and by how much a unit does."""
    return _first_rows(side, np.flatnonzero(side.term_coefficient < 0))


def _rows_of_racks(side: SideProgram) -> dict[int, tuple[int, int]]:
    """Of every column, the first row that it draws on and racks only ever add to; else the first that racks touch."""
    racks = np.diff(side.rack_ptr) > 0
    taken = np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr))[side.rack_coefficient < 0]
    only_added = racks.copy()
    only_added[taken] = False
    drawn = side.term_coefficient > 0
    either = _first_rows(side, np.flatnonzero(drawn & racks[side.term_row_idx]))
    return either | _first_rows(side, np.flatnonzero(drawn & only_added[side.term_row_idx]))


def _first_rows(side: SideProgram, terms: NDArray[np.int64]) -> dict[int, tuple[int, int]]:
    column = np.repeat(np.arange(side.n_columns), np.diff(side.term_ptr))
    found: dict[int, tuple[int, int]] = {}
    for term in terms:
        found.setdefault(int(column[term]), (int(side.term_row_idx[term]), int(side.term_coefficient[term])))
    return found
