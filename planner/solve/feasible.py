"""Whether a plan keeps every rule of the problem, in exact integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import may_stand
from planner.side.decide import best_decisions
from planner.side.worth import raised_capacity, rows_hold
from planner.solve.value import block_counts, system_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Plan, Problem


def limit_loads(problem: Problem, n_racks: NDArray[np.integer]) -> NDArray[np.int64]:
    """[n_limits, n_periods] what a plan loads every limit with, scaled as its capacity."""
    load = np.zeros(problem.capacity.shape, np.int64)
    entry_load = np.einsum("ek,ekt->et", problem.entry_coefficient, n_racks[problem.entry_row_idx])
    loaded = np.diff(problem.limit_ptr) > 0
    if loaded.any():
        load[loaded] = np.add.reduceat(entry_load, problem.limit_ptr[:-1][loaded], axis=0)
    return load


def limits_hold(problem: Problem, plan: Plan) -> bool:
    """Whether every limit holds in every period, at the capacity that what is decided beside the racks makes of it."""
    return bool((limit_loads(problem, plan.n_racks) <= decided_capacity(problem, plan)).all())


def decided_capacity(problem: Problem, plan: Plan) -> NDArray[np.int64]:
    """[n_limits, n_periods] capacities with what is decided beside the racks, scaled by 2^20."""
    if problem.side is None:
        return problem.capacity
    best = best_decisions(problem, plan.n_racks) if plan.decisions is None else None
    return raised_capacity(problem, plan.decisions or (() if best is None else best.values))


def side_holds(problem: Problem, plan: Plan) -> bool:
    """Whether what is decided beside the racks keeps its rows."""
    if problem.side is not None and plan.decisions is not None:
        return rows_hold(problem.side, plan.n_racks, plan.decisions)
    decisions = best_decisions(problem, plan.n_racks)
    return decisions is None or decisions.holds


def holds(problem: Problem, plan: Plan) -> bool:
    """Whether limits, first periods, growth, one system for each block, whole units and the side program all hold."""
    racks = plan.n_racks
    blocks = block_counts(problem, plan)
    unit_racks = problem.unit_racks[None, :, None]
    split = (blocks % unit_racks != 0).any(axis=(1, 2)) & ~problem.partial_units
    return bool(
        (racks >= 0).all()
        and not racks[~may_stand(problem)].any()
        and (np.diff(system_counts(problem, plan), axis=2) >= 0).all()
        and ((blocks.max(axis=2) > 0).sum(axis=1) <= 1).all()
        and not split.any()
        and side_holds(problem, plan)
        and limits_hold(problem, plan)
    )
