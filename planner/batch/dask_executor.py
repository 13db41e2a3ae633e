"""An executor on a Dask cluster: one job at a time for each worker, wherever it runs; results come back to one folder.

We give every worker its job ourselves instead of handing all of them to the scheduler: a worker that is lost then
incriminates one job and no other, jobs go only where code, memory and backend fit, and workers may come and go.
"""

from __future__ import annotations

import queue
import time
import uuid
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from planner.batch.dask_cluster import Ability, connected, is_loss, unsuited, why_refused
from planner.batch.dask_worker import Returned, ability, carry_out, packed, unpack
from planner.batch.executor import LostError
from planner.batch.outcome import ERROR, KILLED, ROOM, Beat, Failure, Outcome
from planner.batch.perform import failure_of, guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Future

    from planner.batch.dask_worker import Perform
    from planner.batch.executor import Event, Job
    from planner.batch.store import Store
    from planner.batch.task import Task

MOST_LOSSES = 3
"""Workers that may be lost over a job before it counts as the cause."""
_LOOK_APART_S = 2.0
_LISTEN_S = 0.2
_SETTLE_S = 10.0
"""How long workers that suit better may take to come before one says that there are none."""


@dataclass(frozen=True)
class _Try:
    """A job, and the workers that were lost over it."""

    job: Job
    lost_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Running:
    """What a worker has been given: a job, or None where it is asked what it can do."""

    worker: str
    future: Future[Any]
    attempt: _Try | None


