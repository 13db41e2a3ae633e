"""What carries out jobs: the interface between a batch and the machines that work for it.

A worker knows nothing but the job, which names its tasks in full, and the store, from which it reads input files by
their content and into which it writes results. Any executor that calls `perform` on every job gives the same results.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from planner.batch.outcome import Beat, Outcome

if TYPE_CHECKING:
    from planner.batch.task import Task

Event: TypeAlias = Outcome | Beat


class LostError(Exception):
    """The machines that work for a batch cannot be reached or used; what is done is kept."""


@dataclass(frozen=True)
class Job:
    """Tasks that one worker carries out: one, or several of a group that are solved together."""

    tasks: tuple[Task, ...]
    """To be done, in order."""
    predicted_bytes: int
    """Memory that it is expected to take; jobs are begun side by side as long as this fits together."""
    allowance_bytes: int
    """Memory that the worker may take for it beyond what it has when it starts."""
    group: tuple[Task, ...] = ()
    """All tasks of the group, done ones included, from which what they share is learned."""
    place: str = ""
    """Portfolio and site that are planned; a worker that has planned them before is quicker. Of no result."""


class Executor(Protocol):
    """Carries out jobs, in any order, several at a time."""

    def submit(self, job: Job) -> None:
        """Take a job; it is begun when a worker and its memory are free."""
        ...

    def next_event(self, timeout_s: float) -> Event | None:
        """What happened next, or None after so many seconds.

        Exactly one outcome comes for every task of every job, also where its worker dies: that task has failed, the
        tasks of the job that have not been begun fail with it, and other jobs are not concerned. Raises LostError when
        no worker can be reached any more.
        """
        ...

    def close(self) -> None:
        """End all workers; what they are working on is given up, and nothing half done is in the store."""
        ...
