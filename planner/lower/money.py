"""Value of racks, units and openings in whole cents (sections 7 and 7a of `docs/model.md`).

Two powers are float64 numbers from `math.pow`; they enter as the exact rationals that they are, and each
coefficient is rounded once, against the plan: values down, costs up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import SHARE_BITS, MinimumDemand
from sites.calendar import quarter_index, quarter_name
from sites.expansion.values import known
from sites.schema.portfolio import Perspective
from sites.supply import watts_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from planner.lower.hosts import Offer
    from planner.lower.supply_at_meter import SupplyAtMeter
    from sites.catalog.loader import Catalog, Configuration
    from sites.schema.lineup import Conversion
    from sites.schema.portfolio import PortfolioFile

HOURS_PER_QUARTER = 2190
QUARTERS_PER_YEAR = 4
CENTS_PER_USD = 100
WATTS_PER_MEGAWATT = 10**6
ZERO = Fraction(0)
_ONE_WATT = Fraction(1)


@dataclass(frozen=True)
class Prices:
    """Prices of every system on offer: the portfolio's where it gives them, else the catalogue's."""

    rack_usd: dict[str, Fraction]
    network_usd: dict[str, Fraction]
    rental_usd_per_gpu_hour: dict[str, Fraction]


def prices_of(portfolio: PortfolioFile, catalog: Catalog, systems: tuple[str, ...]) -> Prices:
    """Look up the prices of some systems; raises InputError when neither file knows one."""
    given = {entry.system: entry for entry in portfolio.money.systems}

    def price(system: str, key: str, catalog_key: str) -> Fraction:
        own = getattr(given[system], key) if system in given else None
        if own is not None:
            return Fraction(own)
        return Fraction(known(getattr(catalog.rack_systems[system], catalog_key), f"system '{system}'", catalog_key))

    return Prices(
        rack_usd={system: price(system, "rack_price", "price") for system in systems},
        network_usd={system: price(system, "network_price", "network_price") for system in systems},
        rental_usd_per_gpu_hour={system: price(system, "rental", "rental") for system in systems},
    )


def discount(portfolio: PortfolioFile, t: int) -> Fraction:
    """(1 + rate)^(−t/4), the float64 as an exact rational."""
    return Fraction(math.pow(float(1 + portfolio.money.discount_rate_per_year), -t / QUARTERS_PER_YEAR))


def paid_usd(portfolio: PortfolioFile, price_usd: Fraction, t: int) -> Fraction:
    """What a rack that starts in quarter t costs, each payment discounted; none is due before the plan's start."""
    terms = portfolio.money.payment_terms
    if not terms:
        return price_usd * discount(portfolio, max(t, 0))
    return price_usd * sum((one.share * discount(portfolio, max(t + one.offset_quarters, 0)) for one in terms), ZERO)


def storage_usd(portfolio: PortfolioFile, price_usd: Fraction, t: int) -> Fraction:
    """What a delivered rack that is not placed costs in quarter t, discounted."""
    share = portfolio.money.storage_share_per_quarter or ZERO
    return Fraction(share * price_usd * discount(portfolio, t))


