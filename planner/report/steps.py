"""Stepped charts by quarter of the report: areas on top of each other, and a line above which nothing is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.report.charts import Axis, QuarterAxis, area_path, axis, quarter_axis, step_path

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class StepArea:
    """One stepped area."""

    series: int
    label: str
    path: str
    """SVG path over a 100 by 100 plot."""


@dataclass(frozen=True)
class StepChart:
    """Areas that stand on each other, and a line."""

    unit: str
    axis: Axis
    quarters: QuarterAxis
    areas: tuple[StepArea, ...]
    line: str
    """SVG path."""
    titles: tuple[str, ...]
    """What is said of each quarter."""
    about: str


def step_chart(
    about: str,
    unit: str,
    quarters: Sequence[str],
    layers: Sequence[tuple[str, Sequence[float]]],
    line: Sequence[float],
    titles: Sequence[str],
) -> StepChart:
    """A chart of layers against a line.

    Parameters: about, for who cannot see it; quarters, in order; layers, name and value of each quarter, lowest first;
    line, of each quarter, in the same unit; titles, of each quarter.
    """
    tops: list[list[float]] = []
    for _, values in layers:
        below = tops[-1] if tops else [0.0] * len(quarters)
        tops.append([low + value for low, value in zip(below, values, strict=True)])
    scale = axis(max((*line, *(tops[-1] if tops else ())), default=0.0), 4)
    heights = [[scale.height(value) for value in values] for values in tops]
    areas = tuple(
        StepArea(series, label, area_path(heights[series], heights[series - 1] if series else None))
        for series, (label, _) in enumerate(layers)
    )
    path = step_path([scale.height(value) for value in line])
    return StepChart(unit, scale, quarter_axis(quarters), areas, path, tuple(titles), about)
