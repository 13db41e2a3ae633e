"""Plans of all sites within whole shares, pass by pass: what one site leaves over another may take."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.solve.certificate import SCALE_BITS
from planner.solve.portfolio.shares import shares_of_mix, shares_of_rest
from planner.solve.portfolio.summary import priced_scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from planner.solve.portfolio.bound import PortfolioBound
    from planner.solve.portfolio.crew import Crew
    from planner.solve.portfolio.site_work import SitePlan
    from planner.solve.portfolio.split import Split

_ROUNDS = 4
"""Of refilling in each pass; a round refills every block about twice."""
_SMALLEST_GAIN = 0.05
"""Share of what sites lie below their parts of the bound that a pass must gain, or sites are assigned anew."""
_PART_OF_TIME = 0.4
"""Of the time that is left, what assignments of all sites may take together."""
_DEEPER = 4
"""One site in so many is assigned anew at a time: those that are furthest below their part of the bound."""


@dataclass(frozen=True)
class Limits:
    """When to stop, as far as planning has to know."""

    until_s: float | None
    """Clock time."""
    n_processes: int

    def longest_s(self, n_sites: int) -> float | None:
        """Seconds that the assignment of one of so many sites may take; None without a time limit."""
        if self.until_s is None:
            return None
        left = max(self.until_s - time.time(), 0.0)
        return left * _PART_OF_TIME * min(self.n_processes, n_sites) / n_sites


def passes(split: Split, crew: Crew, bound: PortfolioBound, limits: Limits) -> Iterator[list[SitePlan]]:
    """Plans of all sites, better from pass to pass, without end; together they keep every shared limit."""
    n_sites = len(split.parts)
    shares = shares_of_mix(split.capacity, bound.mixed_use)
    brake = limits.longest_s(n_sites)
    plans: list[SitePlan] = crew.each("plan", [(share, 0, brake) for share in shares])
    yield plans
    level = np.zeros(n_sites, np.int64)
    while True:
        before = site_gaps_cents(bound, plans).sum()
        shares = _shares(split, bound, plans)
        plans = crew.each("improve", [(share, _ROUNDS, limits.until_s) for share in shares])
        yield plans
        if before - site_gaps_cents(bound, plans).sum() < _SMALLEST_GAIN * before:
            plans = _deeper(split, crew, bound, limits, plans, level)
            yield plans


def _shares(split: Split, bound: PortfolioBound, plans: list[SitePlan]) -> NDArray[np.int64]:
    use = np.array([plan.use for plan in plans])
    return shares_of_rest(split.capacity, use, np.maximum(site_gaps_cents(bound, plans), 1.0))


def _deeper(
    split: Split, crew: Crew, bound: PortfolioBound, limits: Limits, plans: list[SitePlan], level: NDArray[np.int64]
) -> list[SitePlan]:
    """Assign those sites anew, and longer than before, that are furthest below their part of the bound.

    Parameters: level, [n_sites] of the next look at each site, raised here.
    """
    gaps = site_gaps_cents(bound, plans)
    worth = np.array([max(abs(plan.objective), 1) for plan in plans], np.float64)
    # A site that was looked at often has to be further off than the others.
    order = np.argsort(-np.round(gaps / worth / (1.0 + level), 9), kind="stable")
    chosen = order[: max(len(plans) // _DEEPER, 1)]
    wanted = np.zeros(len(plans))
    wanted[chosen] = np.maximum(gaps[chosen], 1.0)
    use = np.array([plan.use for plan in plans])
    shares = shares_of_rest(split.capacity, use, wanted)
    level[chosen] += 1
    brake = limits.longest_s(chosen.size)
    found = crew.some("plan", {int(site): (shares[site], int(level[site]), brake) for site in chosen})
    result = list(plans)
    for site, plan in zip(chosen, found, strict=True):
        result[site] = plan
    return result


def site_gaps_cents(bound: PortfolioBound, plans: list[SitePlan]) -> NDArray[np.float64]:
    """[n_sites] what each site's part of the bound is above its plan, both at the prices of shared limits."""
    result = np.zeros(len(plans))
    for site, (plan, most) in enumerate(zip(plans, bound.site_scaled, strict=True)):
        own = priced_scaled(bound.prices, plan.objective, plan.use.tolist(), plan.revenue.tolist())
        result[site] = (most - own) / 2.0**SCALE_BITS
    return result
