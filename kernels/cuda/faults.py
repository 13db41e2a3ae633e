"""What a kernel may find wrong while it runs, and the exception that the host raises for it."""

from __future__ import annotations

from typing import Any

from kernels.jitable import jitable

INDEX, ROOM, NOT_FINITE = 1, 2, 3
"""Words of a fault: an index outside of its array, more than the room that was given holds, a float that is not finite.

A kernel leaves the largest word that any of its threads found, by an atomic maximum; 0 is no fault."""

_EXCEPTIONS: dict[int, tuple[type[Exception], str]] = {
    INDEX: (IndexError, "an index points outside of its array"),
    ROOM: (MemoryError, "more is needed than the room that the launch was given holds"),
    NOT_FINITE: (FloatingPointError, "a value is not finite"),
}


def raise_fault(kernel: str, word: int) -> None:
    """Raise what a fault word stands for. Parameters: kernel, its registered name; word, as the device left it."""
    kind, text = _EXCEPTIONS.get(word, (RuntimeError, f"unknown fault {word}"))
    msg = f"kernel '{kernel}' on backend cuda: {text}"
    raise kind(msg)


@jitable
def all_inside(first: int, end: int, indices: Any, n: int) -> bool:
    """Whether the places from `first` to before `end` hold indices of n things."""
    if first < 0 or end > indices.shape[0]:
        return False
    for place in range(first, end):  # noqa: SIM110 - no generators on the device
        if indices[place] < 0 or indices[place] >= n:
            return False
    return True
