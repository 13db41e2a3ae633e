"""The map: every site at its place, as large as what stands there, coloured by worth per MW or status."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from planner.batch.file import ALL
from planner.batch.report.content import standing_it_w
from planner.batch.report.outline import COUNTRIES, US_STATES, Window, outline_path, sources
from planner.report.words import megawatts
from sites.faults import InputError
from sites.yaml_nodes import plain_value, read_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.batch.report.content import Content, Unit
    from planner.batch.report.ranking import RankLine

_WIDTH, _LEAST_SPAN_DEG, _MARGIN = 1000.0, 14.0, 0.12
_LEAST_RADIUS, _MOST_RADIUS, _GAP = 9.0, 34.0, 2.0
_N_LARGE = 24
"""Marks above which all become smaller, so that they have room."""
_N_PUSHES = 300
_LETTER, _LINE = 7.4, 16.0
"""Width of a letter and height of a line of a label, in the picture's units."""


@dataclass(frozen=True)
class Mark:
    """One site on the map."""

    x: float
    y: float
    radius: float
    at_x: float
    at_y: float
    """Where the site is; the mark stands aside where others would cover it."""
    kind: str
    """`good`, `bad`, `empty` (no rack), `none` (no plan) or `joint` (planned with others, so its worth is not told)."""
    strength: float
    """Of the colour, from 0 to 1."""
    number: str
    label: str
    label_x: float
    label_y: float
    anchor: str
    """Of the label; empty where there is no room for it."""
    title: str
    link: str | None

    @property
    def is_aside(self) -> bool:
        """Whether a line leads from the mark to its place."""
        return math.hypot(self.x - self.at_x, self.y - self.at_y) > _GAP


@dataclass(frozen=True)
class GridLine:
    """A meridian or parallel with its label."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str


@dataclass(frozen=True)
class SiteMap:
    """The map and what is said below it."""

    width: float
    height: float
    states: str
    countries: str
    grid: tuple[GridLine, ...]
    marks: tuple[Mark, ...]
    unplaced: tuple[str, ...]
    """Sites whose files give no coordinates."""
    assumed: tuple[str, ...]
    """Sites whose coordinates are assumed."""
    sources: tuple[str, ...]


@dataclass(frozen=True)
class _Found:
    """A site that is to be shown."""

    name: str
    latitude: float
    longitude: float
    is_assumed: bool
    it_w: int
    line: RankLine
    is_joint: bool


def site_map(content: Content, lines: Sequence[RankLine]) -> SiteMap | None:
    """The map of the sites of a ranking; None where none of them has coordinates.

    Parameters: content; lines, of the ranking, whose numbers the marks bear.
    """
    found: list[_Found] = []
    unplaced: list[str] = []
    for line in lines:
        for name, location in site_locations(content, line.unit).items():
            joint = line.place.site == ALL
            latitude, longitude = (location.get(key) for key in ("latitude", "longitude"))
            if not (isinstance(latitude, int | float) and isinstance(longitude, int | float)):
                unplaced.append(name)
                continue
            provenance = location.get("provenance")
            assumed = isinstance(provenance, dict) and provenance.get("status") == "assumption"
            it_w = _it_w(content, line.unit, name)
            found.append(_Found(name, float(latitude), float(longitude), assumed, it_w, line, joint))
    if not found:
        return None
    window = window_around([(one.longitude, one.latitude) for one in found])
    return SiteMap(
        width=window.width,
        height=window.height,
        states=outline_path(window, US_STATES),
        countries=outline_path(window, COUNTRIES),
        grid=_graticule(window),
        marks=_labelled(_pushed_apart(_marks(found, window), window), window),
        unplaced=tuple(dict.fromkeys(unplaced)),
        assumed=tuple(dict.fromkeys(one.name for one in found if one.is_assumed)),
        sources=sources(),
    )


def site_locations(content: Content, unit: Unit) -> dict[str, dict[str, Any]]:
    """`location` of every site of a unit, from its input files, by the site's name; faulty files have none."""
    task = content.plan.tasks.get(unit.key)
    locations: dict[str, dict[str, Any]] = {}
    for reference in task.inputs if task else ():
        if reference.role == "site":
            [file] = content.store.inputs([reference])
            try:
                document = plain_value(read_nodes(file.content, file.name)[0])
            except InputError:
                # A faulty file is its unit's failure, which is told elsewhere.
                document = {}
            fields = document if isinstance(document, dict) else {}
            place = fields.get("location")
            locations[PurePosixPath(reference.name).stem] = place if isinstance(place, dict) else {}
    return locations


def _it_w(content: Content, unit: Unit, site: str) -> int:
    by_quarter: Mapping[str, int] = standing_it_w(content, [unit]).get(site, {})
    return by_quarter[max(by_quarter)] if by_quarter else 0


def window_around(points: Iterable[tuple[float, float]]) -> Window:
    """The window that shows points (longitude, latitude) with a margin."""
    xs, ys = zip(*points, strict=True)
    middle_y = (min(ys) + max(ys)) / 2
    squeeze = max(0.3, math.cos(math.radians(middle_y)))
    span_y = max((max(ys) - min(ys)) * (1 + 2 * _MARGIN), _LEAST_SPAN_DEG)
    span_x = max((max(xs) - min(xs)) * (1 + 2 * _MARGIN), 1.8 * span_y / squeeze)
    span_y = max(span_y, 0.45 * span_x * squeeze)
    middle_x = (min(xs) + max(xs)) / 2
    south, north = max(-90.0, middle_y - span_y / 2), min(90.0, middle_y + span_y / 2)
    west, east = middle_x - span_x / 2, middle_x + span_x / 2
    height = round(_WIDTH * (north - south) / ((east - west) * squeeze), 1)
    return Window(west, south, east, north, _WIDTH, height)


