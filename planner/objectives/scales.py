"""Weights under which nothing is rounded, so that what a certificate proves of their sum is exact (model, 7b)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from planner.objectives.sold import MILLION_TOKENS_PER_UNIT
from planner.problem import SHARE_BITS
from sites.schema.objective import FLOPS, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.objectives.measuring import Weights
    from sites.schema.objective import Measure

CENTS_PER_USD = 100
_FINENESS = 128
"""Steps of the lighter of two weights: its ratio to the other is kept to less than a percent."""


def per_unit(measure: Measure) -> Fraction:
    """Units of a measure for each whole number of its coefficients."""
    if measure.kind in {Kind.NPV, Kind.COST}:
        return Fraction(1, CENTS_PER_USD)
    if measure.kind is Kind.TOKENS:
        return MILLION_TOKENS_PER_UNIT
    return Fraction(1, 1000 if measure.kind in FLOPS else 1)


def whole_weight(measure: Measure) -> Fraction:
    """The weight under which each whole number of a measure is worth one cent."""
    return 1 / (CENTS_PER_USD * per_unit(measure))


def step(measure: Measure) -> Fraction:
    """The weight of which whole multiples give whole coefficients: those of columns are scaled by 2^20."""
    fine = 1 << SHARE_BITS if measure.kind is Kind.TOKENS else 1
    return whole_weight(measure) / fine


def whole_weights(wanted: Mapping[Measure, Fraction]) -> Weights:
    """Multiples of steps in about the wanted proportion.

    Parameters: wanted, weights of 0 or more, at least one above 0.
    """
    steps = {measure: weight / step(measure) for measure, weight in wanted.items()}
    scale = _FINENESS / min(number for number in steps.values() if number)
    return {measure: round(number * scale) * step(measure) for measure, number in steps.items()}


def proven_usd(bound_cents: int, weights: Mapping[Measure, Fraction]) -> Fraction:
    """What a certificate proves of the weighted sum of exact values, under whole weights.

    A plan's worth is rounded down once where tokens count in parts of a cent; elsewhere not at all.
    """
    rounded = any(measure.kind is Kind.TOKENS and weight for measure, weight in weights.items())
    return Fraction(bound_cents + rounded, CENTS_PER_USD)
