"""What racks and work count for in contract clauses (section 7a of `docs/model.md`), from the input files alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.meter_money import drawn_w
from planner.verify.work import WorkRule
from sites.calendar import quarter_index
from sites.schema.terms import Measure, Served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.limits import SiteLimits
    from planner.verify.objective import Ledger
    from planner.verify.side import Place
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.terms import Commitment, Floor, Part, Share, Tranche

_KINDS = {
    Measure.IT_W: "it_w",
    Measure.GPUS: "gpu",
    Measure.RACKS: "rack",
    Measure.ACCEPTED_RACKS: "rack",
    Measure.SPEND: "cent",
}
"""Kind of draw that a measure counts."""


@dataclass
class TermCounts:
    """What a standing rack counts for; quarters count from the plan's start."""

    ledger: Ledger
    limits: Mapping[str, SiteLimits]
    _meter_w: dict[str, dict[str, Fraction]] = field(default_factory=dict)

    @property
    def portfolio(self) -> PortfolioFile:
        """The portfolio whose clauses these are."""
        return self.ledger.money.portfolio

    @cached_property
    def first(self) -> int:
        """Quarter index of the plan's start."""
        return quarter_index(self.portfolio.start)

    def of_part(self, part: Part | None) -> list[tuple[str, str]]:
        """Sites and configurations that a part names; None: all."""
        catalog, found = self.ledger.money.catalog, []
        for site in self.ledger.meters:
            for name, draws in self.ledger.setting.offered.items():
                vendor = catalog.rack_systems[draws.system].vendor
                named = part is None or (
                    (part.sites is None or site in part.sites)
                    and (part.systems is None or draws.system in part.systems)
                    and (part.vendors is None or vendor in part.vendors)
                )
                if named:
                    found.append((site, name))
        return found

    def racks(self, measure: Measure, part: Part | None, quarter: int) -> dict[Place, int]:
        """What each standing rack of a part counts in a decision quarter, where and when it must stand for that."""
        lag = self.portfolio.money.acceptance_lag_quarters if measure is Measure.ACCEPTED_RACKS else 0
        if quarter < lag:
            return {}
        places = {(site, name): self.count(measure, site, name, quarter) for site, name in self.of_part(part)}
        return {(site, name, quarter - lag): each for (site, name), each in places.items()}

    def count(self, measure: Measure, site: str, configuration: str, quarter: int) -> int:
        """What one rack counts, in whole units."""
        if measure is Measure.METER_W:
            if site not in self._meter_w:
                self._meter_w[site] = drawn_w(self.limits[site], self.ledger.setting.draws.values())
            return floor(self._meter_w[site][configuration])
        if measure is Measure.SPEND and self.ledger.money.rents:
            return self.rent_cents(site, configuration, quarter)
        return self.ledger.setting.draws[configuration].draw[_KINDS[measure]]

    def rent_cents(self, site: str, configuration: str, quarter: int) -> int:
        """Rent of one rack in any quarter at the contract's price, rounded down."""
        return self.ledger.money.contract_revenue(configuration, quarter, self.ledger.meters[site])

    def rent(self, clause: Commitment, quarter: int, *, refunded: bool) -> dict[Place, int]:
        """Rent of a quarter, after the decisions too, for each rack that stands at a site in a decision quarter.

        Parameters: refunded, whether what is paid back until racks are accepted is off.
        """
        money, last = self.portfolio.money, self.ledger.n_periods - 1
        lag = money.acceptance_lag_quarters if refunded else 0
        found: dict[Place, int] = {}
        for site, name in self.of_part(clause):
            system = self.ledger.setting.draws[name].system
            works_as = name if quarter <= last else self.ledger.money.resting(system)
            rent, back = self.rent_cents(site, works_as, quarter), 0
            if lag:
                back = ceil(self.ledger.money.revenue_cents(system, quarter, Fraction(1), self.ledger.meters[site]))
            parts = [(quarter, rent), (quarter, -back), (quarter - lag, back)]
            parts.append((quarter - money.economic_life_quarters, -rent))
            for when, cents in parts:
                if when >= 0:
                    place = (site, name, min(when, last))
                    found[place] = found.get(place, 0) + cents
        return found

    def term(self, clause: Commitment) -> range:
        """Quarters of a commitment's term."""
        return range(quarter_index(clause.start) - self.first, quarter_index(clause.end) - self.first + 1)

    def unit(self, clause: Floor | Share | Tranche) -> int:
        """How many of what a clause counts one unit is."""
        if not isinstance(clause, Served):
            return 1
        named = {workload.name: workload for workload in self.portfolio.workloads}
        return WorkRule(self.ledger).unit(named[clause.workloads[0]])

    def due(self, clause: Floor, quarter: int) -> int:
        """What a floor asks in a quarter, rounded up to whole units; 0 before its first step."""
        begun = [step.minimum for step in clause.steps if quarter_index(step.start) <= self.first + quarter]
        return ceil(Fraction(begun[-1]) / self.unit(clause)) if begun else 0

    def delivered(self, quarter: int) -> int:
        """Racks of every system that have been delivered by a quarter."""
        return sum(
            delivery.racks
            for supply in self.portfolio.supply
            for delivery in supply.deliveries
            if quarter_index(delivery.quarter) <= self.first + quarter
        )
