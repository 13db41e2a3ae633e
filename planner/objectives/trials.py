"""Solves of one world under several weights, and what each certifies of two measures together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from planner.objectives.floored import floored
from planner.objectives.scales import proven_usd
from planner.problem import Plan
from planner.solve.options import Status, StopReason
from planner.solve.solve import solve
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.objectives.measuring import Measuring, Weights
    from planner.problem import Problem
    from planner.solve.options import Progress, SolveOptions
    from planner.solve.solve import Solution
    from sites.schema.objective import Measure


@dataclass(frozen=True)
class Trial:
    """One solve."""

    weights: Weights
    problem: Problem
    solution: Solution
    values: dict[Measure, Fraction]
    """Of the plan, in each measure that is asked for."""
    proves: bool = True
    """Whether its certificate holds for all plans; False where the problem asked for more than the world does."""

    @property
    def was_interrupted(self) -> bool:
        """Whether nothing more should be begun."""
        return self.solution.stop_reason is StopReason.INTERRUPTED

    @property
    def proven_usd(self) -> Fraction:
        """Weighted sum of values that no plan exceeds."""
        return proven_usd(self.solution.bound, self.weights)

    def at_most(self, measure: Measure, other: Measure, other_at_least: Fraction) -> Fraction | None:
        """What no plan exceeds in a measure that has so much of the other; None where the weights say nothing of it."""
        weight = self.weights.get(measure)
        return (self.proven_usd - self.weights.get(other, 0) * other_at_least) / weight if weight else None


@dataclass(frozen=True)
class Trials:
    """How trials of one world are made."""

    measuring: Measuring
    measures: tuple[Measure, ...]
    options: SolveOptions
    tell: Callable[[Progress], None]

    def run(self, weights: Weights) -> Trial:
        """Solve under weights."""
        problem = self.measuring.problem(weights)
        solution = solve(problem, self.options, self.tell)
        values = {one: self.measuring.value(one, solution.plan) for one in self.measures}
        return Trial(weights, problem, solution, values)

    def run_above(self, weights: Weights, measure: Measure, least: Fraction) -> Trial:
        """Solve for the best plan in the other measures that has so much of one; its certificate proves nothing.

        Parameters: weights, under which both count; measure, one that can be floored; least, in its unit.
        """
        counted = self.measuring.coefficients(measure)
        price_cents = ceil(weights[measure] * counted.cents)
        weights = weights | {measure: Fraction(0)}
        problem = self.measuring.problem(weights)
        asked = floored(problem, counted, least, _DEAR * price_cents)
        # A stored guide knows nothing of the floor's row, so this program makes its own.
        solution = solve(asked, replace(self.options, guide=None), self.tell)
        own = replace(solution, plan=_without_floor(problem, solution.plan))
        values = {one: self.measuring.value(one, own.plan) for one in self.measures}
        return Trial(weights, problem, own, values, proves=False)


def _without_floor(problem: Problem, plan: Plan) -> Plan:
    """The plan without the last decision, which is what the floor was short of."""
    return Plan(plan.n_racks, None if problem.side is None or plan.decisions is None else plan.decisions[:-1])


_DEAR = 16
"""How many times its worth under the weights each whole number short of a floor costs."""


def _named(problem: Problem, plan: Plan) -> dict[str, int] | None:
    """Decisions beside the racks by name, zeros left out; None without a side program."""
    if problem.side is None or plan.decisions is None:
        return None
    return {name: n for name, n in zip(problem.side.column_names, plan.decisions, strict=True) if n}


def set_into(plan: Trial, proof: Trial) -> Solution:
    """The plan of one trial under weights and certificate of another."""
    if plan is proof:
        return plan.solution
    objective = objective_cents(proof.problem, plan.solution.plan)
    is_best = objective == proof.solution.bound
    reason = proof.solution.stop_reason
    if reason is StopReason.OPTIMAL and not is_best:
        reason = StopReason.WORK_LIMIT
    return replace(
        proof.solution,
        plan=plan.solution.plan,
        decisions=_named(proof.problem, plan.solution.plan),
        objective=objective,
        status=Status.OPTIMAL if is_best else Status.FEASIBLE,
        stop_reason=StopReason.OPTIMAL if is_best else reason,
    )
