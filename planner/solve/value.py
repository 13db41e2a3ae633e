"""The exact objective of a plan, in whole cents (model, section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS
from planner.side.decide import best_decisions
from planner.side.worth import worth_cents
from planner.solve.demand import shortfall_cents
from planner.solve.opened import opening_cents
from planner.solve.packing import effective_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Plan, Problem


def system_counts(problem: Problem, plan: Plan) -> NDArray[np.int64]:
    """Standing racks of each system: [n_rows, n_systems, n_periods]."""
    counts = np.zeros((problem.n_rows, problem.n_systems, problem.n_periods), np.int64)
    for configuration, system in enumerate(problem.system_of_configuration_idx):
        counts[:, system] += plan.n_racks[:, configuration]
    return counts


def block_counts(problem: Problem, plan: Plan) -> NDArray[np.int64]:
    """Standing racks of each system in each block: [n_blocks, n_systems, n_periods]."""
    counts = np.zeros((problem.n_blocks, problem.n_systems, problem.n_periods), np.int64)
    np.add.at(counts, problem.block_of_row_idx, system_counts(problem, plan))
    return counts


def scalable_units(problem: Problem, plan: Plan) -> NDArray[np.int64]:
    """Scalable units paid for: [n_blocks, n_systems, n_periods]."""
    units: NDArray[np.int64] = -(-block_counts(problem, plan) // problem.unit_racks[None, :, None])
    return units


def contract_use(problem: Problem, plan: Plan) -> tuple[list[int], list[int]]:
    """Contract-price revenue and the part of it sold under the contract, in cents for each period."""
    revenue = [int(x) for x in (problem.contract_revenue * plan.n_racks).sum(axis=(0, 1))]
    left, used = problem.contract_amount, []
    for amount in revenue:
        used.append(min(amount, left))
        left -= used[-1]
    return revenue, used


def objective_cents(problem: Problem, plan: Plan) -> int:
    """What the plan is worth, rounded down to the cent."""
    values = effective_values(problem)
    racks = int((values.rack * plan.n_racks).sum())
    held = block_counts(problem, plan).sum(axis=1) > 0
    opening = int((values.open_cost * held).sum()) + opening_cents(problem, held)
    units = int((values.unit_cost * scalable_units(problem, plan)).sum())
    _, used = contract_use(problem, plan)
    premium = sum(int(rate) * cents for rate, cents in zip(problem.contract_rate, used, strict=True)) >> SHARE_BITS
    decided = decided_cents(problem, plan) + problem.constant_cents
    return racks - opening - units + premium - shortfall_cents(problem, plan.n_racks) + decided


def decided_cents(problem: Problem, plan: Plan) -> int:
    """What is decided beside the plan's racks earns, rounded down to the cent; 0 without a side program."""
    if problem.side is not None and plan.decisions is not None:
        return worth_cents(problem.side, plan.decisions)
    decisions = best_decisions(problem, plan.n_racks)
    return 0 if decisions is None else decisions.worth_cents
