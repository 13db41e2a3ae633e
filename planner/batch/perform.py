"""One task from inputs to result: load, lower, plan, verify, summarise. What a worker does, wherever it runs."""

from __future__ import annotations

import os
import time
import traceback
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from planner.batch.outcome import ERROR, INPUT, MEMORY, REFUSED, ROOM, Beat, Failure, Outcome
from planner.batch.store import NO_ROOM, RUN, SUMMARY, TIMINGS, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planner.batch.executor import Event, Job
    from planner.batch.store import Store
    from planner.batch.task import Settings, Task
    from planner.lower.reuse import KnownSites
    from planner.solve.options import Progress


class RefusedError(Exception):
    """The independent checker does not accept a plan."""


def perform(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """Carry out the tasks of a job one after the other; nothing that goes wrong with one concerns another.

    Parameters: store, from which inputs are read and into which results are written; job; tell, called with beats and
    with the outcome of every task.
    """
    if job.group:
        _group(store, job, tell)
        return
    for task in job.tasks:
        tell(guarded(task, partial(alone, store, task, tell)))


def _group(store: Store, job: Job, tell: Callable[[Event], None]) -> None:
    """Carry out what is left of a group; what ends it fails the tasks that have no outcome yet."""
    from planner.batch.together import perform_group

    told: set[str] = set()

    def note(event: Event) -> None:
        told.update({event.key} if isinstance(event, Outcome) else ())
        tell(event)

    try:
        perform_group(store, job, note)
    except Exception as error:  # noqa: BLE001 - one group must never end the others
        known_sites().clear()
        for task in job.tasks:
            if task.key not in told:
                tell(Outcome(task.key, failure_of(error)))


def guarded(task: Task, action: Callable[[], float | None]) -> Outcome:
    """The outcome of an action, which returns the proven gap; whatever it raises becomes the reason of a failure."""
    began = time.monotonic()
    try:
        gap = action()
    except Exception as error:  # noqa: BLE001 - the last resort: one unit must never end the others
        return Outcome(task.key, failure_of(error), seconds=time.monotonic() - began)
    return Outcome(task.key, None, gap, time.monotonic() - began)


def failure_of(error: Exception) -> Failure:
    """Kind, text and traceback of an exception."""
    from sites.faults import InputError

    name, text = type(error).__name__, str(error)
    told = "".join(traceback.format_exception(error))
    if isinstance(error, InputError):
        cause = error.__cause__ or error.__context__
        if isinstance(cause, OSError) and cause.errno in NO_ROOM:
            return Failure(ROOM, f"{cause.strerror}: {text}", type(cause).__name__, told)
        return Failure(INPUT, text, name, told)
    if isinstance(error, MemoryError):
        return Failure(MEMORY, f"it ran out of memory{': ' if text else ''}{text}", name, told)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return Failure(ROOM, f"{error.strerror}: {error.filename or 'the folder of the batch'}", name, told)
    if isinstance(error, RefusedError):
        return Failure(REFUSED, text, name, told)
    if isinstance(error, StoreError):
        return Failure(INPUT, text, name, told)
    return Failure(ERROR, f"{name}: {text}", name, told)


def alone(store: Store, task: Task, tell: Callable[[Event], None]) -> float | None:
    """Plan, verify and write one task; returns the proven gap, None where there is no plan."""
    from planner.batch.summary import infeasible_summary, summary_of
    from planner.errors import InfeasibleError
    from planner.run.create import RunRequest, create_run
    from planner.run.folder import write_json
    from sites.world import world_of_files

    if store.has(task.key):
        return _gap_of(store.summary(task.key))
    clock = Clock()

    def beat(progress: Progress) -> None:
        tell(Beat(task.key, progress.stage, progress.objective, progress.bound))

    tell(Beat(task.key, "loading"))
    world = world_of_files(store.inputs(task.inputs))
    clock.lap("load_s")
    known = known_sites()
    if len(world.sites) > 1:
        known.clear()  # many sites are lowered side by side and take enough memory
    with store.new_unit(task) as folder:
        request = RunRequest(folder / RUN, solve_options(task.settings), with_report=False)
        try:
            run = create_run(world, request, beat, known if len(world.sites) == 1 else None)
        except InfeasibleError as error:
            summary = infeasible_summary(world, task, str(error))
        except Exception:
            known.clear()  # what ran out of memory may be half made
            raise
        else:
            clock.lap("plan_s")
            if task.settings.verify:
                tell(Beat(task.key, "verifying", run.document["objective"], run.document["bound"]))
                require_accepted(folder / RUN)
                clock.lap("verify_s")
            summary = summary_of(world, task, run.document, verified=task.settings.verify)
        write_json(folder / SUMMARY, summary)
        write_json(folder / TIMINGS, clock.timings())
    return _gap_of(summary)


@cache
def known_sites() -> KnownSites:
    """The site that this process has lowered last, for the next unit that plans it under another scenario."""
    from planner.lower.reuse import KnownSites

    return KnownSites(n_kept=1)


def _gap_of(summary: dict[str, Any]) -> float | None:
    gap: float | None = summary["gap"]
    return gap


def solve_options(settings: Settings) -> Any:
    """Options of the solver for a unit: one thread, as units run side by side, and no limit of time."""
    from planner.solve.options import SolveOptions

    return SolveOptions(
        backend=settings.backend, seed=settings.seed, work_limit=settings.work_limit, gap=settings.gap, n_threads=1
    )


def require_accepted(run: Path) -> None:
    """Raise RefusedError with every check that fails of a run."""
    from planner.verify import verify

    report = verify(run)
    if not report.ok:
        told = "; ".join(f"{check.name}: {check.detail}" for check in report.failed())
        msg = f"the plan is not accepted: {told}"
        raise RefusedError(msg)


class Clock:
    """Seconds of one unit, by part, and what it took of the machine."""

    def __init__(self) -> None:
        """Start."""
        self._began = self._last = time.monotonic()
        self._cpu_s = time.process_time()
        self._started_s = time.time()
        self._laps: dict[str, float] = {}

    def lap(self, part: str) -> None:
        """A part has ended."""
        now = time.monotonic()
        self._laps[part] = now - self._last
        self._last = now

    def timings(self) -> dict[str, Any]:
        """Everything so far."""
        import resource

        return {
            "started_utc_s": self._started_s,
            "wall_s": time.monotonic() - self._began,
            "cpu_s": time.process_time() - self._cpu_s,
            "load_s": None, "plan_s": None, "verify_s": None, **self._laps,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "process": os.getpid(),
        }  # fmt: skip
