"""The whole way for many sites: take apart, prove, plan pass by pass, put together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import Plan
from planner.solve.options import Progress, Status, StopReason
from planner.solve.portfolio.bound import prove
from planner.solve.portfolio.crew import Crew
from planner.solve.portfolio.joining import joined_certificate, joined_guide
from planner.solve.portfolio.planning import Limits, passes
from planner.solve.portfolio.split import split_sites
from planner.solve.solve import Solution
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.problem import Problem
    from planner.solve.options import SolveOptions
    from planner.solve.portfolio.bound import PortfolioBound
    from planner.solve.portfolio.site_work import SitePlan
    from planner.solve.portfolio.split import Split

_PRICES_UNTIL, _PROOFS_UNTIL = 0.4, 0.5
"""Parts of the time limit until which prices are looked for, and sites' bounds are made sharper."""


@dataclass
class _Best:
    """The best plan so far."""

    plan: Plan
    objective: int
    work: int = 0

    def take(self, split: Split, plans: list[SitePlan]) -> None:
        """Keep the plans of all sites where they are together worth more."""
        plan = Plan(split.joined([one.n_racks for one in plans]))
        objective = objective_cents(split.problem, plan)
        self.work = sum(one.work for one in plans)
        if objective > self.objective:
            self.plan, self.objective = plan, objective


def solve_by_site(
    problem: Problem, options: SolveOptions, backend: str, report: Callable[[Progress], None]
) -> Solution:
    """Find a plan of many sites and prove how close it is to the best.

    A KeyboardInterrupt while sites are planned ends that and keeps the best plan.
    Parameters: problem; options, whose threads are processes here; backend, one that runs; report, called after every
    stage and pass.
    """
    clock, began = time.monotonic(), time.time()
    limit_s = options.time_limit_s
    until_s = None if limit_s is None else (began + limit_s * _PRICES_UNTIL, began + limit_s * _PROOFS_UNTIL)
    limits = Limits(None if limit_s is None else began + limit_s, options.n_threads)
    split = split_sites(problem)
    with Crew(split.parts, options.n_threads, backend, options.seed) as crew:
        report(Progress("relaxation", time.monotonic() - clock, 0, None, None))
        bound = prove(split, crew, until_s)
        report(Progress("bound", time.monotonic() - clock, 0, None, bound.bound))
        best = _nothing(problem)
        reason = StopReason.INTERRUPTED
        try:
            for plans in passes(split, crew, bound, limits):
                best.take(split, plans)
                report(Progress("search", time.monotonic() - clock, best.work, best.objective, bound.bound))
                stop = _stop(options, best, bound, limits)
                if stop is not None:
                    reason = stop
                    break
        except KeyboardInterrupt:
            pass
        guide = joined_guide(split, crew.each("guide", [()] * len(split.parts)), bound)
    return Solution(
        plan=best.plan, objective=best.objective, bound=bound.bound,
        status=Status.OPTIMAL if best.objective == bound.bound else Status.FEASIBLE, stop_reason=reason,
        certificate=joined_certificate(split, bound), tree=None, guide=guide, wall_s=time.monotonic() - clock,
        work=best.work, backend=backend, seed=options.seed,
    )  # fmt: skip


def _nothing(problem: Problem) -> _Best:
    plan = Plan(np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32))
    return _Best(plan, objective_cents(problem, plan))


def _stop(options: SolveOptions, best: _Best, bound: PortfolioBound, limits: Limits) -> StopReason | None:
    if best.objective >= bound.bound:
        return StopReason.OPTIMAL
    if options.is_close_enough(best.objective, bound.bound):
        return StopReason.GAP
    if limits.until_s is not None and time.time() >= limits.until_s:
        return StopReason.TIME_LIMIT
    return StopReason.WORK_LIMIT if options.work is not None and best.work >= options.work else None
