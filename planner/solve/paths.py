"""The best path of one block through time at given prices: how full it should be, and from when on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, MULTIPLIER_BITS, SHARE_BITS
from planner.side.prices import rack_value
from planner.solve.certificate import multiples_of_grid
from planner.solve.columns import value_by_count
from planner.solve.packing import effective_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns
    from planner.solve.relaxation import Relaxation

_NEVER = -1e300


def best_fillings(
    problem: Problem, patterns: RowPatterns, relaxation: Relaxation, blocks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Racks that blocks hold at the end of their best paths at the relaxation's prices, system by system.

    Parameters: blocks to look at. Returns racks [n_blocks, n_systems] and the first period in which the block can hold
    the system, `n_periods` where it never can.
    """
    reduced = _reduced_values(problem, relaxation, blocks)
    values = effective_values(problem)
    most = np.zeros((blocks.size, problem.n_systems), np.int64)
    first = np.full(most.shape, problem.n_periods, np.int64)
    for index, block in enumerate(blocks):
        rows = np.flatnonzero(problem.block_of_row_idx == block)
        for system in range(problem.n_systems):
            usable = np.flatnonzero((patterns.pattern_set_idx[rows, system] >= 0).any(axis=0))
            if not usable.size:
                continue
            first[index, system] = usable[0]
            worth = []
            for t in usable:
                total = value_by_count(patterns, rows, system, int(t), reduced[rows, :, t])
                units = -(-np.arange(total.size) // int(problem.unit_racks[system]))
                total = total - values.unit_cost[block, system, t] * units
                total[1:] -= values.open_cost[block, t]
                worth.append(total)
            most[index, system] = _end_of_best_path(worth)
    return most, first


def _end_of_best_path(worth: list[NDArray[np.float64]]) -> int:
    """Racks at the end of the path that never falls and is worth most, among those that hold any."""
    size = max(total.size for total in worth)
    reached = np.full(size, _NEVER)
    reached[0] = 0.0
    for total in worth:
        reached = np.maximum.accumulate(reached)
        reached[: total.size] += total
        reached[total.size :] = _NEVER
    return int(np.argmax(reached[1:])) + 1 if size > 1 else 0


def _reduced_values(problem: Problem, relaxation: Relaxation, blocks: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n_rows, n_configurations, n_periods] cents for each rack after what limits charge; 0 in rows of other blocks."""
    wanted = np.isin(problem.block_of_row_idx, blocks)
    reduced = np.where(wanted[:, None, None], effective_values(problem).rack.astype(np.float64), 0.0)
    reduced += problem.contract_revenue * relaxation.contract_period
    if problem.side is not None:
        reduced += _side_value(problem, relaxation)
    price = np.where(problem.capacity != INACTIVE, relaxation.limit, 0.0) * 2.0**SHARE_BITS
    for limit in np.flatnonzero(price.any(axis=1)):
        entries = np.arange(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
        entries = entries[wanted[problem.entry_row_idx[entries]]]
        charge = problem.entry_coefficient[entries] / 2.0**SHARE_BITS
        np.subtract.at(reduced, problem.entry_row_idx[entries], charge[:, :, None] * price[limit])
    inside = np.where((problem.capacity != INACTIVE)[:, None, :], relaxation.inside, 0.0)
    for limit in np.flatnonzero(inside.any(axis=(1, 2))):
        entries = np.arange(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
        entries = entries[wanted[problem.entry_row_idx[entries]]]
        charge = problem.entry_coefficient[entries][:, :, None] * inside[limit][problem.system_of_configuration_idx]
        np.subtract.at(reduced, problem.entry_row_idx[entries], charge)
    return reduced


def _side_value(problem: Problem, relaxation: Relaxation) -> NDArray[np.float64]:
    """[n_rows, n_configurations, n_periods] cents that prices of the side program add to a rack."""
    grid = 2.0**MULTIPLIER_BITS
    value: NDArray[np.float64] = np.asarray(rack_value(problem, multiples_of_grid(relaxation.side * grid)), float)
    return value / grid
