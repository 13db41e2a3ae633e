"""Bytes and operations of one call of a kernel, counted from its arrays.

Bytes are the least that memory must move: every array that the call needs is read once and every array that it writes
is written once, whatever caches do not hold has to come again. An operation is one addition, multiplication, division,
comparison, minimum or maximum on the arrays' values; arithmetic on indices is not counted. Where a call depends on the
plan that it works on, the least is counted: refills that place nothing, racks that do not move.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.constants import MOST_BLOCKS
from kernels.hourly import ELEMENT, MACHINERY
from kernels.loops import cooling_hour, hourly
from kernels.loops.search import choose_blocks
from kernels.stack import guide_of, model_of, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kernels.contract import FirstOrderModel, FirstOrderState, PackingModel, Schedule, SearchGuide, SearchState
    from kernels.hourly import YearInput, YearModel, YearResult
    from kernels.stack import GuideStack, ModelStack, StateStack


@dataclass(frozen=True)
class Counted:
    """What one call has to do."""

    n_bytes: int
    """Read and written, every array once."""
    n_operations: int
    n_units: int
    """Units of work (`UNITS`)."""

    def __add__(self, other: Counted) -> Counted:
        """Work of two passes over the first one's units."""
        return Counted(self.n_bytes + other.n_bytes, self.n_operations + other.n_operations, self.n_units)

    def times(self, n: int) -> Counted:
        """Work of n calls alike."""
        return Counted(self.n_bytes * n, self.n_operations * n, self.n_units * n)


UNITS = {
    "loads": "entry × configuration × period × lane",
    "slack": "limit × period × lane",
    "plan_value": "row × configuration × period × lane",
    "construct": "row × configuration × period × lane",
    "search": "emptied row × configuration × period × lane",
    "strip": "row × configuration × period × lane",
    "raise_profiles": "row × configuration × period × lane",
    "search_scenarios": "emptied row × configuration × period × lane",
    "raise_scenarios": "row × configuration × period × lane",
    "first_order_steps": "step × entry × period × lane",
    "first_order_errors": "entry × period × lane",
    "first_order_squares": "variable × period × lane",
    "first_order_gain": "entry × period × lane",
    "first_order_load": "entry × period × lane",
    "hourly_year": "site × hour × scenario",
}
"""What one unit of each kernel's work is."""


def counted(kernel: str, arguments: tuple[Any, ...]) -> Counted:
    """Bytes, operations and units of one call.

    Parameters: kernel, its registered name; arguments, as it is called with, arrays of the host. Raises KeyError for a
    kernel that is not registered.
    """
    count: Callable[..., Counted] = _COUNTS[kernel]
    return count(*arguments)


def gathered_bytes(kernel: str, arguments: tuple[Any, ...]) -> int:
    """Bytes of one call of `first_order_gain` or `first_order_load` if no value that is used again were still at hand.

    Parameters: as for `counted`. Every use of a gathered row counts, and the sum of every place is written once.
    """
    model, given, result = arguments
    n, size = _places(given), given.itemsize
    n_uses = model.constraint_factor.size + 2 * model.gate_constraint_idx.size + 2 * model.revenue.shape[0]
    n_uses += model.gain.shape[0] if kernel == "first_order_gain" else 1
    index = _bytes(model.constraint_factor, model.constraint_variable_idx, model.constraint_ptr)
    return int(n_uses * n * size + result.nbytes + index)


def _bytes(*arrays: Any) -> int:
    return sum(int(array.nbytes) for array in arrays)


def _places(array: Any) -> int:
    return int(array.shape[1] * array.shape[2])


def _entries(model: PackingModel) -> int:
    """Bytes of the rows' entries."""
    return _bytes(model.row_ptr, model.entry_limit_idx, model.entry_coefficient)


def _loads(model: PackingModel, n_racks: Any, load: Any) -> Counted:
    """A multiplication and an addition for every entry, configuration and place."""
    n_units = model.entry_coefficient.size * n_racks.shape[2] * n_racks.shape[3]
    return Counted(_entries(model) + _bytes(n_racks, load), 2 * n_units, n_units)


def _slack(model: PackingModel, load: Any, result: Any) -> Counted:
    return Counted(_bytes(model.capacity, load, result), load.size, load.size)


