"""The least spent for each token sold: Dinkelbach's method, with a certificate for what no plan undercuts.

Source: W. Dinkelbach, On Nonlinear Fractional Programming, Management Science 13 (1967), 492-498: no plan costs less
than λ a token exactly when the best of λ · tokens − cost is 0 or less.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from planner.errors import InfeasibleError
from planner.objectives.scales import step, whole_weight
from planner.objectives.trials import Trial, set_into
from planner.objectives.weighted import LARGEST_CENTS
from sites.schema.objective import Kind, Measure

if TYPE_CHECKING:
    from planner.objectives.trials import Trials
    from planner.solve.solve import Solution
    from sites.schema.objective import CostPerToken

COST = Measure(Kind.COST)
MILLION = 10**6
MOST_RATIOS = 12
"""Ratios λ that are tried."""
_FINEST = 10_000


@dataclass(frozen=True)
class Cheapest:
    """Answer to a cost for each token."""

    solution: Solution
    """The cheapest plan found, under the weights of the certificate."""
    proof: Trial
    """The ratio at which it is proven how little can be spent."""
    most: Trial
    """The most tokens that can be sold."""
    statement: dict[str, Any]


def tokens_of(asked: CostPerToken) -> Measure:
    """The tokens that count."""
    return Measure(Kind.TOKENS, asked.workloads)


def solve_ratio(trials: Trials, asked: CostPerToken) -> Cheapest:
    """Find a plan that spends least for each token.

    Parameters: trials, of cost and tokens. Raises InfeasibleError where no plan that sells enough is found.
    """
    tokens, least = tokens_of(asked), asked.at_least / MILLION
    most = trials.run({tokens: whole_weight(tokens), COST: Fraction(0)})
    if most.values[tokens] < least:
        raise InfeasibleError(_too_few(most, tokens, least))
    tried = [most]
    if not most.was_interrupted:
        tried += _ratios(trials, most, tokens, least)
    kept = min((one for one in tried if one.values[tokens] >= least), key=lambda one: spent_each(one, tokens))
    proof = max(tried[1:] or tried, key=lambda one: certified(one, tokens, least))
    statement = {
        "form": "cost_per_token",
        "tokens": str(tokens),
        "tokens_at_least": str(least),
        "usd_per_million_tokens": {
            "plan": str(spent_each(kept, tokens)),
            "at_least": str(certified(proof, tokens, least)),
        },
    }
    return Cheapest(set_into(kept, proof), proof, most, statement)


def _too_few(most: Trial, tokens: Measure, least: Fraction) -> str:
    limit = most.proven_usd / most.weights[tokens]
    certainty = (
        "no plan sells more" if limit < least else f"it is proven only that none sells more than {float(limit):,.0f}"
    )
    return (
        f"the plan that sells most has {float(most.values[tokens]):,.3f} million tokens and {certainty}; the objective "
        f"asks for {float(least):,.3f} million: lower 'objective.cost_per_token.at_least', or give more time"
    )


def spent_each(trial: Trial, tokens: Measure) -> Fraction:
    """USD spent for each million tokens of a plan that sells some."""
    return -trial.values[COST] / trial.values[tokens]


def certified(trial: Trial, tokens: Measure, least: Fraction) -> Fraction:
    """USD that every plan with enough tokens spends for each million of them at the least.

    From λ · tokens − spent ≤ b for all plans: spent / tokens ≥ λ − b / tokens. 0 where nothing is proven.
    """
    if not trial.weights[COST]:
        return Fraction(0)
    ratio, excess = trial.weights[tokens] / trial.weights[COST], trial.proven_usd / trial.weights[COST]
    return max(Fraction(0), ratio - max(Fraction(0), excess) / least)


def _ratios(trials: Trials, most: Trial, tokens: Measure, least: Fraction) -> list[Trial]:
    """Trials at ratios that close in on the cheapest plan with enough tokens.

    The next ratio is that of a cheaper plan; where the best plan sells too little, the slope from it to the cheapest
    that sells enough; where neither helps, the ratio at which the last certificate would leave nothing open.
    """
    tried: dict[Fraction, Trial] = {}
    inside, ratio, scale = most, spent_each(most, tokens), _scale(trials)
    while len(tried) < MOST_RATIOS and ratio > 0:
        weights = _weights(tokens, ratio, scale)
        if weights[tokens] in tried:
            break
        one = tried[weights[tokens]] = trials.run(weights)
        enough = one.values[tokens] >= least
        if enough and spent_each(one, tokens) < spent_each(inside, tokens):
            inside, ratio = one, spent_each(one, tokens)
        elif one.was_interrupted or certified(one, tokens, least) >= spent_each(inside, tokens) - 2 * step(tokens):
            break
        elif not enough and (slope := _slope(inside, one, tokens)) > ratio + step(tokens):
            ratio = slope
        else:
            ratio = certified(one, tokens, inside.values[tokens])
    return list(tried.values())


def _slope(inside: Trial, outside: Trial, tokens: Measure) -> Fraction:
    """What the plan with enough tokens spends more for each token more."""
    sold = inside.values[tokens] - outside.values[tokens]
    return (outside.values[COST] - inside.values[COST]) / sold


def _weights(tokens: Measure, ratio: Fraction, scale: int) -> dict[Measure, Fraction]:
    """A ratio rounded down to what the problem can hold without rounding.

    Parameters: scale, weight of the cost: the cent by which a plan's worth is rounded is so many times less of it.
    """
    fine = step(tokens)
    return {tokens: max(fine, floor(ratio * scale / fine) * fine), COST: Fraction(scale)}


def _scale(trials: Trials) -> int:
    """The largest power of ten, up to 10,000, under which costs can be weighed."""
    cost = trials.measuring.coefficients(COST)
    arrays = (cost.period_value, cost.start_value, cost.open_cost, cost.unit_cost)
    largest = max((int(abs(array).max(initial=1)) for array in arrays), default=1)
    scale = _FINEST
    while scale > 1 and scale * largest > LARGEST_CENTS // 2:
        scale //= 10
    return scale