class SiteMoney:
    """Cash flows of one rack at one site's supply."""

    def __init__(
        self,
        portfolio: PortfolioFile,
        offer: Offer,
        prices: Prices,
        supply: SupplyAtMeter,
        meter_w: tuple[Fraction, ...] = (),
    ) -> None:
        """Keep what the cash flows are made of.

        Parameters: supply, the sources at the site's meter; meter_w, [n_configurations] watts at the meter of one
        rack, for which the demand charge is paid; empty: there is none.
        """
        self._portfolio, self._offer, self._prices = portfolio, offer, prices
        self._supply = supply
        self._meter_w = meter_w
        self._money = portfolio.money
        self._n_periods = len(offer.periods)
        self._start = quarter_index(portfolio.start)
        self._availability: dict[int, Fraction] = {}
        self.owns_racks = portfolio.perspective is not Perspective.CUSTOMER
        self._committed = frozenset(supply.system for supply in portfolio.supply if supply.committed)

    def discount(self, t: int) -> Fraction:
        """(1 + rate)^(−t/4), the float64 as an exact rational."""
        return discount(self._portfolio, t)

    def revenue_usd(self, system: str, performance: Fraction, t: int) -> Fraction:
        """Contract-price revenue of one rack in quarter t, less what curtailment takes."""
        decline = Fraction(math.pow(float(1 - self._money.rental_decline_per_year), t / QUARTERS_PER_YEAR))
        hours = HOURS_PER_QUARTER * self._money.utilisation
        gpus = self._gpus[system]
        return self._prices.rental_usd_per_gpu_hour[system] * decline * gpus * hours * performance * self.available(t)

    @property
    def market_factor(self) -> Fraction:
        """Rental beyond the contract as a share of the contract price."""
        return Fraction(self._money.market_factor)

    @property
    def acceptance_lag_quarters(self) -> int:
        """Quarters that a rack stands before it earns."""
        return self._money.acceptance_lag_quarters

    @property
    def minimum_watt_usd(self) -> Fraction:
        """Demand charge of a quarter for one watt that falls short of the tariff's minimum."""
        return self._supply.demand_usd_per_quarter(_ONE_WATT)

    def available(self, t: int) -> Fraction:
        """Share of quarter t in which the site has the power to work."""
        if t not in self._availability:
            self._availability[t] = self._supply.availability(quarter_name(self._start + t))
        return self._availability[t]

    @cached_property
    def _gpus(self) -> dict[str, int]:
        systems = {one.system.name: one.system for one in self._offer.configurations}
        return {name: known(one.gpu_packages, f"system '{name}'", "gpu_packages") for name, one in systems.items()}

    def running_usd(self, k: int, t: int) -> Fraction:
        """Energy, demand and operations of one rack of configuration k in quarter t."""
        return self.energy_usd(k, t) + self.demand_usd(k) + self.operations_usd(k)

    def energy_usd(self, k: int, t: int) -> Fraction:
        """Energy of one rack of configuration k in quarter t, demand charges aside."""
        return self.hourly_energy_usd(k, self.drawn_share(k, f"average_{self._money.workload}"), t) * HOURS_PER_QUARTER

    def idle_energy_usd(self, k: int, t: int) -> Fraction:
        """Energy of one rack of configuration k that does nothing in quarter t."""
        return self.hourly_energy_usd(k, self.drawn_share(k, "idle"), t) * HOURS_PER_QUARTER

    def hourly_energy_usd(self, k: int, share: Fraction, t: int) -> Fraction:
        """Energy of one rack of configuration k for an hour at a share of its sustained power in quarter t."""
        megawatt_hours = self._offer.draws[k].it_w * share * self._money.annual_pue / WATTS_PER_MEGAWATT
        return Fraction(megawatt_hours * self._supply.usd_per_mwh(quarter_name(self._start + t)))

    def drawn_share(self, k: int, key: str) -> Fraction:
        """What the catalogue says under a key of the power of configuration k, as a share of the sustained."""
        configuration = self._offer.configurations[k]
        return Fraction(known(getattr(configuration.profile, key), f"configuration '{configuration.name}'", key))

    def demand_usd(self, k: int) -> Fraction:
        """Demand charge of one rack of configuration k in a quarter."""
        return self._supply.demand_usd_per_quarter(self._meter_w[k]) if self._meter_w else ZERO

    def operations_usd(self, k: int) -> Fraction:
        """Operations without energy of one rack of configuration k in a quarter."""
        return self._offer.draws[k].it_w * self._money.opex_per_it_watt_year / QUARTERS_PER_YEAR

    def earned_usd(self, k: int, t: int) -> Fraction:
        """What one rack of configuration k earns less what it costs in quarter t, work aside, discounted.

        The owner who rents it out has market revenue less energy and operations; owner and user together have the
        energy of an idle rack and operations to pay, as work pays for its own; who rents it pays rent.
        """
        if self._portfolio.perspective is Perspective.CHAIN:
            return -(self.idle_energy_usd(k, t) + self.demand_usd(k) + self.operations_usd(k)) * self.discount(t)
        configuration = self._offer.configurations[k]
        revenue = self.revenue_usd(configuration.system.name, _performance(configuration), t)
        if self._portfolio.perspective is Perspective.CUSTOMER:
            return -revenue * self.discount(t)
        return (self._money.market_factor * revenue - self.running_usd(k, t)) * self.discount(t)

    def period_value(self) -> NDArray[np.int64]:
        """[n_configurations, n_periods] cents for each standing rack."""
        return _integers(
            [
                [_down(self.standing_usd(k, t)) for t in range(self._n_periods)]
                for k in range(len(self._offer.configurations))
            ]
        )

    def standing_usd(self, k: int, t: int) -> Fraction:
        """What one rack of configuration k that stands in quarter t is worth then, storage included, discounted."""
        return self.earned_usd(k, t) + self.unstored_usd(self._offer.configurations[k].system.name, t)

    def unstored_usd(self, system: str, t: int) -> Fraction:
        """What a standing rack of a committed delivery need not pay for storage in quarter t, discounted."""
        if not self.owns_racks or system not in self._committed:
            return ZERO
        return storage_usd(self._portfolio, self._prices.rack_usd[system], t)

    def contract_revenue(self) -> NDArray[np.int64]:
        """[n_configurations, n_periods] undiscounted cents of rent for each standing rack."""
        return _integers(
            [
                [_down(self.revenue_usd(one.system.name, _performance(one), t)) for t in range(self._n_periods)]
                for one in self._offer.configurations
            ]
        )

    def start_value(self) -> NDArray[np.int64]:
        """[n_systems, n_periods] cents for each rack started."""
        return _integers(
            [[_down(self._start_usd(system, t)) for t in range(self._n_periods)] for system in self._offer.systems]
        )

    def converted_start_value(self, system: str, cost_cents: int) -> NDArray[np.int64]:
        """[n_periods] cents for each rack of a system started in a row that is converted for it.

        Parameters: cost_cents, of the conversion for each rack.
        """
        cost_usd = Fraction(cost_cents, CENTS_PER_USD) if self.owns_racks else ZERO
        values = [_down(self._start_usd(system, t) - cost_usd * self.discount(t)) for t in range(self._n_periods)]
        return np.array(values, np.int64)

    def minimum_demand(self, site: str, row_idx: Iterable[int]) -> MinimumDemand | None:
        """What the tariff charges at the least; None where it has no such term, or the term costs nothing.

        Parameters: row_idx, rows of the problem that stand at the site.
        """
        if not self.owns_racks:
            return None
        quarters = [quarter_name(self._start + t) for t in range(self._n_periods)]
        minimum_w = tuple(int(watts_at(self._supply.minimum_demand_steps, quarter)) for quarter in quarters)
        watt_usd = self.minimum_watt_usd
        if not any(minimum_w) or not watt_usd:
            return None
        return MinimumDemand(
            site=site,
            row_idx=tuple(row_idx),
            draw_scaled=tuple(int(watts * (1 << SHARE_BITS)) for watts in self._meter_w),
            minimum_w=minimum_w,
            price_cents_per_w=tuple(watt_usd * CENTS_PER_USD * self.discount(t) for t in range(self._n_periods)),
        )

    def _start_usd(self, system: str, t: int) -> Fraction:
        """Price and residual value, what it earns after the last decision period, and what acceptance changes."""
        bought_usd = self.residual_usd(system, t) - self.bought_usd(system, t)
        return self.after_usd(system, t) - self.unaccepted_usd(system, t) + bought_usd

    def after_usd(self, system: str, t: int) -> Fraction:
        """What a rack that stands from quarter t on earns after the last decision period, discounted."""
        last = t + self._money.economic_life_quarters
        resting = resting_configuration(self._offer, system)
        return sum((self._earned(resting, quarter) for quarter in range(self._n_periods, last)), start=ZERO)

    def unaccepted_usd(self, system: str, t: int, end: int | None = None) -> Fraction:
        """Rent that a rack started in quarter t does not bring until it is accepted, discounted; less than 0: saves.

        Nothing is rented in the books of owner and user together, where racks do no work until they are accepted.
        Parameters: end, quarter in which it leaves; missing: after it is accepted.
        """
        factor = {Perspective.PROVIDER: self._money.market_factor, Perspective.CUSTOMER: Fraction(-1)}
        if self._portfolio.perspective not in factor:
            return ZERO
        accepted = t + self._money.acceptance_lag_quarters
        lag = range(t, accepted if end is None else min(accepted, end))
        rent = sum((self.revenue_usd(system, Fraction(1), q) * self.discount(q) for q in lag), start=ZERO)
        return factor[self._portfolio.perspective] * rent

    def bought_usd(self, system: str, t: int) -> Fraction:
        """Price of a rack delivered in quarter t, each payment discounted; committed ones are paid for anyway."""
        if not self.owns_racks or system in self._committed:
            return ZERO
        return paid_usd(self._portfolio, self.rack_usd(system), t)

    def residual_usd(self, system: str, t: int) -> Fraction:
        """What a rack that stands from quarter t on brings at the end of its life, discounted."""
        if not self.owns_racks or not self._money.residual:
            return ZERO
        last = t + self._money.economic_life_quarters
        return self._money.residual * self.rack_usd(system) * self.discount(last)

    def rack_usd(self, system: str) -> Fraction:
        """Price of a rack."""
        return self._prices.rack_usd[system]

    def network_usd(self, system: str) -> Fraction:
        """Network of one rack of a full scalable unit."""
        return self._prices.network_usd[system]

    def _earned(self, k: int, t: int) -> Fraction:
        key = (k, t)
        if key not in self._known:
            self._known[key] = self.earned_usd(k, t)
        return self._known[key]

    @cached_property
    def _known(self) -> dict[tuple[int, int], Fraction]:
        return {}

    def unit_cost(self, unit_racks: dict[str, int]) -> NDArray[np.int64]:
        """[n_systems, n_periods] cents for each scalable unit started, rounded up."""
        unit_usd = [unit_racks[system] * self._prices.network_usd[system] for system in self._offer.systems]
        return _integers([self.open_cost(usd) for usd in unit_usd])

    def open_cost(self, avoidable_capex_usd: Fraction) -> list[int]:
        """[n_periods] cents when something of the owner's with this capex opens, rounded up."""
        if not self.owns_racks:
            return [0] * self._n_periods
        return [_up(avoidable_capex_usd * self.discount(t)) for t in range(self._n_periods)]

    def contract_rate(self) -> NDArray[np.int64]:
        """[n_periods] worth of one contracted cent, scaled by 2^20."""
        premium = 1 - self._money.market_factor
        return np.array(
            [floor((1 << SHARE_BITS) * premium * self.discount(t)) for t in range(self._n_periods)], np.int64
        )


