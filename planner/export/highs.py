"""HiGHS on the exported problem: a second opinion on small instances.

HiGHS works in floating point with tolerances, so its plan is evaluated again in exact integers here, and
a plan that breaks a limit by a hair is cut off and solved again. The dual bound is HiGHS's own word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.export.decisions import room_left, settled
from planner.export.effective import plan_value_cents, violated_limits
from planner.export.model import integer_model
from planner.export.mps import row_shift
from planner.problem import SHARE_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.export.model import IntegerModel
    from planner.problem import Problem

_OBJECTIVE_BITS = 20
_TOLERANCE = 1e-9
_MAX_ROUNDS = 5


class HighsOptimum(NamedTuple):
    """HiGHS's answer, its plan evaluated in exact integers."""

    objective_cents: int
    n_racks: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods]"""
    dual_bound_cents: float
    """HiGHS's own, within its tolerances; not proven here."""
    decisions: tuple[int, ...] = ()
    """[n_columns] of the side program where there is one."""


class HighsError(RuntimeError):
    """HiGHS ended without a plan, or only with plans that break a limit."""


@dataclass(frozen=True)
class ScaledModel:
    """The model in 64-bit floats: each row and the objective divided by a power of two."""

    objective_shift: int
    matrix: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]
    row_lower: NDArray[np.float64]
    row_upper: NDArray[np.float64]


def highs_model(problem: Problem) -> Any:
    """A `highspy.Highs` that holds the integer problem, ready to run; it minimises minus the scaled value."""
    model = integer_model(problem)
    return load_model(model, scale_model(model))


def highs_optimum(problem: Problem, time_limit_s: float = 60.0) -> HighsOptimum:
    """Solve the integer problem with HiGHS and evaluate its plan exactly.

    Parameters: problem, as lowered; time_limit_s, seconds for each run. Raises HighsError without a plan.
    """
    model = integer_model(problem)
    scaled = scale_model(model)
    for _ in range(_MAX_ROUNDS):
        solver = load_model(model, scaled)
        solver.setOptionValue("time_limit", float(time_limit_s))
        solver.run()
        value = _solution(solver)
        n_racks = racks_of(model, value)
        decisions = settled(problem, n_racks, value[list(model.decision_column_idx)])
        broken = _broken_rows(problem, n_racks, decisions)
        if not broken:
            bound = -solver.getInfo().mip_dual_bound * 2.0**scaled.objective_shift
            worth = plan_value_cents(problem, n_racks, decisions)
            return HighsOptimum(worth, n_racks, bound, decisions)
        scaled = _tightened(model, scaled, set(broken))
    msg = f"HiGHS's plan breaks {next(iter(broken.values()))} within its tolerance"
    raise HighsError(msg)


def _broken_rows(problem: Problem, n_racks: NDArray[np.int64], decisions: tuple[int, ...]) -> dict[str, str]:
    """By name of the model's row: what a plan breaks, in words."""
    found = {
        f"limit_{limit}_t{period}": f"{problem.limits[limit].name} by {excess} / 2^20"
        for limit, period, excess in violated_limits(problem, n_racks, decisions)
    }
    if problem.side is not None:
        left = zip(problem.side.row_names, room_left(problem, n_racks, decisions), strict=True)
        found |= {f"side_{row}": f"{name} by {-one}" for row, (name, one) in enumerate(left) if one < 0}
    return found


def scale_model(model: IntegerModel) -> ScaledModel:
    """The model as HiGHS takes it: what it minimises is minus the value in cents over 2^`objective_shift`."""
    largest = max((abs(column.objective_scaled) for column in model.columns), default=0) >> SHARE_BITS
    start: list[int] = [0]
    index: list[int] = []
    value: list[float] = []
    lower: list[float] = []
    upper: list[float] = []
    for row in model.rows:
        factor = 2.0 ** -row_shift(row)
        index.extend(row.column_idx)
        value.extend(coefficient * factor for coefficient in row.coefficient)
        start.append(len(index))
        lower.append(-np.inf if row.sense == "L" else row.right * factor)
        upper.append(np.inf if row.sense == "G" else row.right * factor)
    matrix = (np.array(start, np.int32), np.array(index, np.int32), np.array(value, np.float64))
    shift = max(0, largest.bit_length() - _OBJECTIVE_BITS)
    return ScaledModel(shift, matrix, np.array(lower, np.float64), np.array(upper, np.float64))


def load_model(model: IntegerModel, scaled: ScaledModel) -> Any:
    """A `highspy.Highs` that holds the scaled model, silent and with tight tolerances."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.columns), len(model.rows)
    factor = 2.0 ** -(SHARE_BITS + scaled.objective_shift)
    lp.offset_ = -model.constant_cents * 2.0**-scaled.objective_shift
    lp.col_cost_ = np.array([-column.objective_scaled * factor for column in model.columns], np.float64)
    lp.col_lower_ = np.zeros(len(model.columns))
    lp.col_upper_ = np.array([np.inf if c.upper is None else float(c.upper) for c in model.columns], np.float64)
    lp.row_lower_, lp.row_upper_ = scaled.row_lower, scaled.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = scaled.matrix
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[column.integer] for column in model.columns]
    solver: Any = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    for option in ("primal_feasibility_tolerance", "dual_feasibility_tolerance", "mip_feasibility_tolerance"):
        solver.setOptionValue(option, _TOLERANCE)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("mip_abs_gap", 0.0)
    solver.setOptionValue("threads", 1)
    solver.passModel(lp)
    return solver


def _solution(solver: Any) -> NDArray[np.float64]:
    solution = solver.getSolution()
    if not solution.value_valid:
        msg = f"HiGHS ended without a plan: {solver.modelStatusToString(solver.getModelStatus())}"
        raise HighsError(msg)
    return np.asarray(solution.col_value, dtype=np.float64)


def racks_of(model: IntegerModel, value: NDArray[np.float64]) -> NDArray[np.int64]:
    """[n_rows, n_configurations, n_periods] racks of a solution, rounded to whole ones."""
    idx = model.racks_column_idx
    racks = np.zeros(idx.shape, dtype=np.int64)
    racks[idx >= 0] = np.rint(value[idx[idx >= 0]]).astype(np.int64)
    return racks


def _tightened(model: IntegerModel, scaled: ScaledModel, names: set[str]) -> ScaledModel:
    """Lower the capacity of broken rows by just over the solver's tolerance."""
    upper = scaled.row_upper.copy()
    for index, row in enumerate(model.rows):
        if row.name in names:
            upper[index] -= 2 * _TOLERANCE * max(1.0, abs(upper[index]))
    return ScaledModel(scaled.objective_shift, scaled.matrix, scaled.row_lower, upper)
