"""A batch from its plan to its tables: what is there is kept, what failed is set aside, the rest is computed."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from planner.batch.cells import Cell, Group, Plan
from planner.batch.dataset import FAILED, LEFT, write_dataset
from planner.batch.executor import Job, LostError
from planner.batch.memory import allowance_bytes, size_of
from planner.batch.outcome import MEMORY, ROOM, Failure, Outcome
from planner.batch.progress import Progress
from planner.batch.store import Store, write_durably
from planner.batch.task import Task, code_digest
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from planner.batch.executor import Event, Executor

FORMAT = "gigaplan-batch-folder/1"
BATCH, SCENARIOS, LOCK = "batch.json", "scenarios.json", ".lock"
_MOST_WITHOUT_ROOM = 3
"""Results in a row that could not be written, after which nothing more is begun."""
_WAIT_S = 0.5
_SHARED = 2
"""A group takes about twice the memory of one unit: one site, and the numbers of all its problems."""


@dataclass(frozen=True)
class Result:
    """What a batch has come to."""

    rows: list[dict[str, Any]]
    """Of the summary, one for each cell."""
    n_there: int
    """Results that were there before."""
    n_computed: int
    n_failed: int
    """Tasks that failed now or before."""
    without_room: str | None
    """Why results could not be written, where that ended the batch."""
    interrupted: bool = False
    lost: str | None = None
    """Why the machines that worked for it do so no more, where that ended the batch."""

    @property
    def n_left(self) -> int:
        """Cells that have neither a result nor a reason."""
        return sum(row["status"] == LEFT for row in self.rows)

    @property
    def is_whole(self) -> bool:
        """Whether every cell has its result."""
        return all(row["status"] not in {FAILED, LEFT} for row in self.rows)


@dataclass(frozen=True)
class Wishes:
    """How a batch is to be run."""

    retry_failed: bool = False
    memory_bytes: int | None = None
    """That a single unit may be predicted to take; None: any."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other batches out of a folder; the lock goes with the process, however that ends.

    Raises InputError where another process works in it, or the folder is something else.
    """
    refuse_foreign_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        message = f"this cannot be written ({error.strerror}); free some room or name another place"
        raise InputError([Fault(str(folder), None, "--out", message)]) from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def refuse_foreign_folder(folder: Path) -> None:
    """Raise InputError unless a folder is absent, empty, or one of a batch."""
    if not folder.is_dir():
        if folder.exists():
            message = "this exists and is not a folder; name another place"
            raise InputError([Fault(str(folder), None, "--out", message)])
        return
    names = {one.name for one in folder.iterdir()}
    if names and not names & {BATCH, LOCK}:
        message = "this folder exists and is not of a batch; name a new one, so that nothing of yours is changed"
        raise InputError([Fault(str(folder), None, "--out", message)])


def write_plan(folder: Path, plan: Plan) -> None:
    """Keep what a batch is to compute, so that it can be resumed from its folder alone."""
    content = {
        "format": FORMAT,
        "name": plan.name,
        "code": code_digest(),
        "cells": [asdict(cell) for cell in plan.cells],
        "tasks": {key: task.to_json() for key, task in plan.tasks.items()},
        "predicted_bytes": plan.predicted_bytes,
        "groups": [{"base": group.base, "members": list(group.members)} for group in plan.groups],
    }
    write_durably(folder / BATCH, _json(content))
    write_durably(folder / SCENARIOS, _json(plan.scenarios))


def read_plan(folder: Path, *, same_code: bool = True) -> Plan:
    """The plan that `write_plan` has kept.

    Parameters: same_code, whether units are to be computed with it, which only the code that keyed them may do.
    Raises InputError where there is none, or our code has changed since and must not have.
    """
    place = folder / BATCH
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
        plan = Plan(
            name=content["name"],
            cells=[Cell(**one) for one in content["cells"]],
            tasks={key: Task.from_json(one) for key, one in content["tasks"].items()},
            predicted_bytes=content["predicted_bytes"],
            groups=[Group(one["base"], tuple(one["members"])) for one in content["groups"]],
        )
    except OSError as error:
        message = f"there is no batch to resume here ({error.strerror}); name the folder of one"
        raise InputError([Fault(str(place), None, "--out", message)]) from None
    except (ValueError, KeyError, TypeError):
        message = "this is not the plan of a batch; start the batch again from its file"
        raise InputError([Fault(str(place), None, "", message)]) from None
    if same_code and content["code"] != code_digest():
        message = (
            "gigaplan or a package beneath it has changed since, so that results would not fit together; start the "
            "batch again from its file: what does not depend on the change is kept"
        )
        raise InputError([Fault(str(place), None, "code", message)])
    return plan


def run_batch(
    folder: Path, store: Store, plan: Plan, wishes: Wishes, executor: Executor, show: Callable[[Progress], None]
) -> Result:
    """Compute what is not there, and write the tables; Ctrl-C ends it and keeps what is done.

    Parameters: folder, of the batch, locked; executor, open; show, called after every event.
    """
    keys = dict.fromkeys(cell.key for cell in plan.cells)
    there = {key for key in keys if store.has(key)}
    if wishes.retry_failed:
        for key in keys:
            store.release(key)
    waiting = [key for key in keys if key not in there and store.reason(key) is None]
    progress = Progress({key: size_of(plan.predicted_bytes[key]) for key in waiting}, len(there))
    run = _Run(store, plan, progress)
    interrupted, lost = False, None
    try:
        run.go(_jobs(plan, waiting, there), wishes, executor, show)
    except KeyboardInterrupt:
        interrupted = True
    except LostError as error:
        lost = str(error)
    rows = write_dataset(folder, store, plan.cells, tried=True)
    return Result(
        rows=rows,
        n_there=len(there),
        n_computed=progress.n_done,
        n_failed=len({row["key"] for row in rows if row["status"] == FAILED}) + run.n_without_room,
        without_room=run.without_room,
        interrupted=interrupted,
        lost=lost,
    )


def _jobs(plan: Plan, waiting: list[str], there: set[str]) -> Iterator[Job]:
    """Single units place by place, then what is left of every group.

    Units of a place share what its sites are lowered to; the largest come first, so that no long one is left when all
    others are done.
    """
    wanted = set(waiting)
    grouped = {key for group in plan.groups for key in group.members}
    place_of = {cell.key: f"{cell.portfolio}/{cell.site}" for cell in reversed(plan.cells)}
    by_place: dict[str, list[str]] = {}
    for key in waiting:
        if key not in grouped:
            by_place.setdefault(place_of[key], []).append(key)
    largest = {place: max(plan.predicted_bytes[key] for key in keys) for place, keys in by_place.items()}
    for place in sorted(by_place, key=lambda one: -largest[one]):
        for key in by_place[place]:
            predicted = plan.predicted_bytes[key]
            yield Job((plan.tasks[key],), predicted, allowance_bytes(predicted), place=place)
    for group in plan.groups:
        left = tuple(plan.tasks[key] for key in group.members if key in wanted and key not in there)
        if left:
            predicted = max(plan.predicted_bytes[key] for key in group.members)
            every = (plan.tasks[group.base], *(plan.tasks[key] for key in group.members))
            yield Job(left, _SHARED * predicted, allowance_bytes(_SHARED * predicted), every)


class _Run:
    """The loop over events."""

    def __init__(self, store: Store, plan: Plan, progress: Progress) -> None:
        self._store, self._plan, self._progress = store, plan, progress
        self.n_without_room = 0
        self.without_room: str | None = None
        self._in_a_row = 0

    def go(
        self, jobs: Iterator[Job], wishes: Wishes, executor: Executor, show: Callable[[Progress], None]
    ) -> None:  # fmt: skip
        """Submit what fits, and take outcomes until there are no more."""
        for job in jobs:
            if wishes.memory_bytes is not None and job.predicted_bytes > wishes.memory_bytes:
                self._too_large(job, wishes.memory_bytes)
            else:
                executor.submit(job)
        show(self._progress)
        while self._progress.n_left and self.without_room is None:
            event = executor.next_event(_WAIT_S)
            if event is not None:
                self._take(event)
            show(self._progress)

    def _take(self, event: Event) -> None:
        self._progress.take(event)
        if not isinstance(event, Outcome):
            return
        failure = event.failure
        if failure is not None and failure.kind != ROOM:
            failure = self._set_aside(event.key, failure)
        self._in_a_row = self._in_a_row + 1 if failure is not None and failure.kind == ROOM else 0
        if failure is not None and failure.kind == ROOM:
            self.n_without_room += 1
            if self._in_a_row >= _MOST_WITHOUT_ROOM or self._progress.n_left == 0:
                self.without_room = failure.text

    def _set_aside(self, key: str, failure: Failure) -> Failure:
        """Put a failed task into quarantine; where not even its reason can be written, that is the failure."""
        try:
            self._store.quarantine(self._plan.tasks[key], failure)
        except OSError as error:
            return Failure(ROOM, f"{error.strerror}: {error.filename or self._store.folder}", type(error).__name__)
        return failure

    def _too_large(self, job: Job, memory_bytes: int) -> None:
        text = (
            f"it is expected to need {job.predicted_bytes / 2**30:.1f} GiB, and {memory_bytes / 2**30:.1f} GiB are "
            "free; use a larger machine and --retry-failed, or plan its sites each for itself"
        )
        for task in job.tasks:
            self._take(Outcome(task.key, Failure(MEMORY, text)))


def _lock(descriptor: int, folder: Path) -> None:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        message = "another batch is working in this folder; wait for it, or name another folder"
        raise InputError([Fault(str(folder), None, "--out", message)]) from None


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n").encode("utf-8")
