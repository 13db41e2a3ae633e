"""Every kernel of a backend against the plain loops, on samples of several batch sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernels.cuda.self_test import disagreement
from kernels.samples.calls import (
    FLOAT_TOLERANCES,
    first_order_calls,
    long_calls,
    packing_calls,
    scenario_calls,
    year_calls,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kernels.samples.calls import Call

LANES = (1, 2, 3, 31, 32, 33, 130)
"""Batch sizes: alone, few, about a warp, and more than a block of threads."""
_LONG_LANES = 5


@dataclass(frozen=True)
class Agreement:
    """How a kernel's samples of one batch size came out."""

    kernel: str
    n_lanes: int
    n_samples: int
    fault: str | None
    """Where the first sample that differs does, or how it failed; None where all agree."""


def agreements(backend: str, lanes: Sequence[int] = LANES) -> Iterator[Agreement]:
    """Run every kernel's samples on a backend and on the plain loops.

    Parameters: lanes, batch sizes. Integers must be equal to the bit, floats within the samples' tolerances.
    """
    for n_lanes in lanes:
        yield from _compared(_samples(n_lanes), n_lanes, backend)


def long_agreements(backend: str) -> Iterator[Agreement]:
    """The same for plans that outgrow a thread block's shared memory, where search runs one thread for each lane."""
    yield from _compared(long_calls(_LONG_LANES), _LONG_LANES, backend)


def _compared(samples: Iterable[Call], n_lanes: int, backend: str) -> Iterator[Agreement]:
    calls: dict[str, list[Call]] = {}
    for call in samples:
        calls.setdefault(call.kernel, []).append(call)
    for kernel, own in calls.items():
        faults = [fault for fault in (_fault(call, backend) for call in own) if fault is not None]
        yield Agreement(kernel, n_lanes, len(own), faults[0] if faults else None)


def _samples(n_lanes: int) -> Iterator[Call]:
    yield from packing_calls(n_lanes)
    yield from scenario_calls(n_lanes)
    for dtype in FLOAT_TOLERANCES:
        yield from first_order_calls(n_lanes, dtype)
    yield from year_calls(n_lanes)


def _fault(call: Call, backend: str) -> str | None:
    try:
        return disagreement(call, backend)
    except Exception as error:  # noqa: BLE001 - one kernel that fails must not hide what the others do
        return f"kernel '{call.kernel}' failed: {type(error).__name__}: {' '.join(str(error).split())}"
