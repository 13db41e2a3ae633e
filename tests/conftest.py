"""What many tests share: the tiny site and its portfolio."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
TINY = TESTS / "tiny"

# Numba decides at its import whether CUDA is simulated: test_cuda_simulator.py runs these files with it, each alone.
collect_ignore = [] if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" else ["simulator"]

# A slow machine is no failure, and a run must be repeatable.
settings.register_profile("gigaplan", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("gigaplan")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A copy of the tiny site and portfolio that a test may change."""
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))
