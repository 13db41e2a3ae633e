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

from planner.lower.lowering import offer_of
from planner.lower.money import SiteMoney, prices_of
from planner.report.words import percent
from sites.calendar import quarter_index
from sites.expansion.ratings import tap_rating_w

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from planner.lower.hosts import Offer
    from sites.expansion.graphs import SiteGraphs
    from sites.schema.common import Sourced
    from sites.schema.portfolio import PortfolioFile
    from sites.world import World

ONE = Fraction(1)


@dataclass(frozen=True)
class LifeCash:
    """One rack at one profile from the first delivery of its system to the end of its life, discounted (USD)."""

    revenue_usd: Fraction
    """What it would earn at performance factor 1, the acceptance lag taken off."""
    lost_usd: Fraction
    """Revenue of the acceptance lag, which lowering takes off at performance factor 1."""
    cost_usd: Fraction
    """Rack, network, energy and operations."""


@dataclass(frozen=True)
class BreakEven:
    """One basis on which a lower profile is weighed against the highest one of its system."""

    site: str
    lower: str
    highest: str
    basis: str
    price: str
    n_lower: str
    n_highest: str
    factor: float
    assumed: str
    verdict: str


@dataclass(frozen=True)
class Room:
    """How many racks of each of two profiles the same power holds: whole racks of a row, or the inverse of watts."""

    basis: str
    n_lower: Fraction
    n_highest: Fraction


def break_even_factor(room: Room, lower: LifeCash, highest: LifeCash, highest_factor: Fraction) -> Fraction:
    """Performance factor of the lower profile at which the same power earns as much as at the highest profile.

    Parameters: room, racks that the power holds at each profile; lower and highest, cash of one rack; highest_factor,
    performance factor of the highest profile. Solves n_lower · (p · revenue − cost) = n_highest · (value of one rack).
    """
    one_highest = highest_factor * highest.revenue_usd - highest.lost_usd - highest.cost_usd
    needed = room.n_highest / room.n_lower * one_highest
    return (needed + lower.cost_usd + lower.lost_usd) / lower.revenue_usd


def break_evens(world: World, graphs_by_site: Mapping[str, SiteGraphs]) -> tuple[BreakEven, ...]:
    """Every lower profile on offer against the highest of its system: each site's campus, then its kinds of row.

    Parameters: world; graphs_by_site, expanded graphs of each site by name.
    """
    offer = offer_of(world.portfolio, world.catalog)
    prices = prices_of(world.portfolio, world.catalog, offer.systems)
    lines: list[BreakEven] = []
    for one in world.sites:
        money = SiteMoney(world.portfolio, offer, prices, one.site.energy_price)
        for low, high in _pairs(offer):
            rooms = [_campus(offer, low, high), *_rows(offer, low, high, graphs_by_site[one.name], one.entry.buildings)]
            for price, factor in _price_levels(world.portfolio):
                cash = [_life_cash(world.portfolio, offer, money, k, factor) for k in (low, high)]
                lines += [_line(one.name, offer, low, high, room, price, *cash) for room in rooms]
    return tuple(lines)


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


def _life_cash(portfolio: PortfolioFile, offer: Offer, money: SiteMoney, k: int, factor: Fraction) -> LifeCash:
    """Cash of one rack of configuration k that keeps its profile for life, revenue at a share of the contract price."""
    system, terms = offer.configurations[k].system.name, portfolio.money
    start = _first_delivery(portfolio, system)
    life = range(start, start + terms.economic_life_quarters)

    def revenue(quarters: Iterable[int]) -> Fraction:
        return factor * sum((money.revenue_usd(system, ONE, t) * money.discount(t) for t in quarters), Fraction(0))

    running = money.running_usd(k) * sum((money.discount(t) for t in life), Fraction(0))
    prices = money.prices
    bought = (prices.rack_usd[system] + prices.network_usd[system]) * money.discount(start)
    return LifeCash(revenue(life), revenue(life[: terms.acceptance_lag_quarters]), bought + running)


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
    found: dict[Room, None] = {}
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
            text = " and ".join(f"{float(rating) / 1000:,.0f} kW" for rating, _ in feeds)
            found[Room(f"row of {fields['positions']} positions, busways {text}", Fraction(n_low), Fraction(n_high))] = (
                None
            )
    return list(found)


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


def _line(
    site: str, offer: Offer, low: int, high: int, room: Room, price: str, lower: LifeCash, highest: LifeCash
) -> BreakEven:
    assumed = offer.configurations[low].profile.performance
    full = offer.configurations[high].profile.performance.value
    factor = break_even_factor(room, lower, highest, ONE if full is None else Fraction(full))
    whole = room.n_lower >= 1
    return BreakEven(
        site=site,
        lower=offer.configurations[low].name,
        highest=offer.configurations[high].name,
        basis=room.basis,
        price=price,
        n_lower=f"{room.n_lower}" if whole else f"{float(room.n_lower / room.n_highest):.3f}",
        n_highest=f"{room.n_highest}" if whole else "1",
        factor=float(factor),
        assumed=_range(assumed),
        verdict=_verdict(factor, assumed),
    )


def _range(assumed: Sourced[Fraction]) -> str:
    return " – ".join(f"{float(value):g}" for value in (assumed.low, assumed.value, assumed.high) if value is not None)


def _verdict(factor: Fraction, assumed: Sourced[Fraction]) -> str:
    """Which profile the assumed factor favours, and whether its range decides it."""
    if assumed.value is None:
        return "no factor is known"
    low = assumed.value if assumed.low is None else assumed.low
    high = assumed.value if assumed.high is None else assumed.high
    if low > factor:
        return "the lower profile earns more over the whole range"
    if high < factor:
        return "the highest profile earns more over the whole range"
    better = "lower" if assumed.value > factor else "highest"
    return f"the range straddles it; at its mode the {better} profile earns more"


def shown_factor(line: BreakEven) -> str:
    """The break-even as text; more than 1 cannot be reached by any lower profile."""
    return f"{line.factor:.3f} ({percent(line.factor - 1)} performance)"
