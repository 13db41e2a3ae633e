"""Outlines of states and countries as a light background for a map, cut to what is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FILE = "outlines.json"
_STEPS_PER_DEGREE = 50
US_STATES, COUNTRIES = "us_states", "countries"


@dataclass(frozen=True)
class Window:
    """The part of the world that a map shows, in degrees, and its picture's size.

    Longitudes are drawn to the scale of the middle latitude (equirectangular projection with that standard parallel).
    """

    west: float
    south: float
    east: float
    north: float
    width: float
    height: float

    def x(self, longitude: float) -> float:
        """Distance of a longitude from the left edge."""
        return round((longitude - self.west) / (self.east - self.west) * self.width, 1)

    def y(self, latitude: float) -> float:
        """Distance of a latitude from the upper edge."""
        return round((self.north - latitude) / (self.north - self.south) * self.height, 1)

    def touches(self, line: Sequence[tuple[float, float]]) -> bool:
        """Whether the box around a line and the window have anything in common."""
        xs, ys = [x for x, _ in line], [y for _, y in line]
        return min(xs) <= self.east and max(xs) >= self.west and min(ys) <= self.north and max(ys) >= self.south


def outline_path(window: Window, lines: str) -> str:
    """SVG path of all lines of a set that the window touches."""
    parts = []
    for line in _lines(lines):
        if window.touches(line):
            points = [f"{window.x(x):g} {window.y(y):g}" for x, y in line]
            parts.append("M" + "L".join(points))
    return "".join(parts)


def sources() -> tuple[str, ...]:
    """Where the outlines come from."""
    return tuple(source["title"] for source in _content()["sources"])


@cache
def _content() -> dict[str, Any]:
    text = (resources.files("planner.batch.report") / _FILE).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def _lines(name: str) -> Iterator[list[tuple[float, float]]]:
    """Lines as points in degrees; in the file the first point is followed by steps."""
    for steps in _content()[name]:
        x = y = 0
        line = []
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            line.append((x / _STEPS_PER_DEGREE, y / _STEPS_PER_DEGREE))
        yield line
