"""What fits into one block: limits that touch its rows alone, racks spread evenly, and how many at a higher profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE
from planner.solve.patterns import limits_inside_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem


@dataclass(frozen=True)
class InnerLimits:
    """Limits that touch the rows of one block alone, looked up block by block when first needed."""

    problem: Problem
    _known: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=dict)
    _orders: dict[tuple[object, ...], tuple[int, ...]] = field(default_factory=dict)
    """By what decides them: blocks of a class and quarters between steps of a capacity share theirs."""

    @cached_property
    def _block_of_limit(self) -> NDArray[np.int64]:
        """[n_limits] the block that a limit lies in, -1 where it touches several or none."""
        return limits_inside_blocks(self.problem)

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

    def raising_order(self, block: int, racks: NDArray[np.int64], profiles: tuple[int, int], t: int) -> tuple[int, ...]:
        """Rows in which racks go one by one from one profile to another, until no further rack fits.

        Each goes where it leaves the fullest limit least full, ties to the first row.
        Parameters: racks [n_rows_of_block, n_configurations], which must fit.
        """
        table, capacity = self._of(block)
        key = (table.tobytes(), capacity[:, t].tobytes(), racks.tobytes(), profiles)
        if key not in self._orders:
            active = capacity[:, t] != INACTIVE
            self._orders[key] = _raising_order(table[active], capacity[active, t], racks, profiles)
        return self._orders[key]


def _raising_order(
    table: NDArray[np.int64], room: NDArray[np.int64], racks: NDArray[np.int64], profiles: tuple[int, int]
) -> tuple[int, ...]:
    low, high = profiles
    load = np.einsum("lrk,rk->l", table, racks)
    step = table[:, :, high] - table[:, :, low]
    left = racks[:, low].copy()
    order: list[int] = []
    while left.any() and room.size:
        after = load[:, None] + step
        fits = (left > 0) & (after <= room[:, None]).all(axis=0)
        if not fits.any():
            break
        fullest = np.where(fits, (after / np.maximum(room[:, None], 1)).max(axis=0), np.inf)
        row = int(np.argmin(np.round(fullest, 9)))
        order.append(row)
        left[row] -= 1
        load += step[:, row]
    return tuple(order)


def raised(racks: NDArray[np.int64], profiles: tuple[int, int], rows: Sequence[int]) -> NDArray[np.int64]:
    """Racks with one moved from the first to the second profile in each of `rows`."""
    result = racks.copy()
    moved = np.bincount(np.array(rows, np.int64), minlength=racks.shape[0])
    result[:, profiles[0]] -= moved
    result[:, profiles[1]] += moved
    return result


def spread_over_rows(count: NDArray[np.int64], room: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n_rows, n_periods] racks of a block spread over its rows one by one, within the room of each."""
    result = np.zeros((room.shape[0], count.size), np.int64)
    held, n_held, rows = [0] * room.shape[0], 0, range(room.shape[0])
    most = room.T.tolist()
    for t, wanted in enumerate(count.tolist()):
        while n_held < wanted:
            free = [row for row in rows if held[row] < most[t][row]]
            if not free:
                break
            held[min(free, key=held.__getitem__)] += 1
            n_held += 1
        result[:, t] = held
    return result
