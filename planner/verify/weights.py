"""Coefficients of a weighted sum of measures, in the place of those of money (section 7b of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.draws import known
from planner.verify.meter_money import drawn_w
from planner.verify.money import RATE_ONE, MoneyRule
from planner.verify.objective import Ledger, by_parts
from planner.verify.side import Side
from planner.verify.work import WorkRule
from sites.calendar import quarter_index
from sites.schema.objective import FLOPS, Kind, Measure
from sites.schema.portfolio import SystemMoney

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.limits import SiteLimits
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.workload import Workload

CENTS = 100
TERA = 10**12
TOKENS_PER_UNIT = 1000
MILLION = 10**6
_MONEY = frozenset({Kind.NPV, Kind.COST})


@dataclass(frozen=True)
class Term:
    """One measure in the sum."""

    measure: Measure
    factor: Fraction
    """Cents for each whole number of the measure's coefficients."""
    of_rack: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Whole number of a rack in each period that counts, by site and configuration."""
    periods: frozenset[int] = frozenset()
    money: Ledger | None = None
    """Coefficients of money; None for measures of anything else."""


def per_unit(measure: Measure) -> Fraction:
    """Units of a measure for each whole number of its coefficients."""
    if measure.kind in _MONEY:
        return Fraction(1, CENTS)
    if measure.kind is Kind.TOKENS:
        return Fraction(TOKENS_PER_UNIT, MILLION)
    return Fraction(1, 1000 if measure.kind in FLOPS else 1)


@dataclass
class Weights:
    """Measures and what each unit of them is worth, over one run."""

    ledger: Ledger
    """Of money."""
    limits: Mapping[str, SiteLimits]
    usd: Mapping[Measure, Fraction]
    """Weight of each measure."""

    @property
    def is_money(self) -> bool:
        """Whether they are those of a portfolio that asks for nothing else."""
        return {one: usd for one, usd in self.usd.items() if usd} == {Measure(Kind.NPV): 1}

    def weighed_ledger(self) -> Ledger:
        """Coefficients by parts under the weights."""
        if self.is_money:
            return self.ledger
        own = self.ledger
        terms = tuple(self._term(one, usd) for one, usd in self.usd.items() if usd)
        rate = sum((term.factor for term in terms if term.measure.kind is Kind.NPV), Fraction(0))
        money = WeighedMoney(own.money.portfolio, own.money.catalog, own.money.n_periods, rate)
        return WeighedLedger(money, own.setting, own.meters, own.fits, own.capex_usd, own.openings, terms=terms)

    def weighed_side(self, side: Side) -> Side:
        """What is decided beside the racks, under the weights."""
        if self.is_money:
            return side
        factors = {one: CENTS * per_unit(one) * usd for one, usd in self.usd.items() if usd}
        columns = {
            name: replace(
                column,
                worth_scaled=floor(
                    sum(factor * self._worth(one, name, column.worth_scaled) for one, factor in factors.items())
                ),
            )
            for name, column in side.columns.items()
        }
        constant = sum(factor * self._constant(one, side.constant_cents) for one, factor in factors.items())
        return Side(side.rows, columns, floor(constant))

    def _term(self, measure: Measure, usd: Fraction) -> Term:
        factor = CENTS * per_unit(measure) * usd
        if measure.kind is Kind.NPV:
            return Term(measure, factor, money=self.ledger)
        if measure.kind is Kind.COST:
            return Term(measure, factor, money=_unrented(self.ledger))
        if measure.kind is Kind.TOKENS:
            return Term(measure, factor)
        return Term(measure, factor, self._of_rack(measure.kind), self._periods(measure))

    def _periods(self, measure: Measure) -> frozenset[int]:
        """Decision periods in which standing racks count: the one that is named, else all or the last."""
        quarters = list(self.ledger.setting.periods)
        if measure.quarter is not None:
            return frozenset({quarters.index(measure.quarter)})
        return frozenset(range(len(quarters)) if measure.kind in FLOPS else {len(quarters) - 1})

    def _of_rack(self, kind: Kind) -> dict[tuple[str, str], int]:
        """Whole number of a rack by site and configuration; while a row is refreshed nothing of it counts."""
        spells, draws = self.ledger.money.spells, self.ledger.setting.draws
        offered = {name: one for name, one in draws.items() if name not in spells}
        physical = {name: spells[name].configuration if name in spells else name for name in draws}
        found: dict[tuple[str, str], int] = {}
        for site, limits in self.limits.items():
            own = {name: self._number(kind, one.system) for name, one in offered.items()}
            if kind is Kind.METER_W:
                own = {name: floor(watts) for name, watts in drawn_w(limits, offered.values()).items()}
            found |= {(site, name): 0 if of is None else own[of] for name, of in physical.items()}
        return found

    def _number(self, kind: Kind, name: str) -> int:
        """Racks, GPUs or TFLOP/s of one rack of a system."""
        if kind in {Kind.RACKS, Kind.METER_W}:
            return 1
        system = self.ledger.money.catalog.rack_systems[name]
        n_gpus = known(system.gpu_packages, f"{name} gpu_packages")
        if kind not in FLOPS:
            return n_gpus
        key = f"{kind.removeprefix('flops-')}_dense_per_gpu"
        return floor(n_gpus * Fraction(known(getattr(system, key), f"{name} {key}")) / TERA)

    def _worth(self, measure: Measure, column: str, own: int) -> int:
        """Whole number of a column, scaled by 2^20."""
        if measure.kind is Kind.NPV:
            return own
        parts = column.split(":")
        sold = parts[0] == "sold"
        if measure.kind is Kind.COST:
            return charges_scaled(self.ledger, parts[1], parts[-1]) if sold else own
        counts = measure.kind is Kind.TOKENS and sold and self._counts(measure, parts[1], parts[-1])
        return RATE_ONE if counts else 0

    def _constant(self, measure: Measure, own_cents: int) -> int:
        """Whole number that every plan has."""
        if measure.kind is Kind.COST:
            return own_cents + unserved_cents(self.ledger)
        return own_cents if measure.kind is Kind.NPV else 0

    def _counts(self, measure: Measure, workload: str, quarter: str) -> bool:
        """Whether work that is sold in a quarter counts for a measure of tokens."""
        if WorkRule(self.ledger).unit(_workload(self.ledger, workload)) != TOKENS_PER_UNIT:
            return False
        if measure.workloads and workload not in measure.workloads:
            return False
        return measure.quarter is None or quarter_index(quarter) <= quarter_index(measure.quarter)


@dataclass
class WeighedMoney(MoneyRule):
    """Money whose contract counts at the weight of net present value."""

    rate_factor: Fraction = Fraction(1)

    def contract_rate(self, quarter: int) -> int:
        """Worth of one contracted cent beyond the market, scaled by 2^20, rounded down."""
        return floor(self.rate_factor * super().contract_rate(quarter))


@dataclass
class WeighedLedger(Ledger):
    """Coefficients of a weighted sum, each rounded once: values down, costs up."""

    terms: tuple[Term, ...] = ()

    @property
    def _money_terms(self) -> list[tuple[Ledger, Fraction]]:
        return [(term.money, term.factor) for term in self.terms if term.money is not None]

    def period_value(self, site: str, configuration: str, period: int) -> int:
        """Cents of one rack standing in a period at a site."""
        exact = sum(
            (factor * money.period_value(site, configuration, period) for money, factor in self._money_terms),
            Fraction(0),
        )
        for term in self.terms:
            if period in term.periods:
                exact += term.factor * term.of_rack[site, configuration]
        return floor(exact)

    def start_value(self, site: str, row: str, system: str, period: int) -> int:
        """Cents of one rack started in a row in a period."""
        return floor(sum(factor * money.start_value(site, row, system, period) for money, factor in self._money_terms))

    def open_costs(self, block: tuple[str, str]) -> list[int]:
        """Cents by parts for each period in which a block holds a rack."""
        capex_usd = self.capex_usd[block]
        return by_parts(
            [
                ceil(sum(factor * money.money.open_cost(capex_usd, t) for money, factor in self._money_terms))
                for t in range(self.n_periods)
            ]
        )

    def unit_costs(self, system: str) -> list[int]:
        """Cents by parts for each scalable unit in each period."""
        return by_parts(
            [
                ceil(sum(factor * money.money.unit_cost(system, t) for money, factor in self._money_terms))
                for t in range(self.n_periods)
            ]
        )

    def demand_price_cents(self, site: str, period: int) -> Fraction:
        """Cents that a watt short of a site's minimum demand costs in a period, discounted."""
        weight = sum((factor for _, factor in self._money_terms), Fraction(0))
        return weight * super().demand_price_cents(site, period)


