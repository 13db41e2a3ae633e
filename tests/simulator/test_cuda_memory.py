"""Arrays get to the device and back only where asked for, mix-ups are refused by name, and faults are raised."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernels.backends import home, kernel
from kernels.cuda import launch, self_test
from kernels.cuda.api import cuda
from kernels.cuda.faults import INDEX, NOT_FINITE, ROOM, raise_fault
from kernels.cuda.launch import Grid, over
from kernels.cuda.search import search_form
from kernels.plans import empty_state
from kernels.samples.calls import Call, packing_calls, sample_calls
from kernels.samples.packing import CaseShape, make_case

if TYPE_CHECKING:
    from kernels.contract import PackingModel

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # draws wrap around

THERE = home("cuda")
CASE = make_case(CaseShape(2, (2, 1), (2,), 2, partial_units=True, contract=True, heavy=False))


def slack_arguments() -> tuple[PackingModel, Any, Any]:
    load = empty_state(CASE.model, 2).slack
    return THERE.put((CASE.model, load, load))


def test_what_is_put_there_comes_back() -> None:
    back = THERE.get(THERE.put((CASE.model, 3, np.arange(4.0))))
    assert type(back[0]) is type(CASE.model)
    for ours, theirs in zip(back[0], CASE.model, strict=True):
        assert type(ours) is np.ndarray
        np.testing.assert_array_equal(ours, theirs)
    assert back[1] == 3
    assert back[2].tolist() == [0, 1, 2, 3]


def test_both_sides_are_copies() -> None:
    here = np.zeros(3)
    there = THERE.put(here)
    back = THERE.get(there)
    here[:], there[1:] = 1, 2
    assert back.tolist() == [0, 0, 0]
    assert THERE.get(there).tolist() == [0, 2, 2]


def test_moving_twice_is_refused() -> None:
    with pytest.raises(TypeError, match="put: 'capacity' lies on the device already"):
        THERE.put(CASE.model._replace(capacity=THERE.put(CASE.model.capacity)))
    with pytest.raises(TypeError, match="get: 'row_ptr' lies in the host's memory already"):
        THERE.get(CASE.model)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_kernels_refuse_arrays_of_the_host(place: int) -> None:
    arguments: list[Any] = list(slack_arguments())
    arguments[place] = THERE.get(arguments[place])
    name = ("model.row_ptr", "load", "result")[place]
    with pytest.raises(TypeError, match=rf"kernel 'slack' on backend cuda: argument '{name}' lies in the host's"):
        kernel("slack", "cuda")(*arguments)
    n_launches = launch.tally.n_launches
    with pytest.raises(TypeError, match=f"argument '{name}' lies in the host's memory"):
        kernel("slack", "cuda")(**dict(zip(("model", "load", "result"), arguments, strict=True)))
    assert launch.tally.n_launches == n_launches


@pytest.mark.parametrize("backend", ["numba", "numpy", "reference"])
def test_other_backends_refuse_arrays_of_the_device(backend: str) -> None:
    with pytest.raises(TypeError, match=rf"'slack' on backend {backend}: argument 'model.row_ptr' lies in the device"):
        kernel("slack", backend)(*slack_arguments())


def double_kernel(value: Any, fault: Any) -> None:
    """Doubles an array; finds a fault where it is negative, a worse one where it is very negative."""
    for place in range(cuda.grid(1), value.size, cuda.gridsize(1)):
        if value[place] < 0:
            cuda.atomic.max(fault, 0, INDEX if value[place] > -10 else ROOM)
        value[place] *= 2


def test_a_launch_refuses_arrays_of_the_host() -> None:
    with pytest.raises(TypeError, match="kernel 'double' on backend cuda: argument 'value' lies in the host's memory"):
        launch.launch("double", double_kernel, over(3), value=np.zeros(3))


def test_threads_stride_over_all_elements() -> None:
    value = THERE.put(np.arange(1, 32))
    launch.launch("double", double_kernel, over(value.size), value=value)
    assert THERE.get(value).tolist() == list(range(2, 64, 2))


@pytest.mark.parametrize(
    ("values", "kind", "words"), [([1, -2, 3], IndexError, "outside"), ([-1, -20, 3], MemoryError, "room")]
)
def test_faults_of_a_kernel_are_raised_when_its_results_are_fetched(
    values: list[int], kind: type[Exception], words: str
) -> None:
    value, other = THERE.put(np.array(values)), THERE.put(np.array([4]))
    launch.launch("double", double_kernel, over(value.size), value=value)
    launch.launch("other", double_kernel, over(other.size), value=other)
    with pytest.raises(kind, match=f"kernel 'double' on backend cuda: .*{words}"):
        THERE.get(value)
    assert THERE.get(value).tolist() == [2 * each for each in values]


def test_more_launches_than_fault_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_WORDS", 2)
    good, bad = THERE.put(np.array([1])), THERE.put(np.array([-1]))
    launch.launch("good", double_kernel, Grid(1, 1), value=good)
    launch.launch("bad", double_kernel, Grid(1, 1), value=bad)
    with pytest.raises(IndexError, match="kernel 'bad'"):
        launch.launch("good", double_kernel, Grid(1, 1), value=good)


def test_launches_of_several_threads_keep_their_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_WORDS", 64)
    values = [THERE.put(np.array([sign])) for sign in (1, 1, -1, 1)]
    tasks = [
        Thread(target=launch.launch, args=(f"of {n}", double_kernel, Grid(1, 1)), kwargs={"value": value})
        for n, value in enumerate(values)
    ]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    with pytest.raises(IndexError, match="kernel 'of 2'"):
        launch.check()


@pytest.mark.parametrize("grid", [Grid(1, 257), Grid(1, 32, 9), Grid(1, 1, shared_bytes=48 * 1024 + 8)])
def test_grids_beyond_every_device_are_refused(grid: Grid) -> None:
    with pytest.raises(ValueError, match="beyond 256 threads or 49152 bytes"):
        launch.launch("double", double_kernel, grid, value=THERE.put(np.array([1])))


def test_the_tally_counts_threads() -> None:
    before = launch.tally.n_threads
    launch.launch("double", double_kernel, Grid(2, 3), value=THERE.put(np.array([1])))
    assert launch.tally.n_threads - before == 6


OUTSIDE = {
    "entry_limit_idx": lambda model: (-1, model.capacity.shape[0]),
    "row_ptr": lambda model: (-1, model.entry_limit_idx.size + 1),
    "block_row_idx": lambda model: (-1, model.row_ptr.size - 1),
    "block_ptr": lambda model: (-1, model.block_row_idx.size + 1),
    "system_ptr": lambda model: (-1, model.system_configuration_idx.size + 1),
    "system_configuration_idx": lambda model: (-1, model.value.shape[1]),
}
"""Indices and offsets nearest to what is allowed."""


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("loads", "entry_limit_idx"), ("loads", "row_ptr"), ("plan_value", "block_row_idx"),
        ("plan_value", "block_ptr"), ("plan_value", "system_ptr"), ("plan_value", "system_configuration_idx"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["first", "last"])
def test_indices_that_point_outside_are_faults(name: str, field: str, end: str) -> None:
    [call] = [one for one in packing_calls(1) if one.kernel == name]
    model = call.arguments[0]
    for value in OUTSIDE[field](model):
        spoilt = getattr(model, field).copy()
        spoilt[0 if end == "first" and value < 0 else -1] = value
        arguments = THERE.put((model._replace(**{field: spoilt}), *call.arguments[1:]))
        kernel(name, "cuda")(*arguments)
        with pytest.raises(IndexError, match=f"kernel '{name}' on backend cuda: an index points outside"):
            launch.check()


def test_a_fault_without_a_meaning_is_still_raised() -> None:
    with pytest.raises(FloatingPointError, match="not finite"):
        raise_fault("x", NOT_FINITE)
    with pytest.raises(RuntimeError, match="unknown fault 77"):
        raise_fault("x", 77)


# --- The module of the device's arrays --------------------------------------------------------------------------------


def test_arithmetic_stays_on_the_device() -> None:
    xp, value = THERE.xp, THERE.put(np.arange(6.0).reshape(2, 3))
    results = (
        value + 1, 2 * value, value[0], value.sum(axis=0), xp.sqrt(value), xp.zeros(3), xp.maximum(value, 1.0),
        xp.where(value > 2, 1, 0), xp.stack([value, value]), value.astype(np.int64), xp.cumsum(value, axis=0),
    )  # fmt: skip
    for result in results:
        assert THERE.get(result).size
    out = xp.zeros(3)
    assert xp.sum(value, axis=0, out=out) is out
    assert THERE.get(out).tolist() == [3, 5, 7]


def test_arithmetic_with_arrays_of_the_host_is_refused() -> None:
    xp, here = THERE.xp, np.ones(3)
    there = THERE.put(here)
    mixes = (
        lambda: there + here, lambda: here + there, lambda: xp.maximum(there, here), lambda: xp.stack([there, here]),
        lambda: there[np.array([0, 1])], lambda: there.__setitem__(slice(None), here), lambda: xp.sqrt(here),
        lambda: xp.add(there, 1.0, out=here),
    )  # fmt: skip
    for mix in mixes:
        with pytest.raises(TypeError, match="lies in the host's memory"):
            mix()


# --- The self-test ----------------------------------------------------------------------------------------------------


def test_the_self_test_passes_every_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """In both forms of the search: the long plan does not fit a thread block's shared memory."""
    forms = {search_form(call.arguments[0])[0] for call in sample_calls((3,)) if call.kernel == "search"}
    assert forms == {"blocks", "lanes"}
    monkeypatch.setattr(self_test, "sample_calls", lambda: sample_calls((3,)))
    self_test.self_test.cache_clear()
    assert self_test.self_test() is None
    self_test.self_test.cache_clear()


