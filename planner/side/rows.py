"""The side program's rows and columns for linear programs, scaled so that a step of every column is of like size.

A unit of work may be a billion times smaller than a rack-hour, and money comes in cents. So rows that racks give
something to are counted in what the most generous rack gives, columns in what fills such a row, and so on along the
terms. Scales are powers of two: dividing by them loses no digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS, ColumnKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import SideProgram

_UNBOUNDED = 1e12
"""Scaled upper bounds beyond this are left out of a linear program."""


@dataclass(frozen=True)
class SideTerms:
    """Maximise worth·x over 0 ≤ x ≤ most, Σ term·x ≤ right + Σ rack·n for every row, all scaled."""

    row_scale: NDArray[np.float64]
    """[n_side_rows] units of the row in one of the scaled row."""
    column_scale: NDArray[np.float64]
    """[n_columns] units of the column in one of the scaled column."""
    right: NDArray[np.float64]
    """[n_side_rows]"""
    worth_cents: NDArray[np.float64]
    """[n_columns] cents for one of the scaled column."""
    most: NDArray[np.float64]
    """[n_columns] without end where more is never worth anything, so that prices of rows say all."""
    is_whole: NDArray[np.bool_]
    """[n_columns] switches: programs that can should keep them whole."""
    term_row_idx: NDArray[np.int64]
    term_column_idx: NDArray[np.int64]
    term: NDArray[np.float64]
    rack_row_idx: NDArray[np.int64]
    rack_group_idx: NDArray[np.int64]
    rack_configuration_idx: NDArray[np.int64]
    rack_period_idx: NDArray[np.int64]
    rack: NDArray[np.float64]
    capacity_column_idx: NDArray[np.int64]
    capacity_limit_idx: NDArray[np.int64]
    capacity_period_idx: NDArray[np.int64]
    capacity: NDArray[np.float64]
    """What one of the scaled column adds to the limit's capacity, which is scaled by 2^20."""

    def price_cents(self, dual_cents: NDArray[np.float64]) -> NDArray[np.float64]:
        """[n_side_rows] cents for each unit of a row, from cents for each of the scaled row."""
        return dual_cents / self.row_scale

    def value(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """[n_columns] units of every column from its scaled value."""
        return scaled * self.column_scale


def side_terms(side: SideProgram) -> SideTerms:
    """Scale a side program.

    Parameters: side, exact.
    """
    term_column = np.repeat(np.arange(side.n_columns), np.diff(side.term_ptr))
    term_row = side.term_row_idx.astype(np.int64)
    size = np.abs(side.term_coefficient.astype(np.float64))
    rack_row = np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr))
    of_racks = np.abs(side.rack_coefficient.astype(np.float64))
    row_scale, column_scale = _scales(side, (term_row, term_column, size), (rack_row, of_racks))
    capacity_column = np.repeat(np.arange(side.n_columns), np.diff(side.capacity_ptr))
    most = np.array([float(one) for one in side.column_most]) / column_scale
    most[idle_beyond_most(side) | (most > _UNBOUNDED)] = np.inf
    return SideTerms(
        row_scale=row_scale,
        column_scale=column_scale,
        right=np.array([float(one) for one in side.row_right]) / row_scale,
        worth_cents=np.array([float(one) for one in side.column_worth]) / 2.0**SHARE_BITS * column_scale,
        most=most,
        is_whole=np.array([kind is ColumnKind.SWITCH for kind in side.column_kind], np.bool_),
        term_row_idx=term_row,
        term_column_idx=term_column,
        term=side.term_coefficient * column_scale[term_column] / row_scale[term_row],
        rack_row_idx=rack_row,
        rack_group_idx=side.rack_group_idx.astype(np.int64),
        rack_configuration_idx=side.rack_configuration_idx.astype(np.int64),
        rack_period_idx=side.rack_period_idx.astype(np.int64),
        rack=side.rack_coefficient / row_scale[rack_row],
        capacity_column_idx=capacity_column,
        capacity_limit_idx=side.capacity_limit_idx.astype(np.int64),
        capacity_period_idx=side.capacity_period_idx.astype(np.int64),
        capacity=side.capacity_amount * column_scale[capacity_column],
    )


def _scales(
    side: SideProgram,
    terms: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    racks: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scales of rows and columns, from racks outwards; where no rack is near, a column's most is one of it.

    Parameters: terms, (row, column, size); racks, (row, size).
    """
    term_row, term_column, size = terms
    row, column = np.zeros(side.n_rows), np.zeros(side.n_columns)
    np.maximum.at(row, *racks)
    while True:
        before = int((row == 0).sum() + (column == 0).sum())
        room = np.full(side.n_columns, np.inf)
        known = (row[term_row] > 0) & (size > 0)
        np.minimum.at(room, term_column[known], row[term_row[known]] / size[known])
        column = np.where((column == 0) & np.isfinite(room), room, column)
        step = np.zeros(side.n_rows)
        np.maximum.at(step, term_row, size * column[term_column])
        row = np.where(row == 0, step, row)
        if int((row == 0).sum() + (column == 0).sum()) != before:
            continue
        rest = np.flatnonzero(column == 0)
        if not rest.size:
            break
        column[rest[0]] = max(float(side.column_most[rest[0]]), 1.0)
    return _power_of_two(row), _power_of_two(column)


def _power_of_two(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest from below, 1 at the least."""
    result: NDArray[np.float64] = 2.0 ** np.floor(np.log2(np.maximum(value, 1.0)))
    return result


def idle_beyond_most(side: SideProgram) -> NDArray[np.bool_]:
    """[n_columns] whether a column earns nothing itself, and at its most helps its rows as far as they can ask.

    An upper bound of such a column changes no program's value, but would take up what its rows' prices should say.
    """
    column = np.repeat(np.arange(side.n_columns), np.diff(side.term_ptr))
    asked = [-one for one in side.row_right]
    for row, own, each in zip(side.term_row_idx, column, side.term_coefficient, strict=True):
        asked[row] += max(int(each), 0) * side.column_most[own]
    taken = np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr))[side.rack_coefficient < 0]
    idle: NDArray[np.bool_] = np.array([worth <= 0 for worth in side.column_worth], np.bool_)
    idle &= np.diff(side.capacity_ptr) == 0
    is_bounded = np.ones(side.n_rows, np.bool_)
    is_bounded[taken] = False
    for row, own, each in zip(side.term_row_idx, column, side.term_coefficient, strict=True):
        if each < 0 and not (is_bounded[row] and -int(each) * side.column_most[own] >= asked[row]):
            idle[own] = False
    return idle
