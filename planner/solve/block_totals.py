"""Whole racks of a block: the totals by configuration that its rows can make up and limits inside it allow together.

A price on such a limit lets a block hold parts of a rack; its totals are whole. The bound counts every rack at the
best of the block's rows and every limit at the least coefficient of them, so that rows need not be told apart
(model, section 8).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, may_stand
from planner.solve.patterns import limits_inside_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns

_MOST_PROFILES = 2
"""Totals of systems with more configurations than these are not worth their number."""
Stated = dict[int, "NDArray[np.bool_]"]
"""By limit inside one block: [n_systems, n_periods] where whole racks have to keep it."""


def stated_limits(problem: Problem) -> Stated:
    """The limits inside blocks that are worth keeping in whole racks: those that every row of their block loads."""
    block_of_limit, n_rows = limits_inside_blocks(problem), np.bincount(problem.block_of_row_idx)
    n_profiles = np.bincount(problem.system_of_configuration_idx, minlength=problem.n_systems)
    n_entries = np.diff(problem.limit_ptr)
    result: Stated = {}
    for limit in np.flatnonzero(block_of_limit >= 0):
        if n_entries[limit] < max(2, n_rows[block_of_limit[limit]]):
            continue
        entries = slice(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
        loads = (problem.entry_coefficient[entries] > 0).all(axis=0)
        of_system = np.zeros(problem.n_systems, np.bool_)
        of_system[problem.system_of_configuration_idx[loads]] = True
        of_system &= n_profiles <= _MOST_PROFILES
        stated = of_system[:, None] & (problem.capacity[limit] != INACTIVE)
        if stated.any():
            result[int(limit)] = stated
    return result


@dataclass(frozen=True)
class Totals:
    """What the rows of a block can hold together of one system in one period."""

    rows: NDArray[np.int64]
    """[n_rows] that can hold the system."""
    holds: NDArray[np.bool_]
    """[n_rows, n_profiles] whether the row can hold the configuration."""
    profiles: NDArray[np.int64]
    """[n_profiles] configurations of the system."""
    racks: NDArray[np.int64]
    """[n_totals, n_profiles], none first."""


@dataclass(frozen=True)
class BlockTotals:
    """The totals of every block, each made when first asked for."""

    problem: Problem
    patterns: RowPatterns
    stated: Mapping[int, NDArray[np.bool_]]
    _known: dict[tuple[object, ...], NDArray[np.int64]] = field(default_factory=dict)
    _of: dict[tuple[int, int, int], Totals | None] = field(default_factory=dict)

    def of(self, block: int, system: int, period: int) -> Totals | None:
        """The totals of a block; None where no limit is stated for them, or no row can hold the system yet."""
        key = (block, system, period)
        if key not in self._of:
            self._of[key] = self._find(block, system, period)
        return self._of[key]

    def origin(self, block: int) -> tuple[bytes, ...]:
        """What a block's totals follow from, in full: blocks of which it is the same have the same totals."""
        rows = self._rows_of[block]
        sets = self.patterns.pattern_set_idx[rows].tobytes()
        if block not in self._tables:
            return (sets,)
        limits, table = self._tables[block]
        stated = b"".join(self.stated[int(limit)].tobytes() for limit in limits)
        holds = may_stand(self.problem, rows).tobytes()
        return (sets, holds, stated, table.tobytes(), self.problem.capacity[limits].tobytes())

    @cached_property
    def _tables(self) -> dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """By block: its stated limits, and coefficients [n_limits, n_rows_of_block, n_configurations]."""
        block_of_limit = limits_inside_blocks(self.problem)
        limits_of: dict[int, list[int]] = {}
        for limit in sorted(self.stated):
            limits_of.setdefault(int(block_of_limit[limit]), []).append(limit)
        result = {}
        for block, limits in limits_of.items():
            rows = self._rows_of[block]
            table = np.zeros((len(limits), rows.size, self.problem.n_configurations), np.int64)
            for position, limit in enumerate(limits):
                entries = slice(self.problem.limit_ptr[limit], self.problem.limit_ptr[limit + 1])
                places = np.searchsorted(rows, self.problem.entry_row_idx[entries])
                table[position, places] = self.problem.entry_coefficient[entries]
            result[block] = (np.array(limits, np.int64), table)
        return result

    @cached_property
    def _rows_of(self) -> list[NDArray[np.int64]]:
        order = np.argsort(self.problem.block_of_row_idx, kind="stable")
        ends = np.cumsum(np.bincount(self.problem.block_of_row_idx, minlength=self.problem.n_blocks))
        return [np.sort(part) for part in np.split(order, ends[:-1])]

    def _find(self, block: int, system: int, period: int) -> Totals | None:
        if block not in self._tables:
            return None
        limits, table = self._tables[block]
        used = np.array([self.stated[int(limit)][system, period] for limit in limits])
        rows = self._rows_of[block]
        number = self.patterns.pattern_set_idx[rows, system, period]
        if not used.any() or not (number >= 0).any():
            return None
        profiles = np.flatnonzero(self.problem.system_of_configuration_idx == system)
        holds = may_stand(self.problem, rows)[:, profiles, period]
        least = np.where(holds, table[used][:, :, profiles], np.iinfo(np.int64).max).min(axis=1)
        least = np.where(holds.any(axis=0), least, 0)
        capacity = self.problem.capacity[limits[used], period]
        sets = np.sort(number[number >= 0])
        key = (sets.tobytes(), system, least.tobytes(), capacity.tobytes())
        if key not in self._known:
            points = [self.patterns.point_sets[one][:, profiles] for one in sets]
            self._known[key] = _sums_within(points, least, capacity)
        able = number >= 0
        return Totals(rows[able], holds[able], profiles, self._known[key])


def _sums_within(
    points: list[NDArray[np.int64]], least: NDArray[np.int64], capacity: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Distinct sums of one point of each row that keep the limits, and none at all; limits only ever cut off more.

    Parameters: points, of each row [n_points, n_profiles]; least [n_limits, n_profiles]; capacity [n_limits].
    """
    n_profiles = points[0].shape[1]
    base = 1 + sum(int(one.max(initial=0)) for one in points)
    weight = base ** np.arange(n_profiles)[::-1]
    total = np.zeros((1, n_profiles), np.int64)
    for one in points:
        code = np.unique((total @ weight)[:, None] + (one @ weight)[None, :])
        total = (code[:, None] // weight) % base
        total = total[(total @ least.T <= capacity).all(axis=1)]
    none = np.zeros((1, n_profiles), np.int64)
    return np.concatenate((none, total[total.any(axis=1)]))