def _plan_value(model: PackingModel, n_racks: Any, *written: Any) -> Counted:
    """Worth and revenue of every rack and their count; units, opening, revenue and sum of every block and place."""
    tables = (model.value, model.revenue, model.open_cost, model.unit_cost, model.block_row_idx, model.block_ptr)
    n_blocks, (_, _, n_periods, n_lanes) = model.open_cost.shape[0], n_racks.shape
    by_block = (4 * model.unit_racks.size + 4) * n_blocks * n_periods * n_lanes
    return Counted(_bytes(*tables, n_racks, *written), 5 * n_racks.size + by_block, n_racks.size)


def _moved(model: PackingModel, guide: SearchGuide, state: SearchState, rows: Any, blocks: Any) -> Counted:
    """Racks of some rows and the slack of their limits read and written, their tables read, their blocks valued."""
    entries = np.concatenate([np.arange(model.row_ptr[row], model.row_ptr[row + 1]) for row in rows])
    n_limits, n_periods = np.unique(model.entry_limit_idx[entries]).size, state.slack.shape[1]
    n_lanes, n_configurations = state.slack.shape[2], state.n_racks.shape[1]
    cells = len(rows) * n_configurations * n_periods
    word = state.slack.itemsize
    tables = (model.most_racks, model.value, model.revenue, guide.guided_value, guide.upgrade_share)
    n_bytes = 2 * word * n_lanes * (cells + n_limits * n_periods) + len(tables) * word * cells
    n_bytes += word * entries.size * (n_configurations + 1)
    n_bytes += 2 * word * len(blocks) * (n_periods + 1) * n_lanes + word * len(blocks) * n_periods
    by_block = (4 * model.unit_racks.size + 4) * len(blocks) * n_periods * n_lanes
    n_operations = 2 * entries.size * n_configurations * n_periods * n_lanes + 5 * cells * n_lanes + by_block
    return Counted(n_bytes, n_operations, cells * n_lanes)


def _construct(
    model: PackingModel, guide: SearchGuide, state: SearchState, pattern: Any, order: Any, _: Schedule
) -> Counted:
    """Every block that a pattern fills, once."""
    blocks = [int(block) for block in order if pattern[block] >= 0]
    return _of_blocks(model, guide, state, [blocks]) + Counted(_bytes(pattern, order), 0, 0)


