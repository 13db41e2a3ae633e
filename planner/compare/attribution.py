"""What a plan is worth, by system and by quarter of start: shares that add up to the cent."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS
from planner.solve.value import block_counts, contract_use, scalable_units, system_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from planner.problem import Plan, Problem

BESIDE = "beside the racks"
"""Share of what belongs to no rack: minimum demand, work and clauses, what every plan pays, cents rounded away."""
Key = tuple[str, str]
"""System and quarter of start."""


def shares_by_start(problem: Problem, plan: Plan, npv_cents: int) -> dict[Key, int]:
    """Cents of a plan's worth by system and quarter in which its racks started, and the rest under `BESIDE`.

    What the racks of a row and system earn in a quarter is shared among those started in each quarter by their number;
    the premium of a contract among the racks whose revenue uses it up. Parameters: npv_cents, worth of the plan.
    """
    shares: dict[Key, Fraction] = defaultdict(Fraction)
    _add_racks(shares, problem, plan)
    _add_blocks(shares, problem, plan)
    whole = {key: floor(cents) for key, cents in shares.items()}
    whole[BESIDE, ""] = npv_cents - sum(whole.values())
    return whole


def total_by(shares: Mapping[Key, int], part: int) -> dict[str, int]:
    """Shares summed by system (part 0) or by quarter of start (part 1)."""
    total: dict[str, int] = defaultdict(int)
    for key, cents in shares.items():
        total[key[part] or BESIDE] += cents
    return dict(total)


def _add_racks(shares: dict[Key, Fraction], problem: Problem, plan: Plan) -> None:
    """Values of racks, standing and started, and their part of the premium."""
    counts = system_counts(problem, plan)
    started = np.diff(counts, axis=2, prepend=0)
    earned = _earned(problem, plan)
    for r, s in np.argwhere(counts[:, :, -1]):
        cohorts = {int(t): int(started[r, s, t]) for t in np.flatnonzero(started[r, s])}
        for t, n_started in cohorts.items():
            key = (problem.system_names[s], problem.periods[t])
            shares[key] += n_started * int(problem.start_value[r, s, t])
            for later in range(t, problem.n_periods):
                shares[key] += earned[r][s][later] * Fraction(n_started, int(counts[r, s, later]))


def _earned(problem: Problem, plan: Plan) -> list[list[list[Fraction]]]:
    """[n_rows][n_systems][n_periods] cents of the racks that stand, the premium included."""
    revenue, used = contract_use(problem, plan)
    rates = zip(used, problem.contract_rate.tolist(), revenue, strict=True)
    premium = [Fraction(cents * rate, total << SHARE_BITS) if total else Fraction(0) for cents, rate, total in rates]
    own = _by_system(problem, problem.period_value * plan.n_racks)
    contracted = _by_system(problem, problem.contract_revenue * plan.n_racks)
    return [
        [[int(v) + int(c) * p for v, c, p in zip(*pair, premium, strict=True)] for pair in zip(*row, strict=True)]
        for row in zip(own.tolist(), contracted.tolist(), strict=True)
    ]


def _by_system(problem: Problem, values: NDArray[np.int64]) -> NDArray[np.int64]:
    total = np.zeros((problem.n_rows, problem.n_systems, problem.n_periods), np.int64)
    for k, s in enumerate(problem.system_of_configuration_idx):
        total[:, s] += values[:, k]
    return total


def _add_blocks(shares: dict[Key, Fraction], problem: Problem, plan: Plan) -> None:
    """Scalable units and openings, by the system that the blocks hold first and the quarter of payment."""
    held = block_counts(problem, plan)
    units = np.diff(scalable_units(problem, plan), axis=2, prepend=0)
    for b, s, t in np.argwhere(units):
        key = (problem.system_names[s], problem.periods[t])
        shares[key] -= int(units[b, s, t]) * int(problem.unit_cost[b, s, t])
    for b in np.flatnonzero(held.any(axis=(1, 2))):
        s, t = (int(one) for one in min(np.argwhere(held[b]).tolist(), key=lambda place: place[1]))
        shares[problem.system_names[s], problem.periods[t]] -= int(problem.open_cost[b, t])
    for opening in problem.openings:
        of_group = held[list(opening.block_idx)].any(axis=0)
        if of_group.any():
            s, t = (int(one) for one in min(np.argwhere(of_group).tolist(), key=lambda place: place[1]))
            shares[problem.system_names[s], problem.periods[t]] -= opening.cost[t]
