"""One site in the hands of one process: its part of the bound, and its plan within the shares that it is given."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import MULTIPLIER_BITS, Plan
from planner.solve.certificate import SCALE_BITS
from planner.solve.demand import demand_value
from planner.solve.feasible import limit_loads
from planner.solve.guide import Guide, make_guide
from planner.solve.packing import packing_model
from planner.solve.polish import Polish
from planner.solve.portfolio.site_relaxation import Prices, Reply, SiteRelaxation
from planner.solve.start import Starter
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.certificate import Certificate
    from planner.solve.portfolio.split import SitePart
    from planner.solve.relaxation import Relaxation


@dataclass(frozen=True)
class SitePlan:
    """A site's plan, as the whole portfolio sees it."""

    n_racks: NDArray[np.int32]
    """[n_rows of the site, n_configurations, n_periods]"""
    objective: int
    """Cents without the contract's premium."""
    use: NDArray[np.int64]
    """[n_joint, n_periods] load of shared limits, scaled by 2^20."""
    revenue: NDArray[np.int64]
    """[n_periods] contract revenue, cents."""
    work: int
    """Search steps that it has taken so far."""


class SiteWork:
    """What a process keeps of one site."""

    def __init__(self, part: SitePart, backend: str, seed: int) -> None:
        """Prepare the site's relaxation; its plan is empty."""
        self._part, self._backend, self._seed = part, backend, seed
        self._relaxation = SiteRelaxation(part)
        problem = part.problem
        self._racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int64)
        self._work = 0
        # Set once the site's part of the bound is proven, before it is planned.
        self._prices: Prices
        self._proof: Certificate
        self._found: Relaxation
        self._guide: Guide

    def within(self, share: NDArray[np.float64], prices: Prices) -> Reply:
        """The relaxation within shares, [n_joint, n_periods] scaled by 2^20."""
        return self._relaxation.within(share, prices)

    def at(self, prices: Prices) -> Reply:
        """The relaxation at prices."""
        return self._relaxation.at(prices)

    def prove(self, prices: Prices, loose: float, until_s: float | None) -> tuple[Certificate, int]:
        """Multipliers at the last prices, and what the site adds to the bound, in 2^-50 cents.

        Parameters: loose, share by which the exact bound may pass the relaxation's before it is made sharper; until_s,
        clock time from which on it is left as it is.
        """
        reply = self._relaxation.at(prices)
        proof, bound = self._relaxation.proof(prices)
        is_loose = bound / 2.0**SCALE_BITS - reply.reduced > loose * max(abs(reply.reduced), 1.0)
        if is_loose and (until_s is None or time.time() < until_s):
            self._relaxation.sharpen()
            self._relaxation.at(prices)
            sharp, sharp_bound = self._relaxation.proof(prices)
            proof, bound = (sharp, sharp_bound) if sharp_bound < bound else (proof, bound)
        self._proof, self._prices = proof, prices
        self._found = self._relaxation.relaxation(prices)
        self._steer(self._found)
        return proof, bound

    def plan(self, share: NDArray[np.int64], level: int, longest_s: float | None) -> SitePlan:
        """Assign systems to blocks within shares and settle; the better of that and the plan so far is kept.

        Parameters: share, [n_joint, n_periods] scaled by 2^20; level, how long to look, from 0 on; longest_s, a brake.
        """
        began, relaxation = time.monotonic(), self._relaxation

        def left_s() -> float | None:
            return None if longest_s is None else longest_s - (time.monotonic() - began)

        problem = self._part.with_capacity(share)
        starter = Starter(problem, relaxation.patterns, relaxation.classes, self._found, left_s)
        if level == 0:
            steered, first = starter.first()
            self._steer(steered)
            self._keep(first)
        else:
            self._keep(starter.deeper(level - 1))
        return self._told()

    def _keep(self, racks: NDArray[np.int64] | None) -> None:
        """Take a plan in the place of the one so far where it is worth more."""
        if racks is not None and self._worth(racks) > self._worth(self._racks):
            self._racks = racks

    def _steer(self, relaxation: Relaxation) -> None:
        """Let search follow these racks and fillings."""
        none, problem = np.zeros(self._racks.shape, np.int64), self._part.problem
        self._guide = make_guide(problem, self._proof, self._relaxation.classes, relaxation, none)

    def improve(self, share: NDArray[np.int64], n_rounds: int, until_s: float | None) -> SitePlan:
        """Refill blocks within shares that the plan so far keeps, some rounds; what is worse is not kept."""
        problem = self._part.with_capacity(share)
        model = packing_model(problem, self._relaxation.patterns)
        model = model._replace(value=model.value + self._priced(problem, self._guide))
        # Another seed for each call, so that no draw comes twice.
        polish = Polish(model, self._guide.for_search(model), self._racks, self._backend, self._seed + self._work)
        for _ in range(n_rounds):
            if until_s is not None and time.time() > until_s:
                break
            polish.round()
        self._work += polish.n_steps
        self._keep(polish.n_racks.astype(np.int64))
        return self._told()

    def guide(self) -> Guide:
        """What steered the search, with the plan to begin with."""
        return replace(self._guide, start_racks=self._racks)

    def _priced(self, problem: Problem, guide: Guide) -> NDArray[np.int64]:
        """Cents that revenue and demand add to each rack at their prices."""
        premium = (problem.contract_revenue * self._prices.revenue) >> MULTIPLIER_BITS
        return premium + demand_value(problem, guide.demand_price) if problem.minimum_demands else premium

    def _worth(self, racks: NDArray[np.int64]) -> int:
        """Cents that a plan is worth, its revenue's premium at the price."""
        problem = self._part.problem
        revenue = (problem.contract_revenue * racks).sum(axis=(0, 1))
        premium = sum(int(each) * int(cents) for each, cents in zip(self._prices.revenue, revenue, strict=True))
        return objective_cents(problem, Plan(racks.astype(np.int32))) + (premium >> MULTIPLIER_BITS)

    def _told(self) -> SitePlan:
        problem, plan = self._part.problem, Plan(self._racks.astype(np.int32))
        return SitePlan(
            plan.n_racks, objective_cents(problem, plan), limit_loads(problem, self._racks)[self._part.n_own :],
            (problem.contract_revenue * self._racks).sum(axis=(0, 1)), self._work,
        )  # fmt: skip
