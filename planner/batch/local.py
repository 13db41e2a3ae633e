"""Executors of this machine: worker processes, each with its own memory limit, or this process itself.

Each worker has a pipe of its own, so that the death of one is seen at once and concerns nobody else. A worker that
dies or runs out of memory is replaced; where it had done other work before, the task is tried once more in a fresh one,
so that what becomes of a task does not depend on what was done before it.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from dataclasses import dataclass, field, replace
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from planner.batch.outcome import KILLED, MEMORY, Beat, Failure, Outcome
from planner.batch.worker import THREADS_AT_ONE, work

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from planner.batch.executor import Event, Job
    from planner.batch.store import Store
    from planner.batch.task import Task

    Perform = Callable[[Store, Job, Callable[[Event], None]], None]

_KILL = 9
_ENDING_S = 5.0
_MOST_DEATHS = 3
"""Workers that may end over a group without any member coming out well, before the rest of it is given up."""


@dataclass
class _Worker:
    """One process and what it is working on."""

    process: SpawnProcess
    pipe: Connection[Any, Any]
    job: Job | None = None
    left: list[Task] = field(default_factory=list)
    """Tasks of its job without an outcome."""
    place: str = ""
    """Of the job that it was given last."""
    used: bool = False
    """Whether it has finished a task before."""
    retired: bool = False
    began_s: float = 0.0


class LocalExecutor:
    """Carries out jobs in worker processes of this machine."""

    def __init__(self, store: Store, n_workers: int, memory_bytes: int | None, perform: Perform) -> None:
        """Start no process yet.

        Parameters: memory_bytes, that jobs side by side may be expected to take, None for any; perform, a function of
        a module, as it is called in another process.
        """
        self._store, self._n_workers, self._memory_bytes, self._perform = store, n_workers, memory_bytes, perform
        self._waiting: deque[Job] = deque()
        self._workers: list[_Worker] = []
        self._events: deque[Event] = deque()
        self._tried_again: set[str] = set()
        self._fresh_only: set[str] = set()
        self._deaths: dict[str, int] = {}
        """By group, workers that ended over it since one of its members came out well."""

    def submit(self, job: Job) -> None:
        """Take a job; larger ones wait until their memory is free."""
        self._waiting.append(job)

    def next_event(self, timeout_s: float) -> Event | None:
        """What happened next, or None after so many seconds."""
        until_s = time.monotonic() + timeout_s
        while not self._events:
            self._begin_jobs()
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return None
            self._listen(left_s)
        return self._events.popleft()

    def close(self) -> None:
        """End all workers at once; what they have not brought to the store is given up."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join(_ENDING_S)
            worker.pipe.close()
        self._workers.clear()
        self._waiting.clear()

    def _begin_jobs(self) -> None:
        """Give waiting jobs to idle or new workers, as far as memory goes."""
        while self._waiting:
            busy = [worker for worker in self._workers if worker.job is not None]
            if len(busy) >= self._n_workers:
                return
            number = self._chosen(busy)
            job = self._waiting[number]
            if not self._has_memory(job, busy):
                return
            del self._waiting[number]
            self._give(job, self._free_worker(job, len(busy)))

    def _chosen(self, busy: list[_Worker]) -> int:
        """The waiting job to begin: of a place that an idle worker knows, else of one that nobody works on."""
        known = {worker.place for worker in self._workers if worker.job is None} - {""}
        taken = {worker.place for worker in busy} - {""}
        for number, job in enumerate(self._waiting):
            if job.place in known:
                return number
        return next((number for number, job in enumerate(self._waiting) if job.place not in taken), 0)

    def _has_memory(self, job: Job, busy: list[_Worker]) -> bool:
        """Whether a job fits beside those that run; one job alone is always begun."""
        taken = sum(worker.job.predicted_bytes for worker in busy if worker.job is not None)
        return not busy or self._memory_bytes is None or taken + job.predicted_bytes <= self._memory_bytes

    def _free_worker(self, job: Job, n_busy: int) -> _Worker:
        idle = [worker for worker in self._workers if worker.job is None]
        fresh = any(task.key in self._fresh_only for task in job.tasks)
        suited = [worker for worker in idle if not (fresh and worker.used)]
        if suited:
            return next((worker for worker in suited if worker.place == job.place), suited[0])
        if idle and n_busy + len(idle) >= self._n_workers:
            self._end(idle[0])
        return self._start()

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(self._store, theirs, self._perform, os.getpid()), daemon=False)
        kept = {name: os.environ.get(name) for name in THREADS_AT_ONE}
        os.environ.update(dict.fromkeys(THREADS_AT_ONE, "1"))
        try:
            process.start()
        finally:
            for name, value in kept.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _give(self, job: Job, worker: _Worker) -> None:
        worker.job, worker.left, worker.began_s = job, list(job.tasks), time.monotonic()
        worker.place = job.place
        try:
            worker.pipe.send(job)
        except (BrokenPipeError, OSError):
            self._bury(worker)

    def _listen(self, timeout_s: float) -> None:
        pipes = {id(worker.pipe): worker for worker in self._workers}
        if not pipes:
            time.sleep(min(timeout_s, 0.05))
            return
        for ready in connection.wait([worker.pipe for worker in self._workers], timeout_s):
            worker = pipes[id(ready)]
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                self._bury(worker)
            else:
                self._take(worker, message)

    def _take(self, worker: _Worker, message: object) -> None:
        """A beat, an outcome, or None when the job is over."""
        if isinstance(message, Beat):
            self._events.append(message)
        elif isinstance(message, Outcome):
            self._settle(worker, message)
        else:
            worker.job = None
            if worker.retired:
                self._end(worker)

    def _settle(self, worker: _Worker, outcome: Outcome) -> None:
        task = next((one for one in worker.left if one.key == outcome.key), None)
        if task is not None:
            worker.left.remove(task)
        short = outcome.failure is not None and outcome.failure.kind == MEMORY
        worker.retired |= short
        if short and worker.used and task is not None and worker.job is not None and self._again(task, worker.job):
            return
        worker.used = True
        if task is not None and outcome.failure is None:
            self._deaths.pop(task.group, None)
        self._events.append(outcome)

    def _again(self, task: Task, job: Job) -> bool:
        """Have a task tried once more in a fresh worker."""
        if task.key in self._tried_again:
            return False
        self._tried_again.add(task.key)
        self._fresh_only.add(task.key)
        self._waiting.append(replace(job, tasks=(task,)))
        return True

    def _bury(self, worker: _Worker) -> None:
        """Say what became of the tasks of a worker that has ended by itself."""
        worker.process.join(_ENDING_S)
        code, seconds = worker.process.exitcode, time.monotonic() - worker.began_s
        failure = _failure_of(code)
        there = [task for task in worker.left if self._store.has(task.key)]
        for task in there:
            self._events.append(Outcome(task.key, None, self._store.summary(task.key)["gap"], seconds))
        left = [task for task in worker.left if task not in there]
        if not (worker.job is not None and self._halved(worker.job, left)):
            for number, task in enumerate(left):
                if not (worker.used and worker.job is not None and self._again(task, worker.job)):
                    self._events.append(Outcome(task.key, failure, seconds=seconds if number == 0 else 0.0))
        self._end(worker)

    def _halved(self, job: Job, left: list[Task]) -> bool:
        """Have what is left of a group tried again in two halves, so that one member does not take the others along.

        Not where the halves before have ended so too: then it is the group.
        """
        if len(left) <= 1 or self._deaths.get(left[0].group, 0) >= _MOST_DEATHS:
            return False
        self._deaths[left[0].group] = self._deaths.get(left[0].group, 0) + 1
        middle = len(left) // 2
        for half in (left[:middle], left[middle:]):
            self._fresh_only.update(task.key for task in half)
            self._waiting.append(replace(job, tasks=tuple(half)))
        return True

    def _end(self, worker: _Worker) -> None:
        worker.pipe.close()
        worker.process.kill()
        worker.process.join(_ENDING_S)
        self._workers.remove(worker)


def _failure_of(code: int | None) -> Failure:
    if code == -_KILL:
        text = "its process was killed by signal 9, as systems do when memory runs out"
        return Failure(MEMORY, text, exit_code=code)
    how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
    return Failure(KILLED, f"its process ended {how}", exit_code=code)


class InlineExecutor:
    """Carries out jobs in this process, one after the other; nothing protects it from a job that takes all memory."""

    def __init__(self, store: Store, perform: Perform) -> None:
        """Parameters: perform, called for each job."""
        self._store, self._perform = store, perform
        self._waiting: deque[Job] = deque()
        self._events: deque[Event] = deque()

    def submit(self, job: Job) -> None:
        """Take a job."""
        self._waiting.append(job)

    def next_event(self, timeout_s: float) -> Event | None:
        """What happened next; a job is carried out when nothing else is left to tell."""
        del timeout_s
        if not self._events and self._waiting:
            self._perform(self._store, self._waiting.popleft(), self._events.append)
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        """Give up what waits."""
        self._waiting.clear()
