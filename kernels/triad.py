"""The triad: the simplest loop that is bound by memory, and so the measure of how fast memory is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def triad(result: Any, left: Any, right: Any, factor: Any) -> None:
    """A sum of one array and a multiple of another: three arrays' bytes.

    Source: McCalpin, "Memory bandwidth and machine balance in current high performance computers", 1995 (STREAM).
    """
    for place in range(result.size):
        result[place] = left[place] + factor * right[place]


def compiled_triad() -> Callable[..., None]:
    """The triad as Numba compiles it for the host, like the loops it is compared with."""
    import numba

    compiled: Callable[..., None] = numba.njit(nogil=True)(triad)
    return compiled
