"""HiGHS branch and bound in the race, on the full integer problem."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from planner.bench.trace import TraceWriter
    from planner.problem import Problem

_TOLERANCES = {
    "primal_feasibility_tolerance": 1e-7,
    "dual_feasibility_tolerance": 1e-7,
    "mip_feasibility_tolerance": 1e-6,
}
"""HiGHS's own, so that it runs as it was tuned to run."""


def solve_highs(problem: Problem, trace: TraceWriter, time_limit_s: float, n_cores: int) -> str:
    """Run HiGHS and write down every plan and bound; returns how it ended.

    Parameters: problem, as lowered; trace; time_limit_s, seconds; n_cores, threads.
    """
    from planner.export.highs import load_model, racks_of, scale_model
    from planner.export.model import integer_model

    model = integer_model(problem)
    scaled = scale_model(model)
    solver = load_model(model, scaled)
    unit = 2.0**scaled.objective_shift

    def on_plan(event: Any) -> None:
        found = event.data_out
        racks = racks_of(model, np.array(found.mip_solution, dtype=np.float64))
        trace.news(-found.objective_function_value * unit, _finite(-found.mip_dual_bound * unit), racks)

    def on_log(event: Any) -> None:
        found = event.data_out
        trace.news(_finite(-found.mip_primal_bound * unit), _finite(-found.mip_dual_bound * unit))

    for option, value in _TOLERANCES.items():
        solver.setOptionValue(option, value)
    solver.setOptionValue("threads", n_cores)
    solver.setOptionValue("time_limit", float(time_limit_s))
    solver.cbMipImprovingSolution.subscribe(on_plan)
    solver.cbMipLogging.subscribe(on_log)
    solver.cbMipInterrupt.subscribe(on_log)
    trace.start()
    solver.run()
    info, solution = solver.getInfo(), solver.getSolution()
    bound = _finite(-info.mip_dual_bound * unit)
    if solution.value_valid and math.isfinite(info.objective_function_value):
        racks = racks_of(model, np.asarray(solution.col_value, dtype=np.float64))
        trace.news(-info.objective_function_value * unit, bound, racks)
    else:
        trace.news(None, bound)
    return str(solver.modelStatusToString(solver.getModelStatus()))


def _finite(value: float) -> float | None:
    """None for what HiGHS does not know yet."""
    return value if abs(value) < 1e30 else None
