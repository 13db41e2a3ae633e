"""A Dask cluster as a batch sees it: how to reach it, what its workers can do, and why one cannot be used."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planner.batch.executor import LostError
from planner.batch.outcome import ERROR, MEMORY, Failure
from planner.batch.task import code_digest

if TYPE_CHECKING:
    from collections.abc import Collection

    from distributed import Client

    from planner.batch.executor import Job

_CONNECT_S = 15.0
_AUTO = "auto"


@dataclass(frozen=True)
class Ability:
    """What a worker that may be given jobs can do."""

    memory_bytes: int | None
    backends: frozenset[str]
    automatic: str

    def suits(self, job: Job) -> bool:
        """Whether memory and backends are enough."""
        return self.has_memory(job) and backends_of(job) <= self.backends | {_AUTO}

    def has_memory(self, job: Job) -> bool:
        """Whether a job is predicted to fit."""
        return self.memory_bytes is None or job.predicted_bytes <= self.memory_bytes


def unsuited(job: Job, workers: Collection[Ability]) -> Failure:
    """Why a job suits none of the workers, of which there is at least one."""
    if not any(worker.has_memory(job) for worker in workers):
        most = max(worker.memory_bytes or 0 for worker in workers)
        text = (
            f"it is expected to need {job.predicted_bytes / 2**30:.1f} GiB, and the largest worker has "
            f"{most / 2**30:.1f} GiB for a unit; start one with a higher --memory-limit, then use --retry-failed"
        )
        return Failure(MEMORY, text)
    wanted = ", ".join(sorted(backends_of(job)))
    text = f"the backend {wanted} runs on no worker that has the memory; start one, then use --retry-failed"
    return Failure(ERROR, text)


def connected(address: str) -> Client:
    """A client of the scheduler at an address or of a scheduler file; raises LostError where that does not succeed."""
    try:
        from distributed import Client
    except ImportError:
        message = "the package distributed is not installed, which --scheduler needs: pip install 'gigaplan[cluster]'"
        raise LostError(message) from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # we say ourselves that a scheduler is gone
    where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        return Client(**where, timeout=_CONNECT_S, set_as_default=False, name="gigaplan")
    except (OSError, ValueError, TypeError) as error:
        told = str(error) or type(error).__name__
        message = f"no scheduler answers at {address}: {told}; start one, or look at its address"
        raise LostError(message) from None


def backends_of(job: Job) -> set[str]:
    """Backends that the tasks of a job ask for, `auto` included."""
    return {task.settings.backend for task in job.tasks}


def why_refused(found: object) -> str | None:
    """Why a worker cannot be used, by its answer."""
    if not isinstance(found, dict):
        return f"it cannot run gigaplan ({type(found).__name__}: {found}); install the same version there"
    if found["code"] != code_digest():
        return (
            f"it runs other code (digest {found['code'][:12]}, here {code_digest()[:12]}): gigaplan or a package "
            "beneath it differs; install the same versions there"
        )
    fault: str | None = found["fault"]
    return fault


def is_loss(message: object) -> bool:
    """Whether an error of a future says that its worker was lost."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    return isinstance(message, (KilledWorker, FutureCancelledError))
