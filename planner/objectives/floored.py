"""A problem that asks for so much of a measure and pays dearly for what is short: a help for the search alone.

What is proven of plans rests on weights (section 7b of `docs/model.md`); this only finds plans between those that
weights find, which lie within the front and are best under no weights.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.side_builder import SideBuilder
from planner.problem import SHARE_BITS, ColumnKind
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
    builder = _builder(problem)
    row = builder.row(f"floor:{NAME}", -wanted, _counted(builder, measure))
    for column, worth in enumerate(measure.column_worth):
        if worth:
            builder.term(column, row, -1)
    short = builder.column(f"short:{NAME}", -price_cents << SHARE_BITS, max(0, wanted), ColumnKind.NEEDED)
    builder.term(short, row, -1)
    return replace(problem, side=builder.build())


def _builder(problem: Problem) -> SideBuilder:
    """Holds the problem's side program; without one nothing, its groups the sites of the rows."""
    if problem.side is not None:
        return SideBuilder.resumed(problem.side)
    sites = [name.partition(":")[0] for name in problem.row_names]
    names = tuple(dict.fromkeys(sites))
    return SideBuilder(names, np.array([names.index(site) for site in sites], np.int32))


def _counted(builder: SideBuilder, measure: Coefficients) -> list[tuple[int, int, int, int]]:
    """Group, configuration, period and number of racks that count; every row of a group counts them alike."""
    groups = range(len(builder.group_names))
    first_rows = [int(np.flatnonzero(builder.group_of_row_idx == group)[0]) for group in groups]
    values = measure.period_value[first_rows]
    places = zip(*(index.tolist() for index in np.nonzero(values)), strict=True)
    return [(group, k, t, int(values[group, k, t])) for group, k, t in places]
