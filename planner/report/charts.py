"""Geometry of the report's charts: scales, stacked bars and stepped lines, as shares of their plot area."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Tick:
    """One grid line: its height in percent of the plot, and its label."""

    height: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A vertical axis from zero to `top`."""

    top: float
    ticks: tuple[Tick, ...]

    def height(self, value: float) -> float:
        """Height of a value in percent of the plot."""
        return round(100 * value / self.top, 3)


def axis(largest: float, n_ticks: int = 5) -> Axis:
    """An axis whose ticks are round numbers and whose top holds the largest value.

    Parameters: largest value, in the unit of the labels; n_ticks, about so many.
    """
    if largest <= 0:
        return Axis(1.0, (Tick(0.0, "0"),))
    raw = largest / n_ticks
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= raw * 0.999)
    n_steps = math.ceil(largest / step - 1e-9)
    top = step * n_steps
    ticks = tuple(Tick(round(100 * i / n_steps, 3), _label(step * i)) for i in range(n_steps + 1))
    return Axis(top, ticks)


def _label(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


@dataclass(frozen=True)
class Segment:
    """One part of a stacked bar, in percent of the plot's height."""

    series: int
    height: float


@dataclass(frozen=True)
class Bar:
    """A stacked bar with what its tooltip says."""

    segments: tuple[Segment, ...]
    title: str


@dataclass(frozen=True)
class YearSpan:
    """A year label below the quarters that it spans."""

    year: str
    n_quarters: int


@dataclass(frozen=True)
class QuarterAxis:
    """Labels below a chart: the quarters, grouped by year."""

    quarters: tuple[str, ...]
    years: tuple[YearSpan, ...]


def quarter_axis(periods: Sequence[str]) -> QuarterAxis:
    """Labels of consecutive quarters such as "2027-Q1"."""
    years: list[YearSpan] = []
    for period in periods:
        year = period[:4]
        if years and years[-1].year == year:
            years[-1] = YearSpan(year, years[-1].n_quarters + 1)
        else:
            years.append(YearSpan(year, 1))
    return QuarterAxis(tuple(period[5:] for period in periods), tuple(years))


def step_path(heights: Sequence[float | None]) -> str:
    """SVG path of a stepped line over a 100 by 100 plot; gaps where there is no value."""
    width = 100 / max(len(heights), 1)
    parts: list[str] = []
    drawing = False
    for index, height in enumerate(heights):
        if height is None:
            drawing = False
            continue
        y = round(100 - height, 3)
        parts.append(f"{'V' if drawing else f'M{index * width:.3f} '}{y}H{(index + 1) * width:.3f}")
        drawing = True
    return "".join(parts)


def area_path(heights: Sequence[float], base: Sequence[float] | None = None) -> str:
    """SVG path of a stepped area between `base` (zero when missing) and `heights` over a 100 by 100 plot."""
    if not heights:
        return ""
    width = 100 / len(heights)
    floor = base if base is not None else [0.0] * len(heights)
    upper = "".join(f"V{100 - h:.3f}H{(i + 1) * width:.3f}" for i, h in enumerate(heights))
    lower = "".join(f"V{100 - floor[i]:.3f}H{i * width:.3f}" for i in range(len(heights) - 1, -1, -1))
    return f"M0 {100 - floor[0]:.3f}{upper}{lower}Z"
