"""Cash of a plan by site, line and quarter: every term of the objective before it is discounted (model, section 7).

Each entry is exact and rounded once to the cent, against the plan: receipts down, payments up. The table's sums are
sums of its entries, so they add up to the cent. The exact entries, discounted, give the objective but for the cents
that its coefficients round away.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.lowering import offer_of
from planner.lower.money import CENTS_PER_USD, SiteMoney, conversion_cents, prices_of
from planner.lower.supply_at_meter import charged_draw_w, supply_at_meter
from planner.money.standing import site_racks
from planner.problem import SHARE_BITS
from planner.run.totals import contract_use, system_counts
from planner.run.value import block_counts, unit_numbers
from planner.solve.demand import drawn_scaled
from sites.calendar import quarters_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.lower.hosts import Offer
    from planner.lower.lowered import Lowered
    from planner.lower.money import Prices
    from planner.lower.site import LoweredSite
    from planner.money.standing import SiteRacks
    from sites.world import World

JOINT = "*"
"""Site of what belongs to no single one."""
_ONE = Fraction(1)


class Line(StrEnum):
    """Lines of the table, in its order."""

    MARKET = "rental at market price"
    PREMIUM = "contract premium"
    ACCEPTANCE = "not yet accepted"
    ENERGY = "energy"
    DEMAND = "demand charge"
    MINIMUM_DEMAND = "minimum demand"
    OPERATIONS = "operations"
    RACKS = "racks"
    NETWORK = "network"
    CONVERSIONS = "conversions"
    SHELL = "avoidable capex"


CAPITAL = frozenset({Line.RACKS, Line.NETWORK, Line.CONVERSIONS, Line.SHELL})
RUNNING = frozenset({Line.ENERGY, Line.DEMAND, Line.MINIMUM_DEMAND, Line.OPERATIONS})
Exact = dict[tuple[str, Line], list[Fraction]]
"""USD of every quarter by site and line, payments negative."""


@dataclass(frozen=True)
class CashFlow:
    """Cash of one plan, undiscounted."""

    quarters: tuple[str, ...]
    """From the plan's start to the end of the last rack's life."""
    cents: dict[tuple[str, Line], tuple[int, ...]]
    """By site and line, [n_quarters]; payments negative."""
    exact_usd: Exact
    discount: tuple[Fraction, ...]
    """[n_quarters]"""
    racks: dict[str, SiteRacks]
    """Racks of each site in every quarter."""

    def net_cents(self) -> tuple[int, ...]:
        """Sum of all lines in each quarter."""
        return tuple(sum(column) for column in zip(*self.cents.values(), strict=True))

    def line_cents(self, line: Line) -> tuple[int, ...]:
        """Sum over the sites in each quarter."""
        own = [values for (_, name), values in self.cents.items() if name == line]
        return tuple(sum(column) for column in zip(*own, strict=True)) if own else (0,) * len(self.quarters)

    def present_value_usd(self, lines: frozenset[Line] | None = None) -> Fraction:
        """Exact sum of the discounted entries, of some lines or of all."""
        return sum(
            (
                sum((usd * factor for usd, factor in zip(values, self.discount, strict=True)), start=Fraction(0))
                for (_, line), values in self.exact_usd.items()
                if lines is None or line in lines
            ),
            start=Fraction(0),
        )


def cash_flow(world: World, lowered: Lowered, n_racks: NDArray[np.int32]) -> CashFlow:
    """Work out the cash of a plan to the end of its racks' lives.

    Parameters: world and lowered; n_racks, [n_rows, n_configurations, n_periods].
    """
    portfolio, problem = world.portfolio, lowered.problem
    offer = offer_of(portfolio, world.catalog)
    prices = prices_of(portfolio, world.catalog, offer.systems)
    racks = site_racks(problem, offer, n_racks, portfolio.money.economic_life_quarters)
    n_quarters = problem.n_periods - 1 + portfolio.money.economic_life_quarters
    monies = {site: _site_money(world, offer, prices, lowered.sites[site]) for site in racks}
    table: Exact = {}
    for site, own in racks.items():
        table |= {(site, line): values for line, values in _rack_lines(offer, prices, monies[site], own).items()}
    _add_units(table, lowered, n_racks, prices, n_quarters)
    _add_conversions(table, world, lowered, n_racks, n_quarters)
    _add_shells(table, lowered, n_racks, n_quarters)
    _add_minimum_demand(table, lowered, n_racks, monies, n_quarters)
    _add_premium(table, world, lowered, n_racks, n_quarters)
    any_money = next(iter(monies.values()))
    kept = {key: values for key, values in sorted(table.items(), key=_order) if any(values)}
    return CashFlow(
        quarters=quarters_from(portfolio.start, n_quarters),
        cents={key: tuple(floor(usd * CENTS_PER_USD) for usd in values) for key, values in kept.items()},
        exact_usd=kept,
        discount=tuple(any_money.discount(t) for t in range(n_quarters)),
        racks=racks,
    )


def _site_money(world: World, offer: Offer, prices: Prices, site: LoweredSite) -> SiteMoney:
    """Cash flows of a rack at a site, its demand charge included."""
    return SiteMoney(world.portfolio, offer, prices, supply_at_meter(site.graphs), charged_draw_w(site, offer))


def _order(item: tuple[tuple[str, Line], Sequence[Fraction]]) -> tuple[int, str]:
    (site, line), _ = item
    return list(Line).index(line), site


def _rack_lines(offer: Offer, prices: Prices, money: SiteMoney, racks: SiteRacks) -> dict[Line, list[Fraction]]:
    """What racks of a site earn, cost to run and cost to buy."""
    lines: dict[Line, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * racks.standing.shape[1])
    for k, t in np.argwhere(racks.standing):
        n_standing, quarter = int(racks.standing[k, t]), int(t)
        system, performance = offer.configurations[k].system.name, offer.configurations[k].profile.performance.value
        revenue_usd = money.revenue_usd(system, Fraction(performance or 0), quarter)
        lines[Line.MARKET][t] += money.market_factor * revenue_usd * n_standing
        lines[Line.ENERGY][t] -= money.energy_usd(int(k), quarter) * n_standing
        lines[Line.DEMAND][t] -= money.demand_usd(int(k)) * n_standing
        lines[Line.OPERATIONS][t] -= money.operations_usd(int(k)) * n_standing
    for s, t in np.argwhere(racks.started):
        n_started, system = int(racks.started[s, t]), offer.systems[s]
        lines[Line.RACKS][t] -= prices.rack_usd[system] * n_started
        for quarter in range(int(t), int(t) + money.acceptance_lag_quarters):
            lost_usd = money.market_factor * money.revenue_usd(system, _ONE, quarter)
            lines[Line.ACCEPTANCE][quarter] -= lost_usd * n_started
    return dict(lines)


def _add(table: Exact, site: str, line: Line, quarter: int, usd: Fraction, n_quarters: int) -> None:
    table.setdefault((site, line), [Fraction(0)] * n_quarters)[quarter] += usd


def _add_units(table: Exact, lowered: Lowered, n_racks: NDArray[np.int32], prices: Prices, n_quarters: int) -> None:
    """The network of every scalable unit started."""
    problem = lowered.problem
    started = np.diff(unit_numbers(problem, system_counts(problem, n_racks)), axis=2, prepend=0)
    for b, s, t in np.argwhere(started):
        site, system = problem.block_names[b].partition(":")[0], problem.system_names[s]
        usd = int(started[b, s, t]) * int(problem.unit_racks[s]) * prices.network_usd[system]
        _add(table, site, Line.NETWORK, int(t), -usd, n_quarters)


def _add_conversions(table: Exact, world: World, lowered: Lowered, n_racks: NDArray[np.int32], n_quarters: int) -> None:
    """What rows that are converted for a system cost with each of its racks."""
    problem = lowered.problem
    started = np.diff(system_counts(problem, n_racks), axis=2, prepend=0)
    for r, s, t in np.argwhere(started):
        conversion = lowered.conversions.get((problem.row_names[r], problem.system_names[s]))
        if conversion is not None:
            positions = world.catalog.rack_systems[problem.system_names[s]].positions.value or 0
            usd = Fraction(int(started[r, s, t]) * conversion_cents(conversion, positions), CENTS_PER_USD)
            _add(table, problem.row_names[r].partition(":")[0], Line.CONVERSIONS, int(t), -usd, n_quarters)


def _add_shells(table: Exact, lowered: Lowered, n_racks: NDArray[np.int32], n_quarters: int) -> None:
    """Avoidable capex of the lineups of every block that opens."""
    problem = lowered.problem
    held = block_counts(problem, system_counts(problem, n_racks)).sum(axis=1) > 0
    capex_usd: dict[str, Fraction] = defaultdict(Fraction)
    for site, graphs in lowered.graphs.items():
        for _, fields in graphs.containment.nodes(data=True):
            if fields["kind"] == "lineup":
                capex_usd[f"{site}:{fields['block_id']}"] += fields["avoidable_capex_usd"]
    for b in np.flatnonzero(held.any(axis=1)):
        name = problem.block_names[b]
        opens = int(np.flatnonzero(held[b])[0])
        _add(table, name.partition(":")[0], Line.SHELL, opens, -capex_usd[name], n_quarters)


def _add_minimum_demand(
    table: Exact, lowered: Lowered, n_racks: NDArray[np.int32], monies: dict[str, SiteMoney], n_quarters: int
) -> None:
    """What tariffs charge for demand that the plan's racks do not draw."""
    for demand in lowered.problem.minimum_demands:
        watt_usd = monies[demand.site].minimum_watt_usd
        drawn = drawn_scaled(demand, n_racks)
        for t, (least_w, drawn_w) in enumerate(zip(demand.minimum_w, drawn, strict=True)):
            short_w = max(Fraction(0), least_w - Fraction(drawn_w, 1 << SHARE_BITS))
            _add(table, demand.site, Line.MINIMUM_DEMAND, t, -short_w * watt_usd, n_quarters)


def _add_premium(table: Exact, world: World, lowered: Lowered, n_racks: NDArray[np.int32], n_quarters: int) -> None:
    """What revenue under the contract earns above the market's price."""
    _, used = contract_use(lowered.problem, n_racks)
    for t, cents in enumerate(used):
        usd = Fraction(cents, CENTS_PER_USD) * (1 - world.portfolio.money.market_factor)
        _add(table, JOINT, Line.PREMIUM, t, usd, n_quarters)
