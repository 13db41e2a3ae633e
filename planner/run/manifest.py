"""What a run was made from and on: hashes, versions, machine and times."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.world import World

FORMAT = "gigaplan-manifest/1"
PACKAGES = (
    "gigaplan", "numpy", "numba", "llvmlite", "networkx", "pydantic", "pint", "pyyaml", "highspy", "pyarrow",
    "matplotlib", "jinja2", "click", "rich", "numba-cuda", "cupy-cuda12x", "cupy-cuda13x",
)  # fmt: skip


def versions() -> dict[str, str | None]:
    """Version of Python and of each package that a plan depends on; None where it is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def memory_bytes() -> int | None:
    """Physical memory in bytes, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def n_usable_cores() -> int:
    """Cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """The machine in a few words; no host name."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "cores": n_usable_cores(),
        "memory_bytes": memory_bytes(),
    }


def manifest(world: World, options: Mapping[str, Any], times: Mapping[str, Any]) -> dict[str, Any]:
    """The content of `manifest.json`.

    Parameters: world, as loaded; options, as they were used (seed, backend, limits); times, start (UTC) and seconds.
    """
    from sites.world import input_hash

    return {
        "format": FORMAT,
        "input_hash": input_hash(world),
        "inputs": [{"role": file.role, "name": file.name, "sha256": file.sha256} for file in world.files],
        "versions": versions(),
        "machine": machine(),
        "times": dict(times),
        **options,
    }
