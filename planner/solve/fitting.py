"""What fits into one block: limits that touch its rows alone, racks spread evenly, and how many at a higher profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem


@dataclass(frozen=True)
class InnerLimits:
    """Limits that touch the rows of one block alone, looked up block by block when first needed."""

    problem: Problem
    _known: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=dict)

    @cached_property
    def _block_of_limit(self) -> NDArray[np.int64]:
        """[n_limits] the block that a limit lies in, -1 where it touches several or none."""
        problem = self.problem
        blocks = problem.block_of_row_idx[problem.entry_row_idx].astype(np.int64)
        lowest, highest = np.full(problem.n_limits, problem.n_blocks), np.full(problem.n_limits, -1)
        limit = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
        np.minimum.at(lowest, limit, blocks)
        np.maximum.at(highest, limit, blocks)
        return np.where(lowest == highest, highest, -1)

    def _of(self, block: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Coefficients [n_limits, n_rows_of_block, n_configurations] and capacities [n_limits, n_periods]."""
        if block not in self._known:
            problem = self.problem
            own = np.flatnonzero(self._block_of_limit == block)
            rows = np.flatnonzero(problem.block_of_row_idx == block)
            table = np.zeros((own.size, rows.size, problem.n_configurations), np.int64)
            for position, limit in enumerate(own):
                entries = slice(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
                places = np.searchsorted(rows, problem.entry_row_idx[entries])
                table[position, places] = problem.entry_coefficient[entries]
            self._known[block] = (table, problem.capacity[own])
        return self._known[block]

    def hold(self, block: int, racks: NDArray[np.int64], t: int) -> bool:
        """Whether racks [n_rows_of_block, n_configurations] keep every limit inside the block in a period."""
        table, capacity = self._of(block)
        active = capacity[:, t] != INACTIVE
        load = np.einsum("lrk,rk->l", table[active], racks)
        return bool((load <= capacity[active, t]).all())


def most_raised(inner: InnerLimits, block: int, racks: NDArray[np.int64], profiles: tuple[int, int], t: int) -> int:
    """Racks of a block that may go from one profile to another while every limit inside holds."""
    least, most = 0, int(racks[:, profiles[0]].sum())
    while least < most:
        middle = (least + most + 1) // 2
        if inner.hold(block, raised(racks, profiles, middle), t):
            least = middle
        else:
            most = middle - 1
    return least


def raised(racks: NDArray[np.int64], profiles: tuple[int, int], n: int) -> NDArray[np.int64]:
    """Racks with `n` of those at `low` at `high` instead, evenly over the rows."""
    low, high = profiles
    result = racks.copy()
    available = racks[:, low]
    share = available * n // max(int(available.sum()), 1)
    rest = n - int(share.sum())
    share[np.argsort(-(available - share), kind="stable")[:rest]] += 1
    share = np.minimum(share, available)
    result[:, low] -= share
    result[:, high] += share
    return result


def spread_over_rows(count: NDArray[np.int64], room: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n_rows, n_periods] racks of a block spread over its rows one by one, within the room of each."""
    result = np.zeros((room.shape[0], count.size), np.int64)
    for t in range(count.size):
        if t:
            result[:, t] = result[:, t - 1]
        while result[:, t].sum() < count[t]:
            open_rows = np.flatnonzero(result[:, t] < room[:, t])
            if not open_rows.size:
                break
            result[open_rows[np.argmin(result[open_rows, t])], t] += 1
    return result
