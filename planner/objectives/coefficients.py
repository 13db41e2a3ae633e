"""What each decision adds to a measure, in whole numbers (section 7b of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.assemble import rack_values
from planner.lower.hosts import SiteHosts, offer_of
from planner.lower.money import SiteMoney, prices_of
from planner.lower.supply_at_meter import charged_draw_w, largest_meter_draw_w, supply_at_meter
from planner.objectives.scales import CENTS_PER_USD, per_unit
from planner.objectives.sold import (
    charges_scaled,
    counted_columns,
    sold_columns,
    token_workloads,
    unserved_cents,
)
from planner.problem import SHARE_BITS
from sites.expansion.values import known
from sites.schema.objective import FLOPS, Kind, Measure
from sites.schema.portfolio import Perspective, SystemMoney

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.lower.hosts import Offer
    from planner.lower.lowered import Lowered
    from planner.problem import Problem
    from sites.schema.portfolio import PortfolioFile
    from sites.world import World

TERA = 10**12


@dataclass(frozen=True)
class Coefficients:
    """One measure over a problem; a whole number stands for `per_unit` of the measure's unit."""

    measure: Measure
    per_unit: Fraction
    """Units of the measure (USD, racks, PFLOP/s …) for each whole number."""
    period_value: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods]"""
    start_value: NDArray[np.int64]
    """[n_rows, n_systems, n_periods]"""
    open_cost: NDArray[np.int64]
    """[n_blocks, n_periods]"""
    unit_cost: NDArray[np.int64]
    """[n_blocks, n_systems, n_periods]"""
    contract_rate: NDArray[np.int64]
    """[n_periods] scaled by 2^20"""
    has_minimum_demand: bool
    """Whether what falls short of a minimum demand counts, at its price."""
    column_worth: tuple[int, ...]
    """[n_columns] of the side program, scaled by 2^20; empty without one."""
    constant: int

    @property
    def cents(self) -> Fraction:
        """Cents of a whole number at a weight of 1 USD for each unit."""
        return CENTS_PER_USD * self.per_unit


def coefficients_of(measure: Measure, world: World, lowered: Lowered) -> Coefficients:
    """The coefficients of a measure.

    Parameters: measure, checked against the portfolio; world and lowered, of the same portfolio.
    """
    if measure.kind is Kind.NPV:
        return _own(measure, lowered.problem)
    if measure.kind is Kind.COST:
        return _cost(measure, world, lowered)
    if measure.kind is Kind.TOKENS:
        return _tokens(measure, world, lowered)
    return _racks(measure, world, lowered)


def _own(measure: Measure, problem: Problem) -> Coefficients:
    """The problem's own worth, in cents."""
    return Coefficients(
        measure=measure,
        per_unit=per_unit(measure),
        period_value=problem.period_value,
        start_value=problem.start_value,
        open_cost=problem.open_cost,
        unit_cost=problem.unit_cost,
        contract_rate=problem.contract_rate,
        has_minimum_demand=True,
        column_worth=() if problem.side is None else problem.side.column_worth,
        constant=problem.constant_cents,
    )


def _nothing(measure: Measure, problem: Problem) -> Coefficients:
    """A measure that nothing adds to."""
    return Coefficients(
        measure=measure,
        per_unit=per_unit(measure),
        period_value=np.zeros_like(problem.period_value),
        start_value=np.zeros_like(problem.start_value),
        open_cost=np.zeros_like(problem.open_cost),
        unit_cost=np.zeros_like(problem.unit_cost),
        contract_rate=np.zeros_like(problem.contract_rate),
        has_minimum_demand=False,
        column_worth=() if problem.side is None else (0,) * problem.side.n_columns,
        constant=0,
    )


def _cost(measure: Measure, world: World, lowered: Lowered) -> Coefficients:
    """Own worth without what is earned: rental in the provider's books, work sold in the others."""
    problem = lowered.problem
    own = _own(measure, problem)
    if world.portfolio.perspective is Perspective.PROVIDER:
        period_value, start_value = _unrented(world, lowered)
        own = replace(
            own,
            period_value=period_value,
            start_value=start_value,
            contract_rate=np.zeros_like(problem.contract_rate),
        )
    if problem.side is None:
        return own
    worth = list(problem.side.column_worth)
    for column, (workload, quarter) in sold_columns(problem.side).items():
        worth[column] = charges_scaled(world, workload, quarter)
    return replace(own, column_worth=tuple(worth), constant=own.constant + unserved_cents(world))


