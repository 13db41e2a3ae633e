"""One bound for all sites: prices of what they share, found round by round, and the multipliers of every site."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS
from planner.solve.certificate import SCALE_BITS, Certificate
from planner.solve.portfolio.joint_master import JointMaster, joint_term, on_grid, shared_term
from planner.solve.portfolio.split import active

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.solve.portfolio.crew import Crew
    from planner.solve.portfolio.site_relaxation import Prices, Reply
    from planner.solve.portfolio.split import Split

_MOST_ROUNDS = 40
_ENOUGH = 3e-4
"""Share of the bound by which the best mix may lie below it before prices are no longer looked for."""
_FIRST_WIDTH, _WIDEST, _NARROWEST = 0.3, 1.0, 0.01
_WIDER, _NARROWER = 1.5, 0.6
_LOOSE = 5e-4
"""Share by which a site's exact bound may pass its relaxation's."""


@dataclass(frozen=True)
class PortfolioBound:
    """What is proven of all sites together, and what each adds."""

    prices: Prices
    proofs: tuple[Certificate, ...]
    """Of each site."""
    joint_scaled: int
    """What shared limits, the contract and the constant add to the bound, in 2^-50 cents."""
    site_scaled: tuple[int, ...]
    """What each site adds at the prices, in 2^-50 cents; all add up to the bound."""
    mixed_use: NDArray[np.float64]
    """[n_sites, n_joint, n_periods] load of shared limits in the best mix, scaled by 2^20."""

    @property
    def bound(self) -> int:
        """Cents, rounded down."""
        return (self.joint_scaled + sum(self.site_scaled)) >> SCALE_BITS


def prove(split: Split, crew: Crew, until_s: tuple[float, float] | None) -> PortfolioBound:
    """Find prices of shared limits, and prove a bound at the best.

    Parameters: until_s, clock times until which prices are looked for and sites' bounds are made sharper.
    """
    prices, use = _find_prices(split, crew, None if until_s is None else until_s[0])
    brake = None if until_s is None else until_s[1]
    found = crew.each("prove", [(prices, _LOOSE, brake)] * len(split.parts))
    return PortfolioBound(
        prices, tuple(proof for proof, _ in found), shared_term(split, prices), tuple(own for _, own in found), use
    )


def _find_prices(split: Split, crew: Crew, until_s: float | None) -> tuple[Prices, NDArray[np.float64]]:
    """The best prices found, and use of shared limits in the best mix of what sites replied."""
    master, n_sites = JointMaster(split), len(split.parts)
    center, replies = _start(split, crew)
    master.add(replies)
    best, width, trial = np.inf, _FIRST_WIDTH, center
    for _ in range(_MOST_ROUNDS):
        replies = crew.each("at", [(trial,)] * n_sites)
        worth = joint_term(split, trial) / 2.0**SCALE_BITS + sum(reply.reduced for reply in replies)
        master.add(replies)
        if worth < best:
            best, center, width = worth, trial, min(width * _WIDER, _WIDEST)
        else:
            width = max(width * _NARROWER, _NARROWEST)
        mixed = master.solve()
        if best - mixed <= _ENOUGH * abs(best) or (until_s is not None and time.time() > until_s):
            break
        trial = master.prices(center, width)
    return center, master.mixed_use()


def _start(split: Split, crew: Crew) -> tuple[Prices, list[Reply]]:
    """Every site within a share by its rows; the first prices are the mean of what more would be worth to each."""
    problem, capacity = split.problem, split.capacity
    n_rows = np.array([part.problem.n_rows for part in split.parts], np.float64)
    weight = n_rows / n_rows.sum()
    rate = problem.contract_rate / 2.0**SHARE_BITS * (problem.contract_amount > 0)
    free = on_grid(np.zeros(capacity.shape), rate.astype(np.float64), 0.0)
    whole = np.where(active(capacity), capacity, 0).astype(np.float64)
    replies: list[Reply] = crew.each("within", [(whole * own, free) for own in weight])
    worth = np.einsum("s,slt->lt", weight, np.array([reply.worth for reply in replies]))
    return on_grid(worth, rate.astype(np.float64), 0.0), replies
