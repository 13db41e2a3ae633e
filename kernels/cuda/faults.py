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
def is_index(indices: Any, place: int, n: int) -> bool:
    """Whether what stands at a place, if the array reaches so far, is the index of one of n things."""
    return bool(place >= indices.size or 0 <= indices[place] < n)


@jitable
def is_offset(offsets: Any, place: int, items: Any) -> bool:
    """Whether a place and the next, if the array reaches so far, are the ends of a part of the items."""
    return bool(place + 1 >= offsets.size or 0 <= offsets[place] <= offsets[place + 1] <= items.size)
