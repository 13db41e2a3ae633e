"""What a block may hold in one period within a box: the best filling at any prices, in floats or in exact integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns
    from planner.solve.proof.box import Box


class RowChoice(NamedTuple):
    """The points of one row that a box leaves, fewest racks first."""

    row: int
    points: NDArray[np.int64]
    """[n_points, n_configurations of the system]"""
    totals: NDArray[np.int64]
    """Distinct totals of the points, ascending."""
    first: NDArray[np.int64]
    """The first point of each of these totals."""


@dataclass(frozen=True)
class Choice:
    """A system in a block and period: the points of its rows, and the totals that count."""

    system: int
    configuration_idx: NDArray[np.int64]
    rows: tuple[RowChoice, ...]
    usable: NDArray[np.bool_]
    """By total of the block."""
    n_units: NDArray[np.int64]
    """By total of the block."""

    def values(
        self, price: NDArray[np.float64], unit_cost: float
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """Best value for each total of the block, and the tables before each row joined, for `filling`.

        Parameters: price, [n_rows, n_configurations] of all rows and configurations of the problem.
        """
        total, before = np.zeros(1), []
        for own in self.rows:
            before.append(total)
            total = _joined(total, own, own.points @ price[own.row, self.configuration_idx])
        return np.where(self.usable, total - unit_cost * self.n_units, -np.inf), before

    def filling(
        self, price: NDArray[np.float64], before: list[NDArray[np.float64]], count: int
    ) -> list[tuple[int, NDArray[np.int64]]]:
        """The points of every row in a best filling of so many racks: (row, counts)."""
        found = []
        for own, table in zip(reversed(self.rows), reversed(before), strict=True):
            worth = own.points @ price[own.row, self.configuration_idx]
            rest = count - own.points.sum(axis=1)
            fits = (rest >= 0) & (rest < table.size)
            value = np.where(fits, worth + table[np.where(fits, rest, 0)], -np.inf)
            best = int(np.argmax(value))
            found.append((own.row, own.points[best]))
            count = int(rest[best])
        return found

    def best_exact(self, price: list[list[int]], unit_cost: int) -> int | None:
        """The best value in whole numbers; None where no total of the block can be reached.

        Parameters: price, by row and configuration of the problem.
        """
        total: list[int | None] = [0]
        for own in self.rows:
            each = [price[own.row][k] for k in self.configuration_idx]
            by_total = _by_total_exact(own, each)
            joined: list[int | None] = [None] * (len(total) + int(own.totals[-1]))
            for count, worth in by_total:
                for before, value in enumerate(total):
                    if value is not None:
                        known = joined[count + before]
                        if known is None or value + worth > known:
                            joined[count + before] = value + worth
            total = joined
        found = [
            value - int(self.n_units[count]) * unit_cost
            for count, value in enumerate(total)
            if value is not None and self.usable[count]
        ]
        return max(found, default=None)


def _joined(total: NDArray[np.float64], own: RowChoice, worth: NDArray[np.float64]) -> NDArray[np.float64]:
    by_total = np.maximum.reduceat(worth, own.first)
    joined = np.full(total.size + int(own.totals[-1]), -np.inf)
    for count, value in zip(own.totals.tolist(), by_total.tolist(), strict=True):
        part = joined[count : count + total.size]
        np.maximum(part, total + value, out=part)
    return joined


def _by_total_exact(own: RowChoice, price: list[int]) -> list[tuple[int, int]]:
    best: dict[int, int] = {}
    for point in own.points.tolist():
        count, worth = sum(point), sum(n * each for n, each in zip(point, price, strict=True) if n)
        if count not in best or worth > best[count]:
            best[count] = worth
    return sorted(best.items())


Within = dict[tuple[int, int, int], Choice]
"""By block, system and period, where the box leaves a choice."""


class Choices:
    """Choices of every block, system and period within boxes; what several boxes share is made once."""

    def __init__(self, problem: Problem, patterns: RowPatterns) -> None:
        """Keep what the tables are made from."""
        self._problem, self._patterns = problem, patterns
        self._rows = [np.flatnonzero(problem.block_of_row_idx == block) for block in range(problem.n_blocks)]
        self._configurations = [
            np.flatnonzero(problem.system_of_configuration_idx == system) for system in range(problem.n_systems)
        ]
        self._known: dict[tuple[object, ...], Choice | None] = {}

    def of(self, box: Box, block: int, system: int, period: int) -> Choice | None:
        """What a block may hold of a system in a period; None where the box leaves it nothing."""
        if box.barred[block, system]:
            return None
        rows, own = self._rows[block], self._configurations[system]
        counts = [bound[np.ix_(rows, own)][:, :, period] for bound in box.count]
        totals = [bound[rows, system, period] for bound in box.row]
        least, most = (int(bound[block, system, period]) for bound in box.block)
        parts = (part.tobytes() for part in (*counts, *totals))
        key = (block, system, period, least, most, *parts)
        if key not in self._known:
            self._known[key] = self._made(block, system, period, box)
        return self._known[key]

    def within(self, box: Box) -> Within:
        """All choices in a box."""
        problem = self._problem
        places = np.ndindex(problem.n_blocks, problem.n_systems, problem.n_periods)
        found = ((place, self.of(box, *place)) for place in places)
        return {place: choice for place, choice in found if choice is not None}

    def _made(self, block: int, system: int, period: int, box: Box) -> Choice | None:
        problem, own = self._problem, self._configurations[system]
        made = []
        for row in self._rows[block]:
            number = self._patterns.pattern_set_idx[row, system, period]
            points = np.zeros((1, own.size), np.int64) if number < 0 else self._patterns.point_sets[number][:, own]
            totals = points.sum(axis=1)
            fits = (totals >= box.row[0][row, system, period]) & (totals <= box.row[1][row, system, period])
            fits &= (points >= box.count[0][row, own, period]).all(axis=1)
            fits &= (points <= box.count[1][row, own, period]).all(axis=1)
            if not fits.any():
                return None
            distinct, first = np.unique(totals[fits], return_index=True)
            made.append(RowChoice(int(row), points[fits], distinct, first))
        count = np.arange(sum(int(row.totals[-1]) for row in made) + 1)
        n_units = -(-count // problem.unit_racks[system])
        usable = (count >= max(box.block[0][block, system, period], 1)) & (count <= box.block[1][block, system, period])
        if not problem.partial_units[block]:
            usable &= count % problem.unit_racks[system] == 0
        if not usable.any():
            return None
        return Choice(system, own, tuple(made), usable, n_units)
