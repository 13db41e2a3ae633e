"""Whole values of one part: what is chosen stands, then columns fill up to what rows allow and ask, in their order."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planner.side.parts import Part

_MOST_STEPS = 200
"""Columns raised after rounding down, at the most: far more than a program has rows that bind in part."""
_FEW = 12
"""Columns up to which units are exchanged between them."""

Score = tuple[int, int]
"""By how much rows are broken, negative, and what the values are worth, scaled by 2^20: greater is better."""


class Filling:
    """Values of a part's columns and what they leave of its rows, always in step."""

    def __init__(self, part: Part, right: Sequence[int]) -> None:
        """Begin at nothing.

        Parameters: right, [n_rows of the part] with what racks add.
        """
        self.part, self.slack, self.values = part, list(right), [0] * len(part.worth)

    @property
    def score(self) -> Score:
        """Of all values."""
        worth = sum(each * v for each, v in zip(self.part.worth, self.values, strict=True) if v)
        return sum(left for left in self.slack if left < 0), worth

    def put(self, column: int, value: int) -> None:
        """Give a column a value."""
        more = value - self.values[column]
        if more:
            self.values[column] = value
            for row, coefficient in self.part.terms[column]:
                self.slack[row] -= coefficient * more

    def room(self, column: int) -> int:
        """By how much a column can rise within its most and every row."""
        room = self.part.most[column] - self.values[column]
        for row, coefficient in self.part.terms[column]:
            if coefficient > 0:
                room = min(room, self.slack[row] // coefficient)
        return max(room, 0)

    def finish(self, filled: Iterable[int], needed: Iterable[int]) -> None:
        """Fill columns as far as rows allow, then raise columns as far as rows ask; both from 0, in their order.

        What earns nothing but costs is filled only as far as rows ask.
        """
        filled, needed = tuple(filled), tuple(needed)
        for column in (*filled, *needed):
            self.put(column, 0)
        for column in filled:
            room = self.room(column)
            self.put(column, room if self.part.worth[column] >= 0 else min(room, self._asked(column)))
        for column in needed:
            self.put(column, self._asked(column))

    def _asked(self, column: int) -> int:
        """The least value with which no row that the column can help is broken, or its most."""
        asked = 0
        for row, coefficient in self.part.terms[column]:
            if coefficient < 0 and self.slack[row] < 0:
                asked = max(asked, -(self.slack[row] // -coefficient))
        return min(asked, self.part.most[column])


class Raising:
    """Raises chosen columns of a filling one by one, each as far as that earns more."""

    def __init__(self, filling: Filling, columns: Sequence[int]) -> None:
        """Take a finished filling.

        Parameters: columns, chosen ones that may earn more; of few, all are looked at.
        """
        chosen = filling.part.chosen
        self._filling, self._is_small = filling, len(chosen) <= _FEW
        self._columns = chosen if self._is_small else columns

    def run(self) -> None:
        """Raise columns until none earns anything; of few, then lower each by a unit and see whether others gain."""
        self._raise()
        if self._is_small:
            while any(self._exchanged(column) for column in self._columns):
                pass

    def _exchanged(self, column: int) -> bool:
        """Whether a unit less of a column and more of others is worth more; it is kept then."""
        filling = self._filling
        if not filling.values[column]:
            return False
        kept, before = (filling.values.copy(), filling.slack.copy()), filling.score
        self._set(column, filling.values[column] - 1)
        self._raise(but=column)
        if filling.score > before:
            return True
        filling.values, filling.slack = kept
        return False

    def _raise(self, but: int = -1) -> None:
        """Raise the column whose first unit earns most, until none earns anything.

        What others earn only shrinks meanwhile, so that a known gain is looked at again only where it is the largest.
        """
        waiting = [self._waiting(column) for column in self._columns if column != but and self._may(column)]
        heapify(waiting)
        for _ in range(_MOST_STEPS):
            if not waiting:
                return
            column = heappop(waiting)[2]
            now = self._waiting(column) if self._may(column) else (0, 0, column)
            if now[:2] >= (0, 0):
                continue
            if waiting and now > waiting[0]:
                heappush(waiting, now)
                continue
            self._set(column, self._filling.values[column] + self._steps(column))
            heappush(waiting, (0, -1, column))

    def _waiting(self, column: int) -> tuple[int, int, int]:
        """What its next unit earns, negative, so that the largest comes first, and the column."""
        broken, worth = self._gain(column, 1)
        return -broken, -worth, column

    def _may(self, column: int) -> bool:
        """Whether there is room for a unit, and something that it could help."""
        filling, part = self._filling, self._filling.part
        if filling.room(column) <= 0:
            return False
        filled, needed, rows = part.around(column)
        return (
            part.worth[column] > 0
            or any(filling.values[one] < part.most[one] for one in filled)
            or any(filling.values[one] for one in needed)
            or any(filling.slack[row] < 0 for row in rows)
        )

    def _steps(self, column: int) -> int:
        """Units up to which every further one earns something: gains only shrink, so halving finds the last.

        Mostly that is the first, so the range is doubled until it holds the last.
        """
        room = self._filling.room(column)
        low, high = 1, min(2, room)
        while low < high and self._earns(column, high):
            low, high = high, min(2 * high, room)
        while low < high:
            middle = (low + high + 1) // 2
            if self._earns(column, middle):
                low = middle
            else:
                high = middle - 1
        return low

    def _earns(self, column: int, number: int) -> bool:
        """Whether that unit beyond what there is earns something."""
        return self._gain(column, number) > self._gain(column, number - 1)

    def _gain(self, column: int, more: int) -> Score:
        """What so many units more are worth, with the columns around filled anew."""
        filled, needed, _ = self._filling.part.around(column)
        kept = [(one, self._filling.values[one]) for one in (column, *filled, *needed)]
        before = self._score(column)
        self._set(column, self._filling.values[column] + more)
        after = self._score(column)
        for one, value in kept:
            self._filling.put(one, value)
        return after[0] - before[0], after[1] - before[1]

    def _set(self, column: int, value: int) -> None:
        filled, needed, _ = self._filling.part.around(column)
        self._filling.put(column, value)
        self._filling.finish(filled, needed)

    def _score(self, column: int) -> Score:
        """Of the columns and rows around."""
        filling, part = self._filling, self._filling.part
        filled, needed, rows = part.around(column)
        worth = sum(part.worth[one] * filling.values[one] for one in (column, *filled, *needed))
        return sum(filling.slack[row] for row in rows if filling.slack[row] < 0), worth
