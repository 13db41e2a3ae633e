"""Join the pieces of one limit over epochs wherever its coefficients agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planner.lower.pieces import Coefficients, LimitName, Piece


@dataclass
class Limit:
    """A limit in the making: coefficients that hold wherever its capacity is not None."""

    name: LimitName
    unit: str
    capacity: list[int | None]
    """[n_periods], scaled by 2^20; None where inactive."""
    coefficients: dict[int, Coefficients]
    standing_rows: frozenset[int]

    @property
    def rows(self) -> tuple[int, ...]:
        """Rows that it touches, ascending."""
        return tuple(sorted(self.coefficients))

    @property
    def is_active(self) -> bool:
        """Whether it holds in some period."""
        return any(capacity is not None for capacity in self.capacity)


def merge(pieces: Iterable[Piece], n_periods: int, eligible: Sequence[Sequence[bool]]) -> list[Limit]:
    """One limit for each name and set of coefficients; windows of one name never overlap.

    A row that does not exist yet holds no racks, so its later coefficients hold in earlier epochs too.
    Parameters: pieces, in order of their windows within each name; eligible, [n_rows][n_configurations] whether a
    configuration may ever stand in a row: rows without a positive coefficient of such a one are left out.
    """
    by_name: dict[LimitName, list[Limit]] = {}
    for piece in pieces:
        coefficients = {
            row: values
            for row, values in piece.coefficients.items()
            if any(value and may for value, may in zip(values, eligible[row], strict=True))
        }
        windows = by_name.setdefault(piece.name, [])
        if not coefficients:
            continue
        fitting = next((limit for limit in windows if _agree(limit, coefficients, piece.standing_rows)), None)
        if fitting is None:
            fitting = Limit(piece.name, piece.unit, [None] * n_periods, {}, piece.standing_rows)
            windows.append(fitting)
        fitting.coefficients.update(coefficients)
        if not piece.standing_rows <= fitting.standing_rows:  # a set of its own for each limit would fill the memory
            fitting.standing_rows |= piece.standing_rows
        fitting.capacity[piece.first_period : piece.end_period] = piece.capacity
    return [limit for windows in by_name.values() for limit in windows]


def _agree(limit: Limit, coefficients: dict[int, Coefficients], standing: frozenset[int]) -> bool:
    """Whether both give every row that exists in both the same coefficients."""
    for row, values in limit.coefficients.items():
        if row in standing and coefficients.get(row) != values:
            return False
    return all(row in limit.coefficients or row not in limit.standing_rows for row in coefficients)
