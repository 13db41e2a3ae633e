"""Fillings of a block that its own limits allow: corners of what it can hold, for the assignment to mix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.solve.fitting import InnerLimits, spread_over_rows
from planner.solve.packing import configurations_by_system
from planner.solve.paths import best_fillings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns
    from planner.solve.relaxation import Relaxation


@dataclass(frozen=True)
class Filling:
    """Racks that fit into one block of a class, and how many of them may be at each higher profile."""

    racks: int
    units: int
    raised: tuple[tuple[int, int], ...]
    """(configuration, most racks at it) for every profile beside the lowest of the system."""


@dataclass(frozen=True)
class Fillings:
    """What the blocks of a class can hold of one system."""

    block_class: int
    system: int
    first_period: int
    choices: tuple[Filling, ...]
    """Ascending racks."""


def block_fillings(
    problem: Problem, patterns: RowPatterns, relaxation: Relaxation, blocks: NDArray[np.int64]
) -> tuple[Fillings, ...]:
    """The fillings of each class of blocks that are worth mixing, for every system that it can hold.

    The fullest is that of the block's best path at the relaxation's prices, and that in whole scalable units. Where
    racks have several profiles, whole units that can all be at a higher one, and everything from the most that can all
    be at it up to the fullest, fewer and fewer of which can.
    Parameters: blocks, the first of each class.
    """
    fullest, first = best_fillings(problem, patterns, relaxation, blocks)
    inner = InnerLimits(problem)
    result: list[Fillings] = []
    for index, block in enumerate(blocks):
        rows = np.flatnonzero(problem.block_of_row_idx == block)
        for system in range(problem.n_systems):
            if fullest[index, system] == 0:
                continue
            profiles, unit = profiles_by_draw(problem, system), int(problem.unit_racks[system])
            fits = _Fits(problem, patterns, inner, int(block), rows, profiles)
            most = fits.most_all_at(profiles[0], _room(fits))
            wanted = {fits.most_all_at(profiles[0], int(fullest[index, system])), most - most % unit}
            for high in profiles[1:]:
                everything = fits.most_all_at(high, most)
                wanted |= {everything - everything % unit, *range(everything, most + 1)}
            choices = [
                Filling(n, -(-n // unit), tuple((k, fits.raised(n, k)) for k in profiles[1:]))
                for n in sorted(wanted - {0})
            ]
            if choices:
                result.append(Fillings(index, system, int(first[index, system]), tuple(choices)))
    return tuple(result)


def _room(fits: _Fits) -> int:
    return int(fits.patterns.most_racks[fits.rows, fits.profiles[0], -1].sum())


def profiles_by_draw(problem: Problem, system: int) -> list[int]:
    """Configurations of a system, the one with the smallest total draw first."""
    ptr, order = configurations_by_system(problem)
    return [int(k) for k in order[ptr[system] : ptr[system + 1]]]


@dataclass(frozen=True)
class _Fits:
    """How many racks of a system fit into one block in the last period."""

    problem: Problem
    patterns: RowPatterns
    inner: InnerLimits
    block: int
    rows: NDArray[np.int64]
    profiles: list[int]

    def _spread(self, n: int, configuration: int) -> NDArray[np.int64]:
        racks = np.zeros((self.rows.size, self.problem.n_configurations), np.int64)
        room = self.patterns.most_racks[self.rows][:, configuration]
        racks[:, configuration] = spread_over_rows(np.array([n]), room[:, -1:])[:, 0]
        return racks

    def most_all_at(self, configuration: int, n: int) -> int:
        """The most racks up to n that the block holds with all of them at one profile."""
        return self._most(n, configuration)

    def _most(self, n: int, configuration: int) -> int:
        last = self.problem.n_periods - 1
        while n > 0:
            racks = self._spread(n, configuration)
            if racks.sum() == n and self.inner.hold(self.block, racks, last):
                return n
            n -= 1
        return 0

    def raised(self, n: int, configuration: int) -> int:
        """The most of n racks that may be at a higher profile; none where a row never takes it."""
        if (self.problem.first_period[self.rows, configuration] >= self.problem.n_periods).any():
            return 0
        racks = self._spread(n, self.profiles[0])
        last = self.problem.n_periods - 1
        return len(self.inner.raising_order(self.block, racks, (self.profiles[0], configuration), last))
