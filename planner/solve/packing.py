"""The kernels' view of a problem: limits row by row, rows block by block, values by parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels.contract import PackingModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns


@dataclass(frozen=True)
class EffectiveValues:
    """Values for each standing rack, block and unit: what starts pay is spread by parts (model, section 7)."""

    rack: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] cents."""
    open_cost: NDArray[np.int64]
    """[n_blocks, n_periods] cents."""
    unit_cost: NDArray[np.int64]
    """[n_blocks, n_systems, n_periods] cents."""


def by_parts(amount: NDArray[np.int64]) -> NDArray[np.int64]:
    """amount[t] − amount[t+1] along the last axis, with 0 after the end: Σ a_t (N_t − N_{t−1}) = Σ result_t N_t."""
    following = np.zeros_like(amount)
    following[..., :-1] = amount[..., 1:]
    return amount - following


def effective_values(problem: Problem) -> EffectiveValues:
    """Spread start values, opening and unit costs over the periods in which racks stand."""
    start = by_parts(problem.start_value)[:, problem.system_of_configuration_idx, :]
    return EffectiveValues(
        rack=problem.period_value + start,
        open_cost=by_parts(problem.open_cost),
        unit_cost=by_parts(problem.unit_cost),
    )


def packing_model(problem: Problem, patterns: RowPatterns) -> PackingModel:
    """Arrange a problem for the kernels.

    Parameters: problem; patterns, whose `most_racks` bounds every row.
    """
    values = effective_values(problem)
    row_ptr, limit_idx, coefficient = _entries_by_row(problem)
    block_order = np.argsort(problem.block_of_row_idx, kind="stable")
    counts = np.bincount(problem.block_of_row_idx, minlength=problem.n_blocks)
    system_ptr, configuration_idx = configurations_by_system(problem)
    return PackingModel(
        row_ptr=row_ptr,
        entry_limit_idx=limit_idx,
        entry_coefficient=coefficient,
        capacity=np.ascontiguousarray(problem.capacity),
        block_ptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        block_row_idx=block_order.astype(np.int64),
        system_ptr=system_ptr,
        system_configuration_idx=configuration_idx,
        most_racks=np.ascontiguousarray(patterns.most_racks),
        value=np.ascontiguousarray(values.rack),
        revenue=np.ascontiguousarray(problem.contract_revenue),
        open_cost=np.ascontiguousarray(values.open_cost),
        unit_cost=np.ascontiguousarray(values.unit_cost),
        unit_racks=problem.unit_racks.astype(np.int64),
        partial_units=problem.partial_units.astype(np.int64),
        contract_amount=np.array([problem.contract_amount], np.int64),
        contract_rate=problem.contract_rate.astype(np.int64),
    )


def _entries_by_row(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    order = np.lexsort((limit_of_entry, problem.entry_row_idx))
    counts = np.bincount(problem.entry_row_idx, minlength=problem.n_rows)
    row_ptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    coefficient = np.ascontiguousarray(problem.entry_coefficient[order])
    return row_ptr, limit_of_entry[order].astype(np.int64), coefficient


def configurations_by_system(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Configurations of each system, the one with the smallest total draw first."""
    draw = problem.entry_coefficient.astype(np.float64).sum(axis=0)
    order = np.lexsort((np.arange(problem.n_configurations), draw, problem.system_of_configuration_idx))
    counts = np.bincount(problem.system_of_configuration_idx, minlength=problem.n_systems)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), order.astype(np.int64)
