"""The device's memory as a home of arrays."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from kernels.cuda.api import SIMULATED
from kernels.cuda.launch import check
from kernels.cuda.memory import array_module, each_array, is_on_device
from kernels.cuda.simulated import SimulatedArray

Value = TypeVar("Value")


class DeviceHome:
    """Arrays of the backend cuda."""

    @property
    def xp(self) -> Any:
        """CuPy, or what stands for it in the simulator."""
        return array_module()

    def put(self, value: Value) -> Value:
        """Copy a value to the device. Raises TypeError where a part of it is there already, MemoryError."""
        return each_array(value, _put)

    def get(self, value: Value) -> Value:
        """Copy a value to the host. Raises TypeError where a part of it is there already, and faults of kernels."""
        check()
        return each_array(value, _get)


def _put(name: str, array: Any) -> Any:
    if is_on_device(array):
        msg = f"put: '{name.lstrip('.') or 'array'}' lies on the device already"
        raise TypeError(msg)
    if SIMULATED:
        return np.array(array, order="C", copy=True).view(SimulatedArray)
    try:
        return array_module().asarray(np.ascontiguousarray(array))
    except MemoryError as error:
        place = name.lstrip(".") or "array"
        msg = f"backend cuda: '{place}' of {array.nbytes:,} bytes does not fit the device's memory ({error})"
        raise MemoryError(msg) from None


def _get(name: str, array: Any) -> Any:
    if not is_on_device(array):
        msg = f"get: '{name.lstrip('.') or 'array'}' lies in the host's memory already"
        raise TypeError(msg)
    return array_module().asnumpy(array)
