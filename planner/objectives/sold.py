"""Columns of work sold, found by their names (section 7a of `docs/model.md`)."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from planner.lower.money import CENTS_PER_USD, discount
from planner.lower.work import MILLION, unit_of
from planner.lower.work import unserved_cents as tier_unserved_cents
from planner.problem import SHARE_BITS
from sites.calendar import quarter_index, quarters_from
from sites.portfolio_checks import decision_periods
from sites.workloads import TOKENS_PER_UNIT, charges_usd_per_million, counts_per_unit

if TYPE_CHECKING:
    from planner.problem import SideProgram
    from sites.schema.objective import Measure
    from sites.world import World

MILLION_TOKENS_PER_UNIT = Fraction(TOKENS_PER_UNIT, 10**6)
"""A unit of work that counts tokens is a thousand of them."""


def sold_columns(side: SideProgram) -> dict[int, tuple[str, str]]:
    """Workload and quarter of each column that sells work, by its number."""
    return {
        number: (parts[1], parts[-1])
        for number, name in enumerate(side.column_names)
        if (parts := name.split(":"))[0] == "sold"
    }


def counted_columns(side: SideProgram, measure: Measure, of_tokens: frozenset[str]) -> list[int]:
    """Columns that count for a measure of tokens.

    Parameters: of_tokens, workloads that count tokens.
    """
    wanted = frozenset(measure.workloads) & of_tokens if measure.workloads else of_tokens
    last = None if measure.quarter is None else quarter_index(measure.quarter)
    return [
        column
        for column, (workload, quarter) in sold_columns(side).items()
        if workload in wanted and (last is None or quarter_index(quarter) <= last)
    ]


def token_workloads(world: World) -> frozenset[str]:
    """Workloads whose basis counts tokens."""
    bases = world.catalog.throughput
    return frozenset(
        one.name for one in world.portfolio.workloads if counts_per_unit(bases[one.basis]) == TOKENS_PER_UNIT
    )


def charges_scaled(world: World, workload: str, quarter: str) -> int:
    """What selling a unit costs in charges: cents, discounted, scaled by 2^20, rounded down; 0 or less."""
    portfolio = world.portfolio
    one = next(each for each in portfolio.workloads if each.name == workload)
    t = quarter_index(quarter) - quarter_index(portfolio.start)
    usd = discount(portfolio, t) * charges_usd_per_million(one) * unit_of(one, world.catalog) / MILLION
    return floor(-(CENTS_PER_USD << SHARE_BITS) * usd)


def unserved_cents(world: World) -> int:
    """Penalties were nothing served, as they stand in the problem's constant."""
    portfolio = world.portfolio
    n_quarters = decision_periods(portfolio) + portfolio.money.economic_life_quarters - 1
    quarters = quarters_from(portfolio.start, n_quarters)
    return sum(
        tier_unserved_cents(portfolio, tier, unit_of(one, world.catalog), quarters)
        for one in portfolio.workloads
        for tier in one.tiers
    )
