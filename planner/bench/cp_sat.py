"""OR-Tools CP-SAT in the race, on the integer problem with its exact integer coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import SHARE_BITS

if TYPE_CHECKING:
    from planner.bench.trace import TraceWriter
    from planner.export.model import IntegerModel
    from planner.problem import Problem

_LARGEST = 2**62


def solve_cp_sat(problem: Problem, form: str, trace: TraceWriter, time_limit_s: float, n_cores: int) -> str:
    """Run CP-SAT and write down every plan and bound; returns how it ended.

    Parameters: problem, as lowered, without a contract or a minimum demand (their columns are not integers); form,
    one of `reduced.FORMS`; trace; time_limit_s, seconds; n_cores, workers. Raises ValueError with either, or where a
    sum could leave 64 bits.
    """
    from ortools.sat.python import cp_model

    from planner.bench.reduced import model_of
    from planner.bench.trace import answer_of

    model = model_of(problem, form)
    program, columns = cp_sat_model(model)
    best: dict[str, float | None] = {"claimed": None, "bound": None}

    class OnPlan(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            best["claimed"], best["bound"] = self.objective_value, self.best_objective_bound
            values = np.array([self.value(one) for one in columns])
            trace.news(best["claimed"], best["bound"], answer_of(model, form, values))

    def on_bound(bound: float) -> None:
        best["bound"] = bound
        trace.news(best["claimed"], bound)

    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = float(time_limit_s)
    solver.parameters.num_workers = n_cores
    solver.best_bound_callback = on_bound
    trace.start()
    status = solver.solve(program, OnPlan())
    trace.news(best["claimed"], solver.best_objective_bound)
    return str(solver.status_name(status))


def cp_sat_model(model: IntegerModel) -> tuple[Any, list[Any]]:
    """The integer program as a CP-SAT model in cents, and its variables in order of the columns.

    Raises ValueError where a column is not an integer or without bound, or a sum could leave 64 bits.
    """
    from ortools.sat.python import cp_model

    _refuse_what_does_not_fit(model)
    program = cp_model.CpModel()
    columns = [program.new_int_var(0, column.upper or 0, "") for column in model.columns]
    for row in model.rows:
        total = cp_model.LinearExpr.weighted_sum([columns[index] for index in row.column_idx], list(row.coefficient))
        low = -_LARGEST if row.sense == "L" else row.right
        high = _LARGEST if row.sense == "G" else row.right
        program.add_linear_constraint(total, low, high)
    cents = [column.objective_scaled >> SHARE_BITS for column in model.columns]
    program.maximize(cp_model.LinearExpr.weighted_sum(columns, cents))
    return program, columns


def _refuse_what_does_not_fit(model: IntegerModel) -> None:
    for column in model.columns:
        if not column.integer or column.upper is None:
            msg = f"column {column.name} is not a bounded integer; CP-SAT takes only those (no contract, no minimum)"
            raise ValueError(msg)
    upper = [column.upper or 0 for column in model.columns]
    for row in model.rows:
        largest = sum(abs(c) * upper[index] for c, index in zip(row.coefficient, row.column_idx, strict=True))
        if largest + abs(row.right) >= _LARGEST:
            msg = f"row {row.name} can reach {largest}, more than CP-SAT's 64 bits hold"
            raise ValueError(msg)
