"""The first-order bound with all its arrays on the simulated device: the host's bound, and few copies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from solve_cases import random_problem

from kernels.backends import home
from kernels.contract import FirstOrderState
from kernels.cuda import launch
from kernels.cuda.device_home import DeviceHome
from kernels.samples.first_order import ModelShape, make_model
from planner.solve.classes import singletons
from planner.solve.first_order.bound import FirstOrderOptions, first_order_bound
from planner.solve.first_order.iteration import Iteration
from planner.solve.patterns import row_patterns

TINY = ModelShape(11, 3, 1, 2, 2, 2, contract=True)
DRIFT = {np.float64: 1e-9, np.float32: 1e-3}
"""Share of the largest value by which points may differ after some looks: sums run in another order."""
BOUND_DRIFT = 1e-9
"""Share of the bound by which it may differ after some hundred steps in float64, for the same reason."""


@pytest.fixture(autouse=True)
def one_thread(tiny_grid: None) -> None:
    """A launch for every kernel of every step: nothing but one thread is affordable."""
    launch.limits.n_threads, launch.limits.n_blocks = 1, 1


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int, ...]]]:
    """Every array that crosses between host and device, with its way."""
    found: list[tuple[str, tuple[int, ...]]] = []
    for way in ("put", "get"):
        own = getattr(DeviceHome, way)

        def counted(self: DeviceHome, value: Any, way: str = way, own: Any = own) -> Any:
            arrays = value if isinstance(value, tuple) else (value,)
            found.extend((way, part.shape) for part in arrays if hasattr(part, "shape"))
            return own(self, value)

        monkeypatch.setattr(DeviceHome, way, counted)
    return found


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_looks_go_the_hosts_way(kind: Any) -> None:
    """The same restarts, weights, and points after three looks, which begin two of them anew."""
    model = make_model(TINY, kind)
    ours, theirs = Iteration(model, "cuda"), Iteration(model, "numpy")
    for _ in range(3):
        np.testing.assert_allclose(ours.look(), theirs.look(), rtol=DRIFT[kind], atol=DRIFT[kind])
        np.testing.assert_array_equal(ours.n_restarts, theirs.n_restarts)
    assert ours.n_steps == theirs.n_steps
    assert ours.n_restarts.any()
    np.testing.assert_allclose(ours.weights(), theirs.weights(), rtol=DRIFT[kind] * 10)
    fetched = home("cuda").get(ours.state)
    for part, other, field in zip(fetched, theirs.state, FirstOrderState._fields, strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=DRIFT[kind] * max(1.0, np.abs(other).max()), err_msg=field)


def test_a_look_copies_nothing_but_errors(copies: list[tuple[str, tuple[int, ...]]]) -> None:
    iteration = Iteration(make_model(TINY, np.float64), "cuda")
    assert {way for way, _ in copies} == {"put"}
    del copies[:]
    for _ in range(2):
        iteration.look()
        assert copies == [("get", (2, TINY.n_lanes))]  # errors, and which lanes began anew
        del copies[:]
    iteration.points()
    shapes = (iteration.model.gain.shape, iteration.model.gate.shape, iteration.model.gain.shape)
    assert copies == [("get", shape) for shape in shapes]


def test_a_start_is_put_there_once() -> None:
    model = make_model(TINY, np.float64)
    ours, theirs = Iteration(model, "cuda"), Iteration(model, "numpy")
    random = np.random.default_rng(4)
    primal, dual = (random.uniform(0.0, 0.3, part.shape[:2]) for part in (model.gain, model.gate))
    for iteration in (ours, theirs):
        iteration.start_at(primal, dual, 0.7)
    for part, other in zip(home("cuda").get(ours.state), theirs.state, strict=True):
        np.testing.assert_array_equal(part, other)


def test_a_short_bound_is_the_hosts() -> None:
    problem = random_problem(4)
    patterns, classes = row_patterns(problem), singletons(problem)
    options = FirstOrderOptions(n_steps=80, enough=0.0)
    found = {
        name: first_order_bound(problem, patterns, classes, replace(options, backend=name))
        for name in ("cuda", "numpy")
    }
    ours, theirs = found["cuda"], found["numpy"]
    assert ours.n_steps == theirs.n_steps
    assert ours.bound == pytest.approx(theirs.bound, rel=BOUND_DRIFT, abs=1.0)
    np.testing.assert_allclose(ours.relaxation.racks, theirs.relaxation.racks, atol=1e-6)
