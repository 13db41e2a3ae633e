"""What a rack costs and works over its economic life, at one site and in the portfolio's own money.

The cash flows are those of the plan (`planner.lower.money`): price and network when it starts, energy at the site's
tariff, demand charge and operations in every quarter of its life, no work during the acceptance lag; all discounted to
the plan's start. Racks start in the quarter in which all that is compared is delivered, Vera Rubin later by its slip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.hosts import offer_of
from planner.lower.money import HOURS_PER_QUARTER, QUARTERS_PER_YEAR, SiteMoney, prices_of
from planner.lower.site import prepare
from planner.lower.supply_at_meter import largest_meter_draw_w, supply_at_meter
from sites.calendar import quarter_index, quarter_name
from sites.faults import Fault, InputError
from sites.schema.economics import AssetLife, FacilityCost

if TYPE_CHECKING:
    from planner.lower.hosts import Offer
    from planner.lower.money import Prices
    from planner.lower.supply_at_meter import SupplyAtMeter
    from sites.catalog.loader import Catalog, Configuration
    from sites.schema.portfolio import PortfolioFile
    from sites.world import World, WorldSite

GRACE_BLACKWELL, VERA_RUBIN = "grace-blackwell", "vera-rubin"
TITLES = {GRACE_BLACKWELL: "Grace Blackwell", VERA_RUBIN: "Vera Rubin"}
FACILITY, LIFE_OF_FACILITY = "facility-shell-and-plant", "life-of-facility"
SECONDS_PER_HOUR = 3600
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Scenario:
    """What differs from the portfolio."""

    energy_price_usd_per_mwh: Fraction | None = None
    """All energy at this price; None: the site's own tariff."""
    slip_quarters: int = 0
    """By how much later Vera Rubin racks start."""
    rack_price_factor: Fraction = ONE
    """On the price of a Vera Rubin rack, without its network."""


@dataclass(frozen=True)
class RackLife:
    """One rack of one configuration over its life, discounted to the plan's start."""

    configuration: Configuration
    rack_usd: Fraction
    network_usd: Fraction
    energy_mwh: Fraction
    """Bought at the meter, each MWh times the discount factor of its quarter."""
    energy_usd: Fraction
    demand_usd: Fraction
    upkeep_usd: Fraction
    """Operations without energy."""
    facility_usd: Fraction | None
    """Share in building and plant, as an annuity; None where the catalogue has no such cost. In no other figure."""
    work_s: Fraction
    """Seconds of work."""
    paid_work_s: Fraction
    """Seconds of work, each times what the price of work has fallen to by then."""
    rental_usd_per_s: Fraction
    """What a second of its work costs who rents it in the plan's first quarter, at the market's price."""
    meter_w: Fraction
    """What it draws at the meter on the design day, as the plan's limits count it."""
    start: str
    """Quarter in which it starts."""

    @property
    def generation(self) -> str:
        """Generation of its system."""
        return self.configuration.system.generation

    @property
    def cost_usd(self) -> Fraction:
        """All costs but the facility."""
        return self.rack_usd + self.network_usd + self.energy_usd + self.demand_usd + self.upkeep_usd


@dataclass(frozen=True)
class Meter:
    """The two generations on offer as one site's meter sees them."""

    site: WorldSite
    portfolio: PortfolioFile
    """Its configurations only those of the two generations."""
    offer: Offer
    supply: SupplyAtMeter
    draw_w: tuple[Fraction, ...]
    """[n_configurations] watts of one rack at the meter on the design day."""


def meter_at(world: World, site: WorldSite) -> Meter:
    """A site's meter; raises InputError when the portfolio does not offer both generations, or a figure is unknown."""
    portfolio = world.portfolio.model_copy(update={"configurations": _names_of_both(world)})
    offer = offer_of(portfolio, world.catalog)
    prepared = prepare(site, world.catalog, offer.periods)
    return Meter(site, portfolio, offer, supply_at_meter(prepared.graphs), largest_meter_draw_w(prepared, offer))


