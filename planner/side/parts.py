"""The side program taken apart: columns and rows that hang together, so that each quarter of work is one on its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import ColumnKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import SideProgram


@dataclass(frozen=True)
class Part:
    """Columns and rows that no other column or row touches, numbered from 0 in the order of the whole."""

    column_idx: NDArray[np.int64]
    """[n_columns of the part] of the side program."""
    row_idx: NDArray[np.int64]
    """[n_rows of the part]"""
    worth: tuple[int, ...]
    most: tuple[int, ...]
    kind: tuple[ColumnKind, ...]
    terms: tuple[tuple[tuple[int, int], ...], ...]
    """Of each column: (row of the part, coefficient)."""

    @cached_property
    def columns_of_row(self) -> tuple[tuple[int, ...], ...]:
        """Columns of the part in each row."""
        found: list[list[int]] = [[] for _ in self.row_idx]
        for column, terms in enumerate(self.terms):
            for row, _ in terms:
                found[row].append(column)
        return tuple(tuple(own) for own in found)

    def of_kind(self, kind: ColumnKind) -> tuple[int, ...]:
        """Columns whose values are found in one way."""
        return tuple(column for column, own in enumerate(self.kind) if own == kind)

    @cached_property
    def filled(self) -> tuple[int, ...]:
        """Columns that take what the rows allow."""
        return self.of_kind(ColumnKind.FILLED)

    @cached_property
    def needed(self) -> tuple[int, ...]:
        """Columns that take what the rows ask."""
        return self.of_kind(ColumnKind.NEEDED)

    @cached_property
    def chosen(self) -> tuple[int, ...]:
        """Columns of the linear program."""
        return self.of_kind(ColumnKind.CHOSEN)

    @cached_property
    def switches(self) -> tuple[int, ...]:
        """Columns that are 0 or 1."""
        return self.of_kind(ColumnKind.SWITCH)

    def around(self, column: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """What a column changes: columns filled and needed in its rows and in theirs, and all these rows."""
        if column not in self._around:
            filled = self._neighbours((column,), ColumnKind.FILLED)
            needed = self._neighbours((column, *filled), ColumnKind.NEEDED)
            rows = {row for one in (column, *filled, *needed) for row, _ in self.terms[one]}
            self._around[column] = (filled, needed, tuple(sorted(rows)))
        return self._around[column]

    @cached_property
    def _around(self) -> dict[int, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
        return {}

    def _neighbours(self, columns: Sequence[int], kind: ColumnKind) -> tuple[int, ...]:
        """Columns of a kind in any row of these columns, in their order."""
        rows = {row for column in columns for row, _ in self.terms[column]}
        found = {other for row in rows for other in self.columns_of_row[row] if self.kind[other] == kind}
        return tuple(sorted(found))


def parts_of(side: SideProgram) -> tuple[Part, ...]:
    """All parts, in order of their first columns; a row without a column is in none."""
    column_idx = np.repeat(np.arange(side.n_columns), np.diff(side.term_ptr))
    label = _labels(side, column_idx)
    row_label = np.full(side.n_rows, -1, np.int64)
    row_label[side.term_row_idx] = label[column_idx]
    columns, rows = _members(label, side.n_columns), _members(row_label, side.n_columns)
    return tuple(_part(side, columns[one], rows[one]) for one in np.unique(label).tolist())


def _labels(side: SideProgram, column_idx: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n_columns] the first column of each one's part: the least label spreads over rows until nothing changes."""
    label = np.arange(side.n_columns)
    while True:
        of_row = np.full(side.n_rows, side.n_columns)
        np.minimum.at(of_row, side.term_row_idx, label[column_idx])
        lower = label.copy()
        np.minimum.at(lower, column_idx, of_row[side.term_row_idx])
        if (lower == label).all():
            return label
        label = lower


def _members(label: NDArray[np.int64], n_labels: int) -> list[NDArray[np.int64]]:
    order = np.argsort(label, kind="stable")
    ptr = np.searchsorted(label[order], np.arange(n_labels + 1))
    return [order[ptr[one] : ptr[one + 1]] for one in range(n_labels)]


def _part(side: SideProgram, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> Part:
    place = {int(row): number for number, row in enumerate(rows)}
    terms = []
    for column in columns:
        entries = slice(side.term_ptr[column], side.term_ptr[column + 1])
        own = zip(side.term_row_idx[entries].tolist(), side.term_coefficient[entries].tolist(), strict=True)
        terms.append(tuple((place[row], coefficient) for row, coefficient in own))
    return Part(
        column_idx=columns,
        row_idx=rows,
        worth=tuple(side.column_worth[column] for column in columns),
        most=tuple(side.column_most[column] for column in columns),
        kind=tuple(side.column_kind[column] for column in columns),
        terms=tuple(terms),
    )
