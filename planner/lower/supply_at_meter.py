"""Power at a site's meter by quarter: how firm it is, what it costs, and what a rack's demand costs (section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.lower.existence import last_epoch
from planner.lower.hosts import SiteHosts
from planner.lower.power_limits import EpochLoads, meter_of
from planner.problem import SHARE_BITS
from sites.supply import watts_at

if TYPE_CHECKING:
    from planner.lower.hosts import Offer
    from planner.lower.site import LoweredSite
    from sites.expansion import SiteGraphs
    from sites.supply import WattSteps

HOURS_PER_YEAR = 8760
MONTHS_PER_QUARTER = 3
WATTS_PER_KILOWATT = 1000
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class SupplyAtMeter:
    """What the sources at a site's meter give and cost over time, after the horizon too."""

    energy_price_usd_per_mwh: Fraction
    """Of the utility."""
    capacity_steps: WattSteps
    """All sources together."""
    non_firm_steps: WattSteps
    curtailed_hours: Fraction
    """Hours of a year in which none of the non-firm capacity can be had."""
    generation_w: dict[str, WattSteps]
    fuel_usd_per_mwh: dict[str, Fraction]
    demand_charge_usd_per_kw_month: Fraction
    minimum_demand_steps: WattSteps
    """Demand that is charged at the least; empty where the tariff has no such term."""

    def availability(self, quarter: str) -> Fraction:
        """Share of a quarter's work that curtailment leaves: 1 − hours/8760 · non-firm/capacity."""
        if not self.curtailed_hours:
            return ONE
        return 1 - self.curtailed_hours / HOURS_PER_YEAR * self._part(self.non_firm_steps, quarter)

    def usd_per_mwh(self, quarter: str) -> Fraction:
        """Price of energy: the utility's, and that of on-site generation by its part in the capacity."""
        parts = {name: self._part(steps, quarter) for name, steps in self.generation_w.items()}
        own = sum((part * self.fuel_usd_per_mwh[name] for name, part in parts.items()), start=ZERO)
        return self.energy_price_usd_per_mwh * (1 - sum(parts.values(), start=ZERO)) + own

    def demand_usd_per_quarter(self, meter_w: Fraction) -> Fraction:
        """What drawing so many watts at the meter costs in a quarter, beside the energy."""
        return MONTHS_PER_QUARTER * self.demand_charge_usd_per_kw_month / WATTS_PER_KILOWATT * meter_w

    def _part(self, steps: WattSteps, quarter: str) -> Fraction:
        capacity_w = watts_at(self.capacity_steps, quarter)
        return Fraction(watts_at(steps, quarter)) / capacity_w if capacity_w else ZERO


def supply_at_meter(graphs: SiteGraphs) -> SupplyAtMeter:
    """The sources of a site as its service node has them."""
    service = _service(graphs)
    return SupplyAtMeter(
        energy_price_usd_per_mwh=Fraction(graphs.site.energy_price),
        capacity_steps=service["capacity_steps"],
        non_firm_steps=service["non_firm_steps"],
        curtailed_hours=Fraction(service["curtailed_hours"]),
        generation_w=service["generation_w"],
        fuel_usd_per_mwh=service["fuel_usd_per_mwh"],
        demand_charge_usd_per_kw_month=demand_charge_usd_per_kw_month(graphs),
        minimum_demand_steps=service["minimum_demand_steps"],
    )


def charged_draw_w(site: LoweredSite, offer: Offer) -> tuple[Fraction, ...]:
    """Watts at the meter for which one rack of each configuration pays the demand charge; empty where there is none."""
    return largest_meter_draw_w(site, offer) if demand_charge_usd_per_kw_month(site.graphs) else ()


def demand_charge_usd_per_kw_month(graphs: SiteGraphs) -> Fraction:
    """What a site's tariff charges for demand; 0 where it does not."""
    return Fraction(_service(graphs)["demand_charge_usd_per_kw_month"])


def _service(graphs: SiteGraphs) -> dict[str, Any]:
    """Fields of the node of the service."""
    return next(fields for _, fields in graphs.power.nodes(data=True) if fields["kind"] == "service")


def largest_meter_draw_w(site: LoweredSite, offer: Offer) -> tuple[Fraction, ...]:
    """Watts at the meter of one rack of each configuration: the most over the rows, once everything is in service.

    The meter's own coefficients, rounded as they are there; all rows of the site count, whoever may fill them.
    """
    state = site.states[-1].at(last_epoch(site.graphs, site.couplings), site.graphs.power)
    every_row = SiteHosts(site, {row: number for number, row in enumerate(site.rows)}, {})
    coefficients = meter_of(EpochLoads(every_row, offer, state)).rows.coefficients.values()
    return tuple(
        Fraction(max((values[k] for values in coefficients), default=0), 1 << SHARE_BITS)
        for k in range(len(offer.configurations))
    )