def _search(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> Counted:
    """Every step's blocks, emptied and valued once; the draws say which."""
    chosen, steps, n_blocks = np.zeros(MOST_BLOCKS, np.int64), [], model.open_cost.shape[0]
    with np.errstate(over="ignore"):  # draws wrap around
        for index in range(schedule.threshold.size):
            n_chosen = choose_blocks(schedule.seed, schedule.first_step + index, n_blocks, chosen)
            steps.append([int(block) for block in chosen[:n_chosen]])
    return _of_blocks(model, guide, state, steps)


def _of_blocks(model: PackingModel, guide: SearchGuide, state: SearchState, steps: Iterable[list[int]]) -> Counted:
    found = []
    for blocks in steps:
        rows = [row for one in blocks for row in model.block_row_idx[model.block_ptr[one] : model.block_ptr[one + 1]]]
        if rows:
            found.append(_moved(model, guide, state, rows, blocks))
    return _total(found)


def _total(found: list[Counted]) -> Counted:
    return Counted(*(sum(getattr(one, name) for one in found) for name in ("n_bytes", "n_operations", "n_units")))


def _profiles(model: PackingModel, _: SearchGuide, state: SearchState, __: Schedule) -> Counted:
    """Every rack read and compared once, and the plan valued; nothing moves."""
    looked = Counted(_bytes(state.n_racks, model.most_racks), state.n_racks.size, state.n_racks.size)
    value = _plan_value(model, state.n_racks, state.block_value, state.block_revenue, state.revenue, state.objective)
    return looked + value


def _scenarios(
    move: Callable[..., Counted],
    models: ModelStack,
    guides: GuideStack,
    states: StateStack,
    lane_idx: Any,
    plan: Schedule,
) -> Counted:
    """What a move has to do in each of the lanes, each with tables of its own."""
    return _total([move(model_of(models, at), guide_of(guides, at), state_of(states, at), plan) for at in lane_idx])


def _gain(model: FirstOrderModel, dual: Any, result: Any) -> Counted:
    """Two operations for every entry, gate and earning variable and one for every variable, at every place."""
    n = _places(dual)
    n_bytes = _bytes(
        dual, model.variable_ptr, model.variable_constraint_idx, model.variable_factor, model.gate_ptr,
        model.gate_constraint_idx, model.revenue, model.gain, result,
    )  # fmt: skip
    n_bytes += model.gate_constraint_idx.size * n * dual.itemsize
    n_uses = model.variable_factor.size + model.gate_constraint_idx.size + model.revenue.shape[0]
    return Counted(n_bytes, (2 * n_uses + result.shape[0]) * n, model.variable_factor.size * n)


def _load(model: FirstOrderModel, primal: Any, result: Any) -> Counted:
    """Two operations for every entry, gate and earning variable, at every place."""
    n = _places(primal)
    n_bytes = _bytes(
        primal, model.constraint_ptr, model.constraint_variable_idx, model.constraint_factor,
        model.gate_variable_idx, model.revenue, result,
    )  # fmt: skip
    n_bytes += model.gate_constraint_idx.size * n * primal.itemsize
    n_uses = model.constraint_factor.size + model.gate_constraint_idx.size + model.revenue.shape[0]
    return Counted(n_bytes, 2 * n_uses * n, model.constraint_factor.size * n)


def _steps(model: FirstOrderModel, state: FirstOrderState, n_steps: int) -> Counted:
    """Averages (3 arrays read, 1 written, 5 operations), gains, images (5), reflections (2), loads, images (4)."""
    passes = _gain(model, state.dual, state.primal) + _load(model, state.primal, state.dual)
    averages = 4 * _bytes(state.primal, state.dual)
    images = 4 * _bytes(state.primal) + 4 * _bytes(state.dual) + 3 * _bytes(state.primal)
    n_operations = 12 * state.primal.size + 9 * state.dual.size
    return (passes + Counted(averages + images, n_operations, 0)).times(n_steps)


def _errors(model: FirstOrderModel, state: FirstOrderState, errors: Any) -> Counted:
    """Image, point and anchor of both sides, and the load of the steps: 6 operations a variable, 8 a constraint."""
    load = _load(model, state.primal, state.dual)
    own = 3 * _bytes(state.primal, state.dual) + 2 * _bytes(state.dual) + _bytes(errors)
    return load + Counted(own, 6 * state.primal.size + 8 * state.dual.size, 0)


def _squares(value: Any, total: Any) -> Counted:
    return Counted(_bytes(value, total), 2 * value.size, value.size)


@cache
def operations_of(function: Callable[..., Any]) -> int:
    """Operations in the source of a function and of the functions that it calls, every branch counted once."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    names, total = inspect.getmodule(function), 0
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.BitOr):
            total += 1
        elif isinstance(node, ast.Compare):
            total += len(node.ops)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = getattr(names, node.func.id, None)
            total += operations_of(called) if inspect.isfunction(called) else node.func.id in {"min", "max", "ceil"}
    return total


_MACHINE_HOUR = (
    cooling_hour.chillers_ready,
    cooling_hour.second_law_cop,
    cooling_hour.polynomial,
    cooling_hour.polynomial,
    cooling_hour.cooler_hour,
    cooling_hour.compressor_w,
)
_MACHINE_SUMS = 39
"""Beside the functions above: temperatures 5, heat and rest 3, whether curves hold and what is above the rating 5,
chillers asked for 6, what it takes 3, energies 8, water 6, kinds of hour 3."""
_ELEMENT_SUMS = 7
"""Beside its entries and `loss_w`: rating 2, losses 2, what it takes 1, meter and peak 2."""


def _hourly_year(model: YearModel, given: YearInput, result: YearResult) -> Counted:
    """Every machine and element in every hour of every scenario, every branch of a plant's hour taken."""
    n_hours, n_scenarios = given.dry_bulb_degc.shape[1], given.load_factor.size
    machine = sum(operations_of(each) for each in _MACHINE_HOUR) + _MACHINE_SUMS
    element = operations_of(hourly.loss_w) + _ELEMENT_SUMS
    kinds = np.asarray(model.kind)
    by_hour = machine * int((kinds == MACHINERY).sum()) + element * int((kinds == ELEMENT).sum())
    by_hour += 2 * model.entry_class_idx.size
    n_units = given.dry_bulb_degc.size * n_scenarios
    return Counted(_bytes(*model, *given, *result), by_hour * n_hours * n_scenarios, n_units)


_COUNTS: dict[str, Callable[..., Counted]] = {
    "loads": _loads,
    "slack": _slack,
    "plan_value": _plan_value,
    "construct": _construct,
    "search": _search,
    "strip": _profiles,
    "raise_profiles": _profiles,
    "search_scenarios": partial(_scenarios, _search),
    "raise_scenarios": partial(_scenarios, _profiles),
    "first_order_steps": _steps,
    "first_order_errors": _errors,
    "first_order_squares": _squares,
    "first_order_gain": _gain,
    "first_order_load": _load,
    "hourly_year": _hourly_year,
}
