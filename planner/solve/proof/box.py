"""Branches of a proof: sums of counts that are held between two whole numbers, and what follows for blocks.

`docs/model.md` section 8 states which sums the points of a block keep to, and which follow over time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns


class Total(NamedTuple):
    """The racks of some configurations in some rows in one period."""

    row_idx: tuple[int, ...]
    configuration_idx: tuple[int, ...]
    period: int


@dataclass(frozen=True)
class Side:
    """One side of a split: a total of at least, or at most, so many racks."""

    total: Total
    count: int
    is_above: bool


@dataclass(frozen=True)
class DecisionSide:
    """One side of a split of a decision beside the racks: at least, or at most, so many units of its column."""

    column: int
    count: int
    is_above: bool


@dataclass(frozen=True)
class Box:
    """Between what the branch around a node holds counts, their totals in a row, and those in a block."""

    count: tuple[NDArray[np.int64], NDArray[np.int64]]
    """Least and most, [n_rows, n_configurations, n_periods]."""
    row: tuple[NDArray[np.int64], NDArray[np.int64]]
    """[n_rows, n_systems, n_periods]"""
    block: tuple[NDArray[np.int64], NDArray[np.int64]]
    """[n_blocks, n_systems, n_periods]"""
    barred: NDArray[np.bool_]
    """[n_blocks, n_systems] systems that the block does not hold."""
    filled: NDArray[np.bool_]
    """[n_blocks, n_periods] where the block may not be empty."""
    decided: tuple[NDArray[np.object_], NDArray[np.object_]]
    """Least and most of every decision beside the racks, [n_columns] of the side program."""
    sides: tuple[Side, ...] = ()
    """Of every split of a total from the root on."""
    depth: int = 0
    """Splits from the root on."""


def whole_box(problem: Problem, patterns: RowPatterns) -> Box:
    """The box of the root: what rows hold at the most."""
    n_rows, n_blocks, n_periods = problem.n_rows, problem.n_blocks, problem.n_periods
    row_shape, block_shape = (n_rows, problem.n_systems, n_periods), (n_blocks, problem.n_systems, n_periods)
    most_of_row = np.zeros(row_shape, np.int64)
    for place in np.argwhere(patterns.pattern_set_idx >= 0):
        row, system, period = (int(x) for x in place)
        points = patterns.point_sets[patterns.pattern_set_idx[row, system, period]]
        most_of_row[row, system, period] = int(points[-1].sum())
    most_of_block = np.zeros(block_shape, np.int64)
    np.add.at(most_of_block, problem.block_of_row_idx, most_of_row)
    return Box(
        count=(np.zeros_like(patterns.most_racks), patterns.most_racks),
        row=(np.zeros(row_shape, np.int64), most_of_row),
        block=(np.zeros(block_shape, np.int64), most_of_block),
        barred=np.zeros((n_blocks, problem.n_systems), np.bool_),
        filled=np.zeros((n_blocks, n_periods), np.bool_),
        decided=_whole_decisions(problem),
    )


def _whole_decisions(problem: Problem) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    most = () if problem.side is None else problem.side.column_most
    return np.array([0] * len(most), object), np.array(most, object)


def undecided(problem: Problem, box: Box) -> NDArray[np.bool_]:
    """[n_columns] which decisions beside the racks no side of the branch holds."""
    least, most = _whole_decisions(problem)
    free: NDArray[np.bool_] = np.asarray((box.decided[0] == least) & (box.decided[1] == most), np.bool_)
    return free


def counts_whole_system(problem: Problem, total: Total) -> bool:
    """Whether a total counts all configurations of one system, so that it never falls over time."""
    system = problem.system_of_configuration_idx
    own = system == system[total.configuration_idx[0]]
    return len(total.configuration_idx) == int(own.sum()) and bool(own[list(total.configuration_idx)].all())


def held_periods(problem: Problem, side: Side) -> range:
    """Periods in which a side holds: its own, and where the total never falls all later or all earlier ones."""
    period = side.total.period
    if not counts_whole_system(problem, side.total):
        return range(period, period + 1)
    return range(period, problem.n_periods) if side.is_above else range(period + 1)


def is_kept_by_points(problem: Problem, total: Total) -> bool:
    """Whether the points of a row or the totals of a block keep to a side of this total, so that it needs no price."""
    rows, is_whole_system = total.row_idx, counts_whole_system(problem, total)
    if len(rows) == 1:
        return is_whole_system or len(total.configuration_idx) == 1
    block = problem.block_of_row_idx == problem.block_of_row_idx[rows[0]]
    return is_whole_system and bool(block[list(rows)].all()) and len(rows) == int(block.sum())


def narrowed(problem: Problem, box: Box, side: Side | DecisionSide) -> Box:
    """The box with one more side: held at once by points of a row or block, and in the periods that follow from it.

    Racks of a system never fall, so its totals stay up in later periods and down in earlier ones; a block that holds a
    system in one period holds no other in any.
    """
    if isinstance(side, DecisionSide):
        return _narrowed_decision(box, side)
    rows, configurations, _ = side.total
    systems = sorted({int(problem.system_of_configuration_idx[k]) for k in configurations})
    is_whole_system = counts_whole_system(problem, side.total)
    blocks = sorted({int(problem.block_of_row_idx[r]) for r in rows})
    held = held_periods(problem, side)
    periods = slice(held.start, held.stop)
    found = replace(box, sides=(*box.sides, side), depth=box.depth + 1)
    if len(rows) == 1 and len(configurations) == 1:
        found = replace(found, count=_held(box.count, (rows[0], configurations[0], periods), side))
    if len(rows) == 1 and is_whole_system:
        found = replace(found, row=_held(box.row, (rows[0], systems[0], periods), side))
    if len(blocks) == 1 and is_whole_system and len(rows) == int((problem.block_of_row_idx == blocks[0]).sum()):
        found = replace(found, block=_held(box.block, (blocks[0], systems[0], periods), side))
    if side.is_above and side.count > 0 and len(blocks) == 1:
        filled, barred = box.filled.copy(), box.barred.copy()
        filled[blocks[0], periods] = True
        if len(systems) == 1:
            barred[blocks[0], np.arange(problem.n_systems) != systems[0]] = True
        found = replace(found, filled=filled, barred=barred)
    return found


def _narrowed_decision(box: Box, side: DecisionSide) -> Box:
    least, most = (bound.copy() for bound in box.decided)
    if side.is_above:
        least[side.column] = max(least[side.column], side.count)
    else:
        most[side.column] = min(most[side.column], side.count)
    return replace(box, decided=(least, most), depth=box.depth + 1)


def _held(
    bounds: tuple[NDArray[np.int64], NDArray[np.int64]], place: tuple[int, int, slice], side: Side
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    least, most = bounds
    if side.is_above:
        least = least.copy()
        least[place] = np.maximum(least[place], side.count)
    else:
        most = most.copy()
        most[place] = np.minimum(most[place], side.count)
    return least, most


def tightest(box: Box) -> tuple[dict[Total, int], dict[Total, int]]:
    """The tightest sides of a box, by total."""
    least: dict[Total, int] = {}
    most: dict[Total, int] = {}
    for side in box.sides:
        if side.is_above:
            least[side.total] = max(side.count, least.get(side.total, 0))
        else:
            most[side.total] = min(side.count, most.get(side.total, side.count))
    return least, most
