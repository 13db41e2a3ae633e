"""The decisions of a plan, read strictly and checked against the rules of section 6 of `docs/model.md`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.draws import RackDraws
    from planner.verify.eligibility import Eligibility
    from planner.verify.money import MoneyRule
    from planner.verify.refresh import Spell
    from planner.verify.standing import Counts

_KEYS = {"site", "row", "configuration", "period", "n_racks"}


@dataclass(frozen=True)
class Setting:
    """What placements may refer to."""

    periods: tuple[str, ...]
    draws: Mapping[str, RackDraws]
    """Configurations of the portfolio, and those of its refreshes."""
    spells: Mapping[str, Spell]
    """Configurations of refreshes."""
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """Fields of every row, by site and row."""
    partial_units: Mapping[str, Mapping[str, bool]]
    """Whether a scalable unit may be part empty, by site and fabric block."""

    @property
    def offered(self) -> dict[str, RackDraws]:
        """Configurations of the portfolio."""
        return {name: draws for name, draws in self.draws.items() if name not in self.spells}


def read_placements(plan: Mapping[str, Any], setting: Setting) -> tuple[dict[str, dict[str, Counts]], list[str]]:
    """Racks by site, row and configuration, a list over periods; and what is wrong with the entries."""
    placed: dict[str, dict[str, Counts]] = {site: {} for site in setting.rows}
    faults: list[str] = []
    seen: set[tuple[str, str, str, str]] = set()
    entries = plan.get("placements")
    if not isinstance(entries, list):
        return placed, ["'placements' must be a list"]
    for number, entry in enumerate(entries):
        fault = _entry_fault(entry, setting)
        if fault is not None:
            faults.append(f"placement {number}: {fault}")
            continue
        key = (entry["site"], entry["row"], entry["configuration"], entry["period"])
        if key in seen:
            faults.append(f"placement {number}: {':'.join(key)} is stated twice")
            continue
        seen.add(key)
        counts = placed[key[0]].setdefault(key[1], {}).setdefault(key[2], [0] * len(setting.periods))
        counts[setting.periods.index(key[3])] = entry["n_racks"]
    return placed, faults


def _entry_fault(entry: object, setting: Setting) -> str | None:
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        return f"an object with keys {', '.join(sorted(_KEYS))} is due"
    if not all(isinstance(entry[key], str) for key in _KEYS - {"n_racks"}):
        return "site, row, configuration and period must be text"
    if entry["site"] not in setting.rows:
        return f"site '{entry['site']}' does not exist"
    if entry["row"] not in setting.rows[entry["site"]]:
        return f"row '{entry['row']}' does not exist at site '{entry['site']}'"
    if entry["configuration"] not in setting.offered:
        return f"configuration '{entry['configuration']}' is not offered by the portfolio"
    if entry["period"] not in setting.periods:
        return f"period '{entry['period']}' is no decision period"
    if type(entry["n_racks"]) is not int or entry["n_racks"] < 1:
        return f"'n_racks' is {entry['n_racks']!r}; a whole number from 1 is due"
    return None


def check_eligibility(placed: Mapping[str, dict[str, Counts]], rules: Mapping[str, Eligibility]) -> Check:
    """Every rack stands where it may and not before it may."""
    faults = []
    n_checked = 0
    for site, rows in placed.items():
        for row, counts in rows.items():
            for configuration, n_racks in counts.items():
                n_checked += 1
                rule = rules[site]
                standing = next(period for period, n in enumerate(n_racks) if n)
                first = rule.first_period(row, configuration)
                if first is None or standing < first:
                    since = "never may" if first is None else f"may not before {rule.periods[first]}"
                    reason = rule.reason(row, configuration, rule.periods[-1 if first is None else standing])
                    faults.append(f"'{configuration}' in {site}:{row} {since} ({reason})")
                elif not all(rule.may_stand(row, configuration, t) for t, n in enumerate(n_racks) if n):
                    reason = rule.reason(row, configuration, rule.periods[-1])
                    faults.append(f"'{configuration}' in {site}:{row} may not so long ({reason})")
    return check_of("eligibility", faults, f"{n_checked} rows and configurations match")


def system_counts(counts: Counts, draws: Mapping[str, RackDraws], n_periods: int) -> dict[str, list[int]]:
    """Standing racks of a row by system, a list over periods."""
    total: dict[str, list[int]] = defaultdict(lambda: [0] * n_periods)
    for configuration, n_racks in counts.items():
        row = total[draws[configuration].system]
        for period, n in enumerate(n_racks):
            row[period] += n
    return dict(total)


def check_growth(placed: Mapping[str, dict[str, Counts]], setting: Setting) -> Check:
    """Racks of a system in a row never leave."""
    faults = []
    for site, rows in placed.items():
        for row, counts in rows.items():
            for system, n in system_counts(counts, setting.draws, len(setting.periods)).items():
                faults += [
                    f"'{system}' in {site}:{row} falls from {n[period - 1]} to {n[period]} racks "
                    f"in {setting.periods[period]}"
                    for period in range(1, len(n))
                    if n[period] < n[period - 1]
                ]
    return check_of("growth", faults, "racks of a system in a row never leave")


BlockCounts = dict[tuple[str, str], dict[str, list[int]]]
"""Standing racks by (site, block) and system, a list over periods."""


def block_counts(placed: Mapping[str, dict[str, Counts]], setting: Setting) -> BlockCounts:
    """Racks of every fabric block that holds some."""
    total: BlockCounts = {}
    n_periods = len(setting.periods)
    for site, rows in placed.items():
        for row, counts in rows.items():
            block = total.setdefault((site, setting.rows[site][row]["block_id"]), {})
            for system, n_racks in system_counts(counts, setting.draws, n_periods).items():
                known = block.setdefault(system, [0] * n_periods)
                block[system] = [a + b for a, b in zip(known, n_racks, strict=True)]
    return total


def check_blocks(blocks: BlockCounts, setting: Setting, money: MoneyRule) -> Check:
    """One system in a fabric block, in whole scalable units where part of one is not allowed."""
    faults = []
    for (site, block), systems in blocks.items():
        if len(systems) > 1:
            faults.append(f"{site}:{block} holds {' and '.join(sorted(systems))}; one system is allowed")
        if setting.partial_units[site][block]:
            continue
        for system, n_racks in systems.items():
            unit = money.unit_racks(system)
            for period, n in enumerate(n_racks):
                if n % unit:
                    faults.append(
                        f"{site}:{block} holds {n} racks of '{system}' in {setting.periods[period]}, "
                        f"no multiple of {unit}"
                    )
    return check_of("blocks", faults, f"{len(blocks)} fabric blocks hold one system each in allowed units")


def check_units(plan: Mapping[str, Any], blocks: BlockCounts, setting: Setting, money: MoneyRule) -> Check:
    """The plan's scalable units are the racks of each block rounded up to whole units."""
    due: dict[tuple[str, str, str, str], int] = {}
    for (site, block), systems in blocks.items():
        for system, n_racks in systems.items():
            for period, n in enumerate(n_racks):
                if n:
                    own, n_units = _units_of(system, -(-n // money.unit_racks(system)), period, money)
                    due[site, block, own, setting.periods[period]] = n_units
    stated: dict[tuple[str, str, str, str], Any] = {}
    faults = []
    for entry in plan.get("units") or []:
        key = (entry.get("site"), entry.get("block"), entry.get("system"), entry.get("period"))
        if key in stated:
            faults.append(f"units of {key} are stated twice")
        stated[key] = entry.get("n_units")
    faults += [
        f"units of {':'.join(map(str, key))} are {due.get(key, 0)}, stated {stated.get(key, 0)}"
        for key in sorted({*due, *stated}, key=str)
        if due.get(key, 0) != stated.get(key, 0)
    ]
    return check_of("units", faults, f"{len(due)} counts of scalable units reconcile")


def _units_of(system: str, n_units: int, period: int, money: MoneyRule) -> tuple[str, int]:
    """Units of a refresh are units of the system that is there: the old one until it leaves, then the new one."""
    change = money.changes.get(system)
    if change is None:
        return system, n_units
    own = change.refresh.before if period < change.leaves else change.refresh.after
    return own, n_units * (money.unit_racks(system) // money.unit_racks(own))
