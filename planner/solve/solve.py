"""One solve: patterns, classes, relaxation, certificate, guide, search; the best plan survives any stop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.backends import resolve
from planner.problem import Plan, Problem
from planner.solve.certificate import Certificate, bound_cents, certificate
from planner.solve.classes import refine
from planner.solve.demand import demand_value
from planner.solve.guide import Guide, make_guide
from planner.solve.options import Progress, SolveOptions, Status, StopReason, gap
from planner.solve.packing import packing_model
from planner.solve.patterns import row_patterns
from planner.solve.prove import Node, is_small, prove
from planner.solve.recombine import path_pool
from planner.solve.relaxation import relax
from planner.solve.search import Found, search_rounds
from planner.solve.start import Starter
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Solution:
    """A plan, what it is worth, and how good it is proven to be."""

    plan: Plan
    objective: int
    """Cents, rounded down."""
    bound: int
    """Cents, rounded up: no plan is worth more."""
    status: Status
    stop_reason: StopReason
    certificate: Certificate
    tree: Node | None
    """The proof of a small problem, where it is better than the certificate's own multipliers."""
    guide: Guide
    wall_s: float
    work: int
    """Search steps times lanes."""
    backend: str
    seed: int

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
    started = time.monotonic()
    patterns = row_patterns(problem)
    classes = refine(problem)
    report(Progress("relaxation", time.monotonic() - started, 0, None, None))
    relaxation = relax(problem, patterns, classes, options.time_limit_s)
    proof = certificate(problem, relaxation)
    bound = bound_cents(problem, patterns, proof)
    starter = Starter(problem, patterns, classes, relaxation, lambda: _time_left(options, started))
    guide = options.guide or make_guide(problem, proof, classes, *starter.first())
    report(Progress("bound", time.monotonic() - started, 0, None, bound))
    model, worth, priced = packing_model(problem, patterns), None, None
    empty = np.zeros(model.value.shape, np.int32)
    if problem.minimum_demands:
        # Kernels see a minimum demand at its price only, as part of what racks are worth.
        worth, priced = partial(_worth, problem), demand_value(problem, guide.demand_price)
        model = model._replace(value=model.value + priced)
    best, reason = Found(empty, 0 if worth is None else worth(empty), 0), StopReason.WORK_LIMIT
    rounds = search_rounds(
        model, guide, path_pool(problem, proof, classes, priced), starter, backend=backend, seed=options.seed,
        n_lanes=options.n_lanes, n_threads=options.n_threads, time_left=lambda: _time_left(options, started),
        worth=worth,
    )  # fmt: skip
    try:
        for found in rounds:
            best = found if found.objective > best.objective else Found(best.n_racks, best.objective, found.work)
            elapsed = time.monotonic() - started
            report(Progress("search", elapsed, best.work, best.objective, bound))
            stop = _stop(options, best, bound, elapsed)
            if stop is not None:
                reason = stop
                break
    except KeyboardInterrupt:
        reason = StopReason.INTERRUPTED
    plan, tree = Plan(best.n_racks), None
    objective = objective_cents(problem, plan)
    if objective < bound and reason != StopReason.INTERRUPTED and is_small(problem):
        proven = prove(problem, plan, lambda: (_time_left(options, started) or 1.0) <= 0)
        plan, objective = proven.plan, proven.objective
        if proven.bound < bound:
            bound, tree = proven.bound, proven.root
    if objective == bound and reason != StopReason.INTERRUPTED:
        reason = StopReason.OPTIMAL
    return Solution(
        plan=plan, objective=objective, bound=bound, status=_status(objective, bound), stop_reason=reason,
        certificate=proof, tree=tree, guide=guide, wall_s=time.monotonic() - started, work=best.work,
        backend=backend, seed=options.seed,
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
    if options.time_limit_s is not None and elapsed_s >= options.time_limit_s:
        return StopReason.TIME_LIMIT
    if options.work is not None and best.work >= options.work:
        return StopReason.WORK_LIMIT
    return None
