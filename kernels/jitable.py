"""Marks a plain-loop function as callable from compiled kernels; without Numba it is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def jitable(function: Callable[..., Any]) -> Any:
    """Register a loop function with Numba where Numba is installed."""
    try:
        from numba.extending import register_jitable
    except ImportError:
        return function
    return register_jitable(function)
