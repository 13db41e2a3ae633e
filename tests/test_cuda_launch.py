"""What a launch hands to Numba and CuPy on a real device, both replaced by recorders: no copy, the right stream."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba_cuda", reason="numba-cuda is not installed; the extra `test` brings it")

from kernels.cuda import device_home, launch, memory
from kernels.cuda.api import SIMULATED, cuda
from kernels.samples.packing import CaseShape, make_case

pytestmark = pytest.mark.skipif(SIMULATED, reason="the simulator's path has its own tests")
MODEL = make_case(CaseShape(2, (2, 1), (2,), 2, partial_units=True, contract=True, heavy=False)).model
STREAM = 4242


class DeviceArray(np.ndarray[Any, np.dtype[Any]]):
    """What passes for CuPy's array."""

    __cuda_array_interface__ = None


@dataclass
class Native:
    """What passes for Numba's view of an array."""

    array: Any


@dataclass
class Recorder:
    """CuPy, Numba's CUDA and a compiled kernel in one: records what it is asked for."""

    configurations: list[Any] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)
    copies_down: int = 0
    copies_up: int = 0
    fault: int = 0

    ndarray = DeviceArray

    @property
    def cuda(self) -> Any:
        return SimpleNamespace(get_current_stream=lambda: SimpleNamespace(ptr=STREAM))

    def zeros(self, shape: Any, dtype: str) -> Any:
        return np.zeros(shape, dtype).view(DeviceArray)

    def asarray(self, array: Any) -> Any:
        assert type(array) is np.ndarray
        assert array.flags.c_contiguous
        self.copies_up += 1
        return array.copy().view(DeviceArray)

    def asnumpy(self, array: Any) -> Any:
        assert type(array) is DeviceArray
        self.copies_down += 1
        return np.array(array)

    def as_cuda_array(self, array: Any, *, sync: bool) -> Native:
        assert type(array) is DeviceArray
        assert not sync
        return Native(array)

    def external_stream(self, ptr: int) -> Any:
        return ("stream", ptr)

    def __getitem__(self, configuration: Any) -> Any:
        self.configurations.append(configuration)
        return self

    def __call__(self, *arguments: Any) -> None:
        self.arguments.append(arguments)
        arguments[-1].array[0] = self.fault


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    found = Recorder()
    for module in (memory, launch, device_home):
        monkeypatch.setattr(module, "array_module", lambda: found)
    for module in (memory, launch):
        monkeypatch.setattr(module, "cuda", found)
    monkeypatch.setattr(launch, "compiled", lambda body: found)
    monkeypatch.setattr(launch, "_pending", launch._Pending())
    return found


def body(model: Any, load: Any, factor: int, fault: Any) -> None:
    """Never runs."""


def test_a_launch_hands_over_views_on_the_current_stream(recorder: Recorder) -> None:
    model, load = device_home.DeviceHome().put((MODEL, np.zeros((2, 3))))
    launch.launch("x", body, launch.Grid(5, 32, 2, 512), model=model, load=load, factor=7)
    assert recorder.configurations == [(5, (32, 2), ("stream", STREAM), 512)]
    [(given, loads, factor, fault)] = recorder.arguments
    assert type(given) is type(MODEL)
    assert all(part.array is own for part, own in zip(given, model, strict=True))
    assert loads.array is load
    assert factor == 7
    assert fault.array.shape == (1,)
    assert fault.array.dtype == np.int64
    assert recorder.copies_down == 0


def test_numba_is_never_given_an_array_of_the_host(recorder: Recorder) -> None:
    """It would copy it to the device and back in silence."""
    model = device_home.DeviceHome().put(MODEL)
    for spoilt, name in ((model._replace(capacity=MODEL.capacity), "model.capacity"), (MODEL, "model.row_ptr")):
        with pytest.raises(TypeError, match=f"argument '{name}' lies in the host's memory"):
            launch.launch("x", body, launch.Grid(1, 1), model=spoilt)
    assert recorder.arguments == []


def test_faults_of_many_launches_cost_one_copy(recorder: Recorder) -> None:
    value = device_home.DeviceHome().put(np.arange(3))
    for number in range(10):
        recorder.fault = int(number == 4)
        launch.launch(f"number {number}", body, launch.Grid(1, 1), value=value)
    with pytest.raises(IndexError, match="kernel 'number 4' on backend cuda"):
        device_home.DeviceHome().get(value)
    assert recorder.copies_down == 1
    assert device_home.DeviceHome().get(value).tolist() == [0, 1, 2]
    assert recorder.copies_down == 2


def test_what_is_not_contiguous_is_moved_as_if_it_were(recorder: Recorder) -> None:
    there = device_home.DeviceHome().put(np.arange(6).reshape(2, 3).T)
    assert there.flags.c_contiguous
    assert recorder.copies_up == 1


def test_numba_takes_what_is_handed_over() -> None:
    """The recorder above stands for functions that exist with these arguments."""
    inspect.signature(cuda.as_cuda_array).bind(None, sync=False)
    inspect.signature(cuda.external_stream).bind(STREAM)
    inspect.signature(cuda.jit).bind(body)
    inspect.signature(cuda.jit).bind(device=True)


@pytest.mark.parametrize(("n_items", "n_blocks"), [(0, 1), (1, 1), (128, 1), (129, 2), (10**9, 4096)])
def test_grids_cover_their_items(n_items: int, n_blocks: int) -> None:
    assert launch.over(n_items) == launch.Grid(n_blocks, 128)


def test_too_much_for_the_device_is_a_memory_error_that_names_the_array(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OutOfMemoryError(MemoryError):
        """CuPy's."""

    def refuse(array: Any) -> Any:
        raise OutOfMemoryError("Out of memory allocating 3,200 bytes")

    monkeypatch.setattr(recorder, "asarray", refuse)
    with pytest.raises(MemoryError, match=r"'row_ptr' of \d+ bytes does not fit the device's memory") as found:
        device_home.DeviceHome().put(MODEL)
    assert type(found.value) is MemoryError
