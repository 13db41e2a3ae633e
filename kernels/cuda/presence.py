"""Whether the backend cuda can run here, found out without importing anything heavy where it cannot."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from functools import cache
from typing import Any

DRIVER_CUDA13, DRIVER_CUDA12 = "580", "525"
"""First NVIDIA drivers for CUDA 13 and CUDA 12.

Source: CUDA compatibility, NVIDIA, docs.nvidia.com/deploy/cuda-compatibility (drivers of a major release)."""
_NO_DEVICE = 100
"""CUDA_ERROR_NO_DEVICE of the driver's interface."""


def simulated() -> bool:
    """Whether Numba's simulator was asked for, which runs kernels thread by thread in Python."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"


def why_not() -> str | None:
    """Every reason why CUDA kernels cannot run here, or None; a simulator that was asked for counts as running."""
    packages = _missing_packages()
    if simulated():
        return "; ".join(packages) or None
    hardware = _driver_fault()
    if hardware is None and not packages:
        return _import_fault()
    return "; ".join([*([hardware] if hardware else []), *packages])


def why_not_by_itself() -> str | None:
    """Why `auto` does not choose CUDA although it runs: it is simulated, or disagrees with the plain loops."""
    if simulated():
        return "runs in Numba's simulator (NUMBA_ENABLE_CUDASIM=1), only where --backend cuda asks for it"
    from kernels.cuda.self_test import self_test

    return self_test()


def _missing_packages() -> list[str]:
    missing = [] if importlib.util.find_spec("numba_cuda") else ["numba-cuda"]
    if not simulated() and not importlib.util.find_spec("cupy"):
        missing.append("CuPy")
    if not missing:
        return []
    verb = "is" if len(missing) == 1 else "are"
    return [f"{' and '.join(missing)} {verb} not installed: {_install()}"]


def _install() -> str:
    """What to install, by the driver that is there."""
    version = _driver_version()
    if version is None:
        return (
            f"pip install 'gigaplan[cuda13]' (NVIDIA driver {DRIVER_CUDA13} or later) "
            f"or 'gigaplan[cuda12]' (driver {DRIVER_CUDA12} or later)"
        )
    return f"pip install 'gigaplan[{'cuda13' if version >= 13000 else 'cuda12'}]'"


@cache
def _driver() -> Any | None:
    """NVIDIA's driver library, or None."""
    try:
        return ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None


def _driver_version() -> int | None:
    """The newest CUDA that the driver runs, as 1000 · major + 10 · minor, or None without a driver."""
    version = ctypes.c_int(0)
    driver = _driver()
    if driver is None or driver.cuDriverGetVersion(ctypes.byref(version)) != 0:
        return None
    return version.value


def _driver_fault() -> str | None:
    """Why the driver gives no device."""
    driver = _driver()
    if driver is None:
        return "no NVIDIA driver was found"
    n_devices = ctypes.c_int(0)
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(n_devices))
    if status not in (0, _NO_DEVICE):
        return f"the NVIDIA driver does not start (CUresult {status})"
    if status == _NO_DEVICE or n_devices.value == 0:
        return "the NVIDIA driver finds no device"
    return None


@cache
def _import_fault() -> str | None:
    """Why Numba's CUDA does not load although its package is there: without CUDA's runtime library it raises."""
    try:
        importlib.import_module("kernels.cuda.api")
        importlib.import_module("cupy")
    except (ImportError, RuntimeError, OSError) as error:
        text = " ".join(str(error).split())
        return f"CUDA's libraries do not load ({type(error).__name__}: {text}): {_install()}"
    return None
