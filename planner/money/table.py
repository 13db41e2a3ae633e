"""Exact entries of a plan's cash as its parts put them together, and what of it is invested in which assets."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from planner.lower.money import CENTS_PER_USD
from planner.money.lines import Account, Line

if TYPE_CHECKING:
    from collections.abc import Iterable

Exact = dict[Account, list[Fraction]]
"""USD of every quarter, payments negative."""
_ORDER = {line: number for number, line in enumerate(Line)}


class Table:
    """Sums of exact USD by account and quarter."""

    def __init__(self, n_quarters: int) -> None:
        """Begin with nothing.

        Parameters: n_quarters, from the plan's start to the last one with cash.
        """
        self.n_quarters = n_quarters
        self._entries: Exact = defaultdict(lambda: [Fraction(0)] * n_quarters)
        self._invested: Exact = defaultdict(lambda: [Fraction(0)] * n_quarters)

    def add(self, account: Account, quarter: int, usd: Fraction) -> None:
        """Enter what is received in a quarter, negative where it is paid."""
        self._entries[account][quarter] += usd

    def buy(self, account: Account, quarter: int, usd: Fraction) -> None:
        """Enter what is paid for an asset that is in service from the same quarter on; usd is negative."""
        self.add(account, quarter, usd)
        self.invest(account, quarter, usd)

    def invest(self, account: Account, quarter: int, usd: Fraction) -> None:
        """Enter the price of an asset that is in service from a quarter on, whenever it is paid; usd is negative."""
        self._invested[account][quarter] += usd

    def entries(self) -> Exact:
        """All entries in order of the lines, then sites, items and systems; accounts without cash left out."""
        return _kept(self._entries)

    def invested(self) -> Exact:
        """Prices of assets by the quarter from which they are in service, in the same order."""
        return _kept(self._invested)


def _kept(found: Exact) -> Exact:
    return {account: values for account, values in sorted(found.items(), key=_order) if any(values)}


def _order(entry: tuple[Account, list[Fraction]]) -> tuple[int, str, str, str]:
    account, _ = entry
    return _ORDER[account.line], account.site, account.item, account.system


def of_all_systems(exact: Exact) -> Exact:
    """Entries summed over the systems that they are for."""
    result: Exact = {}
    for account, values in exact.items():
        known = result.setdefault(account.of_all_systems, [Fraction(0)] * len(values))
        for quarter, usd in enumerate(values):
            known[quarter] += usd
    return result


def cents_of(values: Iterable[Fraction]) -> tuple[int, ...]:
    """USD in whole cents, each rounded once against the plan: receipts down, payments up."""
    return tuple(floor(usd * CENTS_PER_USD) for usd in values)
