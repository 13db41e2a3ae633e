"""What racks earn and cost, in whole cents (section 7 of `docs/model.md`), from the input files alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.draws import known
from planner.verify.refresh import changes_of, spells_of
from planner.verify.refresh_money import change_start_cents, change_unit_cost, change_unit_racks, spell_cents
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from planner.verify.meter_money import MeterMoney
    from planner.verify.refresh import Change, Spell
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile, SystemMoney

HOURS = 2190
"""Hours in a quarter."""
WATT_HOURS = 10**6
"""Watt hours in a megawatt hour."""
RATE_ONE = 2**20
ZERO = Fraction(0)


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

    @cached_property
    def changes(self) -> dict[str, Change]:
        """Refreshes by the name of the system that each is to the plan."""
        return changes_of(self.portfolio)

    @cached_property
    def spells(self) -> dict[str, Spell]:
        """Configurations of refreshes by name."""
        return spells_of(self.portfolio, self.catalog, self.n_periods)

    def end(self, configuration: str) -> int:
        """The first period after which racks may no more stand in a configuration."""
        return self.spells[configuration].end if configuration in self.spells else self.n_periods

    def discount(self, quarter: int) -> Fraction:
        """Worth at the plan's start of one cent in a quarter: a float64 power, taken as the rational that it is."""
        return Fraction(math.pow(float(1 + self.portfolio.money.discount_rate_per_year), -quarter / 4))

    @property
    def rents(self) -> bool:
        """Whether the books are a customer's, who rents racks and pays nothing else for them."""
        return self.portfolio.perspective == "customer"

    @property
    def _rent_share(self) -> Fraction:
        """What comes in of rent at the contract's price: a share of it, nothing within one house, or all goes out."""
        shares = {
            "provider": Fraction(self.portfolio.money.market_factor),
            "chain": Fraction(0),
            "customer": Fraction(-1),
        }
        return shares[str(self.portfolio.perspective)]

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
        """Energy of one rack in a quarter, undiscounted; where work pays for its own, that of an idle rack."""
        money, profile = self.portfolio.money, self.catalog.configuration(configuration).profile
        average = profile.average_training if money.workload == "training" else profile.average_inference
        if self.portfolio.perspective == "chain":
            average = profile.idle
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

    def standing_cents(self, configuration: str, quarter: int, meter: MeterMoney) -> Fraction:
        """Rent less running cost of one rack in a quarter, discounted, not rounded."""
        value = self._rent_cents(configuration, self.performance(configuration), quarter, meter)
        if not self.rents:
            value -= self._running_cents(configuration, quarter, meter) * self.discount(quarter)
        return value

    def _rent_cents(self, configuration: str, performance: Fraction, quarter: int, meter: MeterMoney) -> Fraction:
        """Rent of one rack in a quarter, discounted, not rounded; below 0 where it is paid."""
        if not self._rent_share:
            return Fraction(0)
        system = self.catalog.configuration(configuration).system.name
        return self._rent_share * self.revenue_cents(system, quarter, performance, meter) * self.discount(quarter)

    def period_value(self, configuration: str, quarter: int, meter: MeterMoney) -> int:
        """Cents for one rack standing in a decision period, rounded down; one that is placed is not stored."""
        if configuration in self.spells:
            return floor(spell_cents(self, self.spells[configuration], quarter, meter))
        system = self.catalog.configuration(configuration).system.name
        stored = self.storage_cents(system, quarter) if self.is_committed(system) else Fraction(0)
        return floor(self.standing_cents(configuration, quarter, meter) + stored)

    def is_committed(self, system: str) -> bool:
        """Whether deliveries of a system are paid for, placed or not; never by a customer, who only rents."""
        return not self.rents and any(one.committed for one in self.portfolio.supply if one.system == system)

    def storage_cents(self, system: str, quarter: int) -> Fraction:
        """Keeping one delivered rack unplaced for a quarter, discounted."""
        share = Fraction(self.portfolio.money.storage_share_per_quarter or 0)
        return 100 * share * self.rack_price_usd(system) * self.discount(quarter)

    def payment_cents(self, system: str, quarter: int) -> Fraction:
        """The price of one rack started in a quarter, each part discounted from when it is due.

        Parameters: quarter, of the start; below 0 for racks delivered before the plan, whose parts are due at once.
        """
        terms = [(Fraction(one.share), one.offset_quarters) for one in self.portfolio.money.payment_terms]
        due = sum((part * self.discount(max(0, quarter + later)) for part, later in terms or [(Fraction(1), 0)]), ZERO)
        return 100 * self.rack_price_usd(system) * due

    def residual_cents(self, system: str, quarter: int) -> Fraction:
        """What one rack started in a quarter brings at the end of its life, discounted."""
        money = self.portfolio.money
        price_cents = 100 * self.rack_price_usd(system)
        return Fraction(money.residual) * price_cents * self.discount(quarter + money.economic_life_quarters)

    def committed_cents(self, system: str) -> tuple[int, int]:
        """What committed deliveries of a system cost, placed or not: their price, and storage as if none were placed.

        Whole cents, each rounded up once; of deliveries up to the last decision quarter.
        """
        start = quarter_index(self.portfolio.start)
        delivered = [
            (quarter_index(one.quarter) - start, one.racks)
            for supply in self.portfolio.supply
            if supply.system == system
            for one in supply.deliveries
            if quarter_index(one.quarter) - start < self.n_periods
        ]
        paid = sum((n_racks * self.payment_cents(system, quarter) for quarter, n_racks in delivered), ZERO)
        stored = ZERO
        for quarter, n_racks in delivered:
            waiting = range(max(0, quarter), self.n_periods)
            stored += n_racks * sum((self.storage_cents(system, later) for later in waiting), ZERO)
        return ceil(paid), ceil(stored)

    def contract_revenue(self, configuration: str, quarter: int, meter: MeterMoney) -> int:
        """Cents that one rack earns at the contract's price in a period, rounded down."""
        if configuration in self.spells:
            of_spell = self.spells[configuration].configuration
            return 0 if of_spell is None else self.contract_revenue(of_spell, quarter, meter)
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
        if system in self.changes:
            return change_start_cents(self, self.changes[system], quarter, meter)
        money = self.portfolio.money
        if quarter + money.economic_life_quarters < self.n_periods:
            msg = f"a rack of '{system}' started in decision period {quarter} retires before the last one"
            raise ValueError(msg)
        value = self.later_cents(system, quarter, meter)
        if not self.rents:
            value += self.residual_cents(system, quarter)
            value -= ZERO if self.is_committed(system) else self.payment_cents(system, quarter)
        return value

    def later_cents(self, system: str, quarter: int, meter: MeterMoney) -> Fraction:
        """What a rack that stands from a quarter on earns after the decisions, less what acceptance keeps from it."""
        money, resting = self.portfolio.money, self.resting(system)
        after = range(self.n_periods, quarter + money.economic_life_quarters)
        value = sum((self.standing_cents(resting, later, meter) for later in after), ZERO)
        return value - self.waiting_cents(system, quarter, quarter + money.acceptance_lag_quarters, meter)

    def waiting_cents(self, system: str, begin: int, end: int, meter: MeterMoney) -> Fraction:
        """Rent of one rack at performance 1 over some quarters, in which it is not accepted yet."""
        resting = self.resting(system)
        return sum((self._rent_cents(resting, Fraction(1), waiting, meter) for waiting in range(begin, end)), ZERO)

    def open_cost(self, capex_usd: Fraction, quarter: int) -> int:
        """Cents when a block with this avoidable capex opens, rounded up; none of who rents."""
        return 0 if self.rents else ceil(100 * capex_usd * self.discount(quarter))

    def unit_racks(self, system: str) -> int:
        """Racks of a scalable unit."""
        if system in self.changes:
            return change_unit_racks(self, self.changes[system])
        return known(self.catalog.rack_systems[system].scalable_unit_racks, f"{system} scalable_unit_racks")

    def unit_cost(self, system: str, quarter: int) -> int:
        """Cents of the network of one scalable unit started in a period, rounded up; none of who rents."""
        if self.rents:
            return 0
        if system in self.changes:
            return change_unit_cost(self, self.changes[system], quarter)
        return ceil(100 * self.unit_racks(system) * self.network_price_usd(system) * self.discount(quarter))

    @property
    def contract_amount(self) -> int:
        """Cents of the commitment, rounded down; 0 without one, and where no rent comes in."""
        contract = self.portfolio.contract if self.portfolio.perspective == "provider" else None
        return 0 if contract is None else floor(100 * Fraction(contract.amount))

    def contract_rate(self, quarter: int) -> int:
        """Worth of one contracted cent beyond the market, scaled by 2^20, rounded down."""
        if not self.contract_amount:
            return 0
        premium = 1 - Fraction(self.portfolio.money.market_factor)
        return floor(RATE_ONE * premium * self.discount(quarter))
