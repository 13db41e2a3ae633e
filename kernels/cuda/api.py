"""The one place that imports Numba's CUDA; importing it needs numba-cuda, a device only when something runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import cuda as numba_cuda
from numba.core import config

if TYPE_CHECKING:
    from collections.abc import Callable

cuda: Any = numba_cuda
"""Numba's CUDA, untyped; kernels name it as a global of their module, where the simulator looks for it."""

# Small grids are launched on purpose: an iteration of few lanes stays on the device all the same.
config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # type: ignore[attr-defined]

SIMULATED = bool(config.ENABLE_CUDASIM)  # type: ignore[attr-defined]
"""Whether kernels run in Numba's simulator (NUMBA_ENABLE_CUDASIM=1), thread by thread in Python."""


def device(function: Callable[..., Any]) -> Any:
    """Mark a function that kernels call and that itself asks for threads, barriers or shared memory."""
    return cuda.jit(device=True)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """A function that is copied to where a kernel calls it; others may not return an array that they cut out."""
    return cuda.jit(device=True, inline="always")(function)


__all__ = ["SIMULATED", "cuda", "device", "inlined"]
