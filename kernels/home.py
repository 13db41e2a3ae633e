"""Where a backend keeps its arrays: moving to and from there is always asked for, never done in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from types import ModuleType

Value = TypeVar("Value")


class Home(Protocol):
    """Memory of one backend."""

    @property
    def xp(self) -> ModuleType:
        """The module that makes and adds up arrays of this memory: NumPy or CuPy."""

    def put(self, value: Value) -> Value:
        """An array, or a named tuple of arrays and numbers, copied from the host into this memory."""

    def get(self, value: Value) -> Value:
        """The same copied back to the host; raises what kernels that ran until then found wrong."""


class HostHome:
    """The host's own memory: nothing is copied."""

    @property
    def xp(self) -> Any:
        """NumPy."""
        return np

    def put(self, value: Value) -> Value:
        """The value itself."""
        return value

    def get(self, value: Value) -> Value:
        """The value itself."""
        return value