class LifeBook:
    """Lives of every rack on offer of the two generations, at one site."""

    def __init__(self, meter: Meter, catalog: Catalog, workload: str) -> None:
        """Take the money of the portfolio and the tariff of the site.

        Parameters: workload, `inference` or `training`, whose average power the energy bill takes. Raises InputError
        when a price is unknown, or racks do no work or draw nothing, so that nothing can be counted for it.
        """
        _refuse_idle(meter)
        money = meter.portfolio.money.model_copy(update={"workload": workload})
        self.portfolio = meter.portfolio.model_copy(update={"money": money})
        self.site, self.catalog, self.workload = meter.site, catalog, workload
        self.offer, self.supply, self.meter_w = meter.offer, meter.supply, meter.draw_w
        self.prices: Prices = prices_of(self.portfolio, catalog, self.offer.systems)
        self.ready = max(_first_delivery(self.portfolio, system) for system in self.offer.systems)
        self._known: dict[Scenario, tuple[RackLife, ...]] = {}
        free = replace(self.supply, energy_price_usd_per_mwh=ZERO, generation_w={}, fuel_usd_per_mwh={})
        unmetered = replace(free, demand_charge_usd_per_kw_month=ZERO)
        self._upkeep = self._money(unmetered)
        self._one_dollar = self._money(replace(unmetered, energy_price_usd_per_mwh=ONE))
        self._no_energy, self._tariff = self._money(free), self._money(self.supply)

    def _money(self, supply: SupplyAtMeter) -> SiteMoney:
        return SiteMoney(self.portfolio, self.offer, self.prices, supply, self.meter_w)

    def lives(self, scenario: Scenario) -> tuple[RackLife, ...]:
        """Every configuration on offer, in order of the portfolio."""
        if scenario not in self._known:
            indices = range(len(self.offer.configurations))
            self._known[scenario] = tuple(self._life(k, scenario) for k in indices)
        return self._known[scenario]

    @property
    def discounted_years(self) -> Fraction:
        """Years of an economic life that begins when all is delivered, each quarter times its discount factor."""
        return self._discounted(range(self.ready, self.ready + self._life_quarters)) / QUARTERS_PER_YEAR

    @property
    def _life_quarters(self) -> int:
        return self.portfolio.money.economic_life_quarters

    def _discounted(self, quarters: range) -> Fraction:
        return sum((self._tariff.discount(t) for t in quarters), ZERO)

    def _life(self, k: int, scenario: Scenario) -> RackLife:
        configuration = self.offer.configurations[k]
        system, is_later = configuration.system.name, configuration.system.generation == VERA_RUBIN
        start = self.ready + (scenario.slip_quarters if is_later else 0)
        quarters = range(start, start + self._life_quarters)
        upkeep = self._running(self._upkeep, k, quarters)
        energy_mwh = self._running(self._one_dollar, k, quarters) - upkeep
        without_energy = self._running(self._no_energy, k, quarters)
        price = scenario.energy_price_usd_per_mwh
        energy = energy_mwh * price if price is not None else self._running(self._tariff, k, quarters) - without_energy
        discount = self._tariff.discount(start)
        working = quarters[self.portfolio.money.acceptance_lag_quarters :]
        return RackLife(
            configuration=configuration,
            rack_usd=self.prices.rack_usd[system] * discount * (scenario.rack_price_factor if is_later else ONE),
            network_usd=self.prices.network_usd[system] * discount,
            energy_mwh=energy_mwh,
            energy_usd=energy,
            demand_usd=without_energy - upkeep,
            upkeep_usd=upkeep,
            facility_usd=self._facility_usd(k, range(self.ready, quarters.stop)),
            work_s=self._work_s(working, falling=False),
            paid_work_s=self._work_s(working, falling=True),
            rental_usd_per_s=self._rental_usd_per_s(system, configuration),
            meter_w=self.meter_w[k],
            start=quarter_name(quarter_index(self.portfolio.start) + start),
        )

    def _running(self, money: SiteMoney, k: int, quarters: range) -> Fraction:
        return sum((money.running_usd(k, t) * money.discount(t) for t in quarters), ZERO)

    def _work_s(self, quarters: range, *, falling: bool) -> Fraction:
        """Seconds of work that is sold, less what curtailment takes; falling: each times the price of work by then."""
        money, terms = self._tariff, self.portfolio.money
        fall = float(1 - terms.rental_decline_per_year)
        weights = (
            money.available(t) * money.discount(t) * (Fraction(math.pow(fall, t / QUARTERS_PER_YEAR)) if falling else 1)
            for t in quarters
        )
        return HOURS_PER_QUARTER * SECONDS_PER_HOUR * terms.utilisation * sum(weights, ZERO)

    def _rental_usd_per_s(self, system: str, configuration: Configuration) -> Fraction:
        n_gpus = Fraction(configuration.system.gpu_packages.value or 0)
        performance = Fraction(configuration.profile.performance.value or 0)
        rental = self.portfolio.money.market_factor * self.prices.rental_usd_per_gpu_hour[system]
        return rental * n_gpus * performance / SECONDS_PER_HOUR

    def _facility_usd(self, k: int, quarters: range) -> Fraction | None:
        """Annuity of building and plant for a rack with the gear outside it; it runs while Vera Rubin is late."""
        per_watt = facility_usd_per_it_watt_year(self.catalog, self.portfolio.money.discount_rate_per_year)
        if per_watt is None:
            return None
        watts = self.offer.draws[k].it_w + self.offer.draws[k].support_w
        return per_watt * watts * self._discounted(quarters) / QUARTERS_PER_YEAR