def unrented(portfolio: PortfolioFile) -> PortfolioFile:
    """The portfolio with a rental of 0 for every system that it supplies."""
    own = {entry.system: entry for entry in portfolio.money.systems}
    free = tuple(
        own.get(entry.system, SystemMoney(system=entry.system)).model_copy(update={"rental": Fraction(0)})
        for entry in portfolio.supply
    )
    return portfolio.model_copy(update={"money": portfolio.money.model_copy(update={"systems": free})})


def _unrented(world: World, lowered: Lowered) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Values of racks standing and started, were they rented for nothing."""
    portfolio = unrented(world.portfolio)
    offer = offer_of(portfolio, world.catalog)
    prices = prices_of(portfolio, world.catalog, offer.systems)
    hosts = [_hosts(lowered, site) for site in lowered.sites]
    monies = [
        SiteMoney(portfolio, offer, prices, supply_at_meter(place.graphs), charged_draw_w(place, offer))
        for place in lowered.sites.values()
    ]
    return rack_values(lowered.refreshes, hosts, monies)


def _hosts(lowered: Lowered, site: str) -> SiteHosts:
    """Rows of a site and what is converted in them, as they were lowered."""
    numbered = enumerate(lowered.problem.row_names)
    rows = {name.partition(":")[2]: r for r, name in numbered if name.partition(":")[0] == site}
    conversions = {
        (name.partition(":")[2], system): conversion
        for (name, system), conversion in lowered.conversions.items()
        if name.partition(":")[0] == site
    }
    return SiteHosts(lowered.sites[site], rows, {}, conversions=conversions)


def _rows_by_site(problem: Problem) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for r, name in enumerate(problem.row_names):
        rows.setdefault(name.partition(":")[0], []).append(r)
    return rows


def _tokens(measure: Measure, world: World, lowered: Lowered) -> Coefficients:
    """One for each unit of work sold; a unit is so many tokens."""
    side = lowered.problem.side
    found = _nothing(measure, lowered.problem)
    if side is None:
        return found
    worth = [0] * side.n_columns
    for column in counted_columns(side, measure, token_workloads(world)):
        worth[column] = 1 << SHARE_BITS
    return replace(found, column_worth=tuple(worth))


def _racks(measure: Measure, world: World, lowered: Lowered) -> Coefficients:
    """So much for each rack that stands in the quarter; of FLOP/s in every quarter where none is named."""
    problem = lowered.problem
    offer = offer_of(world.portfolio, world.catalog)
    found = _nothing(measure, problem)
    periods = [problem.periods.index(measure.quarter)] if measure.quarter else [problem.n_periods - 1]
    if measure.kind in FLOPS and measure.quarter is None:
        periods = list(range(problem.n_periods))
    for site, rows in _rows_by_site(problem).items():
        of_rack = lowered.refreshes.of_each(_of_rack(measure.kind, offer, lowered, site), 0)
        for t in periods:
            found.period_value[rows, :, t] = of_rack
    return found


def _of_rack(kind: Kind, offer: Offer, lowered: Lowered, site: str) -> list[int]:
    """[n_configurations] whole racks, GPUs, W at the site's meter, or TFLOP/s of one rack."""
    if kind is Kind.RACKS:
        return [1] * len(offer.configurations)
    if kind is Kind.METER_W:
        return [floor(watts) for watts in largest_meter_draw_w(lowered.sites[site], offer)]
    systems = [one.system for one in offer.configurations]
    gpus = [known(one.gpu_packages, f"system '{one.name}'", "gpu_packages") for one in systems]
    if kind is Kind.GPUS:
        return gpus
    key = f"{kind.removeprefix('flops-')}_dense_per_gpu"
    each = [known(getattr(one, key), f"system '{one.name}'", key) for one in systems]
    return [floor(n * flops / TERA) for n, flops in zip(gpus, each, strict=True)]
