"""Plans that choose which sites and phases to open.

The search knows costs of blocks, not of groups of them. So the cost of an opening is first shared out over its blocks,
which never counts more than is due; a plan that opens only part of a phase is then worth less than the search thinks,
and openings that do not pay for themselves are given up. What is left open is planned once more with its cost as spent.
The multipliers of the first problem prove the bound, with each opening's true cost (`planner.solve.opened`).
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import Plan
from planner.side.decide import best_decisions
from planner.solve.certificate import bound_cents
from planner.solve.feasible import holds
from planner.solve.opened import opened_in
from planner.solve.options import Status, StopReason
from planner.solve.patterns import row_patterns
from planner.solve.portfolio.split import takes_apart
from planner.solve.portfolio.summary import bound_by_site
from planner.solve.solve import solve
from planner.solve.value import block_counts, objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.problem import Opening, Problem
    from planner.solve.certificate import Certificate
    from planner.solve.options import Progress, SolveOptions
    from planner.solve.solve import Solution

_FIRST_PART = 0.5
"""Of the work or time limit: for the first plan, the rest for what is left open."""
_CLOSE = 1e-3
"""Where plan and bound are as close as this, what is open is not planned once more."""


def solve_openings(problem: Problem, options: SolveOptions, report: Callable[[Progress], None]) -> Solution:
    """Find a plan that opens sites and phases where they pay, and prove how close it is to the best.

    Parameters: problem, with openings; options, whose limits hold for both solves together; report, called after
    every stage and round, without a plan's worth, which is not known before the end.
    """
    began = time.monotonic()
    tell = _without_worth(report)
    first = solve(shared_out(problem), _part(options), tell)
    bound = _bound(problem, first.certificate)
    racks = paying(problem, first.plan.n_racks)
    objective, work = objective_cents(problem, Plan(racks)), first.work
    is_close = bound - objective <= _CLOSE * abs(bound)
    if first.stop_reason != StopReason.INTERRUPTED and not is_close and _is_partial(problem, racks):
        left = _rest(options, first.work, time.monotonic() - began)
        second = solve(settled(problem, racks), left, tell)
        other = paying(problem, second.plan.n_racks)
        work += second.work
        if (worth := objective_cents(problem, Plan(other))) > objective:
            racks, objective = other, worth
    decisions = best_decisions(problem, racks)
    plan = Plan(racks, None if decisions is None else decisions.values)
    is_optimal = objective == bound
    return replace(
        first, plan=plan, objective=objective, bound=bound, tree=None, work=work,
        status=Status.OPTIMAL if is_optimal else Status.FEASIBLE,
        stop_reason=_stop_reason(options, first, objective, bound),
        wall_s=time.monotonic() - began, decisions=None if decisions is None else decisions.named,
    )  # fmt: skip


def _stop_reason(options: SolveOptions, first: Solution, objective: int, bound: int) -> StopReason:
    """Why nothing better was looked for, by the true worth: the first search knew shares of the costs alone."""
    if objective == bound:
        return StopReason.OPTIMAL
    if options.is_close_enough(objective, bound):
        return StopReason.GAP
    was_content = first.stop_reason in {StopReason.OPTIMAL, StopReason.GAP}
    return StopReason.WORK_LIMIT if was_content else first.stop_reason


def shared_out(problem: Problem) -> Problem:
    """The problem with the cost of every opening shared out over its blocks by their rows, rounded down.

    It is a relaxation: blocks that open pay at most what the opening costs, and pay it no earlier.
    """
    rows_of_block = np.bincount(problem.block_of_row_idx, minlength=problem.n_blocks)
    open_cost = problem.open_cost.copy()
    for opening in problem.openings:
        blocks = list(opening.block_idx)
        n_rows = int(rows_of_block[blocks].sum())
        for block in blocks:
            own = int(rows_of_block[block])
            open_cost[block] += np.array([cents * own // n_rows for cents in opening.cost], np.int64)
    return replace(problem, openings=(), open_cost=open_cost)


def settled(problem: Problem, n_racks: NDArray[np.int32]) -> Problem:
    """The problem with the openings that a plan has as spent, and nothing in the blocks of the others."""
    held = _held(problem, n_racks)
    closed = [block for one in problem.openings if opened_in(one, held) is None for block in one.block_idx]
    first_period = problem.first_period.copy()
    first_period[np.isin(problem.block_of_row_idx, closed)] = problem.n_periods
    return replace(problem, openings=(), first_period=first_period)


def paying(problem: Problem, n_racks: NDArray[np.int32]) -> NDArray[np.int32]:
    """A plan's racks without those of openings that cost more than their racks are worth, dearest first."""
    objective = objective_cents(problem, Plan(n_racks))
    while True:
        held = _held(problem, n_racks)
        trials = [_without(problem, n_racks, one) for one in problem.openings if opened_in(one, held) is not None]
        found = [(objective_cents(problem, Plan(trial)), index) for index, trial in enumerate(trials)]
        better = [pair for pair in found if pair[0] > objective and holds(problem, Plan(trials[pair[1]]))]
        if not better:
            return n_racks
        objective, index = max(better, key=lambda pair: (pair[0], -pair[1]))
        n_racks = trials[index]


def _without(problem: Problem, n_racks: NDArray[np.int32], opening: Opening) -> NDArray[np.int32]:
    left = n_racks.copy()
    left[np.isin(problem.block_of_row_idx, opening.block_idx)] = 0
    return left


def _held(problem: Problem, n_racks: NDArray[np.int32]) -> NDArray[np.bool_]:
    held: NDArray[np.bool_] = block_counts(problem, Plan(n_racks)).sum(axis=1) > 0
    return held


def _is_partial(problem: Problem, n_racks: NDArray[np.int32]) -> bool:
    """Whether some block of an opening is never used, so that its part of the cost was not counted, or none is."""
    ever = set(np.flatnonzero(_held(problem, n_racks).any(axis=1)).tolist())
    return any(not ever.issuperset(one.block_idx) for one in problem.openings)


def _bound(problem: Problem, proof: Certificate) -> int:
    if takes_apart(problem):
        return bound_by_site(problem, proof)
    return bound_cents(problem, row_patterns(problem), proof)


def _part(options: SolveOptions) -> SolveOptions:
    work, seconds = options.work, options.time_limit_s
    return replace(
        options,
        work_limit=None if work is None else max(1, int(work * _FIRST_PART)),
        time_limit_s=None if seconds is None else seconds * _FIRST_PART,
    )


def _rest(options: SolveOptions, work: int, elapsed_s: float) -> SolveOptions:
    return replace(
        options, guide=None,
        work_limit=None if options.work is None else max(1, options.work - work),
        time_limit_s=None if options.time_limit_s is None else max(1.0, options.time_limit_s - elapsed_s),
    )  # fmt: skip


def _without_worth(report: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Progress whose plan is not told: it is worth less than the shared problem makes it."""
    return lambda progress: report(replace(progress, objective=None))
