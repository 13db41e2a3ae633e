"""Arguments that a backend's kernel is handed must lie in that backend's memory: a mix-up is an error, never a copy."""

from __future__ import annotations

from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

ON_DEVICE = "__cuda_array_interface__"
"""What tells an array of a device's memory, the simulator's as well."""


def host_only(kernel: str, backend: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel that refuses arrays of the device by a TypeError, which names the call and the argument."""
    names = tuple(signature(function).parameters)

    @wraps(function)
    def checked(*arguments: Any, **named: Any) -> Any:
        for position, value in enumerate(arguments):
            if type(value) is not np.ndarray and _has_device_array(value):
                _refuse(kernel, backend, names[position], value)
        for name, value in named.items():
            if _has_device_array(value):
                _refuse(kernel, backend, name, value)
        return function(*arguments, **named)

    return checked


def device_only(kernel: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel of the backend cuda that refuses arrays of the host by a TypeError, which names call and argument."""
    from kernels.cuda.memory import require_device

    names = tuple(signature(function).parameters)

    @wraps(function)
    def checked(*arguments: Any, **named: Any) -> Any:
        for name, value in (*zip(names, arguments, strict=False), *named.items()):
            require_device(kernel, value, name)
        return function(*arguments, **named)

    return checked


def _has_device_array(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(type(part) is not np.ndarray and hasattr(part, ON_DEVICE) for part in value)
    return hasattr(value, ON_DEVICE)


def _refuse(kernel: str, backend: str, name: str, value: Any) -> None:
    parts = zip(getattr(value, "_fields", range(len(value))), value, strict=True) if isinstance(value, tuple) else ()
    place = next((f".{field}" for field, part in parts if hasattr(part, ON_DEVICE)), "")
    msg = (
        f"kernel '{kernel}' on backend {backend}: argument '{name}{place}' lies in the device's memory; "
        "fetch it with home('cuda').get first"
    )
    raise TypeError(msg)