def _unrented(ledger: Ledger) -> Ledger:
    """The ledger of the same portfolio, were every rental that a provider takes 0."""
    money = ledger.money
    if money.portfolio.perspective != "provider":
        return ledger
    free = MoneyRule(_without_rentals(money.portfolio), money.catalog, money.n_periods)
    return Ledger(free, ledger.setting, ledger.meters, ledger.fits, ledger.capex_usd, ledger.openings)


def _without_rentals(portfolio: PortfolioFile) -> PortfolioFile:
    stated = {entry.system: entry for entry in portfolio.money.systems}
    systems = dict.fromkeys((*stated, *(supply.system for supply in portfolio.supply)))
    free = tuple(
        (stated.get(system) or SystemMoney(system=system)).model_copy(update={"rental": Fraction(0)})
        for system in systems
    )
    return portfolio.model_copy(update={"money": portfolio.money.model_copy(update={"systems": free})})


def charges_scaled(ledger: Ledger, workload: str, quarter: str) -> int:
    """What selling a unit of work costs in charges: cents, discounted, scaled by 2^20, rounded down; 0 or less."""
    rule, one = WorkRule(ledger), _workload(ledger, workload)
    free = one.tiers[0].model_copy(update={"price": Fraction(0), "penalty": None})
    return rule.worth_scaled(one, free, quarter_index(quarter) - quarter_index(ledger.money.portfolio.start))


def unserved_cents(ledger: Ledger) -> int:
    """Penalties were nothing served, as they are in the constant: rounded up for each tier."""
    rule = WorkRule(ledger)
    return sum(
        ceil(sum((rule.missed_cents(workload, tier, t) for t in range(rule.n_quarters)), Fraction(0)))
        for workload in ledger.money.portfolio.workloads
        for tier in workload.tiers
    )


def _workload(ledger: Ledger, name: str) -> Workload:
    return next(one for one in ledger.money.portfolio.workloads if one.name == name)
