"""The measurement of loads and gains against a triad counts what it runs."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.samples.calls import Call, packing_calls
from kernels.samples.first_order import ModelShape, make_model
from kernels.triad import triad
from kernels.work_counts import counted
from planner.bench import every_kernel, roof
from planner.bench.roof import RoofPoint, measure


def test_shares_are_bytes_over_time_over_the_triads_rate() -> None:
    point = RoofPoint("first_order_load", "float64", 2, 100, 400, 0.5, 1000.0, 3200.0)
    assert point.least_share == pytest.approx(2 * 100 / 0.5 / 1000.0)
    assert point.gathered_share == pytest.approx(2 * 400 / 0.5 / 3200.0)


def test_the_triad_is_one() -> None:
    found = np.zeros(3)
    triad(found, np.array([1.0, 2.0, 3.0]), np.array([10.0, 0.0, 4.0]), 0.5)
    np.testing.assert_array_equal(found, [6.0, 2.0, 5.0])


def test_every_kernel_is_measured_in_both_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roof, "_REPEATS", 1)
    monkeypatch.setattr(roof, "_SLICE_S", 1e-3)
    model = make_model(ModelShape(1, 30, 2, 12, 4, 8, contract=False), np.float64)
    found = list(measure(model, 2))
    assert {(point.kernel, point.precision) for point in found} == {
        (kernel, precision) for kernel in roof.KERNELS for precision in roof.PRECISIONS
    }
    for point in found:
        assert point.call_s > 0.0
        assert point.gathered_bytes > point.least_bytes
        assert point.triad_least > 0.0
        assert point.triad_gathered > 0.0


def test_every_call_of_the_table_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [Call("slack", call.arguments) for call in packing_calls(3) if call.kernel == "slack"]
    monkeypatch.setattr(every_kernel, "example_calls", lambda: iter(calls))
    [found] = every_kernel.measure_every()
    assert (found.kernel, found.floats, found.n_bytes) == ("slack", "", counted("slack", calls[0].arguments).n_bytes)
    assert found.call_s > 0.0
    assert found.triad_s > 0.0
