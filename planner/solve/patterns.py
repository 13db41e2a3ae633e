"""Integer patterns of a single row: every maximal count that the limits allow while every other row is empty.

Limits that touch one row only (busway, tap, floor, positions) are enforced here exactly, so they need no
multiplier, and the bound keeps what integrality strands inside a row. Limits of several rows count too: which of
them lowering kept makes no difference to the points, since it drops only what others imply.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, Problem, may_stand
from planner.side.capacity import growing_limits, most_capacity

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pattern = tuple[int, ...]


@dataclass(frozen=True)
class RowPatterns:
    """Maximal patterns of every (row, system, period), shared between like rows and periods."""

    pattern_set_idx: NDArray[np.int64]
    """[n_rows, n_systems, n_periods] into `pattern_sets`; -1 where nothing is eligible."""
    pattern_sets: tuple[tuple[Pattern, ...], ...]
    """Counts for each configuration of the problem (zero outside the system)."""
    point_sets: tuple[NDArray[np.int64], ...]
    """Every integer point of each set, [n_points, n_configurations], ordered by total count."""
    most_racks: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] racks of one configuration alone in the row."""


def single_row_limits(problem: Problem) -> NDArray[np.bool_]:
    """Which limits touch exactly one row, at a capacity that nothing adds to. Returns [n_limits]."""
    single: NDArray[np.bool_] = (np.diff(problem.limit_ptr) == 1) & ~growing_limits(problem)
    return single


def limits_inside_blocks(problem: Problem) -> NDArray[np.int64]:
    """The block in which all rows of a limit lie, -1 where it touches several blocks. Returns [n_limits].

    A limit to whose capacity the side program may add counts as one over several blocks (model, section 8a).
    """
    blocks = problem.block_of_row_idx[problem.entry_row_idx].astype(np.int64)
    limit = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    lowest, highest = np.full(problem.n_limits, problem.n_blocks), np.full(problem.n_limits, -1)
    np.minimum.at(lowest, limit, blocks)
    np.maximum.at(highest, limit, blocks)
    return np.where((lowest == highest) & ~growing_limits(problem), highest, -1)


@dataclass(frozen=True)
class PatternBook:
    """Distinct pattern sets, numbered as they are met; problems that share a book share the numbers."""

    known: dict[tuple[object, ...], int] = field(default_factory=dict)
    """Number by eligible configurations and bounds, of which several may leave the same points."""
    numbers: dict[tuple[Pattern, ...], int] = field(default_factory=dict)
    sets: list[tuple[Pattern, ...]] = field(default_factory=list)
    points: list[NDArray[np.int64]] = field(default_factory=list)

    def number(
        self, eligible: tuple[int, ...], bounds: tuple[tuple[tuple[int, ...], int], ...], n_configurations: int,
        row: str,
    ) -> int:  # fmt: skip
        """The number of the set of points that bounds leave to the eligible configurations.

        Parameters: row, its name, for the error. Raises ValueError when a configuration has no bound.
        """
        key = (eligible, bounds)
        if key not in self.known:
            found = _maximal(eligible, bounds, n_configurations, row)
            if found not in self.numbers:
                self.numbers[found] = len(self.sets)
                self.sets.append(found)
                self.points.append(_points(found))
            self.known[key] = self.numbers[found]
        return self.known[key]


def row_patterns(
    problem: Problem,
    book: PatternBook | None = None,
    row_class: NDArray[np.int64] | None = None,
) -> RowPatterns:
    """Enumerate the maximal integer points of every row under its own limits, system by system.

    Limits to whose capacity the side program may add are kept at the most that they may be.
    Parameters: book, where sets are kept for further problems; row_class [n_rows], rows known to be alike, of which one
    is looked at.
    Raises ValueError when a row has no limit on some configuration (a missing limit never means unlimited).
    """
    book = PatternBook() if book is None else book
    classes = np.arange(problem.n_rows) if row_class is None else row_class
    _, first, member = np.unique(classes, return_index=True, return_inverse=True)
    problem = replace(problem, capacity=most_capacity(problem))
    limits_of_row = _limits_of_rows(problem, first)
    set_idx = np.full((first.size, problem.n_systems, problem.n_periods), -1, np.int64)
    most = np.zeros((first.size, problem.n_configurations, problem.n_periods), np.int64)
    configurations = [np.flatnonzero(problem.system_of_configuration_idx == s) for s in range(problem.n_systems)]
    able = may_stand(problem)
    for place, row in enumerate(first):
        room = problem.capacity[[limit for limit, _ in limits_of_row[place]]]
        numbers: dict[tuple[object, ...], int] = {}
        for period in range(problem.n_periods):
            of_period = room[:, period].tobytes()
            for system in range(problem.n_systems):
                eligible = tuple(int(k) for k in configurations[system] if able[row, k, period])
                if not eligible:
                    continue
                if (eligible, of_period) not in numbers:
                    bounds = _bounds(problem, limits_of_row[place], eligible, period)
                    numbers[eligible, of_period] = book.number(
                        eligible, bounds, problem.n_configurations, problem.row_names[row]
                    )
                number = numbers[eligible, of_period]
                set_idx[place, system, period] = number
                most[place, :, period] = np.maximum(most[place, :, period], np.max(book.sets[number], axis=0))
    return RowPatterns(set_idx[member], tuple(book.sets), tuple(book.points), most[member])


