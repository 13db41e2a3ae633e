"""The simulated device's arrays and their module: NumPy behind the rules of CuPy.

Where CuPy refuses an array of the host, or would copy it in silence, these refuse it.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class SimulatedArray(np.ndarray[Any, np.dtype[Any]]):
    """An array in the simulated device's memory: told apart from the host's by its type alone."""

    __cuda_array_interface__ = None
    """Marks arrays of a device; there is no pointer to give."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Element-wise arithmetic, results on the device."""
        return on_device(getattr(ufunc, method), ufunc.__name__, inputs, options)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        """NumPy's functions, results on the device."""
        return on_device(function, function.__name__, arguments, options)

    def __getitem__(self, key: Any) -> Any:
        """Parts of the array; index arrays must lie on the device."""
        return super().__getitem__(_own("indexing", key))

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write parts of the array; index arrays and values must lie on the device."""
        super().__setitem__(_own("indexing", key), _own("assignment", value))


class SimulatedModule:
    """NumPy's functions for arrays of the simulated device, in place of CuPy's."""

    def __getattr__(self, name: str) -> Any:
        """A function whose arrays lie on the device, or a type or constant as it is."""
        found = getattr(np, name)
        if isinstance(found, type) or not callable(found):
            return found

        def function(*arguments: Any, **options: Any) -> Any:
            return on_device(found, name, arguments, options)

        return function

    @staticmethod
    def asnumpy(array: SimulatedArray) -> np.ndarray[Any, np.dtype[Any]]:
        """A copy in the host's memory."""
        return np.array(array.view(np.ndarray))


def on_device(function: Any, name: str, arguments: Any, options: Any) -> Any:
    """Call one of NumPy's functions on arrays of the device. Raises TypeError for an array of the host."""
    plain = [_own(name, value) for value in arguments]
    found = function(*plain, **{key: _own(name, value) for key, value in options.items()})
    out = options.get("out")
    if out is not None:
        return out[0] if isinstance(out, tuple) else out
    return _marked(found)


def _own(name: str, value: Any) -> Any:
    """A value without its mark."""
    if isinstance(value, SimulatedArray):
        return value.view(np.ndarray)
    if isinstance(value, np.ndarray) and value.ndim:
        msg = f"{name} on the device: an array lies in the host's memory; move it with home('cuda').put first"
        raise TypeError(msg)
    if isinstance(value, (tuple, list)):
        return type(value)(_own(name, part) for part in value)
    return value


def _marked(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.view(SimulatedArray)
    if type(value) in (tuple, list):
        return type(value)(_marked(part) for part in value)
    return value
