"""One solve: patterns, classes, relaxation, certificate, guide, search; the best plan survives any stop."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.backends import resolve
from planner.problem import Plan, Problem
from planner.side.decide import best_decisions
from planner.solve.beside import Beside
from planner.solve.bounding import Bounding, Proven
from planner.solve.feasible import holds
from planner.solve.folding import Folded, folded
from planner.solve.guide import Guide, make_guide
from planner.solve.judge import BROKEN, judge_of
from planner.solve.options import Progress, SolveOptions, Status, StopReason, gap
from planner.solve.packing import packing_model
from planner.solve.portfolio.split import takes_apart
from planner.solve.prove import Node, is_small, prove
from planner.solve.recombine import path_pool
from planner.solve.search import Found, search_rounds
from planner.solve.start import Deeper, Starter
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from planner.solve.certificate import Certificate


@dataclass(frozen=True)
class Solution:
    """A plan, what it is worth, and how good it is proven to be."""

    plan: Plan
    objective: int
    """Cents, rounded down."""
    bound: int
    """Cents: no plan is worth more."""
    status: Status
    stop_reason: StopReason
    certificate: Certificate
    tree: Node | None
    """The proof of a small problem, where it is better than the certificate's own multipliers."""
    guide: Guide | None
    """None where it was planned together with others of a batch."""
    wall_s: float
    work: int
    """Search steps times lanes."""
    backend: str
    seed: int
    decisions: dict[str, int] | None = None
    """What is decided beside the racks, by name of column, zeros left out; None without a side program."""

    def certificate_json(self, problem: Problem) -> dict[str, Any]:
        """The certificate's file, with the tree where there is one."""
        content = self.certificate.to_json(problem)
        if self.tree is not None:
            content["trees"] = {"problem": self.tree.to_json(problem)}
        return content

    @property
    def gap(self) -> float:
        """(bound − objective) / bound."""
        return gap(self.objective, self.bound)


def solve(
    problem: Problem, options: SolveOptions | None = None, progress: Callable[[Progress], None] | None = None
) -> Solution:
    """Find a plan and prove how close it is to the best.

    Parameters: problem; options; progress, called after every stage and round. A KeyboardInterrupt ends the search
    and keeps the best plan. Raises BackendError when the backend does not run here.
    """
    options = options or SolveOptions()
    report = progress or (lambda _: None)
    backend = resolve(options.backend)
    if problem.openings:
        from planner.solve.openings import solve_openings

        return solve_openings(problem, options, report)
    form = folded(problem)
    if form is not None:
        return _unfolded(form, solve(form.slots, options, progress))
    if options.guide is None and takes_apart(problem):
        from planner.solve.portfolio.solve import solve_by_site

        return solve_by_site(problem, options, backend, report)
    started = time.monotonic()
    report(Progress("relaxation", time.monotonic() - started, 0, None, None))
    bounding = Bounding(problem, options.bound, backend)
    proven = bounding.first(options.time_limit_s)
    time_left = partial(_time_left, options, started)
    report(Progress("bound", time.monotonic() - started, 0, None, proven.bound))
    starter = Starter(problem, bounding.patterns, bounding.classes, proven.relaxation, time_left)
    guide = options.guide or make_guide(problem, proven.proof, bounding.classes, *starter.first())
    best, reason = _first_plan(problem, guide), StopReason.WORK_LIMIT
    sharper = Beside(partial(bounding.sharper, proven, time_left))
    if options.time_limit_s is None:
        proven = sharper.result()
    try:
        report(Progress("search", time.monotonic() - started, 0, best.objective, proven.bound))
        stop = _stop(options, best, proven.bound, time.monotonic() - started)
        for found in _rounds(problem, bounding, proven, guide, starter, options) if stop is None else ():
            best = _better(problem, best, found)
            proven = min(proven, sharper.result(), key=lambda one: one.bound) if sharper.done else proven
            elapsed = time.monotonic() - started
            report(Progress("search", elapsed, best.work, best.objective, proven.bound))
            stop = _stop(options, best, proven.bound, elapsed)
            if stop is not None:
                break
        reason = stop or reason
    except KeyboardInterrupt:
        reason = StopReason.INTERRUPTED
    plan, objective, bound, tree = Plan(best.n_racks), best.objective, proven.bound, None
    if objective < bound and reason != StopReason.INTERRUPTED and is_small(problem):
        closed = prove(problem, plan, lambda: (_time_left(options, started) or 1.0) <= 0)
        plan, objective = closed.plan, closed.objective
        if closed.bound < bound:
            bound, tree = closed.bound, closed.root
    decisions = best_decisions(problem, plan.n_racks)
    if decisions is not None:
        # What is stated is worth what is stated, whatever these racks were worth beside other decisions.
        plan = Plan(plan.n_racks, decisions.values)
        objective = objective_cents(problem, plan)
    if objective == bound and reason != StopReason.INTERRUPTED:
        reason = StopReason.OPTIMAL
    return Solution(
        plan=plan, objective=objective, bound=bound, status=_status(objective, bound), stop_reason=reason,
        certificate=proven.proof, tree=tree, guide=guide, wall_s=time.monotonic() - started, work=best.work,
        backend=backend, seed=options.seed, decisions=None if decisions is None else decisions.named,
    )  # fmt: skip


