"""Solves of one world under several weights, and what each certifies of two measures together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planner.objectives.measuring import worth_cents
from planner.objectives.scales import proven_usd
from planner.solve.options import Status, StopReason
from planner.solve.solve import solve

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

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
