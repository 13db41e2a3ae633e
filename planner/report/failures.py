"""What each failure does, those with one outcome told once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.words import count, kind_title, megawatts, percent
from sites.schema.failures import COMMON_MODE, MAINTENANCE, UNIT_FAILURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERDICTS = {
    "overload": "overloads a survivor",
    "forbidden-drop": "drops rows that were promised to hold",
    "drops": "drops rows, as their class permits",
    "holds": "holds",
}
_WORST_FIRST = tuple(_VERDICTS)


@dataclass(frozen=True)
class FailureLine:
    """Elements of one kind whose failure has the same outcome."""

    n_elements: int
    example: str
    dropped: str
    given_up: str
    """What flexible rows shed and cap; empty where nothing."""
    worst: str
    worst_share: float
    worst_text: str
    verdict: str
    verdict_words: str


@dataclass(frozen=True)
class FailureGroup:
    """Failures of one kind of element, group or unit at one site."""

    site: str
    kind: str
    n_elements: int
    counted: str
    """What is counted, e.g. `in service`."""
    lines: tuple[FailureLine, ...]


@dataclass(frozen=True)
class FailureSummary:
    """All failures in a sentence."""

    counted: str
    """Elements, groups, units of banks and failures during maintenance, as far as there are any."""
    n_dropping: str
    worst_dropped_mw: str
    worst_dropped_element: str
    fullest_share: str
    fullest_element: str
    all_hold: bool


def failure_groups(document: Mapping[str, Any], order: Sequence[str]) -> tuple[FailureGroup, ...]:
    """Failures by site and kind of element, those with the same outcome counted together."""
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in document["failures"]:
        grouped[one["site"], one["kind"]].append(one)

    def key(group: tuple[str, str]) -> tuple[object, ...]:
        return group[0], order.index(group[1]) if group[1] in order else len(order)

    return tuple(
        FailureGroup(
            site, failure_title(kind), len(grouped[site, kind]), _COUNTED.get(kind, "in service"),
            _failure_lines(grouped[site, kind]),
        )
        for site, kind in sorted(grouped, key=key)
    )  # fmt: skip


_FAILURE_TITLES = {
    "cdu": "One CDU of a lineup", "air-handler": "One air handler of a lineup", "cooler": "One cooler of a plant",
    "chiller": "One chiller of a plant", "leaf": "One leaf switch of a block", "common-mode": "Common-mode group",
    "maintenance": "A failure while an element is out for work",
}  # fmt: skip
_COUNTED = dict.fromkeys(UNIT_FAILURES, "banks") | {COMMON_MODE: "groups", MAINTENANCE: "pairs"}


def failure_title(kind: str) -> str:
    """A kind of failure in words."""
    return _FAILURE_TITLES.get(kind) or kind_title(kind)


def _failure_lines(members: Sequence[Mapping[str, Any]]) -> tuple[FailureLine, ...]:
    """Outcomes of one kind: worst verdict first, then most dropped, then fullest survivor."""
    outcomes: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for one in members:
        given_up = one["shed_w"] + one["capped_w"]
        load = int(one["worst_load"] * 1000)
        outcomes[one["verdict"], one["dropped_racks"], one["dropped_it_w"], load, given_up].append(one)

    def key(outcome: tuple[Any, ...]) -> tuple[Any, ...]:
        verdict, racks, watts, load, given_up = outcome
        return _WORST_FIRST.index(verdict), -watts, -racks, -load, -given_up

    return tuple(_failure_line(outcomes[outcome]) for outcome in sorted(outcomes, key=key))


def _failure_line(members: Sequence[Mapping[str, Any]]) -> FailureLine:
    one = max(members, key=lambda entry: entry["worst_load"])
    amounts = (f"{count(one['dropped_racks'])} racks", f"{count(one['dropped_gpus'])} GPUs")
    dropped = ", ".join((*amounts, f"{megawatts(one['dropped_it_w'])} MW")) if one["dropped_racks"] else "none"
    worst = one["worst_element"] or "no survivor carries more"
    return FailureLine(
        n_elements=len(members),
        example=one["element"],
        dropped=dropped,
        given_up=_given_up(one),
        worst=worst,
        worst_share=min(100.0, round(100 * one["worst_load"], 2)),
        worst_text=percent(one["worst_load"]) if one["worst_element"] else "–",
        verdict=one["verdict"],
        verdict_words=_VERDICTS[one["verdict"]],
    )


def _given_up(one: Mapping[str, Any]) -> str:
    parts = (("sheds", one["shed_w"]), ("caps", one["capped_w"]))
    return ", ".join(f"{word} {megawatts(watts)} MW" for word, watts in parts if watts)


def failure_summary(document: Mapping[str, Any]) -> FailureSummary | None:
    """What the worst failures do; None when nothing is in service."""
    failures = document["failures"]
    if not failures:
        return None
    dropped = max(failures, key=lambda one: one["dropped_it_w"])
    fullest = max(failures, key=lambda one: one["worst_load"])
    return FailureSummary(
        counted=_counted(failures),
        n_dropping=count(sum(one["dropped_racks"] > 0 for one in failures)),
        worst_dropped_mw=megawatts(dropped["dropped_it_w"]),
        worst_dropped_element=f"{dropped['site']}:{dropped['element']}" if dropped["dropped_it_w"] else "",
        fullest_share=percent(fullest["worst_load"]),
        fullest_element=f"{fullest['site']}:{fullest['worst_element']}" if fullest["worst_element"] else "",
        all_hold=all(one["verdict"] in {"holds", "drops"} for one in failures),
    )


def _counted(failures: Sequence[Mapping[str, Any]]) -> str:
    """How many failures there are, and of what."""
    kinds = [one["kind"] for one in failures]
    n_groups, n_pairs = kinds.count(COMMON_MODE), kinds.count(MAINTENANCE)
    n_units = sum(kind in UNIT_FAILURES for kind in kinds)
    counted = (
        (len(kinds) - n_groups - n_units - n_pairs, "power element", "power elements"),
        (n_groups, "common-mode group", "common-mode groups"),
        (n_units, "unit of a cooling bank or leaf group", "units of cooling banks or leaf groups"),
        (n_pairs, "pair of a planned outage and a failure", "pairs of a planned outage and a failure"),
    )
    return _listed([f"{count(n)} {one if n == 1 else several}" for n, one, several in counted if n])


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
