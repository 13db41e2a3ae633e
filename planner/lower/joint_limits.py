"""Limits over all sites: the envelope, the supply of each system, and the budget for racks."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.lower.pieces import Coefficients, LimitName, Piece, scaled_capacity
from planner.problem import SHARE_BITS
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.lower.hosts import Offer
    from planner.lower.money import Prices
    from planner.lower.side_figures import MeterWindow
    from sites.schema.portfolio import PortfolioFile

JOINT = "*"


def envelope_capacity_w(portfolio: PortfolioFile, period: str) -> Fraction:
    """The envelope step in force in a period; 0 before the first one."""
    now = quarter_index(period)
    steps = [step.capacity for step in portfolio.envelope.steps if quarter_index(step.start) <= now]
    return steps[-1] if steps else Fraction(0)


def envelope_limits(portfolio: PortfolioFile, offer: Offer, sites: Sequence[Sequence[MeterWindow]]) -> list[Piece]:
    """What the plan's racks draw together, one piece for each period (equal ones are joined later).

    Racks of others and constant loads belong to the sites' meters, not to the envelope.
    Parameters: sites, for each site the meters of its epochs in order.
    """
    name = LimitName(JOINT, "envelope", portfolio.envelope.basis)
    it_w = tuple(draw.it_w << SHARE_BITS for draw in offer.draws)
    pieces = []
    for t, period in enumerate(offer.periods):
        coefficients: dict[int, Coefficients] = {}
        standing: set[int] = set()
        for windows in sites:
            meter = next(one for one in windows if one.first_period <= t < one.end_period)
            standing |= meter.standing_rows
            on_meter = portfolio.envelope.basis == "meter"
            coefficients.update(meter.coefficients if on_meter else dict.fromkeys(meter.standing_rows, it_w))
        capacity = scaled_capacity(envelope_capacity_w(portfolio, period))
        pieces.append(Piece(name, "W", t, coefficients, (capacity,), frozenset(standing)))
    return pieces


def delivered_racks(portfolio: PortfolioFile, system: str, period: str) -> int:
    """Racks of a system that have arrived by a period; 0 when it has no supply."""
    now = quarter_index(period)
    return sum(
        delivery.racks
        for supply in portfolio.supply
        if supply.system == system
        for delivery in supply.deliveries
        if quarter_index(delivery.quarter) <= now
    )


def supply_limits(portfolio: PortfolioFile, offer: Offer, rows: Sequence[int]) -> list[Piece]:
    """Racks of each system over all sites against what has been delivered."""
    pieces = []
    for s, system in enumerate(offer.systems):
        needs = tuple(int(of == s) << SHARE_BITS for of in offer.system_idx)
        window = tuple(scaled_capacity(delivered_racks(portfolio, system, period)) for period in offer.periods)
        name = LimitName(JOINT, "supply", system)
        pieces.append(Piece(name, "rack", 0, dict.fromkeys(rows, needs), window, frozenset(rows)))
    return pieces


def budget_limits(portfolio: PortfolioFile, offer: Offer, rows: Sequence[int], prices: Prices) -> list[Piece]:
    """Whole USD spent on racks against the budget; no limit when the portfolio gives none."""
    budget_usd = portfolio.money.rack_budget
    if budget_usd is None:
        return []
    needs = tuple(ceil(prices.rack_usd[offer.systems[s]]) << SHARE_BITS for s in offer.system_idx)
    window = (scaled_capacity(floor(budget_usd)),) * len(offer.periods)
    name = LimitName(JOINT, "budget", "racks")
    return [Piece(name, "USD", 0, dict.fromkeys(rows, needs), window, frozenset(rows))]
