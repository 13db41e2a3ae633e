"""What each site adds to bound and plan of a portfolio, at the certificate's own prices of what sites share.

A site's part of the bound is what it could be worth at most after paying for shared limits; its part of the plan is
what its racks are worth after paying the same. Both add up, with the terms of what is shared, to bound and objective.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, MULTIPLIER_BITS, SHARE_BITS, Plan
from planner.solve.certificate import SCALE_BITS, bound_scaled
from planner.solve.feasible import limit_loads
from planner.solve.patterns import row_patterns
from planner.solve.portfolio.joint_master import shared_term
from planner.solve.portfolio.site_relaxation import Prices
from planner.solve.portfolio.split import active, split_sites
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from planner.problem import Problem
    from planner.solve.certificate import Certificate
    from planner.solve.portfolio.split import SitePart, Split


@dataclass(frozen=True)
class SiteContribution:
    """One site's parts, in 2^-50 cents."""

    site: str
    bound_scaled: int
    plan_scaled: int

    @property
    def gap_cents(self) -> float:
        """What the site's racks are worth less than its part of the bound; never negative."""
        return (self.bound_scaled - self.plan_scaled) / 2.0**SCALE_BITS


@dataclass(frozen=True)
class Contributions:
    """Parts of all sites, and of what they share, in 2^-50 cents."""

    sites: tuple[SiteContribution, ...]
    shared_bound_scaled: int
    """Shared limits at their prices, the contract, and what every plan earns or pays alike."""
    shared_plan_scaled: int
    """What sites pay for shared limits, and the contract's premium beyond what revenue is priced at."""

    @property
    def bound(self) -> int:
        """Cents, rounded down, as the certificate proves it."""
        return (self.shared_bound_scaled + sum(one.bound_scaled for one in self.sites)) >> SCALE_BITS

    @property
    def objective(self) -> int:
        """Cents that the plan is worth."""
        return (self.shared_plan_scaled + sum(one.plan_scaled for one in self.sites)) >> SCALE_BITS

    @property
    def shared_gap_cents(self) -> float:
        """What is left unused of shared limits, at their prices, and of the contract; never negative."""
        return (self.shared_bound_scaled - self.shared_plan_scaled) / 2.0**SCALE_BITS


def contributions(problem: Problem, proof: Certificate, plan: Plan) -> Contributions:
    """Take bound and plan of a problem apart by its sites.

    Parameters: problem; proof, without a branch, whose prices of shared limits all sites pay; plan.
    """
    split = split_sites(problem)
    prices = Prices(proof.limit[split.joint_idx], proof.contract_period, proof.contract_amount)
    sites = tuple(
        SiteContribution(part.site, _site_bound(part, split, proof), _site_plan(part, prices, plan))
        for part in split.parts
    )
    objective = objective_cents(problem, plan) << SCALE_BITS
    shared_plan = objective - sum(one.plan_scaled for one in sites)
    return Contributions(sites, shared_term(split, prices), shared_plan)


def bound_by_site(problem: Problem, proof: Certificate) -> int:
    """The bound that a certificate proves, site by site, which takes less memory than all at once; cents, rounded down.

    Parameters: problem, without a side program; proof, without a branch.
    """
    split = split_sites(problem)
    prices = Prices(proof.limit[split.joint_idx], proof.contract_period, proof.contract_amount)
    own = sum(_site_bound(part, split, proof) for part in split.parts)
    return (shared_term(split, prices) + own) >> SCALE_BITS


def certificate_of_site(part: SitePart, split: Split, proof: Certificate) -> Certificate:
    """A site's own multipliers, shared limits at their prices."""
    place = {int(limit): own for own, limit in enumerate(part.limit_idx)}
    demand_of = {one.site: proof.demand[number] for number, one in enumerate(split.problem.minimum_demands)}
    return replace(
        proof, limit=proof.limit[part.limit_idx],
        inside={place[limit]: prices for limit, prices in proof.inside.items() if limit in place},
        whole={place[limit]: kept for limit, kept in proof.whole.items() if limit in place},
        monotone=proof.monotone[part.row_idx], opening=proof.opening[part.block_idx],
        units=proof.units[part.block_idx], contract_amount=0,
        demand=tuple(demand_of[one.site] for one in part.problem.minimum_demands),
    )  # fmt: skip


def _site_bound(part: SitePart, split: Split, proof: Certificate) -> int:
    """What the site adds to the bound; capacity of shared limits counts once for all sites."""
    free = part.with_capacity(np.where(active(split.capacity), 0, INACTIVE))
    return bound_scaled(free, row_patterns(part.problem), certificate_of_site(part, split, proof))


def _site_plan(part: SitePart, prices: Prices, plan: Plan) -> int:
    own = Plan(plan.n_racks[part.row_idx])
    use = limit_loads(part.problem, own.n_racks.astype(np.int64))[part.n_own :]
    revenue = (part.problem.contract_revenue * own.n_racks).sum(axis=(0, 1))
    return priced_scaled(prices, objective_cents(part.problem, own), use.tolist(), revenue.tolist())


def priced_scaled(prices: Prices, objective: int, use: list[list[int]], revenue: list[int]) -> int:
    """What a site's plan is worth less what it pays for shared limits, its revenue at the price, in 2^-50 cents.

    Parameters: objective, cents without the contract's premium; use, [n_joint, n_periods] scaled by 2^20; revenue,
    [n_periods] cents.
    """
    paid = sum(
        int(price) * load
        for of_limit, loads in zip(prices.limit, use, strict=True)
        for price, load in zip(of_limit, loads, strict=True)
    )
    premium = sum(int(price) * cents for price, cents in zip(prices.revenue, revenue, strict=True))
    return (objective << (MULTIPLIER_BITS + SHARE_BITS)) + (premium << SHARE_BITS) - paid
