"""Backends by name, whether they run here and why not, and their kernels."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels.cuda import presence
from kernels.handover import device_only, host_only
from kernels.home import HostHome
from kernels.registry import KERNELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernels.home import Home

BACKENDS = ("cuda", "numba", "numpy")
"""Best first; `auto` takes the first that runs here."""


class BackendError(Exception):
    """A backend that does not exist or does not run here."""


def why_not(backend: str) -> str | None:
    """The reason why a backend does not run here, or None when it does; imports nothing heavy unless there is a GPU."""
    if backend == "numpy":
        return None
    if backend == "numba":
        return None if importlib.util.find_spec("numba") else "the package numba is not installed"
    if backend == "cuda":
        return why_not("numba") or presence.why_not()
    return f"there is no backend '{backend}'; choose one of auto, {', '.join(BACKENDS)}"


def why_not_auto(backend: str) -> str | None:
    """The reason why `auto` does not choose a backend, or None: CUDA must first agree with the loops on the device."""
    reason = why_not(backend)
    return presence.why_not_by_itself() if reason is None and backend == "cuda" else reason


def resolve(backend: str) -> str:
    """The backend that a request means; `auto` is the best that runs here. Raises BackendError with the reason."""
    if backend == "auto":
        return next(name for name in BACKENDS if why_not_auto(name) is None)
    reason = why_not(backend)
    if reason is not None:
        known = f"backend {backend} does not run here: {reason}; 'gigaplan doctor' shows what does"
        raise BackendError(known if backend in BACKENDS else reason)
    return backend


def home(backend: str) -> Home:
    """Where a backend keeps its arrays. Raises BackendError when it does not run here."""
    if backend == "reference" or resolve(backend) != "cuda":
        return HostHome()
    from kernels.cuda.device_home import DeviceHome

    return DeviceHome()


def _load(reference: str) -> Callable[..., Any]:
    module, function = reference.split(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return loaded


@cache
def kernel(name: str, backend: str) -> Callable[..., Any]:
    """The form of a kernel that a backend runs; `reference` gives the plain loops themselves.

    It takes arrays of that backend's memory only and raises TypeError, which names the argument, for others. Raises
    BackendError when the backend does not run here, KeyError for an unknown kernel.
    """
    spec = KERNELS[name]
    runs = backend if backend == "reference" else resolve(backend)
    if runs == "cuda":
        return device_only(name, _load(spec.cuda))
    if runs == "numba":
        return host_only(name, runs, _compiled(_load(spec.reference)))
    return host_only(name, runs, _load(spec.vectorised if runs == "numpy" else spec.reference))


def _compiled(loops: Callable[..., Any]) -> Callable[..., Any]:
    import numba

    numba.config.CACHE_DIR = str(_compiled_directory())  # type: ignore[attr-defined]
    compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True)(loops)
    return compiled


def _compiled_directory() -> Path:
    """Where compiled kernels are kept: a folder for each state of the loops' source.

    Numba's own cache looks at the file of the compiled function only, not at the functions that it calls, so after
    a change elsewhere it would go on running the old code.
    """
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for source in sorted([*package.glob("*.py"), *package.glob("loops/*.py")]):
        digest.update(source.read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "gigaplan" / f"kernels-{digest.hexdigest()[:16]}"
