"""Refreshes of a portfolio: racks of one system make way for as many of another, once (sections 5 and 6 of the model).

Each candidate quarter of each refresh is a *change*, a system of its own; its configurations are *spells*, which begin
and end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.draws import RackDraws
    from planner.verify.standing import Counts
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.refresh import Refresh


@dataclass(frozen=True)
class Change:
    """A refresh in one of its quarters; periods count from the plan's start."""

    refresh: Refresh
    quarter: str
    leaves: int
    """Period in which the old racks leave and the new ones are delivered."""

    @property
    def name(self) -> str:
        """Of the system that it is to the plan."""
        return f"{self.refresh.before}>{self.refresh.after}@{self.quarter}"

    @property
    def stands(self) -> int:
        """First period in which the new racks stand."""
        return self.leaves + self.refresh.downtime_quarters

    def resale_share(self, age: int) -> Fraction:
        """Share of its price that a rack of so many quarters brings."""
        reached = [step for step in self.refresh.resale if step.age_quarters <= age]
        return Fraction(reached[-1].share)


@dataclass(frozen=True)
class Spell:
    """A configuration of a change: one of the portfolio's while it lasts, or nothing at work."""

    name: str
    change: Change
    configuration: str | None
    begin: int
    end: int
    """The first period after it."""

    @property
    def is_old(self) -> bool:
        """Whether it comes before the change."""
        return self.begin < self.change.leaves


def changes_of(portfolio: PortfolioFile) -> dict[str, Change]:
    """Every change by name, in order of the file."""
    start = quarter_index(portfolio.start)
    found = [
        Change(refresh, quarter, quarter_index(quarter) - start)
        for refresh in portfolio.refresh
        for quarter in refresh.quarters
    ]
    return {change.name: change for change in found}


def spells_of(portfolio: PortfolioFile, catalog: Catalog, n_periods: int) -> dict[str, Spell]:
    """Every spell by name: of each change what stands before it, the exchange, and what stands after it."""
    found: dict[str, Spell] = {}
    for change in changes_of(portfolio).values():
        parts = [(change.refresh.before, 0, change.leaves), (change.refresh.after, change.stands, n_periods)]
        for system, begin, end in parts:
            for configuration in portfolio.configurations:
                if catalog.configuration(configuration).system.name == system:
                    name = f"{change.name}/{configuration}"
                    found[name] = Spell(name, change, configuration, begin, end)
            if system == change.refresh.before and change.stands > change.leaves:
                name = f"{change.name}/down"
                found[name] = Spell(name, change, None, change.leaves, change.stands)
    return found


def spell_draws(spell: Spell, offered: Mapping[str, RackDraws]) -> RackDraws:
    """What a rack of a spell draws: as its configuration does, nothing while racks are exchanged.

    What is delivered, landed and paid stays so: from the change on it is a rack of each system.
    """
    refresh = spell.change.refresh
    like = {side: [one for one in offered.values() if one.system == side] for side in (refresh.before, refresh.after)}
    old, new = like[refresh.before][0], like[refresh.after][0]
    one = old if spell.configuration is None else offered[spell.configuration]
    draw = dict(one.draw)
    if spell.configuration is None:
        draw = dict.fromkeys((*old.draw, *new.draw), 0)
        draw["position"] = max(each.draw["position"] for each in (old, new))
    came = [old] if spell.is_old else [old, new]
    for kind in [kind for kind in draw if kind.startswith("delivered:")]:
        del draw[kind]
    draw |= {f"delivered:{each.system}": 1 for each in came}
    draw |= {"landed": len(came), "cent": sum(each.draw["cent"] for each in came)}
    return replace(one, name=spell.name, system=spell.change.name, n_gpus=draw["gpu"], draw=draw)


def with_refreshes(
    plan: Mapping[str, Any],
    placed: dict[str, dict[str, Counts]],
    spells: Mapping[str, Spell],
    periods: tuple[str, ...],
) -> list[str]:
    """Count the racks of rows that the plan says are refreshed as those of spells; returns what is wrong with that.

    Parameters: placed, changed in place.
    """
    faults: list[str] = []
    changes = {spell.change.name: spell.change for spell in spells.values()}
    seen: set[tuple[str, str]] = set()
    for number, entry in enumerate(plan.get("refreshes") or []):
        try:
            change = changes[f"{entry['before']}>{entry['after']}@{entry['quarter']}"]
            counts = placed[entry["site"]][entry["row"]]
            down = {periods.index(quarter): int(n) for quarter, n in entry["exchanged"].items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            faults.append(f"refresh {number}: names no refresh of the portfolio in a row that holds racks")
            continue
        place = (entry["site"], entry["row"])
        if place in seen:
            faults.append(f"refresh {number}: {':'.join(place)} is refreshed twice")
            continue
        seen.add(place)
        own = _as_spells(counts, change, spells, len(periods))
        faults += [f"refresh {number}: {fault}" for fault in _faults(entry, change, own, down, periods)]
        if down:
            own[f"{change.name}/down"] = [down.get(t, 0) for t in range(len(periods))]
        placed[place[0]][place[1]] = own
    return faults


def _as_spells(counts: Counts, change: Change, spells: Mapping[str, Spell], n_periods: int) -> Counts:
    """Racks of a row by spell; those that stand outside of every spell stay what they are."""
    own: Counts = {}
    for configuration, n_racks in counts.items():
        spell = spells.get(f"{change.name}/{configuration}")
        for t, n in enumerate(n_racks):
            if n:
                inside = spell is not None and spell.begin <= t < spell.end
                name = spell.name if spell is not None and inside else configuration
                own.setdefault(name, [0] * n_periods)[t] = n
    return own


def _faults(
    entry: Mapping[str, Any], change: Change, own: Counts, down: Mapping[int, int], periods: tuple[str, ...]
) -> list[str]:
    """What an entry says of itself and is not so."""
    n_last = sum(n_racks[-1] for n_racks in own.values())
    due = {"stands": periods[change.stands], "n_racks": n_last}
    faults = [f"'{key}' is {value}, stated {entry.get(key)}" for key, value in due.items() if entry.get(key) != value]
    if set(down) != set(range(change.leaves, change.stands)) or any(n < 1 for n in down.values()):
        faults.append("'exchanged' must say for each quarter from the change to when new racks stand how many wait")
    return faults
