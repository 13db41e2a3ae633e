"""A worker process: jobs in, beats and outcomes out, within a limit of memory, and gone when its parent is."""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from planner.batch.outcome import Beat

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from planner.batch.executor import Event, Job
    from planner.batch.store import Store

THREADS_AT_ONE = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Environment variables that keep libraries to one thread, as workers run side by side."""
_SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux' prctl."""
_ADDRESSES_BYTES = 1 << 30
"""Addresses that threads and allocators reserve without using them."""
_BEATS_APART_S = 0.25
_NEEDED = ("highspy", "planner.lower", "planner.objectives.aimed", "planner.run.create", "planner.verify")


def work(
    store: Store,
    pipe: Connection[Any, Any],
    perform: Callable[[Store, Job, Callable[[Event], None]], None],
    parent: int,
) -> None:
    """Carry out jobs until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers
    end_with(parent)
    for name in _NEEDED:
        import_module(name)  # before memory is limited, of which they need much
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        limit_memory(job.allowance_bytes)
        try:
            perform(store, job, _Sender(pipe))
            pipe.send(None)
        except (BrokenPipeError, OSError):
            return


class _Sender:
    """Sends every outcome, and beats no more often than one can read."""

    def __init__(self, pipe: Connection[Any, Any]) -> None:
        self._pipe, self._stage, self._sent_s = pipe, "", 0.0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Beat):
            now = time.monotonic()
            if event.stage == self._stage and now - self._sent_s < _BEATS_APART_S:
                return
            self._stage, self._sent_s = event.stage, now
        self._pipe.send(event)


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends, however that ends.

    Elsewhere than on Linux a worker notices that its pipe is closed once it is done with its task.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def limit_memory(allowance_bytes: int) -> None:
    """Let this process take so much more memory than it has, and no more.

    What it asks for beyond that raises MemoryError, or ends the process where a library cannot go on.
    """
    if not sys.platform.startswith("linux"):
        return
    import resource

    limit = address_space_bytes() + allowance_bytes + _ADDRESSES_BYTES
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def address_space_bytes() -> int:
    """Addresses that this process has reserved, of which it uses a part."""
    from pathlib import Path

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