def _marks(found: Sequence[_Found], window: Window) -> list[Mark]:
    most_w = max((one.it_w for one in found), default=0)
    largest = _MOST_RADIUS * min(1.0, math.sqrt(_N_LARGE / len(found)))
    most_per_mw = max((abs(one.line.per_mw_cents or 0) for one in found), default=0)
    marks = []
    for one in found:
        unit, per_mw = one.line.unit, one.line.per_mw_cents
        kind = "none" if not unit.has_plan else "empty" if not one.it_w else "joint" if one.is_joint else "good"
        kind = "bad" if kind == "good" and (unit.npv_cents or 0) < 0 else kind
        x, y = window.x(one.longitude), window.y(one.latitude)
        told = f"{megawatts(one.it_w)} MW of IT, " if one.it_w else ""
        worth = unit.status if not unit.has_plan else f"{one.line.worth} with all its sites" if one.is_joint else (
            f"{one.line.worth}, {one.line.per_mw} per MW")  # fmt: skip
        marks.append(Mark(
            x=x, y=y, at_x=x, at_y=y,
            radius=round(max(_LEAST_RADIUS, largest * math.sqrt(one.it_w / most_w)), 1) if most_w else
            _LEAST_RADIUS,
            kind=kind,
            strength=round(0.25 + 0.75 * abs(per_mw or 0) / most_per_mw, 3) if most_per_mw else 0.6,
            number="" if one.is_joint or one.line.rank is None else str(one.line.rank),
            label=one.name, label_x=x, label_y=y, anchor="",
            title=f"{one.name}: {told}{worth}{' (place assumed)' if one.is_assumed else ''}",
            link=unit.link,
        ))  # fmt: skip
    return marks


def _pushed_apart(marks: list[Mark], window: Window) -> list[Mark]:
    """Move marks that cover one another apart, each half of what is missing; those at one point leave in a ring."""
    places = [(mark.x, mark.y) for mark in marks]
    for _ in range(_N_PUSHES):
        is_apart = True
        for i, first in enumerate(marks):
            for j in range(i):
                (x1, y1), (x2, y2) = places[i], places[j]
                missing = first.radius + marks[j].radius + _GAP - math.hypot(x1 - x2, y1 - y2)
                if missing <= 0.01:
                    continue
                is_apart = False
                angle = math.atan2(y1 - y2, x1 - x2) if (x1, y1) != (x2, y2) else 2.399963 * i
                dx, dy = math.cos(angle) * missing / 2, math.sin(angle) * missing / 2
                places[i] = _inside(window, x1 + dx, y1 + dy, first.radius)
                places[j] = _inside(window, x2 - dx, y2 - dy, marks[j].radius)
        if is_apart:
            break
    return [replace(mark, x=round(x, 1), y=round(y, 1)) for mark, (x, y) in zip(marks, places, strict=True)]


def _inside(window: Window, x: float, y: float, radius: float) -> tuple[float, float]:
    """The place nearest to a point at which a mark is not cut off."""
    edge = radius + 1
    return min(max(x, edge), window.width - edge), min(max(y, edge), window.height - edge)


def _labelled(marks: list[Mark], window: Window) -> tuple[Mark, ...]:
    """Labels beside, below or above their marks, where they cover neither marks nor other labels; largest first."""
    boxes = [(m.x - m.radius, m.y - m.radius, m.x + m.radius, m.y + m.radius) for m in marks]
    done: dict[int, Mark] = {}
    for index in sorted(range(len(marks)), key=lambda i: (-marks[i].radius, i)):
        mark = marks[index]
        width = _LETTER * len(mark.label)
        side = mark.radius + 5
        choices = (
            ("start", mark.x + side, mark.y + 5, mark.x + side),
            ("end", mark.x - side, mark.y + 5, mark.x - side - width),
            ("middle", mark.x, mark.y + mark.radius + _LINE - 1, mark.x - width / 2),
            ("middle", mark.x, mark.y - mark.radius - 6, mark.x - width / 2),
        )
        done[index] = mark
        for anchor, x, y, left in choices:
            box = (left, y - _LINE + 3, left + width, y + 4)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= window.width and box[3] <= window.height
            if inside and not any(_overlap(box, other) for other in boxes):
                boxes.append(box)
                done[index] = replace(mark, label_x=round(x, 1), label_y=round(y, 1), anchor=anchor)
                break
    return tuple(done[index] for index in range(len(marks)))


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _graticule(window: Window) -> tuple[GridLine, ...]:
    """Meridians and parallels at round degrees."""
    step = next(s for s in (2, 5, 10, 15, 30, 60) if (window.east - window.west) / s <= 8 or s == 60)
    lines = []
    for degree in range(math.ceil(window.west / step) * step, math.floor(window.east) + 1, step):
        if -180 <= degree <= 180:
            x = window.x(degree)
            lines.append(GridLine(x, 0, x, window.height, _degrees(degree, "E", "W")))
    for degree in range(math.ceil(window.south / step) * step, math.floor(window.north) + 1, step):
        y = window.y(degree)
        lines.append(GridLine(0, y, window.width, y, _degrees(degree, "N", "S")))
    return tuple(lines)


def _degrees(degree: int, positive: str, negative: str) -> str:
    return f"{abs(degree)}°{positive if degree > 0 else negative if degree < 0 else ''}"
