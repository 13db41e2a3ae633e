"""Totals of racks that the rows of a block can make up under limits inside it, in whole racks (model, section 8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planner.verify.points import Point

WholeLimit = tuple[tuple[int, ...], int]
"""Least coefficient of each configuration over the rows that can hold it, and the capacity, scaled by 2^20."""
RowSet = tuple[tuple[int, ...], tuple["Point", ...]]
"""Which configurations of the system a row can hold, and its points over them."""


@dataclass
class TotalsBook:
    """Sums of rows' points; equal questions are answered once."""

    _sums: dict[tuple[tuple[RowSet, ...], tuple[WholeLimit, ...]], tuple[Point, ...]] = field(default_factory=dict)
    _best: dict[tuple[int, tuple[int, ...], int, int, bool], int] = field(default_factory=dict)

    def best(
        self, rows: Iterable[RowSet], limits: Iterable[WholeLimit], values: tuple[int, ...], unit: tuple[int, int, bool]
    ) -> int:
        """The best total of a block less the scalable units that it pays for; none is always a choice.

        Parameters: rows that can hold the system; limits inside the block; values of one rack of each configuration;
        unit: racks of one, its cost, whether it may be part empty.
        """
        key = (tuple(sorted(rows)), tuple(sorted(limits)))
        if key not in self._sums:
            self._sums[key] = _sums(*key, len(values))
        totals = self._sums[key]
        asked = (id(totals), values, *unit)
        if asked not in self._best:
            racks, cost, partial = unit
            self._best[asked] = max(
                sum(n * value for n, value in zip(total, values, strict=True)) - -(-sum(total) // racks) * cost
                for total in totals
                if partial or sum(total) % racks == 0
            )
        return self._best[asked]


def _sums(rows: Sequence[RowSet], limits: Sequence[WholeLimit], n: int) -> tuple[Point, ...]:
    """Every sum of one point of each row under the limits; a sum that breaks one breaks it with more racks too."""
    none = (0,) * n
    sums = {none}
    for places, points in rows:
        steps = [_placed(point, places, n) for point in points]
        added = {tuple(a + b for a, b in zip(known, step, strict=True)) for known in sums for step in steps}
        sums = {total for total in added if all(_load(total, least) <= capacity for least, capacity in limits)}
    return tuple(sums | {none})


def _placed(point: Point, places: tuple[int, ...], n: int) -> Point:
    counts = [0] * n
    for place, count in zip(places, point, strict=True):
        counts[place] = count
    return tuple(counts)


def _load(total: Point, least: tuple[int, ...]) -> int:
    return sum(count * each for count, each in zip(total, least, strict=True))
