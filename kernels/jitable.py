"""Marks a plain-loop function as callable from compiled kernels; without Numba it is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def jitable(function: Callable[..., Any]) -> Any:
    """Register a loop function with Numba where Numba is installed."""
    return _registered(function)


def allocation_free(function: Callable[..., Any]) -> Any:
    """Register a loop function that makes no array and returns none.

    It is compiled without Numba's count of references: counting every array of a model in and out of every call
    took half of the search's time (and seven eighths where calls are as small as one row in one period).
    """
    return _registered(function, _nrt=False)


def _registered(function: Callable[..., Any], **options: bool) -> Any:
    try:
        from numba.extending import register_jitable
    except ImportError:
        return function
    return register_jitable(**options)(function) if options else register_jitable(function)