def facility_usd_per_it_watt_year(catalog: Catalog, rate_per_year: Fraction) -> Fraction | None:
    """Yearly payment that returns a facility's cost with interest over its life: cost · r / (1 − (1 + r)^−years).

    The textbook annuity, on the catalogue's cost for each watt of IT; None where the catalogue does not have one.
    """
    facility, life = catalog.economics.get(FACILITY), catalog.economics.get(LIFE_OF_FACILITY)
    if not isinstance(facility, FacilityCost) or not isinstance(life, AssetLife):
        return None
    cost, years = facility.cost.value, life.life_years.value
    if cost is None or not years:
        return None
    if not rate_per_year:
        return cost / years
    return cost * rate_per_year / (1 - Fraction(math.pow(float(1 + rate_per_year), -float(years))))


def _names_of_both(world: World) -> tuple[str, ...]:
    """Configurations on offer of the two generations; raises InputError unless there is one of each."""
    offered = world.portfolio.configurations
    generation = {name: world.catalog.configuration(name).system.generation for name in offered}
    missing = [title for key, title in TITLES.items() if key not in generation.values()]
    if missing:
        msg = (
            f"found {', '.join(offered)}, and no configuration of {' or '.join(missing)}; this comparison needs one of "
            "each generation on offer, e.g. gb300-nvl72 and vr-nvl72/max-p, so add it to 'configurations'"
        )
        raise InputError([Fault(f"portfolio '{world.portfolio.name}'", None, "configurations", msg)])
    return tuple(name for name in offered if generation[name] in TITLES)


def _refuse_idle(meter: Meter) -> None:
    """Raise InputError where a rack makes nothing over its life, or no draw at the meter is known."""
    money, where = meter.portfolio.money, f"portfolio '{meter.portfolio.name}'"
    faults = []
    if not money.utilisation:
        told = "found 0; racks that sell no hour have no cost of a token, so a share above 0 is due, e.g. 85 %"
        faults.append(Fault(where, None, "money.utilisation", told))
    if money.acceptance_lag_quarters >= money.economic_life_quarters:
        told = f"found {money.acceptance_lag_quarters}; below the economic life, {money.economic_life_quarters}, is due"
        faults.append(Fault(where, None, "money.acceptance_lag_quarters", told))
    if not all(meter.draw_w):
        told = "found no row whose draw at the meter is known; name a site with rows for racks"
        faults.append(Fault(f"site '{meter.site.name}'", None, "", told))
    if faults:
        raise InputError(faults)


def _first_delivery(portfolio: PortfolioFile, system: str) -> int:
    """Quarters from the plan's start to the first delivery of a system; 0 when it is supplied earlier or never."""
    start = quarter_index(portfolio.start)
    quarters = [d.quarter for one in portfolio.supply if one.system == system for d in one.deliveries if d.racks]
    return max(min((quarter_index(quarter) for quarter in quarters), default=start) - start, 0)
