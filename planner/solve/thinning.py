"""A plan that breaks limits over several blocks, mended: blocks handed out evenly, and racks taken away again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import Plan
from planner.solve.feasible import decided_capacity, limit_loads
from planner.solve.fillings import profiles_by_draw
from planner.solve.patterns import limits_inside_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem


def spread_evenly(problem: Problem, blocks: Sequence[int]) -> list[int]:
    """Like blocks in an order whose every beginning takes about the same part of each limit over some of them.

    Without it the blocks of one building come one after another, and what may land there in a quarter is soon reached.
    """
    shared = _shared_limits(problem, np.array(blocks, np.int64))
    part = shared / np.maximum(shared.sum(axis=1, keepdims=True), 1)
    taken = np.zeros(shared.shape[0])
    left = np.arange(len(blocks))
    order: list[int] = []
    while left.size and shared.size:
        after = np.where(shared[:, left], taken[:, None] + part[:, left], 0.0).round(9)
        place = int(np.lexsort((left, after.sum(axis=0), after.max(axis=0)))[0])
        taken += part[:, left[place]]
        order.append(blocks[int(left[place])])
        left = np.delete(left, place)
    return order or list(blocks)


def _shared_limits(problem: Problem, blocks: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[n_groups, n_given_blocks] blocks that share a limit with some of the others and not with all."""
    joint = np.flatnonzero((limits_inside_blocks(problem) < 0) & (np.diff(problem.limit_ptr) > 0))
    place = np.full(problem.n_blocks, -1, np.int64)
    place[blocks] = np.arange(blocks.size)
    found = set()
    for limit in joint:
        entries = slice(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
        own = np.unique(place[problem.block_of_row_idx[problem.entry_row_idx[entries]]])
        own = own[own >= 0]
        if 1 < own.size < blocks.size:
            found.add(tuple(own.tolist()))
    shared = np.zeros((len(found), blocks.size), np.bool_)
    for number, own_places in enumerate(sorted(found)):
        shared[number, list(own_places)] = True
    return shared


def thinned(problem: Problem, n_racks: NDArray[np.int64]) -> NDArray[np.int64]:
    """A plan without the racks that some limit has no room for, those that came last in its own period first.

    What is taken away is missing until the limit has room again. The caller checks what else a plan has to keep.
    Parameters: n_racks [n_rows, n_configurations, n_periods], as counts that never fall. Returns the same.
    """
    return _Thinning(problem, n_racks.copy()).run()


@dataclass(frozen=True)
class _Thinning:
    """A plan, changed in place."""

    problem: Problem
    racks: NDArray[np.int64]

    @cached_property
    def _lowest_first(self) -> list[list[int]]:
        """Profiles of each system."""
        return [profiles_by_draw(self.problem, system) for system in range(self.problem.n_systems)]

    def run(self) -> NDArray[np.int64]:
        """Go through all broken limits, period by period."""
        capacity = decided_capacity(self.problem, Plan(self.racks.astype(np.int32)))
        broken = np.argwhere(limit_loads(self.problem, self.racks) > capacity)
        for limit, t in sorted(broken.tolist(), key=lambda one: (one[1], one[0])):
            self._relieve(limit, t, int(capacity[limit, t]))
        return self.racks

    def _relieve(self, limit: int, t: int, capacity: int) -> None:
        """Take racks from under a limit until it holds in a period."""
        entries = slice(self.problem.limit_ptr[limit], self.problem.limit_ptr[limit + 1])
        rows, coefficient = self.problem.entry_row_idx[entries], self.problem.entry_coefficient[entries]
        excess = int((coefficient * self.racks[rows, :, t]).sum()) - capacity
        for block in self._latest_first(rows, t) if excess > 0 else ():
            own = np.flatnonzero(self.problem.block_of_row_idx[rows] == block)
            excess -= self._take(block, rows[own], coefficient[own], t, excess)
            if excess <= 0:
                return

    def _latest_first(self, rows: NDArray[np.integer], t: int) -> list[int]:
        """Blocks with racks, those to which most have come in the period first, then those with the fewest."""
        blocks, place = np.unique(self.problem.block_of_row_idx[rows], return_inverse=True)
        now = self.racks[rows, :, t].sum(axis=1)
        before = self.racks[rows, :, t - 1].sum(axis=1) if t else np.zeros_like(now)
        came, held = np.bincount(place, weights=now - before), np.bincount(place, weights=now)
        order = np.lexsort((-blocks, held, -came))
        return [int(blocks[number]) for number in order if held[number]]

    def _take(self, block: int, rows: NDArray[np.integer], coefficient: NDArray[np.int64], t: int, excess: int) -> int:
        """Take racks of a block, one by one from its fullest row, in whole units where it has no others.

        Returns the load that is gone.
        """
        relief = 0
        system = int(self.problem.system_of_configuration_idx[np.flatnonzero(self.racks[rows, :, t].sum(axis=0))[0]])
        unit = 1 if self.problem.partial_units[block] else int(self.problem.unit_racks[system])
        lowest_first = self._lowest_first[system]
        while relief < excess and self.racks[rows, :, t].any():
            for _ in range(unit):
                row = int(np.argmax(self.racks[rows, :, t].sum(axis=1)))
                k = next((one for one in reversed(lowest_first) if self.racks[rows[row], one, t]), None)
                if k is None:
                    return relief
                relief += int(coefficient[row, k])
                self._remove(int(rows[row]), k, lowest_first, t)
        return relief

    def _remove(self, row: int, configuration: int, lowest_first: list[int], t: int) -> None:
        """Take one rack away, and before the period as many as would stand there and not stay."""
        racks = self.racks[row]
        racks[configuration, t] -= 1
        left = int(racks[lowest_first, t].sum())
        for before in range(t - 1, -1, -1):
            more = int(racks[lowest_first, before].sum()) - left
            if more <= 0:
                return
            for k in reversed(lowest_first):
                gone = min(more, int(racks[k, before]))
                racks[k, before] -= gone
                more -= gone
