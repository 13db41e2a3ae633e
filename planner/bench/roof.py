"""Loads and gains of the first-order bound against the memory roof: a triad in the same process.

A call's bytes are counted in two ways (`kernels.work_counts`): *least*, every array once, and *gathered*, every use of
a row. The least bytes are held against a triad over as many bytes as the whole call touches; the gathered ones, which
no memory beyond the caches ever moves, against a triad over no more than the array that they are gathered from. So a
share of the gathered roof is one of the very cache that the rows come from.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.backends import kernel
from kernels.triad import compiled_triad
from kernels.work_counts import counted, gathered_bytes
from planner.solve.classes import refine, singletons
from planner.solve.first_order.program import CompactProgram
from planner.solve.first_order.scaling import scaled
from planner.solve.patterns import row_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernels.contract import FirstOrderModel
    from planner.problem import Problem

KERNELS = ("first_order_load", "first_order_gain")
PRECISIONS = ("float64", "float32")
_REPEATS = 7
_SLICE_S = 0.02
"""Processor time of one measurement, at least."""
_BY_LANE = ("gate", "right_side", "gain", "upper", "revenue", "amount")


@dataclass(frozen=True)
class RoofPoint:
    """One kernel on one program; rates are bytes a second of all threads together."""

    kernel: str
    precision: str
    n_threads: int
    least_bytes: int
    gathered_bytes: int
    call_s: float
    """Median processor time of a call."""
    triad_least: float
    """Rate of a triad over `least_bytes`."""
    triad_gathered: float
    """Rate of a triad over the bytes of the array that rows are gathered from."""

    @property
    def least_share(self) -> float:
        """Of the triad, by bytes that are counted once."""
        return self.n_threads * self.least_bytes / self.call_s / self.triad_least

    @property
    def gathered_share(self) -> float:
        """Of the triad in the gathered array's cache, by every use."""
        return self.n_threads * self.gathered_bytes / self.call_s / self.triad_gathered


def programs(problem: Problem, n_lanes: int) -> Iterator[tuple[str, FirstOrderModel]]:
    """The problem with nothing taken to be alike, in one lane, and over its classes, the same in so many lanes."""
    patterns = row_patterns(problem)
    alone = scaled(CompactProgram([problem], [patterns], singletons(problem)), np.float64).model
    yield "nothing alike, 1 lane", alone
    classes = refine(problem)
    one = scaled(CompactProgram([problem], [patterns], classes), np.float64).model
    lanes: dict[str, Any] = {
        name: np.ascontiguousarray(np.repeat(getattr(one, name), n_lanes, axis=-1)) for name in _BY_LANE
    }
    yield f"classes of rows, {n_lanes} lanes", one._replace(**lanes)


def measure(model: FirstOrderModel, n_threads: int) -> Iterator[RoofPoint]:
    """Both kernels in both precisions on one program, each thread on arrays of its own.

    Parameters: model, in float64.
    """
    for precision in PRECISIONS:
        own = _in_precision(model, precision)
        for each in KERNELS:
            calls = [_arguments(each, own, seed) for seed in range(n_threads)]
            least, gathered = counted(each, calls[0]).n_bytes, gathered_bytes(each, calls[0])
            run, part = kernel(each, "numba"), calls[0][1].nbytes
            triads = [_triads(n_bytes, own, n_threads) for n_bytes in (least, part)]
            series: list[list[float]] = [[], [], []]
            works: list[list[Callable[[], object]]] = [[_bound(run, call) for call in calls], *triads]
            for _ in range(_REPEATS):
                for found, work in zip(series, works, strict=True):
                    found.append(_call_s(work))
            call_s, whole_s, part_s = (median(found) for found in series)
            yield RoofPoint(
                each, precision, n_threads, least, gathered, call_s, n_threads * least / whole_s,
                n_threads * part / part_s,
            )  # fmt: skip


def _in_precision(model: FirstOrderModel, precision: str) -> FirstOrderModel:
    arrays = {name: part for name, part in model._asdict().items() if isinstance(part, np.ndarray)}
    floats: dict[str, Any] = {name: part.astype(precision) for name, part in arrays.items() if part.dtype.kind == "f"}
    return model._replace(**floats)


def _arguments(name: str, model: FirstOrderModel, seed: int) -> tuple[Any, ...]:
    given, result = (model.gain, model.gate) if name == "first_order_load" else (model.gate, model.gain)
    values = np.random.default_rng(seed).random(given.shape).astype(given.dtype)
    return model, values, np.empty_like(result)


def _triads(n_bytes: int, model: FirstOrderModel, n_threads: int) -> list[Callable[[], object]]:
    """For each thread a triad over as many bytes."""
    kind = model.gain.dtype.type
    run, n = compiled_triad(), n_bytes // 3 // model.gain.itemsize
    return [_bound(run, (*(np.ones(n, kind) for _ in range(3)), kind(0.5))) for _ in range(n_threads)]


def _bound(function: Callable[..., object], arguments: tuple[Any, ...]) -> Callable[[], object]:
    function(*arguments)  # compiled, and its arrays in the cache

    def run() -> object:
        return function(*arguments)

    return run


def _call_s(work: list[Callable[[], object]]) -> float:
    """Mean processor time of a call with each thread at its own work, over at least a slice of time."""
    spent, together = np.zeros(len(work)), threading.Barrier(len(work))

    def thread(index: int) -> None:
        together.wait()
        begun, n_calls = time.thread_time(), 0
        while (passed := time.thread_time() - begun) < _SLICE_S:
            work[index]()
            n_calls += 1
        spent[index] = passed / n_calls

    threads = [threading.Thread(target=thread, args=(index,)) for index in range(len(work))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return float(spent.mean())
