"""The device's memory: a pattern that must come back, a pool that is given back, and a refusal of too much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernels.backends import home

_MOST_BYTES = 2**28
_SHARE = 4
"""Of the memory that is free, one part in so many is filled."""


@dataclass(frozen=True)
class MemoryCheck:
    """What the memory did."""

    n_bytes: int
    """Filled with the pattern."""
    pattern_holds: bool
    """Whether the pattern, changed on the device, came back as it must."""
    pool_freed: bool
    """Whether the pool held no more blocks afterwards than before."""
    refusal: str | None
    """The MemoryError for more memory than there is; None where none was raised."""
    runs_on: bool
    """Whether the device still computes after the refusal."""

    @property
    def is_sound(self) -> bool:
        """Whether all of it is as it must be."""
        return self.pattern_holds and self.pool_freed and self.refusal is not None and self.runs_on


def memory_check() -> MemoryCheck:
    """Fill a part of the device's free memory, read it back, free it, and ask for too much."""
    import cupy

    pool = cupy.get_default_memory_pool()
    pool.free_all_blocks()
    free_bytes, all_bytes = cupy.cuda.runtime.memGetInfo()
    held_bytes = pool.total_bytes()
    n_bytes = min(free_bytes // _SHARE, _MOST_BYTES) // 8 * 8
    holds = pattern_holds(n_bytes // 8)
    pool.free_all_blocks()
    freed = pool.total_bytes() <= held_bytes
    return MemoryCheck(n_bytes, holds, freed, refusal(2 * all_bytes), pattern_holds(1024))


def pattern_holds(n: int) -> bool:
    """Whether so many whole numbers come back from the device as they were put there and changed."""
    where = home("cuda")
    pattern = np.arange(n, dtype=np.int64) * 0x9E3779B97F4A7C1
    on_device = where.put(pattern)
    on_device ^= 0x5555555555555555
    return bool((where.get(on_device) == pattern ^ 0x5555555555555555).all())


def refusal(n_bytes: int) -> str | None:
    """The MemoryError that so many bytes raise; None where they are given."""
    try:
        home("cuda").xp.empty(n_bytes, np.uint8)
    except MemoryError as error:
        return " ".join(str(error).split())
    return None
