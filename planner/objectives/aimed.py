"""A world planned for its objective: one solve, or several where the objective asks for them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from planner.objectives.earliest import solve_earliest
from planner.objectives.lexicographic import solve_in_order
from planner.objectives.measuring import NPV, Measuring, weights_of, weights_text
from planner.objectives.ratio import COST, solve_ratio, tokens_of
from planner.objectives.trials import Trials
from planner.solve.solve import solve
from planner.solve.value import objective_cents
from sites.schema.objective import is_net_present_value, measure_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.lower.lowered import Lowered
    from planner.objectives.measuring import Weights
    from planner.objectives.trials import Trial
    from planner.problem import Problem
    from planner.solve.options import Progress, SolveOptions
    from planner.solve.solve import Solution
    from sites.schema.objective import CostPerToken, Earliest, Objective
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
    Raises InfeasibleError where an objective's target is not reached, InputError for weights that are too large, and
    what `solve` raises.
    """
    objective = world.portfolio.objective
    if is_net_present_value(objective):
        solution = solve(lowered.problem, options, tell)
        return Aimed(lowered.problem, solution, solution.objective)
    assert objective is not None
    measuring = Measuring(world, lowered)
    if objective.lexicographic is not None:
        return _ordered(measuring, objective, options, tell)
    if objective.earliest is not None:
        return _first(measuring, objective.earliest, options, tell)
    if objective.cost_per_token is not None:
        return _cheapest(measuring, objective.cost_per_token, options, tell)
    weights = weights_of(objective)
    problem = measuring.problem(weights)
    return _aimed(measuring, weights, problem, solve(problem, options, tell), {"form": "weights"})


def _ordered(
    measuring: Measuring, objective: Objective, options: SolveOptions, tell: Callable[[Progress], None]
) -> Aimed:
    measures = tuple(measure_of(text) for text in objective.lexicographic or ())
    found = solve_in_order(Trials(measuring, measures, options, tell), objective)
    answer = _aimed(measuring, found.proof.weights, found.proof.problem, found.solution, found.statement)
    return _with_certificate(answer, "certificate-first.json", found.first)


def _cheapest(
    measuring: Measuring, asked: CostPerToken, options: SolveOptions, tell: Callable[[Progress], None]
) -> Aimed:
    found = solve_ratio(Trials(measuring, (tokens_of(asked), COST), options, tell), asked)
    return _aimed(measuring, found.proof.weights, found.proof.problem, found.solution, found.statement)


def _first(measuring: Measuring, asked: Earliest, options: SolveOptions, tell: Callable[[Progress], None]) -> Aimed:
    found = solve_earliest(Trials(measuring, (), options, tell), asked)
    trials = {step.quarter: step.trial for step in found.steps if step.trial is not None}
    best = trials[found.reached_in or ""]
    statement = {
        "form": "earliest",
        "measure": asked.measure,
        "target": str(asked.target),
        "reached_in": found.reached_in,
        "not_before": found.not_before,
    }
    answer = _aimed(measuring, best.weights, best.problem, best.solution, statement)
    for step in found.missed:
        answer = _with_certificate(answer, f"certificate-{step.quarter.lower()}.json", trials[step.quarter])
    return answer


def _aimed(
    measuring: Measuring, weights: Weights, problem: Problem, solution: Solution, statement: dict[str, Any]
) -> Aimed:
    """What is said of a plan that is worth so much for each unit of each measure."""
    values = {
        str(one): {"value": str(measuring.value(one, solution.plan)), "unit": one.kind.unit}
        for one in dict.fromkeys((*weights, NPV))
    }
    npv_cents = objective_cents(measuring.lowered.problem, solution.plan)
    said = {"weights": weights_text(weights), "values": values, "certificates": [], **statement}
    return Aimed(problem, solution, npv_cents, said)


def _with_certificate(answer: Aimed, name: str, trial: Trial) -> Aimed:
    """The answer with one certificate more, of another trial."""
    entry = {"file": name, "weights": weights_text(trial.weights), "bound": trial.solution.bound}
    statement = answer.statement or {}
    return replace(
        answer,
        statement=statement | {"certificates": [*statement["certificates"], entry]},
        certificates=answer.certificates | {name: trial.solution.certificate_json(trial.problem)},
    )