def calls(*names: str) -> list[Call]:
    return [one for one in packing_calls(2) if one.kernel in names]


def test_the_self_test_passes_what_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "sample_calls", lambda: calls("loads", "slack", "plan_value"))
    self_test.self_test.cache_clear()
    assert self_test.self_test() is None
    self_test.self_test.cache_clear()


def test_the_self_test_finds_a_kernel_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(model: PackingModel, load: Any, result: Any) -> None:
        result[...] = load

    monkeypatch.setattr(self_test, "sample_calls", lambda: calls("slack"))
    monkeypatch.setattr("kernels.cuda.loads.slack", wrong)
    kernel.cache_clear()
    self_test.self_test.cache_clear()
    found = self_test.self_test()
    self_test.self_test.cache_clear()
    kernel.cache_clear()
    assert found == "kernel 'slack' on backend cuda gives another 'argument 2' than the plain loops"


def test_the_self_test_says_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(model: PackingModel, load: Any, result: Any) -> None:
        msg = "CUDA_ERROR_ILLEGAL_ADDRESS"
        raise RuntimeError(msg)

    monkeypatch.setattr(self_test, "sample_calls", lambda: calls("slack"))
    monkeypatch.setattr("kernels.cuda.loads.slack", broken)
    kernel.cache_clear()
    self_test.self_test.cache_clear()
    found = self_test.self_test() or ""
    self_test.self_test.cache_clear()
    kernel.cache_clear()
    assert found == "kernel 'slack' failed on the device: RuntimeError: CUDA_ERROR_ILLEGAL_ADDRESS"


@pytest.mark.parametrize(
    ("ours", "same"),
    [([1.0, 1e-10], True), ([1.0, 1e-8], False), ([1.0, np.nan], False), ([np.inf, 0.0], False)],
)
def test_floats_agree_within_a_share_of_the_largest(ours: list[float], same: bool) -> None:
    assert self_test._agree(np.array(ours), np.array([1.0, 0.0]), 1e-9) is same
    assert self_test._agree(np.array([np.inf, 1.0]), np.array([np.inf, 1.0]), 1e-9)
    assert not self_test._agree(np.array([1, 2]), np.array([1, 3]), 1.0)
