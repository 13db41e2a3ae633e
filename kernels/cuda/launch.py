"""Starting kernels: grids, threads, shared memory, streams, and the fault word of each launch."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any

from kernels.cuda.api import SIMULATED, cuda
from kernels.cuda.faults import raise_fault
from kernels.cuda.memory import array_module, native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_THREADS = 256
"""Threads of a block at the most."""
MOST_SHARED_BYTES = 48 * 1024
"""Shared memory of a block that every device grants without being asked."""
_WORDS = 1024
"""Launches between two looks at their fault words."""


@dataclass(frozen=True)
class Grid:
    """Blocks, threads of a block (x, y), and bytes of shared memory that a block is given at launch."""

    n_blocks: int
    n_threads: int
    n_threads_y: int = 1
    shared_bytes: int = 0


@dataclass
class Limits:
    """The largest grid of element-wise kernels; tests make it tiny so that threads stride over several elements."""

    n_threads: int = 128
    n_blocks: int = 4096


@dataclass
class Tally:
    """What was launched: the simulator's work is counted in threads."""

    n_launches: int = 0
    n_threads: int = 0


limits = Limits()
tally = Tally()


def over(n_items: int) -> Grid:
    """A grid for a kernel that strides over items, one to a thread where they are not too many."""
    n_threads = min(limits.n_threads, MOST_THREADS)
    return Grid(max(1, min(-(-n_items // n_threads), limits.n_blocks)), n_threads)


@dataclass
class _Pending:
    """Fault words of launches that nobody has looked at yet."""

    words: Any = None
    kernels: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=RLock)
    """Held from the choice of a word until its kernel is started, so that no other thread's look comes between."""

    def next_word(self, kernel: str) -> Any:
        if len(self.kernels) == _WORDS:
            check()
        if self.words is None:
            self.words = array_module().zeros(_WORDS, "int64")
        self.kernels.append(kernel)
        return self.words[len(self.kernels) - 1 : len(self.kernels)]

    def take(self) -> Iterator[tuple[str, int]]:
        with self.lock:
            kernels, words = self.kernels, self.words
            self.kernels, self.words = [], None
        found = [] if words is None else array_module().asnumpy(words).tolist()
        return zip(kernels, found[: len(kernels)], strict=True)


_pending = _Pending()


def launch(kernel: str, body: Callable[..., None], grid: Grid, **arguments: Any) -> None:
    """Start a kernel body on the current stream; what it finds wrong is raised by the next `check`.

    Parameters: kernel, registered name; body, a plain function whose last argument is its fault word; grid;
    arguments, by name and in order. Raises TypeError for an array in the host's memory, ValueError for a grid that no
    device grants.
    """
    repeat(kernel, 1, (body, grid, arguments))


def repeat(kernel: str, n_times: int, *launches: tuple[Callable[..., None], Grid, dict[str, Any]]) -> None:
    """Start kernels one after the other, the whole series so many times; Numba is shown each of their arrays only once.

    Parameters: kernel, registered name; n_times; launches, each a body, a grid and arguments as of `launch`, which
    share a fault word. Raises as `launch`.
    """
    shown: dict[int, Any] = {}

    def show(value: Any, name: str) -> Any:
        if id(value) not in shown:
            shown[id(value)] = native(kernel, value, name)
        return shown[id(value)]

    for _, grid, _ in launches:
        if grid.n_threads * grid.n_threads_y > MOST_THREADS or grid.shared_bytes > MOST_SHARED_BYTES:
            msg = f"kernel '{kernel}': {grid} is beyond {MOST_THREADS} threads or {MOST_SHARED_BYTES} bytes of a block"
            raise ValueError(msg)
    own = [[show(value, name) for name, value in each.items()] for _, _, each in launches]
    stream = _stream()
    with _pending.lock:
        fault = native(kernel, _pending.next_word(kernel), "fault")
        for _ in range(n_times):
            for (body, grid, _), each in zip(launches, own, strict=True):
                tally.n_launches += 1
                tally.n_threads += grid.n_blocks * grid.n_threads * grid.n_threads_y
                threads = (grid.n_threads, grid.n_threads_y)
                compiled(body)[grid.n_blocks, threads, stream, grid.shared_bytes](*each, fault)


def check() -> None:
    """Wait for the kernels started so far on the current stream and raise the first fault that one of them found."""
    for kernel, word in _pending.take():
        if word:
            raise_fault(kernel, int(word))


@cache
def compiled(body: Callable[..., None]) -> Any:
    """The kernel of a body; compiled for the device at its first launch."""
    return cuda.jit(body)


def _stream() -> Any:
    """CuPy's current stream, so that copies and kernels keep their order."""
    return 0 if SIMULATED else cuda.external_stream(array_module().cuda.get_current_stream().ptr)
