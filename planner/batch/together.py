"""Many scenarios of the same graph in one job: lowered from what they share, solved by the batched kernels, checked.

What a group shares is learned from all its members, done ones included, so that a member's result is the same whether
the others are solved beside it or were before. Members whose graph differs form parts of their own; where a part is
small, or its members decide more than racks, each is planned for itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.batch.outcome import Beat, Outcome
from planner.batch.perform import Clock, RefusedError, alone, failure_of, guarded, known_sites, require_accepted
from planner.batch.store import RUN, SUMMARY, TIMINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.batch.executor import Event, Job
    from planner.batch.store import Store
    from planner.batch.task import Task
    from planner.lower.lowered import Lowered
    from planner.lower.reuse import KnownSites
    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns
    from planner.solve.scenario import BatchOptions, BatchSolution
    from sites.world import World

FEWEST = 4
"""Members from which on a part is solved together; fewer are planned each for itself."""
CERTIFICATE, PLACEMENTS = "certificate.json", "placements.parquet"
"""Files of a unit that was not checked in full, beside its summary."""


@dataclass(frozen=True)
class _Member:
    """A task of the group, lowered."""

    task: Task
    lowered: Lowered
    """Without its sites, which are large; they are lowered again where a plan is written in full."""
    order: str
    """Equal where sites are lowered from the same."""


def perform_group(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """Carry out what is left of a group.

    Parameters: store; job, with all tasks of its group; tell, called with beats and the outcome of every task.
    """
    wanted = {task.key for task in job.tasks}
    tell(Beat(job.tasks[0].key, "lowering the group"))
    known = known_sites()
    members, unfit = _lowered(store, job.group, known)
    for task in job.tasks:
        if task.key in unfit:  # planned for itself it says what is wrong, or that there is no plan
            _tell_alone(store, task, tell)
    for part in _parts(members):
        left = [number for number, member in enumerate(part) if member.task.key in wanted]
        if not left:
            continue
        problem = part[0].lowered.problem
        if len(part) < FEWEST or problem.side is not None or problem.openings or _has_aim(store, part[0].task):
            for number in left:
                _tell_alone(store, part[number].task, tell)
        else:
            _Part(store, part, known, tell).solve(left)


def _tell_alone(store: Store, task: Task, tell: Callable[[Event], None]) -> None:
    tell(guarded(task, partial(alone, store, task, tell)))


def _has_aim(store: Store, task: Task) -> bool:
    """Whether plans are to be best at something other than net present value."""
    from sites.schema.objective import is_net_present_value

    return not is_net_present_value(_world(store, task).portfolio.objective)


def _world(store: Store, task: Task) -> World:
    from sites.world import world_of_files

    return world_of_files(store.inputs(task.inputs))


def _lowered(store: Store, tasks: tuple[Task, ...], known: KnownSites) -> tuple[list[_Member], set[str]]:
    """Members in order of the group, and keys of those that cannot be lowered; like sites are lowered once."""
    from planner.errors import InfeasibleError
    from planner.lower import lower
    from planner.lower.reuse import sites_key
    from sites.faults import InputError

    orders: dict[str, str] = {}
    unfit: set[str] = set()
    for task in tasks:
        try:
            orders[task.key] = sites_key(_world(store, task))
        except InputError:
            unfit.add(task.key)
    found: dict[str, _Member] = {}
    first: Lowered | None = None
    for task in sorted(tasks, key=lambda one: orders.get(one.key, "")):
        if task.key in unfit or task.key in found:
            continue
        try:
            lowered = lower(_world(store, task), known=known)
        except (InfeasibleError, InputError):
            unfit.add(task.key)
            continue
        first = first or lowered
        slim = replace(lowered, problem=_sharing(first.problem, lowered.problem), sites={})
        found[task.key] = _Member(task, slim, orders[task.key])
    return [found[key] for key in dict.fromkeys(task.key for task in tasks) if key in found], unfit


def _sharing(first: Problem, other: Problem) -> Problem:
    """A problem that keeps one copy of what another has too."""
    same: dict[str, Any] = {}
    for item in fields(first):
        mine, its = getattr(first, item.name), getattr(other, item.name)
        if isinstance(mine, np.ndarray) and isinstance(its, np.ndarray):
            equal = mine.dtype == its.dtype and np.array_equal(mine, its)
        else:
            equal = isinstance(mine, tuple) and isinstance(its, tuple) and mine == its
        same |= {item.name: mine} if equal else {}
    return replace(other, **same)


def _parts(members: list[_Member]) -> list[list[_Member]]:
    """Members by graph, in order of the group; the first of each part is what the others are compared with."""
    from planner.solve.batch import check_same_graph

    parts: list[list[_Member]] = []
    for member in members:
        for part in parts:
            try:
                check_same_graph(part[0].lowered.problem, member.lowered.problem, "a member")
            except ValueError:
                continue
            part.append(member)
            break
        else:
            parts.append([member])
    return parts


class _Part:
    """Members of one graph, solved together."""

    def __init__(
        self, store: Store, members: list[_Member], known: KnownSites, tell: Callable[[Event], None]
    ) -> None:  # fmt: skip
        from planner.solve.classes import equitable, refine_together, singletons
        from planner.solve.patterns import PatternBook

        self._store, self._members, self._known, self._tell = store, members, known, tell
        self._begun_s, self._book = time.monotonic(), PatternBook()
        problems = tuple(member.lowered.problem for member in members)
        classes = refine_together(problems)
        self._classes = classes if equitable(problems[0], classes) else singletons(problems[0])

    def _patterns(self, problem: Problem) -> RowPatterns:
        """What each row can hold; like rows are looked at once."""
        from planner.solve.patterns import row_patterns

        return row_patterns(problem, book=self._book, row_class=self._classes.row)

    def solve(self, left: list[int]) -> None:
        """Solve and write the members that are left; whatever ends the solving fails those without an outcome."""
        from planner.solve.batch import solve_batch

        problems = [member.lowered.problem for member in self._members]
        told: set[int] = set()

        def take(number: int, solution: BatchSolution) -> None:
            told.add(number)
            self._take(self._members[number], solution)

        first = self._members[left[0]]
        self._tell(Beat(first.task.key, "learning from the group"))
        # In order of what their sites are lowered from, so that plans in full lower like sites once.
        order = sorted(left, key=lambda number: (self._members[number].order, number))
        try:
            solve_batch(problems[0], problems, _options(first.task, problems[0].n_blocks), take, order)
        except Exception as error:  # noqa: BLE001 - one group must never end the others
            failure = failure_of(error)
            for number in left:
                if number not in told:
                    self._tell(Outcome(self._members[number].task.key, failure))

    def _take(self, member: _Member, solution: BatchSolution) -> None:
        outcome = guarded(member.task, partial(self._written, member, solution))
        now = time.monotonic()
        self._tell(replace(outcome, seconds=now - self._begun_s))
        self._begun_s = now
        self._tell(Beat(member.task.key, "together", solution.objective, solution.bound))

    def _written(self, member: _Member, solution: BatchSolution) -> float | None:
        """Check a solution and write its unit; returns its gap."""
        from planner.batch.summary import summary_of
        from planner.run.folder import write_json
        from planner.run.tables import write_placements_parquet

        clock, world = Clock(), _world(self._store, member.task)
        in_full = member.task.settings.verify and member.task.in_full
        require_exact(member.lowered.problem, solution, self._patterns(member.lowered.problem))
        document = short_document(world, member.lowered, solution)
        with self._store.new_unit(member.task) as folder:
            if in_full:
                self._write_in_full(world, solution, folder / RUN)
                clock.lap("plan_s")
                require_accepted(folder / RUN)
                clock.lap("verify_s")
            else:
                write_json(folder / CERTIFICATE, solution.certificate.to_json(member.lowered.problem))
                write_placements_parquet(folder / PLACEMENTS, document["placements"])
            summary = summary_of(world, member.task, document, verified=in_full)
            write_json(folder / SUMMARY, summary)
            timings = clock.timings()
            write_json(folder / TIMINGS, timings | {"plan_s": (timings["plan_s"] or 0.0) + solution.cpu_s})
        gap: float | None = summary["gap"]
        return gap

    def _write_in_full(self, world: World, solution: BatchSolution, place: Any) -> None:
        """The run folder of a member, as `gigaplan plan` would write it but for the guide and the report."""
        from planner.lower import lower
        from planner.objectives.aimed import Aimed
        from planner.run.create import RunRequest, write_run
        from planner.solve.options import SolveOptions

        lowered = lower(world, known=self._known)
        aimed = Aimed(lowered.problem, solved(solution), solution.objective)
        request = RunRequest(place, SolveOptions(n_threads=1), with_report=False)
        write_run(world, lowered, aimed, request, {"started_utc": None, "lowering_s": None, "solve_s": None})


def _options(task: Task, n_blocks: int) -> BatchOptions:
    """The work limit in rounds, of which each takes some steps for every block."""
    from planner.solve.polish import STEPS_PER_BLOCK
    from planner.solve.scenario import BatchOptions

    settings = task.settings
    n_rounds = max(settings.work_limit // (STEPS_PER_BLOCK * n_blocks), 1)
    return BatchOptions(
        gap=settings.gap or 0.0, most_rounds=n_rounds, n_processes=1, backend=settings.backend, seed=settings.seed
    )


def require_exact(problem: Problem, solution: BatchSolution, row_patterns: RowPatterns) -> None:
    """Work out plan, worth and bound again in whole numbers of any size; raises RefusedError where one is off.

    Parameters: row_patterns, what each row of the problem can hold.
    """
    from planner.solve.certificate import bound_cents
    from planner.solve.feasible import holds
    from planner.solve.value import objective_cents

    if not holds(problem, solution.plan):
        msg = "the plan breaks a rule of its own problem"
        raise RefusedError(msg)
    worth = objective_cents(problem, solution.plan)
    proven = bound_cents(problem, row_patterns, solution.certificate)
    if (worth, proven) != (solution.objective, solution.bound) or worth > proven:
        msg = (
            f"the plan is worth {worth} cents and {proven} are proven, but {solution.objective} and {solution.bound} "
            "are stated"
        )
        raise RefusedError(msg)


def short_document(world: World, lowered: Lowered, solution: BatchSolution) -> dict[str, Any]:
    """What a summary takes of `plan.json`, without evaluating the rest."""
    import math

    from planner.run.document import placements
    from planner.run.totals import meter_totals
    from planner.solve.options import Status

    problem = lowered.problem
    standing = lowered.refreshes.as_they_are(solution.plan.n_racks)
    meters = meter_totals(world, lowered, standing).everything
    is_best = solution.objective == solution.bound
    return {
        "status": str(Status.OPTIMAL if is_best else Status.FEASIBLE),
        "objective": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap if math.isfinite(solution.gap) else None,
        "stop_reason": stop_reason(solution),
        "periods": list(problem.periods),
        "placements": list(placements(problem, standing)),
        "totals": [{"period": period, "meter_w": watts} for period, watts in zip(problem.periods, meters, strict=True)],
    }


def stop_reason(solution: BatchSolution) -> str:
    """Why a solution of a group was not improved further."""
    from planner.solve.options import StopReason

    if solution.objective == solution.bound:
        return str(StopReason.OPTIMAL)
    return str(StopReason.GAP if solution.is_done else StopReason.WORK_LIMIT)


def solved(solution: BatchSolution) -> Any:
    """A solution of a group as one of its own, without a guide."""
    from planner.solve.options import Status, StopReason
    from planner.solve.solve import Solution

    is_best = solution.objective == solution.bound
    return Solution(
        plan=solution.plan, objective=solution.objective, bound=solution.bound,
        status=Status.OPTIMAL if is_best else Status.FEASIBLE, stop_reason=StopReason(stop_reason(solution)),
        certificate=solution.certificate, tree=None, guide=None, wall_s=solution.cpu_s, work=0, backend="batch", seed=0,
    )  # fmt: skip
