"""Whether the device gives what the plain loops give on tiny samples, before `auto` trusts it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.samples.calls import ran, sample_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernels.samples.calls import Call


@cache
def self_test() -> str | None:
    """Where the device disagrees with the plain loops or fails, or None; asked once in a process."""
    for call in sample_calls():
        try:
            fault = disagreement(call, "cuda")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong on a device, the host backends still plan
            text = " ".join(str(error).split())
            fault = f"kernel '{call.kernel}' failed on the device: {type(error).__name__}: {text}"
        if fault is not None:
            return fault
    return None


def disagreement(call: Call, backend: str) -> str | None:
    """Where a backend's form of a kernel gives something else than the plain loops, or None."""
    expected = ran(call, "reference")
    found = ran(call, backend)
    for (name, ours), (_, theirs) in zip(_arrays(found), _arrays(expected), strict=True):
        if not _agree(ours, theirs, call.tolerance):
            return f"kernel '{call.kernel}' on backend {backend} gives another '{name}' than the plain loops"
    return None


def _arrays(value: Any, name: str = "argument") -> Iterator[tuple[str, NDArray[Any]]]:
    if isinstance(value, tuple):
        for field, part in zip(getattr(value, "_fields", range(len(value))), value, strict=True):
            yield from _arrays(part, f"{name} {field}" if isinstance(field, int) else field)
    elif isinstance(value, np.ndarray):
        yield name, value


def _agree(ours: NDArray[Any], theirs: NDArray[Any], tolerance: float) -> bool:
    """Whole numbers to the bit; floats within a share of the array's largest finite one."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return False
    if np.issubdtype(ours.dtype, np.integer):
        return bool((ours == theirs).all())
    finite = np.isfinite(theirs)
    if not (finite == np.isfinite(ours)).all() or not (ours[~finite] == theirs[~finite]).all():
        return False
    largest = np.abs(theirs[finite]).max(initial=0.0)
    return bool((np.abs(ours[finite] - theirs[finite]) <= tolerance * largest).all())
