"""Puts a side program together, row by row and column by column (section 7a of `docs/model.md`)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import ColumnKind, SideProgram

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


class SideBuilder:
    """Rows and columns by name; whatever is empty in the end was never added by its clause."""

    def __init__(self, group_names: tuple[str, ...], group_of_row_idx: NDArray[np.int32]) -> None:
        """Begin with nothing.

        Parameters: group_names, sites in order of the portfolio; group_of_row_idx, [n_rows] of the problem.
        """
        self.group_names, self.group_of_row_idx = group_names, group_of_row_idx
        self.row_idx: dict[str, int] = {}
        self._right: list[int] = []
        self._racks: list[list[tuple[int, int, int, int]]] = []
        self.column_idx: dict[str, int] = {}
        self._columns: list[tuple[int, int, ColumnKind]] = []
        self._terms: list[list[tuple[int, int]]] = []
        self._capacity: list[list[tuple[int, int, int]]] = []

    @classmethod
    def resumed(cls, side: SideProgram) -> SideBuilder:
        """A builder that holds a program already, to which rows and columns are added."""
        builder = cls(side.group_names, side.group_of_row_idx)
        racks = (side.rack_group_idx, side.rack_configuration_idx, side.rack_period_idx, side.rack_coefficient)
        entries = _unpacked(side.rack_ptr, racks)
        for name, right, own in zip(side.row_names, side.row_right, entries, strict=True):
            builder.row(name, right, [(g, k, t, number) for g, k, t, number in own])
        figures = zip(side.column_names, side.column_worth, side.column_most, side.column_kind, strict=True)
        for name, worth_scaled, most, kind in figures:
            builder.column(name, worth_scaled, most, kind)
        for column, own in enumerate(_unpacked(side.term_ptr, (side.term_row_idx, side.term_coefficient))):
            for row, coefficient in own:
                builder.term(column, row, coefficient)
        capacity = (side.capacity_limit_idx, side.capacity_period_idx, side.capacity_amount)
        for column, own in enumerate(_unpacked(side.capacity_ptr, capacity)):
            for limit, period, amount in own:
                builder.capacity(column, limit, period, amount)
        return builder

    def row(self, name: str, right: int = 0, racks: Iterable[tuple[int, int, int, int]] = ()) -> int:
        """Add a row and return its number.

        Parameters: racks, (group, configuration, period, coefficient) of what standing racks add to the right-hand
        side. Raises ValueError where the name is taken.
        """
        number = _claim(self.row_idx, name)
        self._right.append(right)
        self._racks.append([entry for entry in racks if entry[3]])
        return number

    def column(self, name: str, worth_scaled: int, most: int, kind: ColumnKind) -> int:
        """Add a column and return its number.

        Parameters: worth_scaled, cents of a unit, discounted, scaled by 2^20. Raises ValueError where the name is
        taken.
        """
        number = _claim(self.column_idx, name)
        self._columns.append((worth_scaled, most, kind))
        self._terms.append([])
        self._capacity.append([])
        return number

    def term(self, column: int, row: int, coefficient: int) -> None:
        """Say what a unit of a column takes of a row's right-hand side."""
        self._terms[column].append((row, coefficient))

    def capacity(self, column: int, limit: int, period: int, amount: int) -> None:
        """Say what a unit of a column adds to the capacity of a joint limit, scaled by 2^20."""
        self._capacity[column].append((limit, period, amount))

    def build(self) -> SideProgram | None:
        """The program; None where it has no column."""
        if not self._columns:
            return None
        rack_ptr, racks = _packed(self._racks, 4)
        term_ptr, terms = _packed(self._terms, 2)
        capacity_ptr, capacity = _packed(self._capacity, 3)
        worth, most, kind = zip(*self._columns, strict=True)
        return SideProgram(
            group_names=self.group_names,
            group_of_row_idx=self.group_of_row_idx,
            row_names=tuple(self.row_idx),
            row_right=tuple(self._right),
            rack_ptr=rack_ptr,
            rack_group_idx=racks[0].astype(np.int32),
            rack_configuration_idx=racks[1].astype(np.int32),
            rack_period_idx=racks[2].astype(np.int32),
            rack_coefficient=racks[3],
            column_names=tuple(self.column_idx),
            column_worth=worth,
            column_most=most,
            column_kind=kind,
            term_ptr=term_ptr,
            term_row_idx=terms[0].astype(np.int32),
            term_coefficient=terms[1],
            capacity_ptr=capacity_ptr,
            capacity_limit_idx=capacity[0].astype(np.int32),
            capacity_period_idx=capacity[1].astype(np.int32),
            capacity_amount=capacity[2],
        )


def _claim(numbers: dict[str, int], name: str) -> int:
    if name in numbers:
        msg = f"'{name}' stands in the side program already"
        raise ValueError(msg)
    numbers[name] = len(numbers)
    return numbers[name]


def _packed(
    lists: Sequence[Sequence[tuple[int, ...]]], width: int
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """Offsets of each list, and its entries laid end to end, field by field."""
    ptr = np.cumsum([0, *(len(one) for one in lists)], dtype=np.int64)
    flat = np.array([entry for one in lists for entry in one], np.int64).reshape(-1, width)
    return ptr, [np.ascontiguousarray(flat[:, field]) for field in range(width)]


def _unpacked(ptr: NDArray[np.int64], arrays: Sequence[NDArray[np.integer[Any]]]) -> list[list[tuple[int, ...]]]:
    """The lists that `_packed` laid end to end."""
    entries = list(zip(*(array.tolist() for array in arrays), strict=True))
    return [entries[first:last] for first, last in pairwise(ptr.tolist())]
