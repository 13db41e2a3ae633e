"""Backends by name, whether they run here and why not, and their kernels."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels.registry import KERNELS

if TYPE_CHECKING:
    from collections.abc import Callable

BACKENDS = ("numba", "numpy")
"""Best first; `auto` takes the first that runs here."""


class BackendError(Exception):
    """A backend that does not exist or does not run here."""


def why_not(backend: str) -> str | None:
    """The reason why a backend does not run here, or None when it does; imports nothing heavy."""
    if backend == "numpy":
        return None
    if backend == "numba":
        return None if importlib.util.find_spec("numba") else "the package numba is not installed"
    return f"there is no backend '{backend}'; choose one of auto, {', '.join(BACKENDS)}"


def resolve(backend: str) -> str:
    """The backend that a request means; `auto` is the best that runs here. Raises BackendError with the reason."""
    if backend == "auto":
        return next(name for name in BACKENDS if why_not(name) is None)
    reason = why_not(backend)
    if reason is not None:
        raise BackendError(reason)
    return backend


def _load(reference: str) -> Callable[..., Any]:
    module, function = reference.split(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return loaded


@cache
def kernel(name: str, backend: str) -> Callable[..., Any]:
    """The form of a kernel that a backend runs; `reference` gives the plain loops themselves.

    Raises BackendError when the backend does not run here, KeyError for an unknown kernel.
    """
    spec = KERNELS[name]
    if backend == "reference":
        return _load(spec.reference)
    if resolve(backend) == "numpy":
        return _load(spec.vectorised)
    import numba

    numba.config.CACHE_DIR = str(_compiled_directory())  # type: ignore[attr-defined]
    compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True)(_load(spec.reference))
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