def conversion_cents(conversion: Conversion, positions: int) -> int:
    """What converting the places of one rack costs, in whole cents, rounded up."""
    return ceil(conversion.cost_per_position * positions * CENTS_PER_USD)


def contract_amount_cents(portfolio: PortfolioFile) -> int:
    """The purchase commitment in whole cents; 0 without a contract, and where no rent is earned."""
    if portfolio.contract is None or portfolio.perspective is not Perspective.PROVIDER:
        return 0
    return floor(portfolio.contract.amount * CENTS_PER_USD)


def resting_configuration(offer: Offer, system: str) -> int:
    """The configuration on offer in which a rack of a system rests after the last decision: the lowest `it_w`."""
    own = [k for k, one in enumerate(offer.configurations) if one.system.name == system]
    return min(own, key=lambda k: (offer.draws[k].it_w, k))


def _performance(configuration: Configuration) -> Fraction:
    return known(configuration.profile.performance, f"configuration '{configuration.name}'", "performance")


def _down(usd: Fraction) -> int:
    return floor(usd * CENTS_PER_USD)


def _up(usd: Fraction) -> int:
    return ceil(usd * CENTS_PER_USD)


def _integers(rows: list[list[int]]) -> NDArray[np.int64]:
    return np.array(rows, dtype=np.int64)
