"""A world planned for its objective: one solve, or several where the objective asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.objectives.measuring import NPV, Measuring, weights_of, weights_text
from planner.solve.solve import solve
from planner.solve.value import objective_cents
from sites.faults import Fault, InputError
from sites.schema.objective import is_net_present_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from planner.lower.lowered import Lowered
    from planner.objectives.measuring import Weights
    from planner.problem import Problem
    from planner.solve.options import Progress, SolveOptions
    from planner.solve.solve import Solution
    from sites.schema.objective import Measure
    from sites.world import World


@dataclass(frozen=True)
class Aimed:
    """A plan, the problem whose worth it was made for, and what the plan's document says of that."""

    problem: Problem
    """Worth is the objective's; its certificate is the solution's."""
    solution: Solution
    npv_cents: int
    """What the plan is worth in money."""
    statement: dict[str, Any] | None = None
    """Key `aim` of `plan.json`; None where the objective is net present value."""
    certificates: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Further certificates by file name; the statement names their weights and bounds."""


def solve_for_objective(
    world: World, lowered: Lowered, options: SolveOptions, tell: Callable[[Progress], None]
) -> Aimed:
    """Plan a world for the objective of its portfolio.

    Parameters: world and lowered, of the same portfolio; options, of each solve; tell, called with its progress.
    Raises InputError for objectives that one run cannot answer, and what `solve` raises.
    """
    objective = world.portfolio.objective
    if is_net_present_value(objective):
        solution = solve(lowered.problem, options, tell)
        return Aimed(lowered.problem, solution, solution.objective)
    assert objective is not None
    if objective.earliest is not None:
        raise InputError([Fault("portfolio.yaml", None, "objective.earliest", _EARLIEST)])
    measuring = Measuring(world, lowered)
    weights = weights_of(objective)
    problem = measuring.problem(weights)
    solution = solve(problem, options, tell)
    return aimed(measuring, weights, problem, solution)


_EARLIEST = (
    "one run proves what is possible in one quarter; the first quarter that reaches a target takes several: use "
    "'gigaplan explain earliest', which plans and proves them"
)


def aimed(measuring: Measuring, weights: Weights, problem: Problem, solution: Solution) -> Aimed:
    """What is said of a plan that was made for weights of measures."""
    npv_cents = objective_cents(measuring.lowered.problem, solution.plan)
    statement = {
        "weights": weights_text(weights),
        "values": values_of(measuring, weights, solution),
        "certificates": [],
    }
    return Aimed(problem, solution, npv_cents, statement)


def values_of(measuring: Measuring, weights: Weights, solution: Solution) -> dict[str, dict[str, str]]:
    """What the plan amounts to in each measure that is weighed, and in money, as exact texts."""
    measures = dict.fromkeys((*weights, NPV))
    return {str(one): _value(one, measuring.value(one, solution.plan)) for one in measures}


def _value(measure: Measure, value: Fraction) -> dict[str, str]:
    return {"value": str(value), "unit": measure.kind.unit}
