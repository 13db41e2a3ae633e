"""The judge of every solver's plans: value and rules of `docs/model.md` sections 4 to 7, in integers.

A solver's own word on its plan does not count: HiGHS works within tolerances, and a plan that breaks a limit by a
hair is not a plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.problem import Plan, may_stand
from planner.run.loads import is_active, limit_loads
from planner.solve.value import block_counts, objective_cents, system_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem


class Verdict(NamedTuple):
    """What a plan is worth, and which rules it breaks."""

    value_cents: int
    faults: tuple[str, ...]
    """Empty when the plan keeps every rule."""


def judge(problem: Problem, n_racks: NDArray[np.integer[Any]]) -> Verdict:
    """Evaluate a plan exactly.

    Parameters: problem, as lowered; n_racks, standing racks, [n_rows, n_configurations, n_periods].
    """
    plan = Plan(np.asarray(n_racks, dtype=np.int32))
    faults = [*_standing_faults(problem, plan), *_limit_faults(problem, plan), *_block_faults(problem, plan)]
    return Verdict(objective_cents(problem, plan), tuple(faults))


def _standing_faults(problem: Problem, plan: Plan) -> list[str]:
    racks = plan.n_racks
    eligible = may_stand(problem)
    faults = []
    if (racks < 0).any():
        faults.append(f"{int((racks < 0).sum())} counts of racks are negative")
    if (racks[~eligible] != 0).any():
        faults.append(f"{int((racks[~eligible] != 0).sum())} counts stand where they are not eligible")
    n_falls = int((np.diff(system_counts(problem, plan), axis=2) < 0).sum())
    if n_falls:
        faults.append(f"systems fall in {n_falls} rows and periods")
    return faults


def _limit_faults(problem: Problem, plan: Plan) -> list[str]:
    loads = limit_loads(problem, plan.n_racks)
    broken = is_active(problem) & (loads > problem.capacity)
    if not broken.any():
        return []
    limit, period = (int(index) for index in np.argwhere(broken)[0])
    name, over = problem.limits[limit].name, int(loads[limit, period]) - int(problem.capacity[limit, period])
    return [f"{int(broken.sum())} limits are broken, {name} in {problem.periods[period]} by {over} / 2^20"]


def _block_faults(problem: Problem, plan: Plan) -> list[str]:
    held = block_counts(problem, plan)
    faults = []
    n_mixed = int(((held.max(axis=2, initial=0) > 0).sum(axis=1) > 1).sum())
    if n_mixed:
        faults.append(f"{n_mixed} blocks hold more than one system")
    part_empty = held[~problem.partial_units] % problem.unit_racks[None, :, None]
    if part_empty.any():
        faults.append(f"{int((part_empty != 0).sum())} scalable units are part empty where none may be")
    return faults
