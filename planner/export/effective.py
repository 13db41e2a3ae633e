"""Effective values by parts and the exact value of a plan, in whole cents (`docs/model.md` section 7)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.export.decisions import capacity_with, decisions_cents
from planner.problem import INACTIVE, SHARE_BITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem


def _by_parts(per_start: NDArray[np.int64]) -> NDArray[np.int64]:
    """What one unit standing in t is worth when X[t] is paid at its start: X[t] − X[t+1], with X past the end 0."""
    result = per_start.copy()
    result[..., :-1] -= per_start[..., 1:]
    return result


def effective_value(problem: Problem) -> NDArray[np.int64]:
    """[n_rows, n_configurations, n_periods] cents for each rack standing in a period, starts included by parts."""
    starts = _by_parts(problem.start_value)[:, problem.system_of_configuration_idx, :]
    return np.asarray(problem.period_value + starts, dtype=np.int64)


def effective_open_cost(problem: Problem) -> NDArray[np.int64]:
    """[n_blocks, n_periods] cents for each period in which the block is open."""
    return _by_parts(problem.open_cost)


def effective_unit_cost(problem: Problem) -> NDArray[np.int64]:
    """[n_blocks, n_systems, n_periods] cents for each unit standing in a period."""
    return _by_parts(problem.unit_cost)


def plan_value_cents(problem: Problem, n_racks: NDArray[np.integer[Any]], decisions: Sequence[int] = ()) -> int:
    """The plan's objective, exact, floored to the cent in its contract part and in what is decided beside the racks.

    Parameters: n_racks, [n_rows, n_configurations, n_periods] standing racks; decisions, [n_columns] of the side
    program where there is one. Source: section 7. Raises ValueError for another number of decisions.
    """
    beside = decisions_cents(problem, decisions) + problem.constant_cents
    racks = n_racks.astype(object)
    total = int((racks * effective_value(problem).astype(object)).sum())
    total -= _block_costs(problem, racks)
    return total + _contract_premium(problem, racks) - _minimum_demand_cost(problem, racks) + beside


def _block_costs(problem: Problem, racks: NDArray[Any]) -> int:
    open_cost, unit_cost = effective_open_cost(problem), effective_unit_cost(problem)
    total = 0
    for opening in problem.openings:
        rows = np.isin(problem.block_of_row_idx, opening.block_idx)
        standing = np.flatnonzero(racks[rows].sum(axis=(0, 1)) > 0)
        total += opening.cost[standing[0]] if standing.size else 0
    for block in range(problem.n_blocks):
        of_block = racks[problem.block_of_row_idx == block].sum(axis=0)
        for t in range(problem.n_periods):
            if of_block[:, t].sum() > 0:
                total += int(open_cost[block, t])
            for system in range(problem.n_systems):
                count = of_block[problem.system_of_configuration_idx == system, t].sum()
                units = -(-int(count) // int(problem.unit_racks[system]))
                total += units * int(unit_cost[block, system, t])
    return total


def _contract_premium(problem: Problem, racks: NDArray[Any]) -> int:
    """Earliest periods first: the rate never rises."""
    left, scaled = problem.contract_amount, 0
    earned = (racks * problem.contract_revenue.astype(object)).sum(axis=(0, 1))
    for t in range(problem.n_periods):
        used = min(left, int(earned[t]))
        left -= used
        scaled += used * int(problem.contract_rate[t])
    return scaled >> SHARE_BITS


def _minimum_demand_cost(problem: Problem, racks: NDArray[Any]) -> int:
    """What racks draw less than each tariff's minimum, at its price, rounded up for each site and quarter."""
    total = 0
    for demand in problem.minimum_demands:
        counts = racks[list(demand.row_idx)].sum(axis=0)
        for t, minimum_w in enumerate(demand.minimum_w):
            drawn = sum(watts * int(n) for watts, n in zip(demand.draw_scaled, counts[:, t], strict=True))
            short_w = max(Fraction(0), minimum_w - Fraction(drawn, 1 << SHARE_BITS))
            total += ceil(demand.price_cents_per_w[t] * short_w)
    return total


def violated_limits(
    problem: Problem, n_racks: NDArray[np.integer[Any]], decisions: Sequence[int] = ()
) -> list[tuple[int, int, int]]:
    """(limit, period, excess scaled by 2^20) of every limit that the plan breaks, in exact integers.

    Parameters: decisions, [n_columns] of the side program, that add to capacities; all 0 where not given.
    """
    broken, capacities = [], capacity_with(problem, decisions)
    for limit in range(problem.n_limits):
        entries = slice(int(problem.limit_ptr[limit]), int(problem.limit_ptr[limit + 1]))
        racks = n_racks[problem.entry_row_idx[entries]].astype(object)
        load = (problem.entry_coefficient[entries].astype(object)[:, :, None] * racks).sum(axis=(0, 1))
        for t in range(problem.n_periods):
            capacity = int(capacities[limit, t])
            if capacity != int(INACTIVE) and int(load[t]) > capacity:
                broken.append((limit, t, int(load[t]) - capacity))
    return broken
