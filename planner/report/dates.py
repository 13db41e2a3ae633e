"""Four dates for the racks of every lineup, who was waited for, and the weeks that stood idle."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.charts import quarter_axis
from planner.report.power import family_title
from planner.report.words import count, megawatts
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.report.charts import QuarterAxis
    from sites.catalog.loader import Catalog

PARTIES = ("racks", "network", "facility", "power")
_SHOWN_BARS, _SHOWN_WAITS, _SHOWN_EMPTY = 48, 8, 3
_GROUP_KEYS = (
    "site", "building", "system", "stands", "racks", "network", "facility", "facility_part", "power", "power_part",
    "binds", "held_by",
)  # fmt: skip
_WAITED_FOR = {
    "racks": "racks", "network": "network", "facility": "facility", "power": "power",
    "plan": "the plan: its limits, or a better use",
}  # fmt: skip


@dataclass(frozen=True)
class Lane:
    """How long one of the four stood ready, in percent of the plan's quarters."""

    party: str
    start: float
    width: float


@dataclass(frozen=True)
class DateBar:
    """Racks of one system that start together in like lineups of a building."""

    label: str
    racks: str
    mw: str
    binds: str
    lanes: tuple[Lane, ...]
    stands: float
    """Where they start, in percent; 100 for lineups that stay empty."""
    empty: bool
    title: str


@dataclass(frozen=True)
class DateGroup:
    """The strips of one building."""

    building: str
    bars: tuple[DateBar, ...]


@dataclass(frozen=True)
class IdleLine:
    """What stood ready and idle on a site for one reason."""

    site: str
    ready: str
    waits_for: str
    megawatt_weeks: str
    position_weeks: str


@dataclass(frozen=True)
class DatesView:
    """The section on dates."""

    quarters: QuarterAxis
    groups: tuple[DateGroup, ...]
    n_more: int
    sentences: tuple[str, ...]
    idle: tuple[IdleLine, ...]


def dates_view(document: Mapping[str, Any], catalog: Catalog) -> DatesView:
    """The section on dates of a plan.

    Parameters: document, the content of `plan.json`; catalog, for the titles of rack systems.
    """
    groups = _groups(document["dates"]["tranches"])
    shown = sorted(groups, key=lambda group: -group.positions)[:_SHOWN_BARS]
    return DatesView(
        quarters=quarter_axis(document["periods"]),
        groups=_date_groups([group for group in groups if group in shown], document["periods"], catalog),
        n_more=len(groups) - len(shown),
        sentences=tuple(_sentences(groups, catalog)),
        idle=tuple(_idle(line) for line in document["dates"]["ledger"]),
    )


@dataclass(frozen=True)
class _Group:
    """Like tranches of a building, with what they amount to."""

    one: Mapping[str, Any]
    lineups: frozenset[str]
    n_racks: int
    positions: int
    it_w: int

    def weeks(self, party: str) -> int:
        """Weeks for which one of the four stood ready."""
        return int(self.one[f"idle_{party}_weeks"])

    @property
    def for_plan(self) -> int:
        """Weeks for which all four were ready."""
        return self.weeks(self.one["binds"])


def _groups(tranches: Sequence[Mapping[str, Any]]) -> list[_Group]:
    """Tranches that differ in their lineup alone put together, in order of building and start."""
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for one in tranches:
        found[tuple(tuple(one[key]) if key == "held_by" else one[key] for key in _GROUP_KEYS)].append(one)
    groups = [
        _Group(
            members[0],
            frozenset(one["lineup"] for one in members),
            *(sum(one[key] for one in members) for key in ("n_racks", "positions", "it_w")),
        )
        for members in found.values()
    ]
    return sorted(groups, key=lambda group: (group.one["site"], group.one["building"], group.one["stands"] or "9999"))


def _date_groups(groups: Sequence[_Group], periods: Sequence[str], catalog: Catalog) -> tuple[DateGroup, ...]:
    begin, n_quarters = quarter_index(periods[0]), len(periods)
    by_building: dict[str, list[DateBar]] = defaultdict(list)
    for group in groups:
        by_building[f"{group.one['site']}:{group.one['building']}"].append(_bar(group, begin, n_quarters, catalog))
    return tuple(DateGroup(building, tuple(bars)) for building, bars in by_building.items())


