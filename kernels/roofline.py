"""The memory roof: how fast a kernel can be at best on a device whose memory is busy all the time, and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kernels.plans import empty_state
from kernels.registry import KERNELS
from kernels.samples.calls import Call
from kernels.samples.first_order import ModelShape, make_model, make_state
from kernels.samples.packing import CaseShape, make_case, schedule
from kernels.samples.years import empty_year, make_year
from kernels.stack import stacked_guides, stacked_models, stacked_states
from kernels.work_counts import UNITS, counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Memory(NamedTuple):
    """A device's memory bandwidth as published."""

    device: str
    bytes_per_s: float
    source: str


MEMORIES = (
    Memory("H100", 3.35e12, "NVIDIA H100 datasheet, SXM, 80 GB"),
    Memory("H200", 4.8e12, "NVIDIA H200 datasheet, 141 GB"),
    Memory("B200", 8.0e12, "NVIDIA DGX B200 datasheet, 64 TB/s for 8"),
)
BEGIN, END = "<!-- roofline: begin -->", "<!-- roofline: end -->"
_PICO = 1e12


def floor_s(n_bytes: float, memory: Memory) -> float:
    """Least seconds in which a memory moves some bytes."""
    return n_bytes / memory.bytes_per_s


def example_calls() -> Iterator[Call]:
    """A call of every kernel, large enough that its arrays' ends do not count: the examples of the table.

    96 rows in 24 blocks, 16 quarters, 4 configurations, 64 lanes, of scenarios too; a program with 4.7 entries for each
    of its variables and constraints, as campuses of few classes of rows have, 16 quarters, 64 lanes, in both kinds of
    float; a year of 5 sites under 16 scenarios.
    """
    case = make_case(CaseShape(3, (4,) * 24, (2, 2), 16, partial_units=False, contract=True, heavy=False))
    model, guide, state = case.model, case.guide, empty_state(case.model, 64)
    yield Call("loads", (model, state.n_racks, state.slack))
    yield Call("slack", (model, state.slack, state.slack))
    yield Call("plan_value", (model, state.n_racks, *state[2:]))
    begin = (np.zeros_like(case.block_pattern_idx), case.block_order_idx)
    yield Call("construct", (model, guide, state, *begin, schedule()))
    for name in ("search", "strip", "raise_profiles"):
        yield Call(name, (model, guide, state, schedule(40, first_step=1)))
    stacks = stacked_models([model] * 64), stacked_guides([guide] * 64)
    states = stacked_states([empty_state(model, 1)] * 64)
    for name in ("search_scenarios", "raise_scenarios"):
        yield Call(name, (*stacks, states, np.arange(64), schedule(40, first_step=1)))
    for dtype in (np.float64, np.float32):
        program = make_model(ModelShape(5, 11, 1, 32, 16, 64, contract=True), dtype)
        point = make_state(program, 5)
        yield Call("first_order_gain", (program, point.dual, point.primal))
        yield Call("first_order_load", (program, point.primal, point.dual))
        yield Call("first_order_steps", (program, point, 1))
        yield Call("first_order_errors", (program, point, np.zeros((5, 64))))
        yield Call("first_order_squares", (point.primal, np.zeros(64)))
    year, weather = make_year(7, 16, n_hours=8760)
    yield Call("hourly_year", (year, weather, empty_year(year, weather)))


def table() -> str:
    """Lines of the table: bytes and operations per unit of work, and the floor that a device's memory sets."""
    floors = " | ".join(f"{memory.device}, ps" for memory in MEMORIES)
    lines = [
        f"| kernel | a unit of work | bytes a unit | operations a unit | operations a byte | {floors} |",
        "|---|---|---|---|---|---|---|---|",
    ]
    calls = sorted(example_calls(), key=lambda call: list(KERNELS).index(call.kernel))
    return "\n".join([*lines, *(_line(call) for call in calls)])


def kind_of_floats(call: Call) -> str:
    """Kind of floats of a call, where its kernel works on two; empty otherwise."""
    first = call.arguments[0]
    return str(getattr(first, "gain", first).dtype) if call.kernel.startswith("first_order") else ""


def _line(call: Call) -> str:
    work = counted(call.kernel, call.arguments)
    n_bytes, n_operations = work.n_bytes / work.n_units, work.n_operations / work.n_units
    floats = f" {kind_of_floats(call)}".rstrip()
    floors = [_digits(floor_s(n_bytes, memory) * _PICO) for memory in MEMORIES]
    cells = [_digits(n_bytes), _digits(n_operations), _digits(n_operations / n_bytes), *floors]
    return f"| `{call.kernel}`{floats} | {UNITS[call.kernel]} | {' | '.join(cells)} |"


def _digits(value: float) -> str:
    return f"{value:.3g}"


def with_table(text: str) -> str:
    """A document with the table between its marks. Raises ValueError where the marks are missing."""
    if BEGIN not in text or END not in text:
        msg = f"the document lacks the marks {BEGIN} and {END}"
        raise ValueError(msg)
    return f"{text.split(BEGIN)[0]}{BEGIN}\n{table()}\n{END}{text.split(END, 1)[1]}"


def write_table(document: Path) -> None:
    """Renew the table of a document. Parameters: document, its path."""
    document.write_text(with_table(document.read_text("utf-8")), "utf-8")
