"""Measures of one world: their coefficients, kept once, problems weighed by them, and what a plan amounts to."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.objectives.coefficients import coefficients_of
from planner.objectives.scales import whole_weight
from planner.objectives.weighted import weighted
from planner.solve.value import objective_cents
from sites.schema.objective import Kind, Measure, measure_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.lower.lowered import Lowered
    from planner.objectives.coefficients import Coefficients
    from planner.problem import Plan, Problem
    from sites.schema.objective import Objective
    from sites.world import World

Weights = dict[Measure, Fraction]
"""USD for each unit of each measure."""
NPV = Measure(Kind.NPV)


@dataclass
class Measuring:
    """The measures of a world that is lowered."""

    world: World
    lowered: Lowered
    _known: dict[Measure, Coefficients] = field(default_factory=dict)

    def coefficients(self, measure: Measure) -> Coefficients:
        """Coefficients of a measure."""
        if measure not in self._known:
            self._known[measure] = coefficients_of(measure, self.world, self.lowered)
        return self._known[measure]

    def problem(self, weights: Mapping[Measure, Fraction]) -> Problem:
        """The problem whose plans are worth so much for each unit of each measure."""
        terms = [(self.coefficients(measure), weight) for measure, weight in weights.items()]
        return weighted(self.lowered.problem, terms)

    def value(self, measure: Measure, plan: Plan) -> Fraction:
        """What a plan amounts to, exact, in the measure's unit; decisions beside its racks are the plan's own."""
        whole = objective_cents(self.problem({measure: whole_weight(measure)}), plan)
        return whole * self.coefficients(measure).per_unit


def weights_of(objective: Objective | None) -> Weights:
    """The weights that an objective states; net present value where it is missing.

    Raises ValueError for objectives that state none.
    """
    if objective is None:
        return {NPV: Fraction(1)}
    if objective.weights is None:
        msg = "this objective has no weights of its own"
        raise ValueError(msg)
    return {measure_of(text): weight for text, weight in objective.weights.items()}


def weights_text(weights: Mapping[Measure, Fraction]) -> dict[str, str]:
    """Weights as a plan's document states them."""
    return {str(measure): str(weight) for measure, weight in weights.items()}
