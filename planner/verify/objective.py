"""The objective of a plan, from its racks and the money rule alone (section 7 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.money import RATE_ONE, MoneyRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.decisions import BlockCounts, Setting
    from planner.verify.fits import Fits
    from planner.verify.meter_money import MeterMoney
    from planner.verify.openings import Openings
    from planner.verify.standing import Counts


@dataclass
class Ledger:
    """Coefficients by parts, and what a plan is worth under them."""

    money: MoneyRule
    setting: Setting
    meters: Mapping[str, MeterMoney]
    """Rates of each site."""
    fits: Mapping[str, Fits]
    """What rows of each site take, as they stand or converted."""
    capex_usd: Mapping[tuple[str, str], Fraction]
    """Avoidable capex by (site, fabric block)."""

    openings: Openings
    """What sites and phases cost to open."""

    _values: dict[tuple[str, str, int], list[int]] = field(default_factory=dict)
    _standing: dict[tuple[str, str, int], int] = field(default_factory=dict)
    _starts: dict[tuple[str, str, int], Fraction] = field(default_factory=dict)
    _revenue: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    _units: dict[str, list[int]] = field(default_factory=dict)
    _opening: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    @property
    def n_periods(self) -> int:
        """Decision periods."""
        return len(self.setting.periods)

    def rack_values(self, site: str, row: str, configuration: str) -> list[int]:
        """Cents by parts for one rack standing in a row in each period: its own value, its start less the next one."""
        system = self.setting.draws[configuration].system
        key = (site, configuration, self.fits[site].conversion_cents(row, system))
        if key not in self._values:
            starts = [self.start_value(site, row, system, t) for t in range(self.n_periods)]
            own = [self.period_value(site, configuration, t) for t in range(self.n_periods)]
            self._values[key] = [a + b for a, b in zip(own, by_parts(starts), strict=True)]
        return self._values[key]

    def period_value(self, site: str, configuration: str, period: int) -> int:
        """Cents of one rack standing in a period at a site."""
        key = (site, configuration, period)
        if key not in self._standing:
            self._standing[key] = self.money.period_value(configuration, period, self.meters[site])
        return self._standing[key]

    def start_value(self, site: str, row: str, system: str, period: int) -> int:
        """Cents of one rack started in a row in a period, the conversion of its places included, rounded down."""
        key = (site, system, period)
        if key not in self._starts:
            self._starts[key] = self.money.start_cents(system, period, self.meters[site])
        conversion_cents = 0 if self.money.rents else self.fits[site].conversion_cents(row, system)
        return floor(self._starts[key] - conversion_cents * self.money.discount(period))

    def open_costs(self, block: tuple[str, str]) -> list[int]:
        """Cents by parts for each period in which a block holds a rack."""
        if block not in self._opening:
            costs = [self.money.open_cost(self.capex_usd[block], t) for t in range(self.n_periods)]
            self._opening[block] = by_parts(costs)
        return self._opening[block]

    def unit_costs(self, system: str) -> list[int]:
        """Cents by parts for each scalable unit in each period."""
        if system not in self._units:
            self._units[system] = by_parts([self.money.unit_cost(system, t) for t in range(self.n_periods)])
        return self._units[system]

    def contract_revenue(self, site: str, configuration: str, period: int) -> int:
        """Cents that one rack earns at the contract's price in a period at a site."""
        key = (site, configuration)
        if key not in self._revenue:
            meter = self.meters[site]
            revenue = [self.money.contract_revenue(configuration, t, meter) for t in range(self.n_periods)]
            self._revenue[key] = revenue
        return self._revenue[key][period]

    def contract_use(self, placed: Mapping[str, dict[str, Counts]]) -> tuple[list[int], list[int]]:
        """Contract-price revenue of each period, and how much of it the contract takes, earliest first, in cents."""
        revenue = [0] * self.n_periods
        for site, rows in placed.items():
            for counts in rows.values():
                for configuration, n_racks in counts.items():
                    for t, n in enumerate(n_racks):
                        revenue[t] += n * self.contract_revenue(site, configuration, t)
        left, used = self.money.contract_amount, []
        for cents in revenue:
            used.append(min(left, cents))
            left -= used[-1]
        return revenue, used

    def objective(self, placed: Mapping[str, dict[str, Counts]], blocks: BlockCounts) -> int:
        """Whole cents, the contract's premium rounded down once."""
        total = 0
        for site, rows in placed.items():
            for row, counts in rows.items():
                for configuration, n_racks in counts.items():
                    values = self.rack_values(site, row, configuration)
                    total += sum(n * value for n, value in zip(n_racks, values, strict=True))
        for block, systems in blocks.items():
            total -= self._block_cost(block, systems)
        total -= self.openings.cents(blocks)
        _, used = self.contract_use(placed)
        premium = sum(cents * self.money.contract_rate(t) for t, cents in enumerate(used))
        return total + premium // RATE_ONE - self.minimum_demand_cents(placed)

    def demand_price_cents(self, site: str, period: int) -> Fraction:
        """Cents that a watt short of a site's minimum demand costs in a period, discounted; none of who rents."""
        if self.money.rents:
            return Fraction(0)
        return 100 * self.money.discount(period) * self.meters[site].usd_per_demand_w()

    def minimum_demand_cents(self, placed: Mapping[str, dict[str, Counts]]) -> int:
        """What the racks of each site draw less than its tariff charges, rounded up for each site and period."""
        total = 0
        for site, meter in self.meters.items():
            drawn = [Fraction(0)] * self.n_periods
            for counts in placed.get(site, {}).values():
                for configuration, n_racks in counts.items():
                    drawn = [w + n * meter.demand_w.get(configuration, 0) for w, n in zip(drawn, n_racks, strict=True)]
            for t, watts in enumerate(drawn):
                short_w = max(meter.minimum_demand_w(t) - watts, Fraction(0))
                total += ceil(short_w * self.demand_price_cents(site, t))
        return total

    def _block_cost(self, block: tuple[str, str], systems: Mapping[str, list[int]]) -> int:
        held = [any(n_racks[t] for n_racks in systems.values()) for t in range(self.n_periods)]
        cost = sum(cents for cents, holds in zip(self.open_costs(block), held, strict=True) if holds)
        for system, n_racks in systems.items():
            unit = self.money.unit_racks(system)
            cost += sum(-(-n // unit) * cents for n, cents in zip(n_racks, self.unit_costs(system), strict=True))
        return cost


def by_parts(amounts: list[int]) -> list[int]:
    """What each period carries of amounts paid at a start: its own less the next one's, 0 after the end."""
    return [now - later for now, later in zip(amounts, [*amounts[1:], 0], strict=True)]
