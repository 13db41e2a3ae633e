"""What the device is and which software drives it; nothing that names a machine, a person or a serial number."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

_PACKAGES = ("numba", "numba-cuda", "cupy-cuda12x", "cupy-cuda13x", "cuda-bindings", "cuda-core", "numpy")
_MEMORY_CLOCK_KHZ, _BUS_BITS = 36, 37
"""cudaDevAttrMemoryClockRate and cudaDevAttrGlobalMemoryBusWidth of CUDA's runtime interface."""


@dataclass(frozen=True)
class DeviceFacts:
    """One device as CUDA's runtime tells of it."""

    name: str
    compute_capability: str
    n_multiprocessors: int
    memory_bytes: int
    l2_cache_bytes: int
    shared_bytes_per_block: int
    published_bytes_per_s: float | None
    """Memory bandwidth by the device's own memory clock and bus width, two transfers a clock; None where unknown."""
    driver_cuda: str
    """Newest CUDA that the driver runs."""
    runtime_cuda: str
    """CUDA runtime that CuPy was built for."""


def device_facts() -> DeviceFacts:
    """The facts of CuPy's current device. Raises what CUDA raises where there is none."""
    import cupy

    runtime = cupy.cuda.runtime
    number = runtime.getDevice()
    found = runtime.getDeviceProperties(number)
    return DeviceFacts(
        name=found["name"].decode(),
        compute_capability=f"{found['major']}.{found['minor']}",
        n_multiprocessors=found["multiProcessorCount"],
        memory_bytes=found["totalGlobalMem"],
        l2_cache_bytes=found["l2CacheSize"],
        shared_bytes_per_block=found["sharedMemPerBlock"],
        published_bytes_per_s=_published(
            runtime.deviceGetAttribute(_MEMORY_CLOCK_KHZ, number), runtime.deviceGetAttribute(_BUS_BITS, number)
        ),
        driver_cuda=_cuda_version(runtime.driverGetVersion()),
        runtime_cuda=_cuda_version(runtime.runtimeGetVersion()),
    )


def package_versions() -> dict[str, str | None]:
    """Version of each package that kernels on a device depend on; None where it is not installed."""
    found: dict[str, str | None] = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def _published(clock_khz: int, bus_bits: int) -> float | None:
    """Bytes a second of a memory bus that transfers twice a clock."""
    return 2.0 * clock_khz * 1e3 * bus_bits / 8 if clock_khz > 0 and bus_bits > 0 else None


def _cuda_version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"