def _limits_of_rows(problem: Problem, rows: NDArray[np.int64]) -> list[list[tuple[int, int]]]:
    """(limit, entry) pairs of each of some rows: every limit that the row alone could break."""
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    order = np.argsort(problem.entry_row_idx, kind="stable")
    ends = np.cumsum(np.bincount(problem.entry_row_idx, minlength=problem.n_rows))
    result: list[list[tuple[int, int]]] = []
    for row in rows:
        entries = order[ends[row - 1] if row else 0 : ends[row]]
        limits = limit_of_entry[entries]
        kept = _may_bind(problem.entry_coefficient[entries], problem.capacity[limits])
        result.append([(int(limits[i]), int(entries[i])) for i in np.flatnonzero(kept)])
    return result


def _may_bind(coefficient: NDArray[np.int64], capacity: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Limits of one row that its most racks, one more of each configuration, would break in some period.

    Parameters: coefficient, [n, n_configurations]; capacity, [n, n_periods]. Dropping the others loses no point.
    """
    room = capacity[:, None, :] // np.maximum(coefficient, 1)[:, :, None]
    bounds = (coefficient > 0)[:, :, None] & (capacity != INACTIVE)[:, None, :]
    most = np.where(bounds, room, 2**20).min(axis=0, initial=2**20)
    load = (coefficient.astype(np.float64)[:, :, None] * (most + 1)).sum(axis=1)
    active = capacity != INACTIVE
    return np.asarray((active & (load * (1 + 1e-9) > capacity)).any(axis=1))


def _bounds(
    problem: Problem, limits: list[tuple[int, int]], eligible: tuple[int, ...], period: int
) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Distinct (coefficients of the eligible configurations, capacity) of a row's active limits."""
    found: dict[tuple[int, ...], int] = {}
    for limit, entry in limits:
        capacity = int(problem.capacity[limit, period])
        if capacity == INACTIVE:
            continue
        coefficients = tuple(int(problem.entry_coefficient[entry, k]) for k in eligible)
        found[coefficients] = min(capacity, found.get(coefficients, capacity))
    return tuple(sorted(found.items()))


def _maximal(
    eligible: tuple[int, ...], bounds: tuple[tuple[tuple[int, ...], int], ...], n_configurations: int, row: str
) -> tuple[Pattern, ...]:
    """All integer points to which no rack can be added."""
    points: list[tuple[int, ...]] = []

    def extend(prefix: tuple[int, ...], left: tuple[int, ...]) -> None:
        position = len(prefix)
        most = _most(bounds, left, position, row)
        if position == len(eligible) - 1:
            points.append((*prefix, most))
            return
        for count in range(most + 1):
            rest = tuple(x - c[position] * count for (c, _), x in zip(bounds, left, strict=True))
            extend((*prefix, count), rest)

    extend((), tuple(capacity for _, capacity in bounds))
    kept = [p for p in points if not any(q != p and all(a >= b for a, b in zip(q, p, strict=True)) for q in points)]
    return tuple(_spread(point, eligible, n_configurations) for point in kept)


def _most(bounds: tuple[tuple[tuple[int, ...], int], ...], left: tuple[int, ...], position: int, row: str) -> int:
    rooms = [x // c[position] for (c, _), x in zip(bounds, left, strict=True) if c[position] > 0]
    if not rooms:
        msg = f"row {row} has no limit of its own on a configuration; every row needs its positions"
        raise ValueError(msg)
    return max(min(rooms), 0)


def _spread(point: tuple[int, ...], eligible: tuple[int, ...], n_configurations: int) -> Pattern:
    counts = [0] * n_configurations
    for configuration, count in zip(eligible, point, strict=True):
        counts[configuration] = count
    return tuple(counts)


def _points(patterns: tuple[Pattern, ...]) -> NDArray[np.int64]:
    """All points under the maximal ones (limits only ever allow fewer racks), fewest racks first."""
    points: set[Pattern] = set()
    for pattern in patterns:
        points.update(product(*(range(count + 1) for count in pattern)))
    return np.array(sorted(points, key=lambda point: (sum(point), point)), np.int64)
