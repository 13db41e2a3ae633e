"""A problem that asks for so much of a measure and pays dearly for what is short: a help for the search alone.

What is proven of plans rests on weights (section 7b of `docs/model.md`); this only finds plans between those that
weights find, which lie within the front and are best under no weights.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS, ColumnKind, SideProgram
from sites.schema.objective import Kind

if TYPE_CHECKING:
    from fractions import Fraction

    from planner.objectives.coefficients import Coefficients
    from planner.problem import Problem

NAME = "objective"
_NOT_LINEAR = frozenset({Kind.NPV, Kind.COST})


def can_be_floored(kind: Kind) -> bool:
    """Whether standing racks and decisions alone make up a measure, so that a row can count it."""
    return kind not in _NOT_LINEAR


def floored(problem: Problem, measure: Coefficients, least: Fraction, price_cents: int) -> Problem:
    """The problem with one row more: at least so much of a measure, or each whole number short costs a price.

    Parameters: problem, of any worth; measure, one that can be floored; least, in its unit; price_cents, for each
    whole number of its coefficients.
    """
    wanted = ceil(least / measure.per_unit)
    side = problem.side or _empty(problem)
    row = side.n_rows
    group, configuration, period, number = _counted(side, measure)
    sold = [column for column, worth in enumerate(measure.column_worth) if worth]
    return replace(
        problem, side=_with_row(side, row, -wanted, (group, configuration, period, number), sold, price_cents)
    )


def _empty(problem: Problem) -> SideProgram:
    """A side program in which nothing is decided, its groups the sites of the rows."""
    sites = [name.partition(":")[0] for name in problem.row_names]
    names = tuple(dict.fromkeys(sites))
    none = np.zeros(0, np.int32)
    long, start = np.zeros(0, np.int64), np.zeros(1, np.int64)
    return SideProgram(
        group_names=names,
        group_of_row_idx=np.array([names.index(site) for site in sites], np.int32),
        row_names=(),
        row_right=(),
        rack_ptr=start,
        rack_group_idx=none,
        rack_configuration_idx=none,
        rack_period_idx=none,
        rack_coefficient=long,
        column_names=(),
        column_worth=(),
        column_most=(),
        column_kind=(),
        term_ptr=start,
        term_row_idx=none,
        term_coefficient=long,
        capacity_ptr=start,
        capacity_limit_idx=none,
        capacity_period_idx=none,
        capacity_amount=long,
    )


def _counted(side: SideProgram, measure: Coefficients) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Group, configuration, period and number of racks that count; every row of a group counts them alike."""
    first_rows = [int(np.flatnonzero(side.group_of_row_idx == group)[0]) for group in range(side.n_groups)]
    values = measure.period_value[first_rows]
    group, configuration, period = np.nonzero(values)
    return group, configuration, period, values[group, configuration, period]


def _with_row(
    side: SideProgram,
    row: int,
    right: int,
    racks: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    sold: list[int],
    price_cents: int,
) -> SideProgram:
    group, configuration, period, number = racks
    term_row, term_coefficient, term_ptr = _with_terms(side, row, sold)
    return replace(
        side,
        row_names=(*side.row_names, f"floor:{NAME}"),
        row_right=(*side.row_right, right),
        rack_ptr=np.append(side.rack_ptr, side.rack_ptr[-1] + number.size),
        rack_group_idx=np.append(side.rack_group_idx, group).astype(np.int32),
        rack_configuration_idx=np.append(side.rack_configuration_idx, configuration).astype(np.int32),
        rack_period_idx=np.append(side.rack_period_idx, period).astype(np.int32),
        rack_coefficient=np.append(side.rack_coefficient, number).astype(np.int64),
        column_names=(*side.column_names, f"short:{NAME}"),
        column_worth=(*side.column_worth, -price_cents << SHARE_BITS),
        column_most=(*side.column_most, max(0, -right)),
        column_kind=(*side.column_kind, ColumnKind.NEEDED),
        term_ptr=term_ptr,
        term_row_idx=term_row,
        term_coefficient=term_coefficient,
        capacity_ptr=np.append(side.capacity_ptr, side.capacity_ptr[-1]),
    )


def _with_terms(side: SideProgram, row: int, sold: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Terms of every column, with −1 in the row for each that counts and for what is short, the last column."""
    counts = set(sold)
    rows: list[list[int]] = []
    numbers: list[list[int]] = []
    for column in range(side.n_columns):
        own = slice(int(side.term_ptr[column]), int(side.term_ptr[column + 1]))
        rows.append([*side.term_row_idx[own].tolist(), *([row] if column in counts else [])])
        numbers.append([*side.term_coefficient[own].tolist(), *([-1] if column in counts else [])])
    rows.append([row])
    numbers.append([-1])
    ptr = np.cumsum([0, *(len(one) for one in rows)], dtype=np.int64)
    return (
        np.array([each for one in rows for each in one], np.int32),
        np.array([each for one in numbers for each in one], np.int64),
        ptr,
    )
