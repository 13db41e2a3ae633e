"""Where a lower power profile earns as much as the highest one, beside the performance factor that is assumed.

A lower profile earns less with each rack and lets more racks into the same power. The break-even is the performance
factor at which both effects cancel: on a campus whose power binds, where racks are traded watt for watt, and in a row
whose busways bind, where only whole racks count.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from planner.lower.hosts import offer_of
from planner.lower.money import SiteMoney, prices_of
from planner.lower.supply_at_meter import supply_at_meter
from planner.report.words import dollars
from sites.calendar import quarter_index
from sites.expansion.ratings import tap_rating_w
from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.lower.hosts import Offer
    from planner.lower.money import Prices
    from sites.catalog.loader import Configuration
    from sites.expansion.graphs import SiteGraphs
    from sites.schema.common import Sourced
    from sites.schema.portfolio import PortfolioFile
    from sites.world import World

ONE = Fraction(1)


@dataclass(frozen=True)
class LifeCash:
    """One rack at one profile from the first delivery of its system to the end of its life, discounted (USD)."""

    revenue_usd: Fraction
    """What it would earn at performance factor 1."""
    cost_usd: Fraction
    """Rack, network, energy, operations, and the market revenue of the acceptance lag at performance factor 1."""

    def value_usd(self, performance: Fraction) -> Fraction:
        """What it is worth at a performance factor."""
        return performance * self.revenue_usd - self.cost_usd


@dataclass(frozen=True)
class BreakEven:
    """One basis on which a lower profile is weighed against the highest one of its system."""

    site: str
    lower: str
    highest: str
    basis: str
    price: str
    """What revenue is reckoned at: the contract's price or the market's."""
    n_lower: str
    n_highest: str
    lower_value: str
    """Worth of one rack for a quarter of its life at the lower profile, at the mode of its factor."""
    highest_value: str
    factor: float
    """Break-even."""
    assumed: str
    """Low, mode and high of the factor."""
    verdict: str


@dataclass(frozen=True)
class Room:
    """How many racks of each of two profiles the same power holds: whole racks of a row, or the inverse of watts."""

    basis: str
    n_lower: Fraction
    n_highest: Fraction

    def shown(self, n: Fraction) -> str:
        """Racks of a row as they are, those of a campus for each rack of the highest profile."""
        return str(n) if self.n_highest >= 1 else f"{float(n / self.n_highest):.4g}"


@dataclass(frozen=True)
class Ledger:
    """What cash flows at one site are made of."""

    portfolio: PortfolioFile
    offer: Offer
    prices: Prices
    money: SiteMoney


def break_even_factor(room: Room, lower: LifeCash, highest: LifeCash, highest_factor: Fraction) -> Fraction:
    """Performance factor of the lower profile at which the same power earns as much as at the highest profile.

    Parameters: room, racks that the power holds at each profile; lower and highest, cash of one rack; highest_factor,
    performance factor of the highest profile. Solves n_lower · (p · revenue − cost) = n_highest · (value of one rack).
    """
    needed_usd = room.n_highest / room.n_lower * highest.value_usd(highest_factor)
    return (needed_usd + lower.cost_usd) / lower.revenue_usd


def break_evens(world: World, graphs_by_site: Mapping[str, SiteGraphs]) -> tuple[BreakEven, ...]:
    """Every lower profile on offer against the highest of its system: each site's campus, then its kinds of row.

    Parameters: world; graphs_by_site, expanded graphs of each site by name.
    """
    offer = offer_of(world.portfolio, world.catalog)
    prices = prices_of(world.portfolio, world.catalog, offer.systems)
    lines: list[BreakEven] = []
    for one in world.sites:
        money = SiteMoney(world.portfolio, offer, prices, supply_at_meter(graphs_by_site[one.name]))
        ledger = Ledger(world.portfolio, offer, prices, money)
        for low, high in _pairs(offer):
            rows = _rows(offer, low, high, graphs_by_site[one.name], one.entry.buildings)
            lines += _compare(one.name, ledger, low, high, [_campus(offer, low, high), *rows])
    return tuple(lines)


def _compare(site: str, ledger: Ledger, low: int, high: int, rooms: list[Room]) -> Iterator[BreakEven]:
    """One pair of configurations at one site, at every level of price and on every basis."""
    lower, highest = ledger.offer.configurations[low], ledger.offer.configurations[high]
    assumed = lower.profile.performance
    mode, top = (_factor_of(one) for one in (lower, highest))
    quarters = ledger.portfolio.money.economic_life_quarters
    for price, factor in _price_levels(ledger.portfolio):
        cash_low, cash_high = (_life_cash(ledger, k, factor) for k in (low, high))
        for room in rooms:
            even = break_even_factor(room, cash_low, cash_high, top)
            yield BreakEven(
                site=site,
                lower=lower.name,
                highest=highest.name,
                basis=room.basis,
                price=price,
                n_lower=room.shown(room.n_lower),
                n_highest=room.shown(room.n_highest),
                lower_value=dollars(float(100 * cash_low.value_usd(mode) / quarters)),
                highest_value=dollars(float(100 * cash_high.value_usd(top) / quarters)),
                factor=float(even),
                assumed=_range(assumed),
                verdict=_verdict(even, assumed),
            )


def _pairs(offer: Offer) -> Iterator[tuple[int, int]]:
    """Lower and highest configuration of every system that is offered at several profiles."""
    for system in offer.systems:
        own = [k for k, one in enumerate(offer.configurations) if one.system.name == system]
        high = max(own, key=lambda k: (offer.draws[k].it_w, -k))
        yield from ((low, high) for low in own if offer.draws[low].it_w < offer.draws[high].it_w)


def _price_levels(portfolio: PortfolioFile) -> tuple[tuple[str, Fraction], ...]:
    """Revenue as a share of the contract price: the market's, and the contract's where it differs."""
    market = Fraction(portfolio.money.market_factor)
    if portfolio.contract is None or market == 1:
        return (("market", market),)
    return (("contract", ONE), ("market", market))


def _life_cash(ledger: Ledger, k: int, factor: Fraction) -> LifeCash:
    """Cash of one rack of configuration k that keeps its profile for life, revenue at a share of the contract price."""
    system, terms = ledger.offer.configurations[k].system.name, ledger.portfolio.money
    money, prices = ledger.money, ledger.prices
    start = _first_delivery(ledger.portfolio, system)
    life = range(start, start + terms.economic_life_quarters)

    def revenue_usd(quarters: range) -> Fraction:
        return sum((money.revenue_usd(system, ONE, t) * money.discount(t) for t in quarters), Fraction(0))

    running_usd = sum((money.running_usd(k, t) * money.discount(t) for t in life), Fraction(0))
    lost_usd = terms.market_factor * revenue_usd(life[: terms.acceptance_lag_quarters])
    bought_usd = (prices.rack_usd[system] + prices.network_usd[system]) * money.discount(start)
    return LifeCash(factor * revenue_usd(life), bought_usd + running_usd + lost_usd)


def _first_delivery(portfolio: PortfolioFile, system: str) -> int:
    """Quarters from the plan's start to the first delivery of a system; 0 when it is supplied earlier or never."""
    quarters = [d.quarter for one in portfolio.supply if one.system == system for d in one.deliveries if d.racks]
    return max(quarter_index(min(quarters, key=quarter_index)) - quarter_index(portfolio.start), 0) if quarters else 0


