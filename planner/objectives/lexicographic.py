"""Two measures one after the other: the best of the first, then the best of the second that gives up little of it.

The second is made best under a price on the first, found by weights along the front of both (model, section 7b).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.objectives.floored import can_be_floored
from planner.objectives.scales import whole_weight, whole_weights
from planner.objectives.trials import Trial, set_into
from sites.schema.objective import measure_of

if TYPE_CHECKING:
    from planner.objectives.trials import Trials
    from planner.solve.solve import Solution
    from sites.schema.objective import Measure, Objective

MOST_PRICES = 8
"""Prices that are tried on the first measure."""


@dataclass(frozen=True)
class Ordered:
    """Answer to a lexicographic objective."""

    first: Trial
    """The first measure alone."""
    proof: Trial
    """The price whose certificate says most of the second."""
    solution: Solution
    """The kept plan, under the proof's weights."""
    statement: dict[str, Any]


def solve_in_order(trials: Trials, objective: Objective) -> Ordered:
    """Make the first measure best, then the second.

    Parameters: trials, of the two measures; objective, with `lexicographic` and `tolerance`.
    """
    first, second = (measure_of(text) for text in objective.lexicographic or ())
    alone = trials.run({first: whole_weight(first), second: Fraction(0)})
    best = alone.values[first]
    least = best - (objective.tolerance or 0) * abs(best)
    tried = [alone]
    if not alone.was_interrupted:
        tried += _priced(trials, alone, first, second, least)
    last = tried[-1]
    if can_be_floored(first.kind) and last.weights[first] and last.weights[second] and not last.was_interrupted:
        tried.append(trials.run_above(last.weights, first, least))
    kept = max((one for one in tried if one.values[first] >= least), key=lambda one: one.values[second])
    proofs = [(limit, one) for one in tried if one.proves and (limit := one.at_most(second, first, least)) is not None]
    limit, proof = min(proofs, key=lambda pair: pair[0], default=(None, alone))
    statement = {
        "form": "lexicographic",
        "first": {"measure": str(first), "best_found": str(best), "at_most": str(_alone_at_most(alone, first))},
        "second": {"measure": str(second), "at_most": None if limit is None else str(limit)},
        "first_at_least": str(least),
    }
    return Ordered(alone, proof, set_into(kept, proof), statement)


def _alone_at_most(alone: Trial, first: Measure) -> Fraction:
    return alone.proven_usd / alone.weights[first]


def _priced(trials: Trials, alone: Trial, first: Measure, second: Measure, least: Fraction) -> list[Trial]:
    """Trials at prices on the first measure that close in on the plans which keep just enough of it.

    Each price is the slope between the best plan that keeps enough and the best that does not.
    """
    free = trials.run({first: Fraction(0), second: whole_weight(second)})
    tried, inside, outside = [free], alone, free
    if free.values[first] >= least:
        return tried
    while len(tried) < MOST_PRICES and not tried[-1].was_interrupted:
        given = inside.values[first] - outside.values[first]
        gained = outside.values[second] - inside.values[second]
        if gained <= 0:
            break
        one = trials.run(whole_weights({first: gained, second: given}))
        tried.append(one)
        if _sum(one, one) <= max(_sum(inside, one), _sum(outside, one)):
            break
        inside, outside = (one, outside) if one.values[first] >= least else (inside, one)
    return tried


def _sum(plan: Trial, under: Trial) -> Fraction:
    """What a plan's values weigh under the weights of a trial."""
    return sum((weight * plan.values[measure] for measure, weight in under.weights.items()), Fraction(0))
