"""What the parts of a plan's cash are worked out from: racks by site and quarter, prices, and each site's rates."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from planner.lower.hosts import offer_of
from planner.lower.money import SiteMoney, prices_of
from planner.lower.supply_at_meter import charged_draw_w, supply_at_meter
from planner.money.standing import site_racks
from sites.schema.portfolio import Perspective

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from planner.lower.hosts import Offer
    from planner.lower.lowered import Lowered
    from planner.lower.money import Prices
    from planner.lower.site import LoweredSite
    from planner.money.standing import SiteRacks
    from planner.problem import Problem
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile, Supply
    from sites.schema.workload import Workload
    from sites.world import World


@dataclass(frozen=True)
class Scene:
    """One plan and all that its cash depends on."""

    world: World
    lowered: Lowered
    n_racks: NDArray[np.int32]
    """[n_rows, n_configurations, n_periods]"""
    offer: Offer
    prices: Prices
    monies: dict[str, SiteMoney]
    """Rates of each site as who owns the racks has them, whoever chose the plan; demand charge included."""
    racks: dict[str, SiteRacks]
    """Racks of each site in every quarter, to the end of their lives."""
    decisions: Mapping[str, int] = field(default_factory=dict)
    """What is decided beside the racks, by name of column."""

    @property
    def portfolio(self) -> PortfolioFile:
        """The portfolio of the plan."""
        return self.world.portfolio

    @property
    def catalog(self) -> Catalog:
        """The catalogue of the plan."""
        return self.world.catalog

    @property
    def problem(self) -> Problem:
        """The problem that the plan answers."""
        return self.lowered.problem

    @property
    def market_factor(self) -> Fraction:
        """Rental beyond the contract as a share of the contract price."""
        return Fraction(self.portfolio.money.market_factor)

    @property
    def any_money(self) -> SiteMoney:
        """Rates of some site, for what is the same at all of them: discounts."""
        return next(iter(self.monies.values()))

    @property
    def n_decided(self) -> int:
        """Decision quarters."""
        return self.problem.n_periods

    @property
    def life_quarters(self) -> int:
        """Quarters that a rack stands."""
        return self.portfolio.money.economic_life_quarters

    @property
    def price_usd(self) -> dict[str, Fraction]:
        """Price of a rack of every system on offer or committed to."""
        return self.prices.rack_usd

    @property
    def committed(self) -> tuple[Supply, ...]:
        """Supplies that are paid for as they are delivered, placed or not."""
        return tuple(supply for supply in self.portfolio.supply if supply.committed)

    @cached_property
    def configuration_idx(self) -> dict[str, int]:
        """Number of every configuration on offer."""
        return {one.name: k for k, one in enumerate(self.offer.configurations)}

    def workload(self, name: str) -> Workload:
        """A workload of the portfolio by its name."""
        return next(one for one in self.portfolio.workloads if one.name == name)

    def system_of(self, k: int) -> str:
        """Rack system of a configuration, by its number."""
        return self.offer.configurations[k].system.name


def scene_of(
    world: World, lowered: Lowered, n_racks: NDArray[np.int32], decisions: Mapping[str, int] | None = None
) -> Scene:
    """Gather what a plan's cash depends on.

    Parameters: world and lowered; n_racks, [n_rows, n_configurations, n_periods]; decisions, of the side program by
    name of column, missing where there is none.
    """
    portfolio = world.portfolio
    offer = offer_of(portfolio, world.catalog)
    committed = (supply.system for supply in portfolio.supply if supply.committed)
    prices = prices_of(portfolio, world.catalog, tuple(dict.fromkeys((*offer.systems, *committed))))
    racks = site_racks(lowered.problem, lowered.refreshes, n_racks, portfolio.money.economic_life_quarters)
    monies = {site: _site_money(world, offer, prices, lowered.sites[site]) for site in racks}
    return Scene(world, lowered, n_racks, offer, prices, monies, racks, decisions or {})


def _site_money(world: World, offer: Offer, prices: Prices, site: LoweredSite) -> SiteMoney:
    owner = world.portfolio.model_copy(update={"perspective": Perspective.PROVIDER})
    return SiteMoney(owner, offer, prices, supply_at_meter(site.graphs), charged_draw_w(site, offer))
