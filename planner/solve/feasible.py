"""Whether a plan keeps every rule of the problem, in exact integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import may_stand
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


def limits_hold(problem: Problem, n_racks: NDArray[np.integer]) -> bool:
    """Whether every limit holds in every period."""
    return bool((limit_loads(problem, n_racks) <= problem.capacity).all())


def holds(problem: Problem, plan: Plan) -> bool:
    """Whether limits, periods in which each may stand, growth, one system for each block and whole units all hold."""
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
        and limits_hold(problem, racks)
    )