def _unfolded(form: Folded, solution: Solution) -> Solution:
    """A solution over slots in the configurations of the problem; the guide stays as search took it."""
    tree = None if solution.tree is None else solution.tree.unfolded(form)
    return replace(
        solution, plan=form.plan(solution.plan), certificate=form.certificate(solution.certificate), tree=tree
    )


def _first_plan(problem: Problem, guide: Guide) -> Found:
    """The guide's plan where it keeps every rule, else the empty one."""
    start, empty = Plan(guide.start_racks.astype(np.int32)), Plan(np.zeros(guide.start_racks.shape, np.int32))
    first = Found(empty.n_racks, objective_cents(problem, empty), 0)
    return _better(problem, first, Found(start.n_racks, 0, 0)) if holds(problem, start) else first


def _better(problem: Problem, best: Found, found: Found) -> Found:
    """The plan that is worth more in exact cents, the known one of equals."""
    is_known = found.n_racks is best.n_racks or found.objective == BROKEN
    objective = best.objective if is_known else _worth(problem, found.n_racks)
    return Found(found.n_racks, objective, found.work) if objective > best.objective else replace(best, work=found.work)


def _rounds(
    problem: Problem, bounding: Bounding, proven: Proven, guide: Guide, starter: Starter, options: SolveOptions
) -> Iterator[Found]:
    """The rounds of the search, over what kernels see of the problem."""
    judge = judge_of(problem, guide)
    priced = None if judge is None else judge.priced
    model = packing_model(problem if judge is None else judge.widened, bounding.patterns)
    if priced is not None:
        model = model._replace(value=model.value + priced)
    return search_rounds(
        model, guide, path_pool(problem, proven.proof, bounding.classes, priced),
        Deeper(starter) if guide.start_racks.any() else None,
        backend=resolve(options.backend), seed=options.seed, n_lanes=options.n_lanes, n_threads=options.n_threads,
        work_limit=options.work_limit, time_left=starter.time_left, judge=judge,
    )  # fmt: skip


def _worth(problem: Problem, n_racks: NDArray[np.integer[Any]]) -> int:
    return objective_cents(problem, Plan(n_racks.astype(np.int32)))


def _status(objective: int, bound: int) -> Status:
    return Status.OPTIMAL if objective == bound else Status.FEASIBLE


def _time_left(options: SolveOptions, started: float) -> float | None:
    """Seconds until the time limit; None without one."""
    if options.time_limit_s is None:
        return None
    return options.time_limit_s - (time.monotonic() - started)


def _stop(options: SolveOptions, best: Found, bound: int, elapsed_s: float) -> StopReason | None:
    if best.objective >= bound:
        return StopReason.OPTIMAL
    if options.is_close_enough(best.objective, bound):
        return StopReason.GAP
    if options.time_limit_s is not None and elapsed_s >= options.time_limit_s:
        return StopReason.TIME_LIMIT
    if options.work is not None and best.work >= options.work:
        return StopReason.WORK_LIMIT
    return None