class DaskExecutor:
    """Carries out jobs on the workers of a Dask cluster."""

    def __init__(self, store: Store, address: str, perform: Perform, say: Callable[[str], None]) -> None:
        """Connect.

        Parameters: address, of the scheduler, or the path of its scheduler file; perform, a function of a module that
        workers have; say, told of workers that come, are refused or lost. Raises LostError where the package is
        missing or nobody answers.
        """
        self._store, self._perform, self._say = store, perform, say
        self._waiting: deque[_Try] = deque()
        self._running: dict[int, _Running] = {}
        self._workers: dict[str, Ability] = {}
        self._seen: list[Ability] = []
        self._refused: dict[str, str] = {}
        self._resting: set[str] = set()
        self._missing: set[str] = set()
        self._events: deque[Event] = deque()
        self._messages: queue.SimpleQueue[tuple[int | None, object]] = queue.SimpleQueue()
        self._n_given = 0
        self._looked_s = self._changed_s = float("-inf")
        self._said_waiting = False
        self._address, self._topic = address, f"gigaplan-{uuid.uuid4().hex}"
        self._client = connected(address)
        self._client.subscribe_topic(self._topic, self._hear_beat)
        self._client.subscribe_topic("all", self._hear_change)

    def submit(self, job: Job) -> None:
        """Take a job; it is begun when a worker that suits it is free."""
        self._waiting.append(_Try(job))

    def next_event(self, timeout_s: float) -> Event | None:
        """What happened next, or None after so many seconds; raises LostError when the cluster cannot go on."""
        until_s = time.monotonic() + timeout_s
        while not self._events:
            self._look_round()
            self._begin_jobs()
            left_s = until_s - time.monotonic()
            if left_s <= 0 or self._events:
                break
            self._listen(min(left_s, _LISTEN_S))
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        """Leave the cluster; what its workers are working on is thrown away when they are done with it."""
        self._waiting.clear()
        running, self._running = list(self._running.values()), {}
        if self._client.status == "running":
            self._client.cancel([one.future for one in running], force=True)
        self._client.close(timeout=_LOOK_APART_S)

    # Workers

    def _look_round(self) -> None:
        """See which workers there are: ask new ones what they can do, and take back the jobs of lost ones."""
        now = time.monotonic()
        if self._client.status != "running":
            self._scheduler_is_gone()
        if now - self._looked_s < _LOOK_APART_S:
            return
        self._looked_s = now
        try:
            there = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, RuntimeError):
            self._scheduler_is_gone()
        self._resting = {worker for worker, told in there.items() if told["status"] != "running"}
        known = {*self._workers, *self._refused, *(one.worker for one in self._running.values())}
        missing = known - set(there)
        for worker in missing & self._missing:  # most are told of before, with whether they were closed on purpose
            self._lose(worker)
        self._missing = missing
        for worker in sorted(set(there) - known):
            self._changed_s = now
            self._give(worker, None)
        self._require_workers()

    def _scheduler_is_gone(self) -> None:
        message = f"the scheduler at {self._address} is gone; what is done is kept"
        raise LostError(message)

    def _require_workers(self) -> None:
        """Say that there are no workers; raise LostError where those that there are cannot be used."""
        if self._workers or any(one.attempt is None for one in self._running.values()):
            self._said_waiting = False
            return
        if self._refused and time.monotonic() - self._changed_s > _SETTLE_S:
            told = "; ".join(f"{worker}: {reason}" for worker, reason in sorted(self._refused.items()))
            message = f"no worker of {self._address} can be used: {told}"
            raise LostError(message)
        if not self._refused and not self._said_waiting:
            self._said_waiting = True
            self._say(f"waiting for workers of {self._address}")

    def _lose(self, worker: str, *, expected: bool = False) -> None:
        """A worker is gone: its job is tried elsewhere, after the others, or is given up as the cause.

        Parameters: expected, whether it was closed on purpose, of which its job cannot be the cause.
        """
        self._workers.pop(worker, None)
        self._refused.pop(worker, None)
        for number in [number for number, one in self._running.items() if one.worker == worker]:
            one = self._running.pop(number)
            one.future.cancel(force=True)
            if one.attempt is not None and expected:
                self._waiting.appendleft(one.attempt)
            elif one.attempt is not None:
                self._try_again(replace(one.attempt, lost_on=(*one.attempt.lost_on, worker)))

    def _try_again(self, attempt: _Try) -> None:
        job, losses = attempt.job, len(attempt.lost_on)
        if losses < MOST_LOSSES:
            self._say(f"worker {attempt.lost_on[-1]} was lost; unit {job.tasks[0].key[:8]} is tried again elsewhere")
            self._waiting.append(attempt)
        elif len(job.tasks) > 1:  # one of several is the cause, and the others are not to suffer
            half = len(job.tasks) // 2
            self._waiting += [_Try(replace(job, tasks=part)) for part in (job.tasks[:half], job.tasks[half:])]
        else:
            text = (
                f"the {losses} workers that it was given to were lost one after the other ({', '.join(attempt.lost_on)}"
                "); Dask ends workers that take more than their memory limit, their logs say more"
            )
            self._events.append(Outcome(job.tasks[0].key, Failure(KILLED, text)))

    def _judge(self, worker: str, found: object) -> None:
        """Use a worker or refuse it, by what it says it can do or by the error that asking it has raised."""
        self._changed_s = time.monotonic()
        reason = why_refused(found)
        if reason is not None:
            self._refuse(worker, reason)
            return
        assert isinstance(found, dict)
        self._workers[worker] = Ability(found["memory_bytes"], frozenset(found["backends"]), found["auto"])
        self._seen.append(self._workers[worker])
        if len({one.automatic for one in self._seen[-2:]}) > 1:
            self._say(
                f"worker {worker} chooses the backend {found['auto']} for units with 'auto', others another one: their "
                "bounds may differ by rounding; name a backend in the batch's settings to have the same bytes"
            )

    def _refuse(self, worker: str, reason: str) -> None:
        self._workers.pop(worker, None)
        self._refused[worker] = reason
        self._say(f"worker {worker} is not used: {reason}")

    # Jobs

    def _begin_jobs(self) -> None:
        busy = {one.worker for one in self._running.values()}
        for name, worker in list(self._workers.items()):
            if name in busy or name in self._resting:
                continue
            attempt = next((one for one in self._waiting if worker.suits(one.job)), None)
            if attempt is not None:
                self._waiting.remove(attempt)
                self._give(name, attempt)
        if self._waiting and self._workers and not self._running and self._has_settled():
            self._set_aside_unsuited()

    def _has_settled(self) -> bool:
        return time.monotonic() - self._changed_s > _SETTLE_S

    def _set_aside_unsuited(self) -> None:
        """Nothing runs, and what waits suits no worker."""
        for _ in range(len(self._waiting)):
            attempt = self._waiting.popleft()
            if any(worker.suits(attempt.job) for worker in self._workers.values()):
                self._waiting.append(attempt)
            else:
                failure = unsuited(attempt.job, self._workers.values())
                self._events += [Outcome(task.key, failure) for task in attempt.job.tasks]

    def _give(self, worker: str, attempt: _Try | None) -> None:
        """Give a worker a job, or ask it what it can do."""
        options: dict[str, Any] = {"workers": [worker], "allow_other_workers": False, "pure": False}
        try:
            future: Future[Any]
            if attempt is None:
                future = self._client.submit(ability, **options)
            else:
                parcel = packed(attempt.job, self._store, self._perform, self._topic)
                future = self._client.submit(carry_out, parcel, **options)
        except Exception as error:  # noqa: BLE001 - whatever stands in the way of one job is no matter of the others
            if attempt is None:
                self._refuse(worker, f"{type(error).__name__}: {error}")
            else:
                self._end_with_error(attempt.job, error)
            return
        self._n_given += 1
        self._running[self._n_given] = _Running(worker, future, attempt)
        assert self._client.loop is not None
        self._client.loop.add_callback(self._wait_for, self._n_given, future)

    async def _wait_for(self, number: int, future: Future[Any]) -> None:
        """Fetch a result in the client's own thread, so that a worker lost meanwhile keeps nobody waiting."""
        try:
            self._messages.put((number, await future))
        except BaseException as error:  # noqa: BLE001 - what a worker raised, or cancelled futures, of which none is ours
            self._messages.put((number, error))

    def _listen(self, timeout_s: float) -> None:
        try:
            number, message = self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return
        if number is None:
            self._hear(message)
            return
        one = self._running.pop(number, None)
        if one is None:  # it was taken back
            return
        if one.attempt is None:
            self._judge(one.worker, message)
        else:
            self._settle(one.worker, one.attempt, message)

    def _settle(self, worker: str, attempt: _Try, message: object) -> None:
        """Write what has come back, or see what became of the job."""
        if isinstance(message, Returned):
            self._keep(worker, attempt.job, message)
        elif is_loss(message):
            self._try_again(replace(attempt, lost_on=(*attempt.lost_on, worker)))
            self._looked_s = float("-inf")
        else:
            assert isinstance(message, BaseException)
            self._end_with_error(attempt.job, message)

    def _keep(self, worker: str, job: Job, returned: Returned) -> None:
        """Bring results into the store; where the worker had no room for them, another one tries."""
        tasks = {task.key: task for task in (*job.group, *job.tasks)}
        left: list[Task] = []
        for outcome in returned.outcomes:
            task = tasks[outcome.key]
            if outcome.failure is not None and outcome.failure.kind == ROOM:
                left.append(task)
                self._refuse(worker, f"it has no room: {outcome.failure.text}")
            elif outcome.failure is not None:
                self._events.append(outcome)
            else:
                self._events.append(self._written(task, outcome, returned.units[task.key]))
        if left:
            self._waiting.append(_Try(replace(job, tasks=tuple(left))))
        told = {outcome.key for outcome in returned.outcomes}
        silent = Failure(ERROR, f"worker {worker} came to the end of its job without a word on this unit")
        self._events += [Outcome(task.key, silent) for task in job.tasks if task.key not in told]

    def _written(self, task: Task, outcome: Outcome, content: bytes) -> Outcome:
        def write() -> float | None:
            if not self._store.has(task.key):
                with self._store.new_unit(task) as folder:
                    unpack(content, folder)
            return outcome.gap

        return replace(guarded(task, write), seconds=outcome.seconds)

    def _end_with_error(self, job: Job, error: BaseException) -> None:
        failure = failure_of(error) if isinstance(error, Exception) else Failure(ERROR, repr(error))
        self._events += [Outcome(task.key, failure) for task in job.tasks]

    # What the cluster tells by itself, in the client's thread

    def _hear_beat(self, event: tuple[float, Any]) -> None:
        self._messages.put((None, event[1]))

    def _hear_change(self, event: tuple[float, Any]) -> None:
        content = event[1]
        if isinstance(content, dict) and content.get("action") in {"add-worker", "remove-worker"}:
            self._messages.put((None, content))

    def _hear(self, message: Any) -> None:
        if isinstance(message, dict):
            self._looked_s = float("-inf")
            if message["action"] == "remove-worker":
                self._lose(message["worker"], expected=bool(message.get("expected")))
            return
        key, stage, objective, bound = message
        cents = [None if one is None else int(one) for one in (objective, bound)]
        self._events.append(Beat(key, stage, *cents))
