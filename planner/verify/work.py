"""Work in the side program: hours of racks, what they do, what is sold (section 7a of `docs/model.md`)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.draws import known
from planner.verify.money import HOURS, RATE_ONE, WATT_HOURS, ZERO
from planner.verify.rates import best_rate
from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    from planner.verify.objective import Ledger
    from planner.verify.side import Place, Side
    from sites.schema.workload import Tier, Workload

SECONDS = 3600
"""Seconds in an hour."""
MILLION = 10**6
_TOKENS = {"output-tokens", "total-tokens"}


def add_work(side: Side, ledger: Ledger) -> None:
    """Add the rows and columns of every workload and quarter, and what is lost where nothing is served."""
    rule = WorkRule(ledger)
    for workload in ledger.money.portfolio.workloads:
        for quarter in range(rule.n_quarters):
            if _sell(side, rule, workload, quarter):
                _serve(side, rule, workload, quarter)
        for tier in workload.tiers:
            side.lose(ceil(sum((rule.missed_cents(workload, tier, q) for q in range(rule.n_quarters)), ZERO)))


def _sell(side: Side, rule: WorkRule, workload: Workload, quarter: int) -> int:
    """Add what may be sold in a quarter, and return how many units are asked for."""
    asked, name = 0, rule.name(quarter)
    for tier in workload.tiers:
        quantity, worth = rule.quantity(workload, tier, quarter), rule.worth_scaled(workload, tier, quarter)
        asked += quantity
        if quantity and worth >= 0:
            column, row = f"sold:{workload.name}:{tier.name}:{name}", f"work:{workload.name}:{name}"
            side.column(column, worth, quantity)
            _ensure(side, row, {})
            side.term(column, row, 1)
    return asked


def _serve(side: Side, rule: WorkRule, workload: Workload, quarter: int) -> None:
    """Add the hours that racks of every site may work in a quarter, as far as anything is asked."""
    asked = sum(rule.quantity(workload, tier, quarter) for tier in workload.tiers)
    for site in rule.ledger.meters:
        for configuration in rule.working(quarter):
            rate = rule.rate(site, configuration, workload, quarter)
            if not rate:
                continue
            name = rule.name(quarter)
            column = f"serve:{site}:{configuration}:{workload.name}:{name}"
            side.column(column, -rule.cost_scaled(site, configuration, workload, quarter), -(-asked // rate))
            for row, racks in rule.hours(site, configuration, quarter):
                _ensure(side, row, racks)
                side.term(column, row, 1)
            _ensure(side, f"work:{workload.name}:{name}", {})
            side.term(column, f"work:{workload.name}:{name}", -rate)


def _ensure(side: Side, row: str, racks: dict[Place, int]) -> None:
    """Add a row unless another column has brought it already."""
    if row not in side.rows:
        side.row(row, 0, racks)


@dataclass
class WorkRule:
    """Every figure of work; quarters count from the plan's start and run on after the decisions."""

    ledger: Ledger
    _rates: dict[tuple[str, str], tuple[Fraction, str] | None] = field(default_factory=dict)
    _gains: dict[tuple[str, str, str, int], Fraction] = field(default_factory=dict)

    @property
    def n_quarters(self) -> int:
        """Quarters in which a rack of the plan may be alive."""
        return self.ledger.n_periods + self.ledger.money.portfolio.money.economic_life_quarters - 1

    def name(self, quarter: int) -> str:
        """A quarter as texts name it."""
        return quarter_name(quarter_index(self.ledger.money.portfolio.start) + quarter)

    def unit(self, workload: Workload) -> int:
        """How many of what the workload's basis counts one unit is."""
        basis = self.ledger.money.catalog.throughput[workload.basis]
        return 1000 if str(basis.counts) in _TOKENS else 1

    def quantity(self, workload: Workload, tier: Tier, quarter: int) -> int:
        """Whole units that a tier asks for in a quarter."""
        now = quarter_index(self.name(quarter))
        begun = [step.rate for step in tier.demand if quarter_index(step.start) <= now]
        return floor(Fraction(begun[-1]) * HOURS * SECONDS / self.unit(workload)) if begun else 0

    def price_usd(self, tier: Tier, quarter: int) -> Fraction:
        """Price of a million in a quarter; the decline is a float64 power, taken as the rational that it is."""
        return Fraction(tier.price) * Fraction(math.pow(float(1 - tier.price_decline_per_year), quarter / 4))

    def worth_scaled(self, workload: Workload, tier: Tier, quarter: int) -> int:
        """Cents of a unit sold: its price less charges and the penalty that is spared, scaled by 2^20."""
        charges = sum((Fraction(one.cost) for one in workload.charges), ZERO)
        each_usd = self.price_usd(tier, quarter) - charges + Fraction(tier.penalty or 0)
        cents = 100 * self.ledger.money.discount(quarter) * each_usd * self.unit(workload) / MILLION
        return floor(RATE_ONE * cents)

    def missed_cents(self, workload: Workload, tier: Tier, quarter: int) -> Fraction:
        """Penalty of a quarter in which nothing of a tier is served, discounted."""
        penalty = 100 * Fraction(tier.penalty or 0) * self.ledger.money.discount(quarter)
        return penalty * self.quantity(workload, tier, quarter) * self.unit(workload) / MILLION

    def working(self, quarter: int) -> list[str]:
        """Configurations that may work in a quarter: after the decisions those at which racks rest."""
        offered = list(self.ledger.setting.offered)
        if quarter < self.ledger.n_periods:
            return offered
        return [name for name in offered if name == self.ledger.money.resting(self._system(name))]

    def rate(self, site: str, configuration: str, workload: Workload, quarter: int) -> int:
        """Whole units that a rack does in an hour."""
        money = self.ledger.money
        if workload.sites is not None and site not in workload.sites:
            return 0
        measured = self._measured(configuration, workload)
        if measured is None:
            return 0
        rate_per_s, since = measured
        gains = self._gain(self._system(configuration), since, workload, quarter)
        share = Fraction(money.portfolio.goodput.share) if money.portfolio.goodput is not None else ZERO
        working = SECONDS * rate_per_s * share * gains * self.ledger.meters[site].availability(quarter)
        return floor(working / (Fraction(workload.work_factor) * self.unit(workload)))

    def _measured(self, configuration: str, workload: Workload) -> tuple[Fraction, str] | None:
        key = (configuration, workload.name)
        if key not in self._rates:
            catalog = self.ledger.money.catalog
            basis = catalog.throughput[workload.basis]
            self._rates[key] = best_rate(basis, catalog.configuration(configuration), workload.speed, workload.ttft)
        return self._rates[key]

    def _gain(self, system: str, since: str, workload: Workload, quarter: int) -> Fraction:
        """Software gains begun by now and not when the curve was measured; co-design of inference."""
        key = (system, since, str(workload.kind), quarter)
        if key not in self._gains:
            portfolio, now = self.ledger.money.portfolio, quarter_index(self.name(quarter))
            gain = Fraction(1)
            for one in portfolio.software_gains:
                if one.system == system and quarter_index(since) < quarter_index(one.start) <= now:
                    gain *= Fraction(getattr(one, str(portfolio.gain_case)))
            for other in portfolio.co_design_gains if workload.kind == "inference" else ():
                if quarter_index(other.start) <= now:
                    gain /= 1 - Fraction(other.cost_reduction)
            self._gains[key] = gain
        return self._gains[key]

    def cost_scaled(self, site: str, configuration: str, workload: Workload, quarter: int) -> int:
        """Cents of an hour of work beyond an idle hour, scaled by 2^20; 0 where the owner pays for energy."""
        money = self.ledger.money
        if money.rents:
            return 0
        profile = money.catalog.configuration(configuration).profile
        average = profile.average_training if workload.kind == "training" else profile.average_inference
        beyond = known(average, f"{configuration} average power") - known(profile.idle, f"{configuration} idle")
        watts = self.ledger.setting.draws[configuration].draw["it_w"] * max(Fraction(beyond), ZERO)
        price = self.ledger.meters[site].energy_usd_per_mwh(quarter)
        hour_usd = watts * Fraction(money.portfolio.money.annual_pue) * price / WATT_HOURS
        return ceil(RATE_ONE * 100 * money.discount(quarter) * hour_usd)

    def hours(self, site: str, configuration: str, quarter: int) -> list[tuple[str, dict[Place, int]]]:
        """The rows that hold hours of a configuration at a site in a quarter, with what racks add to each."""
        last, terms = self.ledger.n_periods - 1, self.ledger.money.portfolio.money
        system, name, lag = self._system(configuration), self.name(quarter), terms.acceptance_lag_quarters
        retired = self._racks(site, system, quarter - terms.economic_life_quarters, -HOURS)
        alive: dict[Place, int] = {(site, configuration, quarter): HOURS}
        if quarter > last:
            alive = self._racks(site, system, last, HOURS) | retired
        found = [(f"hours:{site}:{configuration}:{name}", alive)]
        if lag and quarter - lag < last:
            accepted = self._racks(site, system, quarter - lag, HOURS) | retired
            found.append((f"accepted:{site}:{system}:{name}", accepted))
        return found

    def _racks(self, site: str, system: str, quarter: int, each: int) -> dict[Place, int]:
        """So much for every rack of a system in a decision quarter; nothing before the plan's start."""
        names = [name for name in self.ledger.setting.offered if self._system(name) == system] if quarter >= 0 else []
        return {(site, name, quarter): each for name in names}

    def _system(self, configuration: str) -> str:
        return self.ledger.setting.draws[configuration].system
