"""How the whole grows: IT megawatts by quarter, by site under the base scenario, and in all under each scenario."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.batch.dataset import FAILED, LEFT
from planner.batch.file import ALL
from planner.batch.report.content import standing_it_w
from planner.report.charts import Axis, QuarterAxis, area_path, axis, quarter_axis, step_path
from planner.report.words import count, megawatts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.batch.report.content import Content, Unit

MAX_LINES = 12
"""Scenarios that are drawn as lines; more, or samples, become a band."""
_N_SERIES = 8
_BAND = ((0.1, "p10"), (0.5, "median"), (0.9, "p90"))
OTHERS = "other sites"

ByQuarter = dict[str, float]


@dataclass(frozen=True)
class Area:
    """One site, or the rest."""

    series: int
    label: str
    path: str


@dataclass(frozen=True)
class Line:
    """One scenario, or one quantile of samples."""

    series: int
    label: str
    path: str
    last_mw: str


@dataclass(frozen=True)
class RampChart:
    """IT MW by quarter of one portfolio with one of its settings."""

    title: str
    base: str
    axis: Axis
    quarters: QuarterAxis
    areas: tuple[Area, ...]
    lines: tuple[Line, ...]
    line_word: str
    titles: tuple[str, ...]
    """Of each quarter, under the base scenario."""
    table: tuple[tuple[str, ...], ...]
    heads: tuple[str, ...]


def ramps(content: Content) -> tuple[RampChart, ...]:
    """One chart for each portfolio and settings that have plans; joint plans apart from those of single sites."""
    keys = dict.fromkeys((one.portfolio, one.settings, one.site == ALL) for one in content.places)
    several = len({settings for _, settings, _ in keys}) > 1
    charts = []
    for portfolio, settings, is_joint in keys:
        own = [
            unit for unit in content.units
            if (unit.place.portfolio, unit.place.settings, unit.place.site == ALL) == (portfolio, settings, is_joint)
        ]  # fmt: skip
        words = [portfolio, *([settings] if several else []), *(["all sites jointly"] if is_joint else [])]
        chart = _chart(content, ", ".join(words), own)
        if chart is not None:
            charts.append(chart)
    return tuple(charts)


def _chart(content: Content, title: str, asked: Sequence[Unit]) -> RampChart | None:
    units = [unit for unit in asked if unit.has_plan]
    totals: dict[str, ByQuarter] = {}
    for scenario in dict.fromkeys(unit.scenario for unit in units):
        totals[scenario] = _summed(standing_it_w(content, [u for u in units if u.scenario == scenario]).values())
    quarters = sorted({quarter for total in totals.values() for quarter in total})
    if not quarters:
        return None
    base, stacked = _base(content, units, totals)
    series = _series(totals, units, _missing(asked))
    lines_mw = [(name, [by.get(quarter, 0.0) for quarter in quarters]) for name, by in series]
    areas_mw = [(name, [by.get(quarter, 0.0) for quarter in quarters]) for name, by in _largest(stacked)]
    base_mw = [sum(values) for values in zip(*(mw for _, mw in areas_mw), strict=True)] or [0.0] * len(quarters)
    scale = axis(max(*base_mw, *(max(mw) for _, mw in lines_mw)) / 1e6)
    return RampChart(
        title=title,
        base=base,
        axis=scale,
        quarters=quarter_axis(quarters),
        areas=_areas(areas_mw, scale),
        lines=tuple(
            Line(index % _N_SERIES, name, step_path([scale.height(w / 1e6) for w in watts]), megawatts(watts[-1]))
            for index, (name, watts) in enumerate(lines_mw)
        ),
        line_word="scenario" if len(series) == len(totals) else "quantile of every quarter for itself",
        titles=tuple(f"{quarter}: {megawatts(w)} MW" for quarter, w in zip(quarters, base_mw, strict=True)),
        heads=("Quarter", *(name for name, _ in lines_mw)),
        table=tuple(
            (quarter, *(megawatts(watts[index]) for _, watts in lines_mw)) for index, quarter in enumerate(quarters)
        ),
    )


def _base(
    content: Content, units: Sequence[Unit], totals: Mapping[str, ByQuarter]
) -> tuple[str, dict[str, dict[str, int]]]:
    """What is stacked: the base scenario, or of its samples the one in the middle by what stands at the end."""
    scenarios = list(dict.fromkeys(u.scenario for u in units if u.origin == content.base)) or [units[0].scenario]
    scenarios.sort(key=lambda name: (totals[name][max(totals[name])] if totals[name] else 0.0, name))
    chosen = scenarios[(len(scenarios) - 1) // 2]
    return chosen, standing_it_w(content, [unit for unit in units if unit.scenario == chosen])


def _missing(asked: Sequence[Unit]) -> dict[str, str]:
    """Of scenarios in which sites failed or are left, how many are in the sum."""
    without = Counter(unit.scenario for unit in asked if unit.status in {FAILED, LEFT})
    n_asked = Counter(unit.scenario for unit in asked)
    return {name: f" ({n_asked[name] - n} of {n_asked[name]} units)" for name, n in without.items()}


def _series(
    totals: Mapping[str, ByQuarter], units: Sequence[Unit], missing: Mapping[str, str]
) -> list[tuple[str, ByQuarter]]:
    """A line for each scenario; where there are many, quantiles of each quarter for each group of them."""
    if len(totals) <= MAX_LINES:
        return [(name + missing.get(name, ""), total) for name, total in totals.items()]
    groups: dict[str, list[ByQuarter]] = defaultdict(list)
    group_of = {unit.scenario: unit.origin if unit.is_sample else "scenarios" for unit in units}
    for scenario, total in totals.items():
        groups[group_of[scenario]].append(total)
    return [
        (f"{group}, {word} of {count(len(members))}", _quantile(members, share))
        for group, members in groups.items()
        for share, word in _BAND
    ]


def _quantile(members: Sequence[ByQuarter], share: float) -> ByQuarter:
    quarters = sorted({quarter for member in members for quarter in member})
    return {quarter: nearest_rank([m.get(quarter, 0.0) for m in members], share) for quarter in quarters}


def nearest_rank(values: Sequence[float], share: float) -> float:
    """The quantile of values that is one of them: the nearest rank below, counted from the least."""
    return sorted(values)[rank_of(len(values), share)]


def rank_of(n_values: int, share: float) -> int:
    """Place in ascending order of the quantile of n values, from 0."""
    return round(share * (n_values - 1))


def _largest(stacked: Mapping[str, Mapping[str, int]]) -> list[tuple[str, ByQuarter]]:
    """Sites by what stands at the end, the last ones together where there are more than colours."""
    own: list[tuple[str, ByQuarter]] = [
        (site, {quarter: float(w) for quarter, w in by.items()})
        for site, by in sorted(stacked.items(), key=lambda one: (-(one[1][max(one[1])] if one[1] else 0), one[0]))
    ]
    if len(own) <= _N_SERIES:
        return own
    rest = own[_N_SERIES - 1 :]
    return [*own[: _N_SERIES - 1], (f"{len(rest)} {OTHERS}", _summed(by for _, by in rest))]


def _summed(parts: Iterable[Mapping[str, float]]) -> ByQuarter:
    total: ByQuarter = defaultdict(float)
    for part in parts:
        for quarter, value in part.items():
            total[quarter] += value
    return dict(total)


def _areas(areas: Sequence[tuple[str, Sequence[float]]], scale: Axis) -> tuple[Area, ...]:
    result = []
    below = [0.0] * (len(areas[0][1]) if areas else 0)
    for index, (name, watts) in enumerate(areas):
        above = [low + w / 1e6 for low, w in zip(below, watts, strict=True)]
        path = area_path([scale.height(v) for v in above], [scale.height(v) for v in below])
        result.append(Area(index % _N_SERIES, name, path))
        below = above
    return tuple(result)
