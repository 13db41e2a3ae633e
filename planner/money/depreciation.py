"""Straight-line depreciation of a plan's assets by class, in whole cents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from math import ceil
from typing import TYPE_CHECKING

from planner.lower.money import QUARTERS_PER_YEAR
from planner.money.lines import Line
from sites.schema.economics import AssetLife

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.money.lines import Account
    from sites.world import World


class AssetClass(StrEnum):
    """Assets that are written off over the same time."""

    SERVERS = "servers"
    NETWORK = "network"
    FACILITY = "facility"


_LINES = {
    AssetClass.SERVERS: {Line.RACKS},
    AssetClass.NETWORK: {Line.NETWORK},
    AssetClass.FACILITY: {Line.CONVERSIONS, Line.SHELL, Line.FACILITY, Line.CONNECTION},
}


@dataclass(frozen=True)
class Schedule:
    """One class of assets over the table's quarters, in cents."""

    asset: AssetClass
    life_quarters: int | None
    """None where no life is known: nothing is written off."""
    source: str
    """Where the life comes from."""
    additions_cents: tuple[int, ...]
    """[n_quarters] prices of assets by the quarter from which they are in service."""
    charge_cents: tuple[int, ...]
    """[n_quarters]"""
    value_cents: tuple[int, ...]
    """[n_quarters] what is not written off yet at the end of the quarter."""


def straight_line(price_cents: int, life_quarters: int, stands_quarters: int) -> list[int]:
    """Charges of each quarter in service: equal parts that sum to the price, whole cents.

    Parameters: stands_quarters, after which the asset is gone: what is left then is charged in its last quarter.
    """
    last = min(life_quarters, stands_quarters)
    so_far = [price_cents * quarter // life_quarters for quarter in range(last)] + [price_cents]
    return [after - before for before, after in pairwise(so_far)]


def schedules(world: World, invested_cents: Mapping[Account, Sequence[int]], n_quarters: int) -> tuple[Schedule, ...]:
    """Depreciation of every class of assets.

    Parameters: invested_cents, prices by the quarter from which assets are in service, negative, [n_quarters].
    """
    return tuple(_schedule(world, asset, invested_cents, n_quarters) for asset in AssetClass)


def _schedule(
    world: World, asset: AssetClass, invested_cents: Mapping[Account, Sequence[int]], n_quarters: int
) -> Schedule:
    life, source = _life(world, asset)
    additions, charges = [0] * n_quarters, [0] * n_quarters
    for account, values in invested_cents.items():
        if account.line in _LINES[asset]:
            additions = [total - cents for total, cents in zip(additions, values, strict=True)]
    stands = world.portfolio.money.economic_life_quarters if asset is AssetClass.SERVERS else life or n_quarters
    for t, price in enumerate(additions):
        for later, cents in enumerate(straight_line(price, life, stands) if life and price else (), t):
            if later < n_quarters:  # a facility outlives the table; the rest stays in its value
                charges[later] += cents
    left = accumulate(price - cents for price, cents in zip(additions, charges, strict=True))
    return Schedule(asset, life, source, tuple(additions), tuple(charges), tuple(left))


def _life(world: World, asset: AssetClass) -> tuple[int | None, str]:
    """Quarters over which a class is written off, the portfolio's before the catalogue's, and where that stands."""
    books = world.portfolio.books
    own = None if books is None else getattr(books.lives, f"{asset}_years")
    if own is not None:
        return ceil(own * QUARTERS_PER_YEAR), "portfolio"
    name = f"life-of-{asset}"
    entry = world.catalog.economics.get(name)
    if not isinstance(entry, AssetLife) or not entry.life_years.value:
        return None, f"unknown: the catalogue has no '{name}'"
    return ceil(entry.life_years.value * QUARTERS_PER_YEAR), f"catalogue: {name}"
