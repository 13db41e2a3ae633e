"""Kernels of the backend cuda in Numba's simulator; collected only with NUMBA_ENABLE_CUDASIM=1 (see tests/conftest.py).

A simulated thread costs some 0.3 ms and a barrier that it crosses some 1 ms, so grids are tiny and examples are few.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from kernels.cuda import launch

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.setswitchinterval(5e-5)
"""The simulator polls for threads that wait at a barrier; at Python's own 5 ms each barrier costs some of these."""

settings.register_profile(
    "simulator", deadline=None, derandomize=True, max_examples=6,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
settings.load_profile("simulator")


@pytest.fixture(autouse=True)
def tiny_grid(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Grids of element-wise kernels have at most 3 blocks of 4 threads, so threads stride over their elements.

    What a test leaves unread of faults is raised at its end.
    """
    monkeypatch.setattr(launch.limits, "n_threads", 4)
    monkeypatch.setattr(launch.limits, "n_blocks", 3)
    yield
    launch.check()