def _campus(offer: Offer, low: int, high: int) -> Room:
    """Racks per watt, the rack's share of network, storage and management outside it included."""
    watts = [offer.draws[k].it_w + offer.draws[k].support_w for k in (low, high)]
    return Room("campus whose power binds", Fraction(1, watts[0]), Fraction(1, watts[1]))


def _rows(offer: Offer, low: int, high: int, graphs: SiteGraphs, ours: tuple[str, ...] | None) -> list[Room]:
    """Each kind of row that the plan may fill, if both profiles fit its taps and its busways bind before its positions.

    The busways carry the whole row once any other feed is lost.
    """
    found: list[Room] = []
    for row, fields in graphs.containment.nodes(data=True):
        if fields["kind"] != "row" or not _is_ours(fields, ours):
            continue
        feeds = [
            (graphs.power.nodes[feed]["rating_w"] - graphs.power.nodes[feed]["house_load_w"], share)
            for feed, share in _shares_after_failure(graphs, row)
        ]
        tap_w = tap_rating_w(fields["taps"]) * fields["taps"].count
        if any(offer.draws[high].it_w * share > tap_w for _, share in feeds):
            continue
        n_low, n_high = (_racks_of_row(offer, k, feeds, fields["positions"]) for k in (low, high))
        if n_high and n_high < fields["positions"]:
            basis = f"row of {fields['positions']} positions, {_busways(feeds)}"
            found.append(Room(basis, Fraction(n_low), Fraction(n_high)))
    return list(dict.fromkeys(found))


def _busways(feeds: list[tuple[Fraction, Fraction]]) -> str:
    """`2 busways of 1,400 kW`."""
    ratings = [f"{float(rating_w) / 1000:,.0f} kW" for rating_w, _ in feeds]
    word = "busway" if len(ratings) == 1 else "busways"
    return f"{len(ratings)} {word} of {' and '.join(dict.fromkeys(ratings))}"


def _is_ours(fields: Mapping[str, Any], ours: tuple[str, ...] | None) -> bool:
    if fields["occupied_racks"] or fields["liquid_supply_degc"] is None:
        return False
    name = str(fields["building_id"])
    return bool(fields["available"]) if ours is None else name in ours


def _shares_after_failure(graphs: SiteGraphs, row: str) -> list[tuple[str, Fraction]]:
    """Largest share that each feed of a row takes, in normal operation or once any other feed is lost."""
    shares = {feed: edge["share"] for feed, _, edge in graphs.power.in_edges(row, data=True) if edge["share"]}
    return [
        (feed, max([share, *(share / (1 - lost) for other, lost in shares.items() if other != feed and lost < 1)]))
        for feed, share in shares.items()
    ]


def _racks_of_row(offer: Offer, k: int, feeds: list[tuple[Fraction, Fraction]], positions: int) -> int:
    draw = offer.draws[k]
    by_power = [floor(rating_w / (draw.it_w * share)) for rating_w, share in feeds]
    return min(positions // draw.positions, *by_power)


def _factor_of(configuration: Configuration) -> Fraction:
    return known(configuration.profile.performance, f"configuration '{configuration.name}'", "performance")


def _range(assumed: Sourced[Fraction]) -> str:
    return " – ".join(f"{float(value):g}" for value in (assumed.low, assumed.value, assumed.high) if value is not None)


def _verdict(factor: Fraction, assumed: Sourced[Fraction]) -> str:
    """Which profile the assumed factor favours, and whether its range decides it."""
    mode = Fraction(0) if assumed.value is None else assumed.value
    low = mode if assumed.low is None else assumed.low
    high = mode if assumed.high is None else assumed.high
    if low > factor:
        return "the lower profile earns more over the whole range"
    if high < factor:
        return "the highest profile earns more over the whole range"
    better = "lower" if mode > factor else "highest"
    return f"the range straddles it; at its mode the {better} profile earns more"
