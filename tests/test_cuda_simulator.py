"""The kernels of the backend cuda agree with the plain loops in Numba's simulator, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "tests" / "simulator").glob("test_*.py"))


def test_there_are_tests_for_the_simulator() -> None:
    assert FILES


@pytest.mark.slow
@pytest.mark.skipif(find_spec("numba_cuda") is None, reason="the package numba-cuda is not installed")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_in_the_simulator(file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", f"--basetemp={tmp_path}"]
    done = subprocess.run(
        [*command, str(file)], cwd=ROOT, env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
