"""A tariff's minimum demand: what a plan pays for drawing less, and what a price on demand is worth to its racks.

The charge on what racks draw is in their values already, so that only what falls short of the minimum is left to pay.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import MULTIPLIER_BITS, SHARE_BITS

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from planner.problem import MinimumDemand, Problem


def shortfall_cents(problem: Problem, n_racks: NDArray[np.integer[Any]]) -> int:
    """What falls short of every minimum, in cents, rounded up for each site and quarter.

    Parameters: n_racks, [n_rows, n_configurations, n_periods]. Source: section 7 of the model.
    """
    total = 0
    for demand in problem.minimum_demands:
        minimum = [watts << SHARE_BITS for watts in demand.minimum_w]
        for least, drawn, price in zip(minimum, drawn_scaled(demand, n_racks), demand.price_cents_per_w, strict=True):
            total += ceil(price * max(0, least - drawn) / (1 << SHARE_BITS))
    return total


def drawn_scaled(demand: MinimumDemand, n_racks: NDArray[np.integer[Any]]) -> list[int]:
    """[n_periods] watts at the meter that a site's racks pay for, scaled by 2^20, exact."""
    counts = n_racks[np.array(demand.row_idx, np.int64)].sum(axis=0, dtype=np.int64).tolist()
    drawn = zip(demand.draw_scaled, counts, strict=True)
    by_configuration = [[watts * n for n in of_period] for watts, of_period in drawn]
    return [sum(of_period) for of_period in zip(*by_configuration, strict=True)]


def demand_value(problem: Problem, price: NDArray[np.int64]) -> NDArray[np.int64]:
    """What a price on demand adds to a rack: [n_rows, n_configurations, n_periods] cents, rounded down.

    Parameters: price, [n_minimum_demands, n_periods] cents for each watt, scaled by 2^30.
    """
    value = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int64)
    for demand, of_period in zip(problem.minimum_demands, price.tolist(), strict=True):
        cents = [[each * w >> (MULTIPLIER_BITS + SHARE_BITS) for each in of_period] for w in demand.draw_scaled]
        value[np.array(demand.row_idx, np.int64)] = np.array(cents, np.int64)
    return value


def prices_cents_per_w(demand: MinimumDemand) -> NDArray[np.float64]:
    """[n_periods] for programs in floating point."""
    return np.array([float(price) for price in demand.price_cents_per_w])


def draws_w(demand: MinimumDemand) -> NDArray[np.float64]:
    """[n_configurations] for programs in floating point."""
    return np.array(demand.draw_scaled, np.float64) / 2.0**SHARE_BITS