def _bar(group: _Group, begin: int, n_quarters: int, catalog: Catalog) -> DateBar:
    one, empty = group.one, group.one["stands"] is None
    stands = 100.0 if empty else _percent(quarter_index(one["stands"]) - begin, n_quarters)
    lanes = []
    for party in PARTIES:
        if one[party] is not None:
            start = min(_percent(quarter_index(one[party]) - begin, n_quarters), stands)
            lanes.append(Lane(party, start, round(stands - start, 3)))
    dated = ", ".join(f"{party} {one[party]}" for party in PARTIES if one[party] is not None)
    what = "stay empty" if empty else f"{_title(one['system'], catalog)} from {one['stands']}"
    label = f"{_lineups(len(group.lineups))}, {what}"
    return DateBar(
        label=label,
        racks=f"{count(group.positions)} places" if empty else count(group.n_racks),
        mw="" if empty else megawatts(group.it_w),
        binds=one["binds"],
        lanes=tuple(lanes),
        stands=stands,
        empty=empty,
        title=f"{label}; ready: {dated}",
    )


def _lineups(n_lineups: int) -> str:
    return "1 lineup" if n_lineups == 1 else f"{n_lineups} lineups"


def _percent(quarters: int, n_quarters: int) -> float:
    return round(100 * min(max(quarters, 0), n_quarters) / n_quarters, 3)


def _title(system: str, catalog: Catalog) -> str:
    return catalog.rack_systems[system].title


@dataclass(frozen=True)
class _Wait:
    """What is said once of all groups that wait alike; `text` has places for their lineups, racks and positions."""

    text: str
    watt_weeks: int
    group: _Group


def _sentences(groups: Sequence[_Group], catalog: Catalog) -> list[str]:
    """The costliest waits in words, by MW-weeks; empty lineups last, by their places."""
    alike: dict[str, list[_Wait]] = defaultdict(list)
    for group in groups:
        for wait in _waits(group, catalog):
            alike[wait.text].append(wait)

    def weight(text: str) -> tuple[int, int, str]:
        waits = alike[text]
        return -sum(one.watt_weeks for one in waits), -sum(one.group.positions for one in waits), text

    costly = sorted(alike, key=weight)
    waits = [text for text in costly if alike[text][0].group.n_racks]
    empty = [text for text in costly if not alike[text][0].group.n_racks]
    shown = (*waits[:_SHOWN_WAITS], *empty[:_SHOWN_EMPTY])
    return [_told(text, [one.group for one in alike[text]]) for text in shown]


def _told(text: str, groups: Sequence[_Group]) -> str:
    return text.format(
        lineups=_lineups(len({lineup for group in groups for lineup in group.lineups})),
        racks=count(sum(group.n_racks for group in groups)),
        places=count(sum(group.positions for group in groups)),
    )


def _waits(group: _Group, catalog: Catalog) -> Iterator[_Wait]:
    """What one group waits for."""
    one, for_plan = group.one, group.for_plan
    where = f"{one['site']}:{one['building']}"
    if one["stands"] is None:
        if for_plan:
            why = _held_words(one["held_by"]) or "no rack there would earn its cost"
            yield _Wait(f"{where}: {{lineups}} with {{places}} places stay empty {for_plan} weeks: {why}.", 0, group)
        return
    system = _title(one["system"], catalog)
    for_racks = max(group.weeks(party) for party in PARTIES[1:]) - for_plan
    racks_wait = group.weeks("racks") - for_plan
    if one["binds"] == "racks" and for_racks:
        text = f"{where}: {{lineups}} stand {for_racks} weeks ready for racks: {system} arrives {one['racks']}."
        yield _Wait(text, for_racks * group.it_w, group)
    elif one["binds"] != "racks" and racks_wait:
        text = f"{where}: {{racks}} {system} wait {racks_wait} weeks for the building: {late_words(one)}."
        yield _Wait(text, racks_wait * group.it_w, group)
    if for_plan:
        why = _held_words(one["held_by"]) or "they are worth more later, or elsewhere"
        text = f"{where}: {{racks}} {system} could stand {for_plan} weeks before {one['stands']}: {why}."
        yield _Wait(text, for_plan * group.it_w, group)


def late_words(one: Mapping[str, Any]) -> str:
    """Which part of a building is last, and when it comes."""
    part = "network" if one["binds"] == "network" else one[f"{one['binds']}_part"]
    words = {
        "utility": "the utility's power", "equipment": "its equipment", "building": "its shell",
        "permit": "its permit", "network": "its network",
    }  # fmt: skip
    return f"{words.get(part, part)} is ready last, {one[one['binds']]}"


def _held_words(families: Sequence[str]) -> str:
    """The limits that hold a lineup back, in words."""
    titles = list(dict.fromkeys(_lower(family_title(family, "power chain")) for family in families))
    return "held by " + ", ".join(titles) if titles else ""


def _lower(title: str) -> str:
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def _idle(line: Mapping[str, Any]) -> IdleLine:
    return IdleLine(
        site=line["site"],
        ready=line["ready"],
        waits_for=_WAITED_FOR[line["waits_for"]],
        megawatt_weeks=count(line["watt_weeks"] / 1e6),
        position_weeks=count(line["position_weeks"]),
    )
