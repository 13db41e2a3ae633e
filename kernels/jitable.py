"""Marks a plain-loop function as callable from compiled kernels; without Numba it is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

UNCOUNTED: Any = {"_nrt": False}
"""Numba's own option for code that asks for no memory."""


def jitable(function: Callable[..., Any]) -> Any:
    """Register a loop function with Numba where Numba is installed."""
    return _registered(function)


def allocation_free(function: Callable[..., Any]) -> Any:
    """Register a loop function that makes no array and returns none.

    It is compiled without Numba's count of references, which counts every array of a model in and out of every call;
    where calls are as small as one row in one period that took nine tenths of the search's time.
    """
    return _registered(function, **UNCOUNTED)


def at(index: int) -> int:
    """An index that is never negative: compiled, of an unsigned kind, so that none is taken to count from the end.

    Numba adds to a signed index the array's length where it is negative. On a device each such sum is a value of its
    own for each array and index, which took a third of the registers. Below 2^32.
    """
    return index


def _overload_at() -> None:
    try:
        from numba.extending import overload
    except ImportError:
        return
    import numpy as np

    def compiled(index: int) -> Any:
        return np.uint32(index)

    @overload(at, jit_options=UNCOUNTED, strict=False)
    def at_overload(index: Any) -> Callable[[int], Any]:  # noqa: ARG001
        return compiled


_overload_at()


def _registered(function: Callable[..., Any], **options: bool) -> Any:
    try:
        from numba.extending import register_jitable
    except ImportError:
        return function
    return register_jitable(**options)(function) if options else register_jitable(function)
