"""Limits that bind, failures, and rows that are refused: grouped so that a person can read them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.power import family_title
from planner.report.words import amount, count, kind_title, megawatts, percent
from sites.schema.site import COMMON_MODE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN_LIMITS = 40
_VERDICTS = {
    "overload": "overloads a survivor",
    "forbidden-drop": "drops rows that were promised to hold",
    "drops": "drops rows, as their class permits",
    "holds": "holds",
}
_WORST_FIRST = tuple(_VERDICTS)


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
class FailureLine:
    """Elements of one kind whose failure has the same outcome."""

    n_elements: int
    example: str
    dropped: str
    worst: str
    worst_share: float
    worst_text: str
    verdict: str
    verdict_words: str


@dataclass(frozen=True)
class FailureGroup:
    """Failures of one kind of element at one site."""

    site: str
    kind: str
    n_elements: int
    lines: tuple[FailureLine, ...]


@dataclass(frozen=True)
class FailureSummary:
    """All failures in a sentence."""

    n_elements: str
    n_groups: str
    """Common-mode groups; empty when there are none."""
    n_dropping: str
    worst_dropped_mw: str
    worst_dropped_element: str
    fullest_share: str
    fullest_element: str
    all_hold: bool


@dataclass(frozen=True)
class RefusalLine:
    """A reason and how many rows of a site it keeps a configuration out of."""

    site: str
    configuration: str
    reason: str
    n_rows: str
    example: str


def limit_groups(
    document: Mapping[str, Any], kind_of: Mapping[tuple[str, str], str], rank: Sequence[str]
) -> tuple[LimitGroup, ...]:
    """Limits that bind, grouped by site, level and state, those that bind at the end first.

    Parameters: document; kind_of, (site, element) to kind of power elements; rank, families in order.
    """
    last = document["periods"][-1]
    grouped: dict[tuple[str, str, str, bool], list[Mapping[str, Any]]] = defaultdict(list)
    for one in document["binding"]:
        level = kind_of.get((one["site"], one["element"]), one["family"])
        grouped[one["site"], one["family"], level, one["contingency"] is not None].append(one)

    def key(entry: Mapping[str, Any]) -> tuple[object, ...]:
        family = entry["family"]
        order = rank.index(family) if family in rank else len(rank)
        return entry["period"] != last, entry["site"] != "*", order, entry["level"], entry["site"], entry["contingency"]

    return tuple(
        _limit_group(entry, grouped[entry["site"], entry["family"], entry["level"], entry["contingency"]])
        for entry in sorted(document["stranding"], key=key)
    )


def _limit_group(entry: Mapping[str, Any], members: Sequence[Mapping[str, Any]]) -> LimitGroup:
    period = entry["period"]
    shown = sorted(members, key=lambda one: (period not in one["periods"], -one["stranded_w"], one["limit"]))
    return LimitGroup(
        site="All sites" if entry["site"] == "*" else entry["site"],
        title=family_title(entry["family"], entry["level"]),
        state=("after a failure" if entry["contingency"] else "normal") if entry["family"] == "power" else "",
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
    unit = one["unit"]
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


def failure_groups(document: Mapping[str, Any], order: Sequence[str]) -> tuple[FailureGroup, ...]:
    """Failures by site and kind of element, those with the same outcome counted together."""
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in document["failures"]:
        grouped[one["site"], one["kind"]].append(one)

    def key(group: tuple[str, str]) -> tuple[object, ...]:
        return group[0], order.index(group[1]) if group[1] in order else len(order)

    return tuple(
        FailureGroup(site, kind_title(kind), len(grouped[site, kind]), _failure_lines(grouped[site, kind]))
        for site, kind in sorted(grouped, key=key)
    )


def _failure_lines(members: Sequence[Mapping[str, Any]]) -> tuple[FailureLine, ...]:
    """Outcomes of one kind: worst verdict first, then most dropped, then fullest survivor."""
    outcomes: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for one in members:
        outcome = one["verdict"], one["dropped_racks"], one["dropped_it_w"], int(one["worst_load"] * 1000)
        outcomes[outcome].append(one)

    def key(outcome: tuple[Any, ...]) -> tuple[Any, ...]:
        verdict, racks, watts, load = outcome
        return _WORST_FIRST.index(verdict), -watts, -racks, -load

    return tuple(_failure_line(outcomes[outcome]) for outcome in sorted(outcomes, key=key))


def _failure_line(members: Sequence[Mapping[str, Any]]) -> FailureLine:
    one = max(members, key=lambda entry: entry["worst_load"])
    dropped = (
        f"{count(one['dropped_racks'])} racks, {megawatts(one['dropped_it_w'])} MW" if one["dropped_racks"] else "none"
    )
    worst = one["worst_element"] or "no survivor carries more"
    return FailureLine(
        n_elements=len(members),
        example=one["element"],
        dropped=dropped,
        worst=worst,
        worst_share=min(100.0, round(100 * one["worst_load"], 2)),
        worst_text=percent(one["worst_load"]) if one["worst_element"] else "–",
        verdict=one["verdict"],
        verdict_words=_VERDICTS[one["verdict"]],
    )


def failure_summary(document: Mapping[str, Any]) -> FailureSummary | None:
    """What the worst failures do; None when nothing is in service."""
    failures = document["failures"]
    if not failures:
        return None
    dropped = max(failures, key=lambda one: one["dropped_it_w"])
    fullest = max(failures, key=lambda one: one["worst_load"])
    n_groups = sum(one["kind"] == COMMON_MODE for one in failures)
    return FailureSummary(
        n_elements=count(len(failures) - n_groups),
        n_groups=count(n_groups) if n_groups else "",
        n_dropping=count(sum(one["dropped_racks"] > 0 for one in failures)),
        worst_dropped_mw=megawatts(dropped["dropped_it_w"]),
        worst_dropped_element=f"{dropped['site']}:{dropped['element']}" if dropped["dropped_it_w"] else "",
        fullest_share=percent(fullest["worst_load"]),
        fullest_element=f"{fullest['site']}:{fullest['worst_element']}" if fullest["worst_element"] else "",
        all_hold=all(one["verdict"] in {"holds", "drops"} for one in failures),
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
