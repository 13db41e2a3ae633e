"""The compact program solved by HiGHS: what the first-order iteration tends to, and quick where classes are few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.backends import kernel
from planner.solve.first_order.multipliers import relaxation_of
from planner.solve.first_order.program import CompactProgram
from planner.solve.first_order.scaling import scaled
from planner.solve.master import Columns, Master, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import FirstOrderModel
    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns
    from planner.solve.relaxation import Relaxation


def compact_relaxation(problem: Problem, patterns: RowPatterns, classes: Classes) -> Relaxation:
    """The compact program's best multipliers and aims.

    Parameters: patterns of the problem's rows; classes, over which the program is made.
    """
    program = CompactProgram([problem], [patterns], classes)
    own = scaled(program, np.float64)
    primal, dual, status = solve_model(own.model)
    value = float(np.sum(own.model.gain[..., 0] * primal)) * own.money_cents
    gain = np.empty_like(own.model.gain)
    kernel("first_order_gain", "numpy")(own.model, dual[..., None], gain)
    variable, constraint = own.variable_scale[:, None], own.constraint_scale[:, None]
    prices = dual * constraint * own.money_cents
    gains = gain[..., 0] * own.money_cents / variable
    return relaxation_of(program, 0, primal * variable, prices, gains, status, value)


def solve_model(model: FirstOrderModel, lane: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Values [n_variables, n_periods] and multipliers [n_constraints, n_periods] of one lane, and HiGHS's status."""
    shape = model.gain.shape[:2]
    gate, right_side, gain, upper, revenue = (
        part[..., lane].astype(np.float64)
        for part in (model.gate, model.right_side, model.gain, model.upper, model.revenue)
    )
    columns = Columns([gain.ravel()], [upper.ravel()], shape[0] * shape[1])
    numbers, rows = np.arange(columns.n).reshape(shape), Rows()
    constraint = rows.add(right_side)
    each = np.repeat(np.arange(constraint.shape[0] - 1), np.diff(model.constraint_ptr))
    factor = model.constraint_factor.astype(np.float64)
    rows.put(constraint[each], numbers[model.constraint_variable_idx], factor[:, None])
    gated = np.flatnonzero(model.gate_variable_idx >= 0)
    rows.put(constraint[gated], numbers[model.gate_variable_idx[gated]], -gate[gated])
    rows.put(constraint[-1], numbers[-1], 1.0)
    if revenue.shape[0]:
        rows.put(constraint[-1], numbers[:-1], -revenue[:-1])
    amount = rows.add(model.amount[lane : lane + 1].astype(np.float64))
    rows.put(amount, numbers[-1], 1.0)
    isotone = numbers[: model.n_isotone]
    kept = rows.add(np.zeros((isotone.shape[0], shape[1] - 1)))
    rows.put(kept, isotone[:, :-1], 1.0)
    rows.put(kept, isotone[:, 1:], -1.0)
    master = Master(columns, rows)
    master.solve()
    return master.primal.reshape(shape), master.dual[constraint], master.status
