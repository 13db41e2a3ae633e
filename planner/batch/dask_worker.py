"""What a worker of a Dask cluster does: says what it can do, and carries out jobs away from the batch's folder.

Jobs arrive with the content of their input files and results leave as archives, so that no file system is shared.
"""

from __future__ import annotations

import io
import tempfile
import threading
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.batch.outcome import Beat, Outcome
from planner.batch.store import Store
from planner.batch.task import code_digest
from sites.inputs import InputFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.batch.executor import Event, Job
    from planner.batch.task import InputReference

    Perform = Callable[[Store, Job, Callable[[Event], None]], None]

GPU = "GPU"
"""Resource of Dask that a worker is started with when it is to use a GPU."""
_BEATS_APART_S = 2.0
"""Seconds between two beats of a job, as all workers' pass through one scheduler."""
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Parcel:
    """A job on its way to a worker."""

    job: Job
    inputs: dict[str, bytes]
    """Input files by the SHA-256 of their content, compressed by zlib."""
    perform: Perform
    topic: str
    """Of the events that carry beats."""


@dataclass(frozen=True)
class Returned:
    """What comes back: the outcome of every task, and the folders of those that are done."""

    outcomes: tuple[Outcome, ...]
    units: dict[str, bytes]
    """Zip archives by key."""


def ability() -> dict[str, Any]:
    """What this worker can do, in plain values that any version of ours can read.

    `code`: digest of its sources and packages; `memory_bytes`: for a unit, None where unknown; `backends`: those that
    run; `auto`: the one that `auto` chooses; `fault`: why the worker must not be used, or None.
    """
    from distributed import get_worker

    from kernels.backends import BACKENDS, resolve, why_not

    worker, automatic = get_worker(), resolve("auto")
    gpus = worker.state.total_resources.get(GPU, 0)
    return {
        "code": code_digest(),
        "memory_bytes": _memory_bytes(worker.memory_manager.memory_limit),
        "backends": [name for name in BACKENDS if why_not(name) is None],
        "auto": automatic,
        "fault": _no_gpu() if gpus and automatic != "cuda" else None,
    }


def _memory_bytes(limit_bytes: int | None) -> int | None:
    """What a unit may be predicted to take: a share of the worker's limit, and no more than its machine has free."""
    from planner.batch.memory import SHARE_OF_MACHINE, free_bytes

    known = [free_bytes(), int(limit_bytes * SHARE_OF_MACHINE) if limit_bytes else None]
    return min((one for one in known if one is not None), default=None)


def _no_gpu() -> str:
    from kernels.backends import why_not_auto

    reason = why_not_auto("cuda")
    return f"it was started with {GPU} resources, and the backend cuda does not run there: {reason}"


def packed(job: Job, store: Store, perform: Perform, topic: str) -> Parcel:
    """A job with the content of all files that its tasks name; raises StoreError where one is missing or damaged."""
    wanted = {one.sha256: one for task in (*job.tasks, *job.group) for one in task.inputs}
    files = store.inputs(tuple(wanted.values()))
    return Parcel(job, {file.sha256: zlib.compress(file.content) for file in files}, perform, topic)


def carry_out(parcel: Parcel) -> Returned:
    """Carry out a job in a temporary folder, one job at a time in a process."""
    outcomes: list[Outcome] = []
    beats = _Beats(parcel.topic)

    def tell(event: Event) -> None:
        if isinstance(event, Outcome):
            outcomes.append(event)
        else:
            beats(event)

    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory(prefix="gigaplan-") as folder:
        store = Store(Path(folder))
        store.put_inputs(_input_files(parcel))
        parcel.perform(store, parcel.job, tell)
        done = [outcome.key for outcome in outcomes if outcome.failure is None]
        return Returned(tuple(outcomes), {key: archive(store.unit(key)) for key in done})


def _input_files(parcel: Parcel) -> tuple[InputFile, ...]:
    references: dict[str, InputReference] = {
        one.sha256: one for task in (*parcel.job.tasks, *parcel.job.group) for one in task.inputs
    }
    return tuple(
        InputFile(one.role, one.name, zlib.decompress(parcel.inputs[sha256])) for sha256, one in references.items()
    )


def archive(folder: Path) -> bytes:
    """A folder with all that is below it as a zip archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target:
        for file in sorted(folder.rglob("*")):
            target.write(file, file.relative_to(folder).as_posix())
    return content.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Put what `archive` has packed into a folder."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        source.extractall(folder)


class _Beats:
    """Sends where a task stands to the client, seldom."""

    def __init__(self, topic: str) -> None:
        self._topic, self._sent_s = topic, 0.0

    def __call__(self, beat: Beat) -> None:
        from distributed import get_worker

        now = time.monotonic()
        if now - self._sent_s < _BEATS_APART_S:
            return
        self._sent_s = now
        # as text, since the messages of events hold no integers beyond 64 bits
        told = [None if cents is None else str(cents) for cents in (beat.objective, beat.bound)]
        get_worker().log_event(self._topic, [beat.key, beat.stage, *told])
