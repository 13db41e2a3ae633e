"""What racks earn and cost, in whole cents (section 7 of `docs/model.md`), from the input files alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.draws import known

if TYPE_CHECKING:
    from planner.verify.meter_money import MeterMoney
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile, SystemMoney

HOURS = 2190
"""Hours in a quarter."""
WATT_HOURS = 10**6
"""Watt hours in a megawatt hour."""
RATE_ONE = 2**20


@dataclass
class MoneyRule:
    """Every coefficient of the objective; quarters count from the plan's start."""

    portfolio: PortfolioFile
    catalog: Catalog
    n_periods: int
    """Decision periods."""

    @cached_property
    def _own(self) -> dict[str, SystemMoney]:
        return {entry.system: entry for entry in self.portfolio.money.systems}

    def discount(self, quarter: int) -> Fraction:
        """Worth at the plan's start of one cent in a quarter: a float64 power, taken as the rational that it is."""
        return Fraction(math.pow(float(1 + self.portfolio.money.discount_rate_per_year), -quarter / 4))

    def _rental_usd(self, system: str) -> Fraction:
        own = self._own.get(system)
        if own is not None and own.rental is not None:
            return Fraction(own.rental)
        return Fraction(known(self.catalog.rack_systems[system].rental, f"{system} rental"))

    def rack_price_usd(self, system: str) -> Fraction:
        """Price of one rack."""
        own = self._own.get(system)
        if own is not None and own.rack_price is not None:
            return Fraction(own.rack_price)
        return Fraction(known(self.catalog.rack_systems[system].price, f"{system} price"))

    def network_price_usd(self, system: str) -> Fraction:
        """Network of one rack of a full scalable unit."""
        own = self._own.get(system)
        if own is not None and own.network_price is not None:
            return Fraction(own.network_price)
        return Fraction(known(self.catalog.rack_systems[system].network_price, f"{system} network_price"))

    def revenue_cents(self, system: str, quarter: int, performance: Fraction, meter: MeterMoney) -> Fraction:
        """Revenue of one rack in a quarter at the contract's price, undiscounted."""
        money = self.portfolio.money
        decline = Fraction(math.pow(float(1 - money.rental_decline_per_year), quarter / 4))
        n_gpus = known(self.catalog.rack_systems[system].gpu_packages, f"{system} gpu_packages")
        hours = HOURS * Fraction(money.utilisation) * meter.availability(quarter)
        return 100 * self._rental_usd(system) * decline * n_gpus * hours * performance

    def energy_usd(self, configuration: str, quarter: int, meter: MeterMoney) -> Fraction:
        """Energy of one rack in a quarter, undiscounted."""
        money, profile = self.portfolio.money, self.catalog.configuration(configuration).profile
        average = profile.average_training if money.workload == "training" else profile.average_inference
        share = Fraction(known(average, f"{configuration} average power"))
        price = meter.energy_usd_per_mwh(quarter)
        return Fraction(self._it_w(configuration) * share * money.annual_pue * HOURS * price / WATT_HOURS)

    def operations_usd(self, configuration: str) -> Fraction:
        """Operations of one rack in a quarter, undiscounted."""
        return self._it_w(configuration) * Fraction(self.portfolio.money.opex_per_it_watt_year) / 4

    def _it_w(self, configuration: str) -> int:
        return ceil(known(self.catalog.configuration(configuration).profile.sustained_max, configuration))

    def _running_cents(self, configuration: str, quarter: int, meter: MeterMoney) -> Fraction:
        """Energy, demand and operations of one rack in a quarter, undiscounted."""
        energy_usd = self.energy_usd(configuration, quarter, meter) + meter.demand_usd(configuration)
        return 100 * (energy_usd + self.operations_usd(configuration))

    def performance(self, configuration: str) -> Fraction:
        """Factor on the rental price."""
        profile = self.catalog.configuration(configuration).profile
        return Fraction(known(profile.performance, f"{configuration} performance"))

    def _standing_cents(self, configuration: str, quarter: int, meter: MeterMoney) -> Fraction:
        """Market revenue less running cost of one rack in a quarter, discounted, not rounded."""
        system = self.catalog.configuration(configuration).system.name
        revenue = self.revenue_cents(system, quarter, self.performance(configuration), meter)
        market = Fraction(self.portfolio.money.market_factor) * revenue
        return (market - self._running_cents(configuration, quarter, meter)) * self.discount(quarter)

    def period_value(self, configuration: str, quarter: int, meter: MeterMoney) -> int:
        """Cents for one rack standing in a decision period, rounded down."""
        return floor(self._standing_cents(configuration, quarter, meter))

    def contract_revenue(self, configuration: str, quarter: int, meter: MeterMoney) -> int:
        """Cents that one rack earns at the contract's price in a period, rounded down."""
        system = self.catalog.configuration(configuration).system.name
        return floor(self.revenue_cents(system, quarter, self.performance(configuration), meter))

    def resting(self, system: str) -> str:
        """The configuration on offer of a system with the lowest power, the first named of equals."""
        offered = [
            name for name in self.portfolio.configurations if self.catalog.configuration(name).system.name == system
        ]
        return min(offered, key=lambda name: ceil(known(self.catalog.configuration(name).profile.sustained_max, name)))

    def start_cents(self, system: str, quarter: int, meter: MeterMoney) -> Fraction:
        """Cents for one rack started in a decision period, conversion of its places aside, not rounded.

        Raises ValueError when its life ends before the last decision period.
        """
        money = self.portfolio.money
        end = quarter + money.economic_life_quarters
        if end < self.n_periods:
            msg = f"a rack of '{system}' started in decision period {quarter} retires before the last one"
            raise ValueError(msg)
        resting = self.resting(system)
        value = -100 * self.rack_price_usd(system) * self.discount(quarter)
        value += sum((self._standing_cents(resting, later, meter) for later in range(self.n_periods, end)), Fraction(0))
        for waiting in range(quarter, quarter + money.acceptance_lag_quarters):
            revenue = self.revenue_cents(system, waiting, Fraction(1), meter)
            value -= Fraction(money.market_factor) * revenue * self.discount(waiting)
        return value

    def open_cost(self, capex_usd: Fraction, quarter: int) -> int:
        """Cents when a block with this avoidable capex opens, rounded up."""
        return ceil(100 * capex_usd * self.discount(quarter))

    def unit_racks(self, system: str) -> int:
        """Racks of a scalable unit."""
        return known(self.catalog.rack_systems[system].scalable_unit_racks, f"{system} scalable_unit_racks")

    def unit_cost(self, system: str, quarter: int) -> int:
        """Cents of the network of one scalable unit started in a period, rounded up."""
        return ceil(100 * self.unit_racks(system) * self.network_price_usd(system) * self.discount(quarter))

    @property
    def contract_amount(self) -> int:
        """Cents of the commitment, rounded down; 0 without one."""
        contract = self.portfolio.contract
        return 0 if contract is None else floor(100 * Fraction(contract.amount))

    def contract_rate(self, quarter: int) -> int:
        """Worth of one contracted cent beyond the market, scaled by 2^20, rounded down."""
        if self.portfolio.contract is None:
            return 0
        premium = 1 - Fraction(self.portfolio.money.market_factor)
        return floor(RATE_ONE * premium * self.discount(quarter))
