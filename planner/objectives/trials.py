"""Solves of one world under several weights, and what each certifies of two measures together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from planner.objectives.floored import NAME, floored
from planner.objectives.measuring import worth_cents
from planner.objectives.scales import proven_usd
from planner.solve.options import Status, StopReason
from planner.solve.solve import solve

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
        values = {one: self.measuring.value(one, solution.plan, solution.decisions) for one in self.measures}
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
        solution = solve(asked, self.options, self.tell)
        decisions = {name: n for name, n in (solution.decisions or {}).items() if not name.endswith(f":{NAME}")}
        own = replace(solution, decisions=None if problem.side is None else decisions)
        values = {one: self.measuring.value(one, own.plan, own.decisions) for one in self.measures}
        return Trial(weights, problem, own, values, proves=False)


_DEAR = 16
"""How many times its worth under the weights each whole number short of a floor costs."""


def set_into(plan: Trial, proof: Trial) -> Solution:
    """The plan of one trial under weights and certificate of another."""
    if plan is proof:
        return plan.solution
    objective = worth_cents(proof.problem, plan.solution.plan, plan.solution.decisions or {})
    is_best = objective == proof.solution.bound
    reason = proof.solution.stop_reason
    if reason is StopReason.OPTIMAL and not is_best:
        reason = StopReason.WORK_LIMIT
    return replace(
        proof.solution,
        plan=plan.solution.plan,
        decisions=plan.solution.decisions,
        objective=objective,
        status=Status.OPTIMAL if is_best else Status.FEASIBLE,
        stop_reason=StopReason.OPTIMAL if is_best else reason,
    )
