"""HiGHS in the race: branch and bound, and its interior point on the linear relaxation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.bench.trace import TraceWriter
    from planner.problem import Problem

_TOLERANCES = {
    "primal_feasibility_tolerance": 1e-7,
    "dual_feasibility_tolerance": 1e-7,
    "mip_feasibility_tolerance": 1e-6,
}
"""HiGHS's own, so that it runs as it was tuned to run."""


def solve_highs(problem: Problem, form: str, trace: TraceWriter, time_limit_s: float, n_cores: int) -> str:
    """Run branch and bound and write down every plan and bound; returns how it ended.

    Parameters: problem, as lowered; form, one of `reduced.FORMS`; trace; time_limit_s, seconds; n_cores, threads.
    """
    from planner.bench.reduced import model_of
    from planner.bench.trace import answer_of
    from planner.export.highs import load_model, scale_model

    model = model_of(problem, form)
    scaled = scale_model(model)
    solver = load_model(model, scaled)
    unit = 2.0**scaled.objective_shift

    def racks(value: Any) -> NDArray[np.int64]:
        return answer_of(model, form, np.rint(np.asarray(value, dtype=np.float64)).astype(np.int64))

    def on_plan(event: Any) -> None:
        found = event.data_out
        bound = _finite(-found.mip_dual_bound * unit)
        trace.news(-found.objective_function_value * unit, bound, racks(found.mip_solution))

    def on_log(event: Any) -> None:
        found = event.data_out
        trace.news(_finite(-found.mip_primal_bound * unit), _finite(-found.mip_dual_bound * unit))

    _ready(solver, time_limit_s, n_cores)
    solver.cbMipImprovingSolution.subscribe(on_plan)
    solver.cbMipLogging.subscribe(on_log)
    solver.cbMipInterrupt.subscribe(on_log)
    trace.start()
    solver.run()
    info, solution = solver.getInfo(), solver.getSolution()
    bound = _finite(-info.mip_dual_bound * unit)
    if solution.value_valid and math.isfinite(info.objective_function_value):
        trace.news(-info.objective_function_value * unit, bound, racks(solution.col_value))
    else:
        trace.news(None, bound)
    return str(solver.modelStatusToString(solver.getModelStatus()))


def solve_highs_ipm(problem: Problem, form: str, trace: TraceWriter, time_limit_s: float, n_cores: int) -> str:
    """Run the interior point method without crossover on the linear relaxation; it has one bound, at its end.

    Parameters: as for `solve_highs`.
    """
    from planner.bench.reduced import model_of
    from planner.export.highs import load_model, scale_model

    model = model_of(problem, form)
    scaled = scale_model(model)
    solver = load_model(model, scaled)
    lp = solver.getLp()
    lp.integrality_ = []
    solver.passModel(lp)
    _ready(solver, time_limit_s, n_cores)
    solver.setOptionValue("solver", "ipm")
    solver.setOptionValue("run_crossover", "off")
    trace.start()
    solver.run()
    status = str(solver.modelStatusToString(solver.getModelStatus()))
    if status == "Optimal":
        trace.news(None, -solver.getInfo().objective_function_value * 2.0**scaled.objective_shift)
    return status


def _ready(solver: Any, time_limit_s: float, n_cores: int) -> None:
    for option, value in _TOLERANCES.items():
        solver.setOptionValue(option, value)
    solver.setOptionValue("threads", n_cores)
    solver.setOptionValue("time_limit", float(time_limit_s))


def _finite(value: float) -> float | None:
    """None for what HiGHS does not know yet."""
    return value if abs(value) < 1e30 else None
