"""Arrays on the device: CuPy's, or in the simulator arrays that only pass for them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from kernels.cuda.api import SIMULATED, cuda
from kernels.cuda.simulated import SimulatedArray, SimulatedModule

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


@cache
def array_module() -> Any:
    """CuPy, or in the simulator, where CuPy cannot run, NumPy behind CuPy's rules."""
    if SIMULATED:
        return SimulatedModule()
    import cupy

    return cupy


def is_on_device(array: object) -> bool:
    """Whether an array lies in the device's memory."""
    if SIMULATED:
        return isinstance(array, SimulatedArray)
    return isinstance(array, array_module().ndarray)


def each_array(value: Value, function: Callable[[str, Any], Any], name: str = "") -> Value:
    """A value with every array in it replaced; named tuples are rebuilt, numbers stay.

    Parameters: function, called with the array's name and the array.
    """
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", range(len(value)))
        parts = [each_array(part, function, f"{name}.{field}") for field, part in zip(fields, value, strict=True)]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, np.ndarray) or hasattr(value, "__cuda_array_interface__"):
        replaced: Value = function(name, value)
        return replaced
    return value


def require_device(kernel: str, value: object, name: str) -> None:
    """Raise TypeError for an array in the host's memory. Parameters: kernel and name, of the call and its argument."""
    if isinstance(value, tuple):
        for field, part in zip(getattr(value, "_fields", range(len(value))), value, strict=True):
            require_device(kernel, part, f"{name}.{field}")
    elif isinstance(value, np.ndarray) and not is_on_device(value):
        msg = (
            f"kernel '{kernel}' on backend cuda: argument '{name}' lies in the host's memory; "
            "move it with home('cuda').put first"
        )
        raise TypeError(msg)


def native(kernel: str, value: Value, name: str) -> Value:
    """What Numba takes for a value on the device, without a copy.

    Numba's launch would copy an array of the host to the device and back in silence; none ever gets there.
    Parameters: kernel and name, of the call and its argument. Raises TypeError for an array in the host's memory.
    """

    def one(place: str, array: Any) -> Any:
        require_device(kernel, array, place)
        return array.view(np.ndarray) if SIMULATED else cuda.as_cuda_array(array, sync=False)

    return each_array(value, one, name)
