"""Bytes and operations of kernels, by hand on toys and by what must hold of any arrays."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels import roofline
from kernels.hourly import ELEMENT, MACHINERY
from kernels.loops.search import choose_blocks
from kernels.plans import empty_state
from kernels.registry import KERNELS
from kernels.samples.calls import first_order_calls, packing_calls, scenario_calls, year_calls
from kernels.samples.packing import CaseShape, make_case, schedule
from kernels.samples.years import empty_year, make_year
from kernels.work_counts import UNITS, Counted, counted, gathered_bytes, operations_of

CALLS = {
    n: [
        *packing_calls(n),
        *scenario_calls(n),
        *(call for dtype in (np.float64, np.float32) for call in first_order_calls(n, dtype)),
        *year_calls(n),
    ]
    for n in (1, 2, 4)
}
KERNEL_NAMES = sorted({call.kernel for call in CALLS[1]})


def arrays(value: Any) -> list[Any]:
    """Every array of a kernel's arguments."""
    if isinstance(value, tuple):
        return [array for part in value for array in arrays(part)]
    return [value] if isinstance(value, np.ndarray) else []


def test_every_kernel_is_counted() -> None:
    assert set(UNITS) == set(KERNELS)
    assert set(KERNEL_NAMES) == set(KERNELS)


@pytest.mark.parametrize("name", KERNEL_NAMES)
def test_work_grows_in_step_with_lanes(name: str) -> None:
    """Units and operations double with the lanes; bytes grow by as much from 1 to 2 lanes as half of 2 to 4."""
    one, two, four = ([counted(name, call.arguments) for call in CALLS[n] if call.kernel == name] for n in (1, 2, 4))
    for a, b, c in zip(one, two, four, strict=True):
        assert (2 * a.n_units, 2 * a.n_operations) == (b.n_units, b.n_operations)
        assert c.n_bytes - b.n_bytes == 2 * (b.n_bytes - a.n_bytes) > 0
        assert min(a.n_units, a.n_operations, a.n_bytes) > 0


@pytest.mark.parametrize("name", ["loads", "slack", "plan_value", "hourly_year"])
def test_no_array_is_counted_twice(name: str) -> None:
    for call in CALLS[2]:
        if call.kernel == name:
            assert counted(name, call.arguments).n_bytes <= sum(array.nbytes for array in arrays(call.arguments))


def test_slack_and_loads_by_hand() -> None:
    """3 limits, 4 quarters, 2 lanes of 8 bytes: capacity 96, load and result 192 each. One addition a place."""
    capacity, load = np.zeros((3, 4), np.int64), np.zeros((3, 4, 2), np.int64)
    model = make_case(CaseShape(1, (1,), (1,), 4, True, False, False)).model._replace(
        capacity=capacity, row_ptr=np.array([0, 3]), entry_limit_idx=np.arange(3), entry_coefficient=np.ones((3, 5))
    )
    assert counted("slack", (model, load, load)) == Counted(96 + 192 + 192, 24, 24)
    racks = np.zeros((1, 5, 4, 2), np.int64)
    entries = 16 + 24 + 120
    assert counted("loads", (model, racks, load)) == Counted(entries + 320 + 192, 2 * 15 * 8, 15 * 8)


def test_search_counts_the_rows_that_its_draws_empty() -> None:
    case = make_case(CaseShape(2, (2, 1, 3, 4, 1, 2), (2, 1), 3, True, False, False))
    model, plan, chosen, n_rows = case.model, schedule(7, first_step=1), np.zeros(4, np.int64), 0
    with np.errstate(over="ignore"):
        for step in range(1, 8):
            for block in chosen[: choose_blocks(plan.seed, step, 6, chosen)]:
                n_rows += int(model.block_ptr[block + 1] - model.block_ptr[block])
    work = counted("search", (model, case.guide, empty_state(model, 5), plan))
    assert work.n_units == n_rows * 3 * 3 * 5


@pytest.mark.parametrize("name", ["first_order_gain", "first_order_load"])
def test_gathering_moves_no_less_than_the_least(name: str) -> None:
    call = next(one for one in roofline.example_calls() if one.kernel == name)
    assert gathered_bytes(name, call.arguments) > counted(name, call.arguments).n_bytes


def sample(a: float, b: float) -> float:
    """Nothing here + counts * at all."""
    total = max(a, b) + ceil(a / b)
    return inner(total) if a < b <= total else -total


def inner(a: float) -> float:
    return a * a - 1.0


def test_operations_are_counted_in_the_source() -> None:
    """Maximum, sum, ceiling, division, two comparisons, and the two of the inner function."""
    assert operations_of(inner) == 2
    assert operations_of(sample) == 8


def test_a_year_counts_every_machine_and_element() -> None:
    """Twice the hours are twice the operations; another element adds its own."""
    model, weather = make_year(1, 2, n_hours=4)
    work = counted("hourly_year", (model, weather, empty_year(model, weather)))
    assert work.n_units == 5 * 4 * 2
    turned = model._replace(kind=np.where(model.kind == MACHINERY, ELEMENT, model.kind))
    fewer = counted("hourly_year", (turned, weather, empty_year(turned, weather)))
    by_machine = (work.n_operations - fewer.n_operations) / (5 * 4 * 2)
    assert by_machine == int(by_machine) > 100


def test_the_floor_is_bytes_over_bandwidth() -> None:
    h100 = roofline.MEMORIES[0]
    assert roofline.floor_s(3.35e12, h100) == 1.0
    assert [memory.bytes_per_s for memory in roofline.MEMORIES] == [3.35e12, 4.8e12, 8e12]


def test_the_documentation_shows_the_table() -> None:
    text = (Path(__file__).parent.parent / "docs" / "kernels.md").read_text("utf-8")
    assert roofline.with_table(text) == text
    for name in KERNELS:
        assert f"| `{name}`" in text
