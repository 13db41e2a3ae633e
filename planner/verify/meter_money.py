"""What a site's meter makes of money: hours without supply, what energy costs, and the charge on demand."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.verify.terms import ONE
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.verify.draws import RackDraws
    from planner.verify.limits import SiteLimits

HOURS_A_YEAR = 8760
MONTHS = 3
"""Months in a quarter."""
Steps = tuple[tuple[str, Fraction], ...]


@dataclass(frozen=True)
class MeterMoney:
    """Rates of one site by quarter; quarters count from the plan's start."""

    start: int
    """Quarter index of the plan's first quarter."""
    energy_price: Fraction
    """Of the service, USD/MWh."""
    service: Mapping[str, Any]
    """Fields of the service node."""
    demand_w: Mapping[str, Fraction]
    """What a rack of each configuration demands at the meter; empty where demand costs nothing."""

    def availability(self, quarter: int) -> Fraction:
        """Share of a quarter's hours in which racks run: none of the non-firm part can be had while it is curtailed."""
        hours, capacity = Fraction(self.service["curtailed_hours"]), self._watts("capacity_steps", quarter)
        if not hours or not capacity:
            return Fraction(1)
        return 1 - hours / HOURS_A_YEAR * self._watts("non_firm_steps", quarter) / capacity

    def energy_usd_per_mwh(self, quarter: int) -> Fraction:
        """The service's price and the fuel of generation, each by its share of the capacity."""
        capacity = self._watts("capacity_steps", quarter)
        if not capacity:
            return self.energy_price
        shares = {name: self._at(steps, quarter) / capacity for name, steps in self.service["generation_w"].items()}
        fuel = sum(
            (share * Fraction(self.service["fuel_usd_per_mwh"][name]) for name, share in shares.items()), Fraction(0)
        )
        return self.energy_price * (1 - sum(shares.values())) + fuel

    def demand_usd(self, configuration: str) -> Fraction:
        """Charge on the demand of one rack for a quarter."""
        charge = self.usd_per_demand_w()
        return charge * self.demand_w[configuration] if charge else Fraction(0)

    def minimum_demand_w(self, quarter: int) -> Fraction:
        """Demand that is charged at the least; 0 where the tariff has no such term."""
        return self._watts("minimum_demand_steps", quarter)

    def usd_per_demand_w(self) -> Fraction:
        """Charge on one watt of demand for a quarter."""
        return MONTHS * Fraction(self.service["demand_charge_usd_per_kw_month"]) / 1000

    def _watts(self, key: str, quarter: int) -> Fraction:
        return self._at(self.service[key], quarter)

    def _at(self, steps: Steps, quarter: int) -> Fraction:
        """The last step begun; 0 before the first."""
        begun = [watts for start, watts in steps if quarter_index(start) <= self.start + quarter]
        return Fraction(begun[-1]) if begun else Fraction(0)


def meter_money(limits: SiteLimits, start: str, energy_price: Fraction, draws: Iterable[RackDraws]) -> MeterMoney:
    """The rates of one site.

    Parameters: start, the plan's first quarter; energy_price, USD/MWh; draws of the configurations on offer.
    """
    service = limits.graphs.power.nodes["service"]
    demand_w = drawn_w(limits, draws) if service["demand_charge_usd_per_kw_month"] else {}
    return MeterMoney(quarter_index(start), energy_price, service, demand_w)


def drawn_w(limits: SiteLimits, draws: Iterable[RackDraws]) -> dict[str, Fraction]:
    """What one rack of each configuration draws at the meter: the most of any row, once all is in service."""
    states = limits.states
    rows = limits.walker.shares(states.last_epoch, limits.network.index["service"]).scaled
    return {
        one.name: Fraction(
            max((sum(c * one.draw.get(kind, 0) for kind, c in kinds.items()) for kinds in rows.values()), default=0),
            ONE,
        )
        for one in draws
    }
