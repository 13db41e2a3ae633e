"""OR-Tools PDLP in the race: its bounds on the linear relaxation, second by second.

A first-order method has a bound long before it has an optimum: the dual objective corrected for the bounds of the
columns, which PDLP notes every 64 iterations. All of them are written down when it ends.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.bench.trace import TraceWriter
    from planner.export.highs import ScaledModel
    from planner.export.model import IntegerModel
    from planner.problem import Problem


def solve_pdlp(problem: Problem, form: str, trace: TraceWriter, time_limit_s: float, n_cores: int) -> str:
    """Run PDLP and write down its bounds; returns how it ended.

    Parameters: problem, as lowered; form, one of `reduced.FORMS`; trace; time_limit_s, seconds; n_cores, threads.
    """
    from ortools.pdlp import solve_log_pb2, solvers_pb2
    from ortools.pdlp.python import pdlp

    from planner.bench.reduced import model_of
    from planner.export.highs import scale_model

    model = model_of(problem, form)
    scaled = scale_model(model)
    program = pdlp.qp_from_mpmodel_proto(linear_program(model, scaled), relax_integer_variables=True)
    parameters = solvers_pb2.PrimalDualHybridGradientParams(num_threads=n_cores, record_iteration_stats=True)
    parameters.termination_criteria.time_sec_limit = float(time_limit_s)
    trace.start()
    log = pdlp.primal_dual_hybrid_gradient(program, parameters).solve_log
    unit = -(2.0**scaled.objective_shift)
    for stats in log.iteration_stats:
        found = [one.corrected_dual_objective for one in stats.convergence_information]
        bounds = [unit * value for value in found if math.isfinite(value)]
        if bounds:
            trace.news(None, min(bounds), elapsed_s=stats.cumulative_time_sec)
    reason = str(solve_log_pb2.TerminationReason.Name(log.termination_reason))
    return reason.removeprefix("TERMINATION_REASON_")


def linear_program(model: IntegerModel, scaled: ScaledModel) -> Any:
    """The scaled model as OR-Tools' message; what it minimises is minus the scaled value.

    Parameters: model; scaled, of the same model.
    """
    from ortools.linear_solver import linear_solver_pb2

    from planner.problem import SHARE_BITS

    program = linear_solver_pb2.MPModelProto()
    factor = 2.0 ** -(SHARE_BITS + scaled.objective_shift)
    for column in model.columns:
        upper = math.inf if column.upper is None else float(column.upper)
        program.variable.add(
            lower_bound=0.0, upper_bound=upper, objective_coefficient=-column.objective_scaled * factor,
            is_integer=column.integer,
        )  # fmt: skip
    start, index, value = scaled.matrix
    for row in range(len(model.rows)):
        of_row = slice(start[row], start[row + 1])
        program.constraint.add(
            var_index=index[of_row], coefficient=value[of_row], lower_bound=scaled.row_lower[row],
            upper_bound=scaled.row_upper[row],
        )  # fmt: skip
    return program
