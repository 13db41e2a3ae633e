"""Limits that bind and rows that are refused: grouped so that a person can read them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.power import family_title, state_words
from planner.report.words import amount, count, dollars, megawatts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN_LIMITS = 40


@dataclass(frozen=True)
class LimitLine:
    """One limit that binds."""

    name: str
    when: str
    load: str
    capacity: str
    slack: str
    stranded: str


@dataclass(frozen=True)
class LimitGroup:
    """Like limits that bind: same site, level and state."""

    site: str
    title: str
    state: str
    n_limits: int
    n_last: int
    first: str
    last: str
    stranded_positions: str
    stranded_mw: str
    lines: tuple[LimitLine, ...]
    n_more: int


@dataclass(frozen=True)
class RefusalLine:
    """A reason and how many rows of a site it keeps a configuration out of."""

    site: str
    configuration: str
    reason: str
    n_rows: str
    example: str


@dataclass(frozen=True)
class ConversionLine:
    """One conversion of a site for one system."""

    site: str
    conversion: str
    system: str
    n_rows: str
    n_racks: str
    first: str
    cost: str


def limit_groups(
    document: Mapping[str, Any], kind_of: Mapping[tuple[str, str], str], rank: Sequence[str]
) -> tuple[LimitGroup, ...]:
    """Limits that bind, grouped by site, level and state, those that bind at the end first.

    Parameters: document; kind_of, (site, element) to kind of power elements; rank, families in order.
    """
    last = document["periods"][-1]
    grouped: dict[tuple[str, str, str, bool, bool], list[Mapping[str, Any]]] = defaultdict(list)
    for one in document["binding"]:
        level = kind_of.get((one["site"], one["element"]), one["family"])
        grouped[one["site"], one["family"], level, one["contingency"] is not None, one["before_action"]].append(one)

    def key(entry: Mapping[str, Any]) -> tuple[object, ...]:
        family = entry["family"]
        order = rank.index(family) if family in rank else len(rank)
        when = entry["contingency"], entry["before_action"]
        return entry["period"] != last, entry["site"] != "*", order, entry["level"], entry["site"], *when

    return tuple(
        _limit_group(
            entry,
            grouped[entry["site"], entry["family"], entry["level"], entry["contingency"], entry["before_action"]],
        )
        for entry in sorted(document["stranding"], key=key)
    )


def _limit_group(entry: Mapping[str, Any], members: Sequence[Mapping[str, Any]]) -> LimitGroup:
    period = entry["period"]
    shown = sorted(members, key=lambda one: (period not in one["periods"], -one["stranded_w"], one["limit"]))
    return LimitGroup(
        site="All sites" if entry["site"] == "*" else entry["site"],
        title=family_title(entry["family"], entry["level"]),
        state=state_words(entry),
        n_limits=len(members),
        n_last=entry["n_limits"],
        first=min(one["periods"][0] for one in members),
        last=period,
        stranded_positions=count(entry["stranded_positions"]),
        stranded_mw=megawatts(entry["stranded_w"]),
        lines=tuple(_limit_line(one) for one in shown[:_SHOWN_LIMITS]),
        n_more=max(len(members) - _SHOWN_LIMITS, 0),
    )


def _limit_line(one: Mapping[str, Any]) -> LimitLine:
    unit = "place" if one["family"] == "support" else one["unit"]
    when = one["periods"][0] if len(one["periods"]) == 1 else f"{one['periods'][0]} to {one['periods'][-1]}"
    stranded = f"{count(one['stranded_positions'])} positions, {megawatts(one['stranded_w'])} MW"
    return LimitLine(
        one["limit"],
        when,
        amount(one["load"], unit),
        amount(one["capacity"], unit),
        amount(one["slack"], unit),
        stranded,
    )


def conversion_lines(document: Mapping[str, Any]) -> tuple[ConversionLine, ...]:
    """What the plan converts, by site, conversion and system."""
    grouped: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in document["conversions"]:
        grouped[one["site"], one["conversion"], one["system"]].append(one)
    return tuple(
        ConversionLine(
            *key,
            n_rows=count(len(rows)),
            n_racks=count(sum(one["n_racks"] for one in rows)),
            first=min(one["period"] for one in rows),
            cost=dollars(sum(one["cost_cents"] for one in rows)),
        )
        for key, rows in sorted(grouped.items())
    )


def refusal_lines(document: Mapping[str, Any]) -> tuple[RefusalLine, ...]:
    """Why configurations are refused, most rows first; reasons that differ only in a quoted name are told once."""
    n_offered = len(document["totals"][-1]["racks"])
    by_reason: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in document["ineligible"]:
        by_reason[one["site"], one["reason"]].append(one)
    alike: dict[tuple[str, str, tuple[str, ...]], list[list[Mapping[str, Any]]]] = defaultdict(list)
    for (site, reason), members in by_reason.items():
        names = tuple(one["configuration"] for one in members)
        alike[site, re.sub(r"'[^']*'", "''", reason), names].append(members)
    lines = [_refusal(site, names, groups, n_offered) for (site, _, names), groups in alike.items()]
    return tuple(line for _, line in sorted(lines, key=lambda entry: (entry[1].site, -entry[0], entry[1].reason)))


def _refusal(
    site: str, names: tuple[str, ...], groups: Sequence[Sequence[Mapping[str, Any]]], n_offered: int
) -> tuple[int, RefusalLine]:
    n_rows = sum(max(one["n_rows"] for one in members) for members in groups)
    first = groups[0][0]
    more = f" (and {len(groups) - 1} more like it)" if len(groups) > 1 else ""
    configurations = "every configuration" if len(names) == n_offered > 1 else ", ".join(names)
    return n_rows, RefusalLine(site, configurations, first["reason"] + more, count(n_rows), first["row"])
