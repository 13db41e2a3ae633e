"""The problem with a weighted sum of measures in the place of its worth (section 7b of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS
from sites.faults import Fault, InputError
from sites.schema.objective import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from planner.objectives.coefficients import Coefficients
    from planner.problem import MinimumDemand, Problem, SideProgram

LARGEST_CENTS = 2**45
"""Of one decision; so the worth of 131,072 of them stays below 2^62."""
Term = tuple["Coefficients", Fraction]
"""A measure and its weight, USD for each unit."""


def weighted(problem: Problem, terms: Sequence[Term]) -> Problem:
    """A problem whose plans are worth the weighted sum of measures, each coefficient rounded once against the plan.

    Parameters: problem, as lowered; terms, measures of it and their weights. Net present value with weight 1 and
    nothing else gives the problem itself. Raises InputError where a coefficient grows too large.
    """
    kept = [(one, weight * one.cents) for one, weight in terms if weight]
    if [(one.measure.kind, factor) for one, factor in kept] == [(Kind.NPV, Fraction(1))]:
        return problem
    scale = lcm(*(factor.denominator for _, factor in kept))
    if problem.openings:
        message = "openings are weighed in money alone; remove 'openings', or ask for another objective without them"
        raise InputError([Fault("portfolio", None, "openings", message)])
    mix = _Mix(kept, scale)
    return replace(
        problem,
        period_value=mix.values([one.period_value for one, _ in kept]),
        start_value=mix.values([one.start_value for one, _ in kept]),
        open_cost=mix.costs([one.open_cost for one, _ in kept]),
        unit_cost=mix.costs([one.unit_cost for one, _ in kept]),
        contract_rate=mix.values([one.contract_rate for one, _ in kept]),
        minimum_demands=_demands(problem.minimum_demands, kept),
        side=_side(problem.side, mix, [one.column_worth for one, _ in kept]),
        constant_cents=mix.down(one.constant for one, _ in kept),
    )


class _Mix:
    """Sums of whole numbers times exact factors, rounded down or up."""

    def __init__(self, kept: Sequence[Term], scale: int) -> None:
        self._whole = [int(factor * scale) for _, factor in kept]
        self._scale = scale

    def down(self, numbers: Iterable[int]) -> int:
        """Rounded down."""
        return sum(n * number for n, number in zip(self._whole, numbers, strict=True)) // self._scale

    def values(self, arrays: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """What is earned, rounded down."""
        exact = sum((n * array.astype(object) for n, array in zip(self._whole, arrays, strict=True)), start=0)
        rounded = np.asarray(exact // self._scale, object)
        largest = max((abs(number) for number in rounded.ravel().tolist()), default=0)
        if largest > LARGEST_CENTS:
            raise _too_large(largest)
        return rounded.astype(np.int64)

    def costs(self, arrays: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """What is paid, rounded up."""
        return -self.values([-array for array in arrays])


def _too_large(cents: int) -> InputError:
    message = (
        f"one decision alone would be worth {cents:.1e} cents; {LARGEST_CENTS:.1e} is the most that is computed "
        "exactly: divide every weight by the same number"
    )
    return InputError([Fault("portfolio.yaml", None, "objective.weights", message)])


def _demands(demands: tuple[MinimumDemand, ...], kept: Sequence[Term]) -> tuple[MinimumDemand, ...]:
    """Minimum demands at the weight of money; none where money does not count."""
    weight = sum((factor for one, factor in kept if one.has_minimum_demand), start=Fraction(0))
    if not weight:
        return ()
    return tuple(
        replace(demand, price_cents_per_w=tuple(weight * price for price in demand.price_cents_per_w))
        for demand in demands
    )


def _side(side: SideProgram | None, mix: _Mix, worths: Sequence[tuple[int, ...]]) -> SideProgram | None:
    if side is None:
        return None
    column_worth = tuple(mix.down(each) for each in zip(*worths, strict=True))
    largest = max((abs(worth) for worth in column_worth), default=0) >> SHARE_BITS
    if largest > LARGEST_CENTS:
        raise _too_large(largest)
    return replace(side, column_worth=column_worth)
