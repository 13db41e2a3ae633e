"""Work of racks and its sale as a side program (model, section 7a): hours in each quarter, units in each tier."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from planner.lower.limit_table import CEILING
from planner.lower.money import (
    CENTS_PER_USD,
    HOURS_PER_QUARTER,
    ZERO,
    discount,
    resting_configuration,
)
from planner.problem import SHARE_BITS, ColumnKind
from sites.calendar import quarter_index, quarter_name
from sites.faults import Fault, InputError
from sites.schema.portfolio import Perspective
from sites.throughput import ThroughputError
from sites.workloads import (
    charges_usd_per_million,
    counts_per_unit,
    demand_rate_per_s,
    expected_rate_per_s,
    measured_rate,
    penalty_usd_per_million,
    price_usd_per_million,
    runs_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from planner.lower.hosts import Offer
    from planner.lower.money import SiteMoney
    from planner.lower.side_builder import SideBuilder
    from sites.catalog.loader import Catalog, Configuration
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.throughput import ThroughputBasis
    from sites.schema.workload import Tier, Workload
    from sites.throughput import ServingRate

SECONDS_PER_HOUR = 3600
MILLION = 10**6
_SCALE = CENTS_PER_USD << SHARE_BITS


def unit_of(workload: Workload, catalog: Catalog) -> int:
    """How many of what the workload's basis counts one unit of work is."""
    return counts_per_unit(catalog.throughput[workload.basis])


def demanded_units(tier: Tier, quarter: str, unit: int) -> int:
    """Whole units that a tier asks in a quarter."""
    return floor(demand_rate_per_s(tier, quarter) * HOURS_PER_QUARTER * SECONDS_PER_HOUR / unit)


def add_work(
    builder: SideBuilder, portfolio: PortfolioFile, catalog: Catalog, offer: Offer, monies: Sequence[SiteMoney]
) -> int:
    """Add every row and column of the workloads; returns the constant in cents, what serving nothing costs.

    Parameters: monies, by group of the builder. Raises InputError where a figure is unknown or integers would not fit.
    """
    if not portfolio.workloads:
        return 0
    _refuse_perspective(portfolio)
    work = _Work(builder, portfolio, catalog, offer, monies)
    for workload in portfolio.workloads:
        work.add(workload)
    return -sum(
        unserved_cents(portfolio, tier, unit_of(workload, catalog), work.quarters)
        for workload in portfolio.workloads
        for tier in workload.tiers
    )


def _refuse_perspective(portfolio: PortfolioFile) -> None:
    """Loading refuses this too, with file and line; here for worlds that no file describes."""
    if portfolio.perspective is Perspective.PROVIDER:
        told = "found workloads in the books of a provider; set 'perspective' to 'chain' or 'customer'"
        raise InputError([Fault(f"portfolio {portfolio.name}", None, "perspective", told)])


def unserved_cents(portfolio: PortfolioFile, tier: Tier, unit: int, quarters: Sequence[str]) -> int:
    """Penalty of a tier of which nothing is served, discounted, rounded up."""
    per_unit = CENTS_PER_USD * penalty_usd_per_million(tier) * unit / MILLION
    due = (discount(portfolio, t) * demanded_units(tier, quarter, unit) for t, quarter in enumerate(quarters))
    return ceil(per_unit * sum(due, start=ZERO)) if per_unit else 0


