"""Openings of sites and phases: when each happens, what it costs, and what it takes from a bound (model, 6a and 8)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.verify.report import Check, check_of
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.verify.decisions import BlockCounts
    from planner.verify.money import MoneyRule
    from sites.schema.portfolio import Opening, PortfolioFile

Block = tuple[str, str]


@dataclass(frozen=True)
class Openings:
    """Openings of a portfolio and the blocks that wait for each."""

    blocks: Mapping[str, tuple[Block, ...]]
    """By name of the opening, `(site, block)`."""
    entries: tuple[Opening, ...]
    money: MoneyRule
    periods: tuple[str, ...]

    @property
    def all_blocks(self) -> frozenset[Block]:
        """Blocks that wait for some opening."""
        return frozenset(block for own in self.blocks.values() for block in own)

    def opened_in(self, name: str, counts: BlockCounts) -> int | None:
        """The period of the first rack in one of its blocks, or None."""
        standing = (
            t
            for block in self.blocks[name]
            for n_racks in counts.get(block, {}).values()
            for t, n in enumerate(n_racks)
            if n
        )
        return min(standing, default=None)

    def cents(self, counts: BlockCounts) -> int:
        """What all that are opened cost, each discounted from its quarter and rounded up."""
        return sum(
            self.money.open_cost(Fraction(entry.cost), period)
            for entry in self.entries
            if (period := self.opened_in(entry.name, counts)) is not None
        )

    def term(self, worth: Mapping[Block, Sequence[int]], bits: int) -> int:
        """What the blocks of all openings add to a bound, in 2^-bits cents.

        For each: the most over the quarters t that it may open in of what its blocks add from t on less the cost in t;
        0 for leaving it closed.
        """
        total = 0
        for entry in self.entries:
            own = [worth[block] for block in self.blocks[entry.name] if block in worth]
            added = [
                sum(sum(values[t:]) for values in own) - (self.money.open_cost(Fraction(entry.cost), t) << bits)
                for t in range(len(self.periods))
            ]
            total += max(0, max(added, default=0)) if own else 0
        return total


def openings_of(
    portfolio: PortfolioFile,
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]],
    money: MoneyRule,
    periods: tuple[str, ...],
) -> Openings:
    """Openings over the rows of all sites.

    Parameters: rows, by site and id, with the fields of their graph's nodes.
    """
    found: dict[str, dict[Block, None]] = {entry.name: {} for entry in portfolio.openings}
    for site, own in rows.items():
        for fields in own.values():
            entry = opening_of(portfolio, site, str(fields["building_id"]))
            if entry is not None:
                found[entry.name][site, str(fields["block_id"])] = None
    return Openings({name: tuple(blocks) for name, blocks in found.items()}, portfolio.openings, money, periods)


def opening_of(portfolio: PortfolioFile, site: str, building: str) -> Opening | None:
    """The opening that a building waits for, or None."""
    asked = (entry for entry in portfolio.openings if entry.site == site)
    return next((entry for entry in asked if entry.buildings is None or building in entry.buildings), None)


def not_before(portfolio: PortfolioFile, site: str, building: str) -> int:
    """Quarters after the plan's start in which a building may be open at the earliest."""
    entry = opening_of(portfolio, site, building)
    if entry is None or entry.earliest is None:
        return 0
    return max(0, quarter_index(entry.earliest) - quarter_index(portfolio.start))


def check_openings(plan: Mapping[str, Any], openings: Openings, counts: BlockCounts) -> Check:
    """Which sites and phases the plan says that it opens, when and at what cost."""
    due = {}
    for entry in openings.entries:
        period = openings.opened_in(entry.name, counts)
        cents = 0 if period is None else openings.money.open_cost(Fraction(entry.cost), period)
        due[entry.name] = (None if period is None else openings.periods[period], cents)
    stated = {str(one.get("name")): (one.get("opened"), one.get("cost_cents")) for one in plan.get("openings") or []}
    faults = [
        f"opening '{name}' is {_words(due.get(name))}, stated {_words(stated.get(name))}"
        for name in sorted({*due, *stated})
        if due.get(name) != stated.get(name)
    ]
    n_opened = sum(opened is not None for opened, _ in due.values())
    return check_of("openings", faults, f"{n_opened} of {len(due)} sites and phases are opened")


def _words(one: tuple[Any, Any] | None) -> str:
    if one is None:
        return "not there"
    return "never opened" if one[0] is None else f"opened in {one[0]} for {one[1]} cents"
