"""Racks that are paid for as they are delivered, placed or not: what every plan pays alike (model, section 7a)."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from planner.lower.joint_limits import delivered_racks
from planner.lower.money import CENTS_PER_USD, ZERO, paid_usd, prices_of, storage_usd
from sites.calendar import quarter_index
from sites.schema.portfolio import Perspective

if TYPE_CHECKING:
    from fractions import Fraction

    from planner.lower.hosts import Offer
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile, Supply


def committed_cents(portfolio: PortfolioFile, catalog: Catalog, offer: Offer) -> int:
    """Price and storage of every committed delivery, discounted, as a negative number of cents.

    A rack that is placed gives its storage back in its `period_value`. Raises InputError where a price is unknown.
    """
    if portfolio.perspective is Perspective.CUSTOMER:
        return 0
    committed = [supply for supply in portfolio.supply if supply.committed]
    prices = prices_of(portfolio, catalog, tuple(supply.system for supply in committed)).rack_usd
    bought = (_bought_usd(portfolio, offer, supply, prices[supply.system]) for supply in committed)
    stored = (_stored_usd(portfolio, offer, supply, prices[supply.system]) for supply in committed)
    return -sum(ceil(CENTS_PER_USD * usd) for usd in (*bought, *stored))


def _bought_usd(portfolio: PortfolioFile, offer: Offer, supply: Supply, price_usd: Fraction) -> Fraction:
    """Payments for the deliveries up to the last decision quarter, as if each rack started as it came."""
    first = quarter_index(portfolio.start)
    quarters = [(quarter_index(delivery.quarter) - first, delivery.racks) for delivery in supply.deliveries]
    decided = (paid_usd(portfolio, price_usd, t) * racks for t, racks in quarters if t < len(offer.periods))
    return sum(decided, start=ZERO)


def _stored_usd(portfolio: PortfolioFile, offer: Offer, supply: Supply, price_usd: Fraction) -> Fraction:
    """Storage of all that has been delivered, over the decision quarters, as if nothing were placed."""
    return sum(
        (
            delivered_racks(portfolio, supply.system, period) * storage_usd(portfolio, price_usd, t)
            for t, period in enumerate(offer.periods)
        ),
        start=ZERO,
    )