class _Work:
    """Rows and columns of all workloads over the quarters in which a rack may live."""

    def __init__(
        self,
        builder: SideBuilder,
        portfolio: PortfolioFile,
        catalog: Catalog,
        offer: Offer,
        monies: Sequence[SiteMoney],
    ) -> None:
        self._builder, self._portfolio, self._catalog = builder, portfolio, catalog
        self._offer, self._monies = offer, monies
        self._n_decided = len(offer.periods)
        self._life = portfolio.money.economic_life_quarters
        first = quarter_index(portfolio.start)
        self.quarters = [quarter_name(first + t) for t in range(self._n_decided + self._life - 1)]
        """From the plan's start to the last quarter in which a rack may live."""

    def add(self, workload: Workload) -> None:
        """Every column of a workload, and the rows that they stand in."""
        basis = self._catalog.throughput[workload.basis]
        measured = {k: _measured(basis, one, workload) for k, one in enumerate(self._offer.configurations)}
        unit = unit_of(workload, self._catalog)
        for t, quarter in enumerate(self.quarters):
            quantities = [demanded_units(tier, quarter, unit) for tier in workload.tiers]
            sold = list(self._sold(workload, quantities, unit, t))
            served = list(self._served(workload, measured, sum(quantities), unit, t))
            if sold or served:
                self._refuse_overflow(workload, quarter, quantities, served)
                row = self._builder.row(f"work:{workload.name}:{quarter}")
                for column in sold:
                    self._builder.term(column, row, 1)
                for g, k, rate, most in served:
                    self._builder.term(self._serve(workload, g, k, most, t), row, -rate)

    def _sold(self, workload: Workload, quantities: Sequence[int], unit: int, t: int) -> Iterator[int]:
        """Columns of what each tier may take of a quarter's work, dearest first."""
        charges = charges_usd_per_million(workload)
        for tier, quantity in zip(workload.tiers, quantities, strict=True):
            usd_per_million = price_usd_per_million(tier, t) - charges + penalty_usd_per_million(tier)
            worth = floor(_SCALE * discount(self._portfolio, t) * usd_per_million * unit / MILLION)
            if quantity > 0 and worth >= 0:
                name = f"sold:{workload.name}:{tier.name}:{self.quarters[t]}"
                yield self._builder.column(name, worth, quantity, ColumnKind.FILLED)

    def _served(
        self, workload: Workload, measured: Mapping[int, ServingRate | None], wanted: int, unit: int, t: int
    ) -> Iterator[tuple[int, int, int, int]]:
        """Group, configuration, units in a rack-hour and the most rack-hours of all that can serve in a quarter."""
        for g, site in enumerate(self._builder.group_names):
            for k in self._working(t) if runs_at(workload, site) else ():
                rate = self._rate(workload, measured[k], unit, g, t)
                if rate and wanted:
                    yield g, k, rate, -(-wanted // rate)

    def _rate(self, workload: Workload, measured: ServingRate | None, unit: int, g: int, t: int) -> int:
        """Whole units that a rack does in an hour of quarter t at a site; 0 where none of it can be had."""
        if measured is None:
            return 0
        per_s = expected_rate_per_s(self._portfolio, measured, workload, self.quarters[t])
        return floor(SECONDS_PER_HOUR * per_s * self._monies[g].available(t) / unit)

    def _working(self, t: int) -> Iterable[int]:
        """Configurations in which racks may work in quarter t: all, and those at rest after the last decision."""
        if t < self._n_decided:
            return range(len(self._offer.configurations))
        return [resting_configuration(self._offer, system) for system in self._offer.systems]

    def _serve(self, workload: Workload, g: int, k: int, most: int, t: int) -> int:
        """Column of hours that racks of configuration k work; it takes of the hours that there are."""
        names = (self._builder.group_names[g], self._offer.configurations[k].name)
        name = ":".join(("serve", *names, workload.name, self.quarters[t]))
        column = self._builder.column(name, -self._hour_cost(workload, g, k, t), most, ColumnKind.CHOSEN)
        self._builder.term(column, self._hours_row(g, k, t), 1)
        lag = self._portfolio.money.acceptance_lag_quarters
        if lag and t - lag < self._n_decided - 1:
            self._builder.term(column, self._accepted_row(g, self._offer.system_idx[k], t, lag), 1)
        return column

    def _hour_cost(self, workload: Workload, g: int, k: int, t: int) -> int:
        """Cents for an hour of work beyond an idle one, discounted, scaled by 2^20 and rounded up."""
        if self._portfolio.perspective is Perspective.CUSTOMER:
            return 0
        money = self._monies[g]
        beyond = money.drawn_share(k, f"average_{workload.kind}") - money.drawn_share(k, "idle")
        return ceil(_SCALE * discount(self._portfolio, t) * money.hourly_energy_usd(k, max(beyond, ZERO), t))

    def _hours_row(self, g: int, k: int, t: int) -> int:
        """Row of the hours of the racks that stand in a configuration."""
        name = f"hours:{self._builder.group_names[g]}:{self._offer.configurations[k].name}:{self.quarters[t]}"
        if name in self._builder.row_idx:
            return self._builder.row_idx[name]
        if t < self._n_decided:
            return self._builder.row(name, racks=[(g, k, t, HOURS_PER_QUARTER)])
        return self._builder.row(name, racks=self._alive(g, self._offer.system_idx[k], self._n_decided - 1, t))

    def _accepted_row(self, g: int, s: int, t: int, lag: int) -> int:
        """Row of the hours of a system's racks that are accepted."""
        name = f"accepted:{self._builder.group_names[g]}:{self._offer.systems[s]}:{self.quarters[t]}"
        if name in self._builder.row_idx:
            return self._builder.row_idx[name]
        return self._builder.row(name, racks=self._alive(g, s, t - lag, t))

    def _alive(self, g: int, s: int, begun: int, t: int) -> list[tuple[int, int, int, int]]:
        """Hours in quarter t of a system's racks that stood in quarter `begun` and have not come to their end."""
        own = [k for k, of in enumerate(self._offer.system_idx) if of == s]
        entries = [(g, k, begun, HOURS_PER_QUARTER) for k in own if begun >= 0]
        return entries + [(g, k, t - self._life, -HOURS_PER_QUARTER) for k in own if t >= self._life]

    def _refuse_overflow(
        self, workload: Workload, quarter: str, quantities: Sequence[int], served: Sequence[tuple[int, int, int, int]]
    ) -> None:
        total = sum(quantities) + sum(rate * most for _, _, rate, most in served)
        if total >= CEILING:
            told = (
                f"found demand and rates of {total:,} units in {quarter}; they must stay below 2^62 together: check "
                "the unit of 'rate' and 'work_factor'"
            )
            where = f"portfolio {self._portfolio.name}"
            raise InputError([Fault(where, None, f"workloads.{workload.name}", told)])


def _measured(basis: ThroughputBasis, configuration: Configuration, workload: Workload) -> ServingRate | None:
    """What a rack did at the workload's service level; None where no curve reaches it."""
    try:
        return measured_rate(basis, configuration, workload)
    except ThroughputError:
        return None
