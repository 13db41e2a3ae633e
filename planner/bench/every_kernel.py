"""Every kernel of the roofline table, compiled, against a triad over as many bytes in the same process.

Bytes are the least ones of `kernels.work_counts`: every array that a call touches, once. So kernels that gather, or
reckon more than they read, stay far below the roof; the table's operations a byte say which.
"""

from __future__ import annotations

import time
from copy import deepcopy
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.backends import kernel
from kernels.roofline import example_calls, kind_of_floats
from kernels.triad import compiled_triad
from kernels.work_counts import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_REPEATS = 9
_ITEM_BYTES = 8


@dataclass(frozen=True)
class KernelShare:
    """One kernel's call of the table."""

    kernel: str
    floats: str
    """Kind of floats where there are two; empty otherwise."""
    n_bytes: int
    """Least bytes of the call."""
    operations_a_byte: float
    call_s: float
    """Median processor time of the call on one thread."""
    triad_s: float
    """Median processor time of a triad over as many bytes."""

    @property
    def share(self) -> float:
        """Of the triad's bytes a second."""
        return self.triad_s / self.call_s


def measure_every() -> Iterator[KernelShare]:
    """Every call of the table, on fresh copies of its arguments, in turn with its triad."""
    triad = compiled_triad()
    for call in example_calls():
        work, run = counted(call.kernel, call.arguments), kernel(call.kernel, "numba")
        run(*deepcopy(call.arguments))  # compiled before the clock runs
        arrays = [np.ones(max(work.n_bytes // 3 // _ITEM_BYTES, 1)) for _ in range(3)]
        triad(*arrays, 0.5)
        own, roof = [], []
        for _ in range(_REPEATS):
            own.append(_passed_s(run, deepcopy(call.arguments)))
            roof.append(_passed_s(triad, (*arrays, 0.5)))
        ratio = work.n_operations / work.n_bytes
        yield KernelShare(call.kernel, kind_of_floats(call), work.n_bytes, ratio, median(own), median(roof))


def _passed_s(run: Callable[..., object], arguments: tuple[Any, ...]) -> float:
    begun = time.thread_time()
    run(*arguments)
    return time.thread_time() - begun
