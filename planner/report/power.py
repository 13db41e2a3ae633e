"""Power against every envelope over time, and how full each level is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.charts import Axis, QuarterAxis, area_path, axis, quarter_axis, step_path
from planner.report.words import kind_title, megawatts, percent
from planner.run.totals import meter_steps, step_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.expansion.graphs import SiteGraphs
    from sites.schema.site import SiteFile
    from sites.world import World


@dataclass(frozen=True)
class Panel:
    """One chart: a capacity line over the load below it, part of which may not be the plan's."""

    title: str
    note: str
    axis: Axis
    quarters: QuarterAxis
    capacity_path: str
    other_path: str
    plan_path: str
    capacity_word: str
    other_word: str | None
    titles: tuple[str, ...]
    last_share: str


@dataclass(frozen=True)
class Cell:
    """Use of a level in one quarter: `heat` from 0 to 100, or None where it has no limit."""

    text: str
    heat: int | None
    full: bool


@dataclass(frozen=True)
class LevelLine:
    """One level of one site over time."""

    site: str
    level: str
    state: str
    cells: tuple[Cell, ...]
    peak: str


_FULL, _LEAST_BOUND_SHOWN = 0.995, 0.5
FAMILY_ORDER = (
    "envelope", "meter", "swing", "power", "liquid", "flow", "air", "dry", "chiller", "spine", "leaf", "support",
    "floor", "position", "landing", "supply", "budget",
)  # fmt: skip
LEVEL_ORDER = (
    "service", "line", "main-transformer", "feeder", "switchboard", "unit-substation", "ups", "bus", "transfer-switch",
    "busway", "common-mode", "cooler", "chiller", "cdu", "air-handler", "leaf", "maintenance",
)  # fmt: skip
_FAMILY_TITLES = {
    "envelope": "Joint envelope", "meter": "Meter", "swing": "Load swing at the meter", "liquid": "CDU heat",
    "flow": "CDU flow", "air": "Air handlers", "dry": "Coolers, design day", "chiller": "Chillers, design day",
    "spine": "Spine bandwidth", "leaf": "Leaf ports", "support": "Network and support places", "floor": "Floor load",
    "position": "Positions", "landing": "Landing crews", "supply": "Rack supply", "budget": "Rack budget",
}  # fmt: skip
_SPARES_OUT = frozenset({"liquid", "flow", "air", "dry", "chiller"})


def family_title(family: str, level: str) -> str:
    """A family of limits in words; power limits are named by the level of their element."""
    return _FAMILY_TITLES.get(family) or kind_title(level)


def state_words(entry: Mapping[str, Any]) -> str:
    """When a limit of a level or group holds: normally, with spares out, or once something has failed."""
    if entry["before_action"]:
        return "after a failure, before racks shed"
    if entry["contingency"]:
        return "after a failure"
    return "spares out" if entry["family"] in _SPARES_OUT else "normal" if entry["family"] == "power" else ""


def panels(document: Mapping[str, Any], world: World, graphs_by_site: Mapping[str, SiteGraphs]) -> tuple[Panel, ...]:
    """The joint envelope, then the meter of every site that hosts racks of the plan."""
    totals, periods = document["totals"], document["periods"]
    basis = world.portfolio.envelope.basis
    basis_words = "at the meter" if basis == "meter" else "IT power"
    steps = world.portfolio.envelope.steps
    used = [total["envelope_w"] for total in totals]
    result = [
        _panel(f"All sites, {basis_words}", "the joint envelope", periods, [step_at(steps, p) for p in periods], used,
               [0] * len(periods), "envelope")
    ]  # fmt: skip
    for one in world.sites:
        if all(one.name not in total["meter_w"] for total in totals):
            continue
        meter = meter_steps(graphs_by_site[one.name])
        everything = [total["meter_w"].get(one.name, 0) for total in totals]
        other = [
            whole - total["plan_meter_w"].get(one.name, 0) for whole, total in zip(everything, totals, strict=True)
        ]
        capacity = [step_at(meter, p) for p in periods]
        note = f"{one.name}, {supply_words(one.site)}"
        result.append(_panel(one.site.title, note, periods, capacity, everything, other, "at the meter"))
    return tuple(result)


def supply_words(site: SiteFile) -> str:
    """What a site is supplied from."""
    parts = ["utility service"]
    if site.service.non_firm is not None:
        parts.append("non-firm service")
    if site.generation:
        parts.append("own generation")
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]


def _panel(
    title: str,
    note: str,
    periods: Sequence[str],
    capacity_w: Sequence[int],
    used_w: Sequence[int],
    other_w: Sequence[int],
    word: str,
) -> Panel:
    scale = axis(max(*capacity_w, *used_w, 1) / 1e6)
    other = [scale.height(w / 1e6) for w in other_w]
    used = [scale.height(w / 1e6) for w in used_w]
    capacity = [scale.height(w / 1e6) if w else None for w in capacity_w]
    titles = tuple(
        f"{period}: {megawatts(load)} of {megawatts(limit)} MW" + (f" ({percent(load / limit)})" if limit else "")
        for period, load, limit in zip(periods, used_w, capacity_w, strict=True)
    )
    return Panel(
        title=title,
        note=note,
        axis=scale,
        quarters=quarter_axis(periods),
        capacity_path=step_path(capacity),
        other_path=area_path(other) if any(other_w) else "",
        plan_path=area_path(used, other),
        capacity_word=word,
        other_word="occupied and fixed" if any(other_w) else None,
        titles=titles,
        last_share=percent(used_w[-1] / capacity_w[-1]) if capacity_w[-1] else "–",
    )


def level_lines(document: Mapping[str, Any]) -> tuple[LevelLine, ...]:
    """Every level of every site, joint ones first, ordered from the meter down to the floor."""
    known = (level for level in document["levels"] if any(level["used"]))
    levels = sorted(known, key=_level_key)
    return tuple(
        LevelLine(
            site="All sites" if level["site"] == "*" else level["site"],
            level=family_title(level["family"], level["level"]),
            state=state_words(level),
            cells=tuple(_cell(value, exact) for value, exact in zip(level["used"], level["exact"], strict=True)),
            peak=percent(max((value for value in level["used"] if value is not None), default=None)),
        )
        for level in levels
    )


def _level_key(level: Mapping[str, Any]) -> tuple[bool, str, int, int, bool, bool]:
    families, kinds = FAMILY_ORDER, LEVEL_ORDER
    family = families.index(level["family"]) if level["family"] in families else len(families)
    kind = kinds.index(level["level"]) if level["level"] in kinds else len(kinds)
    return level["site"] != "*", level["site"], family, kind, level["contingency"], level["before_action"]


def _cell(value: float | None, exact: bool) -> Cell:
    """A lower bound says so, and is left out where it says little."""
    if value is None or (not exact and value < _LEAST_BOUND_SHOWN):
        return Cell("", None, False)
    text = f"{int(value * 100)}{'' if exact else '+'}"
    return Cell(text, min(100, int(value * 100)), value >= _FULL)
