"""What is decided beside the racks, as columns and rows of the program that mixes block paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS
from planner.solve.formulation import MONEY_CENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import SideProgram
    from planner.side.rows import SideTerms

Triples = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]
"""(row, column, factor) of a matrix."""


@dataclass(frozen=True)
class SideBlock:
    """Columns and rows that come after those of a program; all empty without a side program."""

    gain: NDArray[np.float64]
    most: NDArray[np.float64]
    is_whole: NDArray[np.bool_]
    upper: NDArray[np.float64]
    """[n_side_rows] of the new rows."""
    triples: Triples


def racks_add(side: SideProgram, terms: SideTerms, group: int, standing: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n_side_rows] what racks add to the scaled rows.

    Parameters: group of the racks; standing, [n_configurations, n_periods] of them.
    """
    own = np.flatnonzero(terms.rack_group_idx == group)
    counts = standing[terms.rack_configuration_idx[own], terms.rack_period_idx[own]]
    weights = (terms.rack[own] * counts).astype(np.float64)
    added: NDArray[np.float64] = np.bincount(terms.rack_row_idx[own], weights, side.n_rows).astype(np.float64)
    return added


def side_block(
    terms: SideTerms | None,
    paths: NDArray[np.float64],
    shape: tuple[int, int],
    limits: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> SideBlock:
    """Put the side program behind a program of paths.

    Parameters: paths, [n_paths, n_side_rows] what each adds to the scaled rows, in the first columns; shape, rows and
    columns so far; limits, (limit, period, scale) of the first rows, in units of the limit.
    """
    if terms is None:
        none, no_place = np.zeros(0), np.zeros(0, np.int64)
        return SideBlock(none, none, np.zeros(0, np.bool_), none, (no_place, no_place, none))
    first_row, first_column = shape
    path, row = np.nonzero(paths)
    added = _added(terms, first_column, limits)
    triples = (
        np.concatenate((terms.term_row_idx + first_row, row + first_row, added[0])),
        np.concatenate((terms.term_column_idx + first_column, path, added[1])),
        np.concatenate((terms.term, -paths[path, row], added[2])),
    )
    return SideBlock(terms.worth_cents / MONEY_CENTS, terms.most, terms.is_whole, terms.right, triples)


def _added(
    terms: SideTerms, first_column: int, limits: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
) -> Triples:
    """What columns add to capacities, taken from the load."""
    row_of = {place: row for row, place in enumerate(zip(limits[0].tolist(), limits[1].tolist(), strict=True))}
    places = zip(terms.capacity_limit_idx.tolist(), terms.capacity_period_idx.tolist(), strict=True)
    rows = np.array([row_of.get(place, -1) for place in places], np.int64)
    kept = np.flatnonzero(rows >= 0)
    factor = -terms.capacity[kept] / 2.0**SHARE_BITS / limits[2][rows[kept]]
    return rows[kept], terms.capacity_column_idx[kept] + first_column, factor
