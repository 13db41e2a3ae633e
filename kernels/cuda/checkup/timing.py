"""What calls take on the device: medians between events, after calls that warm it up, and the bandwidth of a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.backends import home, kernel
from kernels.samples.calls import copied

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernels.samples.calls import Call

_WARM_UPS, _REPEATS, _LONGEST_S = 3, 20, 15.0
_COPY_BYTES = 2**28


@dataclass(frozen=True)
class Timing:
    """One call's time."""

    kernel: str
    n_lanes: int
    median_s: float | None
    """Between two events on the stream, median of the repeats; None where it failed."""
    shortest_s: float | None
    n_repeats: int
    fault: str | None = None


def timed(call: Call, n_lanes: int) -> Timing:
    """Time a call on the device; whatever it raises is kept as its fault.

    Parameters: call, with arguments in the host's memory, which are copied once and not back.
    """
    try:
        arguments = home("cuda").put(copied(call.arguments))
        seconds = _gpu_seconds(kernel(call.kernel, "cuda"), arguments)
    except Exception as error:  # noqa: BLE001 - one kernel that fails must not hide what the others take
        fault = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Timing(call.kernel, n_lanes, None, None, 0, fault)
    return Timing(call.kernel, n_lanes, float(np.median(seconds)), float(seconds.min()), seconds.size)


def copy_bytes_per_s() -> float:
    """Bytes read and written a second by a copy within the device's memory, 256 MiB at a time."""
    xp = home("cuda").xp
    source, target = xp.zeros(_COPY_BYTES, np.uint8), xp.empty(_COPY_BYTES, np.uint8)
    return 2 * _COPY_BYTES / float(np.median(_gpu_seconds(xp.copyto, (target, source))))


def _gpu_seconds(function: Callable[..., Any], arguments: tuple[Any, ...]) -> np.ndarray[Any, np.dtype[np.float64]]:
    from cupyx.profiler import benchmark

    from kernels.cuda.launch import check

    found = benchmark(function, arguments, n_repeat=_REPEATS, n_warmup=_WARM_UPS, max_duration=_LONGEST_S)
    check()
    seconds: np.ndarray[Any, np.dtype[np.float64]] = found.gpu_times[0]
    return seconds
