"""Pricing of block columns: the best whole filling of a fabric block at given prices, for column generation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.block_totals import Totals
    from planner.solve.patterns import RowPatterns

_NEVER = -1e300


@dataclass(frozen=True)
class BlockShape:
    """The rows of one representative block, row class by row class."""

    row_class_idx: NDArray[np.int64]
    """[n_classes_in_block] row classes."""
    row_idx: NDArray[np.int64]
    """[n_classes_in_block] a row of each class."""
    n_rows: NDArray[np.int64]
    """[n_classes_in_block] rows of each class in the block."""


@dataclass(frozen=True)
class Column:
    """One filling of a block in one period."""

    racks: NDArray[np.float64]
    """[n_classes_in_block, n_configurations] racks summed over the rows of each class."""
    n_units: int


def best_column(
    problem: Problem,
    patterns: RowPatterns,
    shape: BlockShape,
    block: int,
    system: int,
    period: int,
    price: NDArray[np.float64],
    unit_cost: float,
    whole: Totals | None = None,
) -> tuple[float, Column] | None:
    """The filling of greatest value less unit costs; None where the block cannot hold the system yet.

    Parameters: price [n_classes_in_block, n_configurations] for each rack; unit_cost for each scalable unit; whole, the
    totals that limits inside the block allow, to which a block is held where its rows are of one class.
    """
    if whole is not None and shape.row_idx.size == 1:
        return _best_total(problem, whole, block, system, price[0], unit_cost)
    total = np.zeros(1)
    choices: list[NDArray[np.int64]] = []
    best_points: list[tuple[int, NDArray[np.int64]]] = []
    for position, row in enumerate(shape.row_idx):
        number = patterns.pattern_set_idx[row, system, period]
        if number < 0:
            continue
        values, points = _by_total(patterns.point_sets[number], price[position])
        for _ in range(shape.n_rows[position]):
            total, choice = _join(total, values)
            choices.append(choice)
            best_points.append((position, points))
    if not choices:
        return None
    unit_racks = int(problem.unit_racks[system])
    counts = np.arange(total.size)
    units = -(-counts // unit_racks)
    worth = total - unit_cost * units
    if not problem.partial_units[block]:
        worth[counts % unit_racks != 0] = _NEVER
    count = int(np.argmax(worth))
    return float(worth[count]), _trace(problem, shape, choices, best_points, count, int(units[count]))


def _best_total(
    problem: Problem, whole: Totals, block: int, system: int, price: NDArray[np.float64], unit_cost: float
) -> tuple[float, Column]:
    counts = whole.racks.sum(axis=1)
    units = -(-counts // int(problem.unit_racks[system]))
    worth = whole.racks @ price[whole.profiles] - unit_cost * units
    if not problem.partial_units[block]:
        worth[counts % int(problem.unit_racks[system]) != 0] = _NEVER
    best = int(np.argmax(worth))
    racks = np.zeros((1, problem.n_configurations))
    racks[0, whole.profiles] = whole.racks[best]
    return float(worth[best]), Column(racks, int(units[best]))


def value_by_count(
    patterns: RowPatterns, rows: NDArray[np.int64], system: int, period: int, price: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Best value of a block for each count of its racks; rows that cannot hold the system yet stay empty.

    Parameters: rows of the block; price [n_rows_of_block, n_configurations] for each rack.
    """
    total = np.zeros(1)
    for position, row in enumerate(rows):
        number = patterns.pattern_set_idx[row, system, period]
        if number >= 0:
            total, _ = _join(total, _by_total(patterns.point_sets[number], price[position])[0])
    return total


def _by_total(points: NDArray[np.int64], price: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Best value for each total count, and the point that has it."""
    totals = points.sum(axis=1)
    worth = points @ price
    order = np.lexsort((-worth, totals))
    first = np.searchsorted(totals[order], np.arange(totals[-1] + 1))
    return worth[order[first]], points[order[first]]


def _join(total: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Max-plus convolution, with the count that the joining row contributes."""
    table = np.full((values.size, total.size + values.size - 1), _NEVER)
    for count, value in enumerate(values):
        table[count, count : count + total.size] = total + value
    choice = np.argmax(table, axis=0)
    return table[choice, np.arange(table.shape[1])], choice


def _trace(
    problem: Problem,
    shape: BlockShape,
    choices: list[NDArray[np.int64]],
    best_points: list[tuple[int, NDArray[np.int64]]],
    count: int,
    n_units: int,
) -> Column:
    racks = np.zeros((shape.row_idx.size, problem.n_configurations))
    for choice, (position, points) in zip(reversed(choices), reversed(best_points), strict=True):
        own = int(choice[count])
        racks[position] += points[own]
        count -= own
    return Column(racks, n_units)
