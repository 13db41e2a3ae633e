"""Distributions over many scenarios: of every site its quantiles, and of a few sites every single plan."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.batch.report.matrix import MAX_COLUMNS
from planner.batch.report.ramp import rank_of
from planner.report.charts import Axis, axis
from planner.report.words import count, dollars, gap_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.batch.report.content import Content, Place, Unit

_QUANTILES = (0.0, 0.1, 0.5, 0.9, 1.0)
QUANTILE_HEADS = ("Least", "p10", "Median", "p90", "Most")
MAX_PICTURES = 4
"""Distributions that are drawn with a point for every plan."""
_MAX_POINTS = 5_000
_N_BINS = 24


@dataclass(frozen=True)
class Quantile:
    """One plan at a place in the order of worth."""

    text: str
    link: str | None
    at: float
    """Place on the strip in percent."""
    title: str


@dataclass(frozen=True)
class Bin:
    """Plans of like worth, in percent of the plot."""

    left: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Point:
    """One plan, in percent of the plot: its worth, and the share of plans that are worth no more."""

    x: float
    y: float
    title: str
    link: str | None


@dataclass(frozen=True)
class Picture:
    """A histogram, and above it every plan in order of worth."""

    axis: Axis
    bins: tuple[Bin, ...]
    points: tuple[Point, ...]
    low: str
    middle: str
    high: str


@dataclass(frozen=True)
class SpreadLine:
    """One site under one group of scenarios."""

    name: str
    group: str
    n_plans: str
    n_without: str
    quantiles: tuple[Quantile, ...]
    share_negative: str
    worst_gap: str
    picture: Picture | None


@dataclass(frozen=True)
class Spread:
    """The table of distributions."""

    lines: tuple[SpreadLine, ...]
    low: str
    high: str
    zero_at: float | None
    """Place of zero on every strip in percent; None where it is outside."""


def spread(content: Content, order: Sequence[Place]) -> Spread | None:
    """Distributions of worth by place and group of scenarios; None where a heat map has room for them.

    Parameters: order, in which places are listed.
    """
    if len(content.scenarios) <= MAX_COLUMNS:
        return None
    groups: dict[tuple[Place, str], list[Unit]] = defaultdict(list)
    for unit in content.units:
        groups[unit.place, unit.origin if unit.is_sample else "scenarios"].append(unit)
    places = {place: index for index, place in enumerate(order)}
    keys = sorted(groups, key=lambda key: places[key[0]])
    worths = [unit.npv_cents for unit in content.units if unit.npv_cents is not None]
    if not worths:
        return None
    low, high = min(worths), max(worths)
    draw = len(keys) <= MAX_PICTURES and max(map(len, groups.values())) <= _MAX_POINTS
    lines = tuple(_line(content, key, groups[key], low, high, draw=draw) for key in keys)
    zero = _at(0, low, high) if low <= 0 <= high else None
    return Spread(lines, dollars(low), dollars(high), zero)


def _line(
    content: Content, key: tuple[Place, str], units: Sequence[Unit], low: int, high: int, *, draw: bool
) -> SpreadLine:
    place, group = key
    known = sorted((u for u in units if u.npv_cents is not None), key=lambda u: (u.npv_cents or 0, u.scenario))
    chosen = [known[rank_of(len(known), share)] for share in _QUANTILES] if known else []
    n_negative = sum((unit.npv_cents or 0) < 0 for unit in known)
    gaps = [unit.gap for unit in known if unit.gap is not None]
    return SpreadLine(
        name=content.name(place),
        group=group,
        n_plans=count(len(known)),
        n_without=count(len(units) - len(known)) if len(units) > len(known) else "–",
        quantiles=tuple(
            Quantile(dollars(u.npv_cents or 0), u.link, _at(u.npv_cents or 0, low, high), u.scenario) for u in chosen
        ),
        share_negative=f"{100 * n_negative / len(known):.3g} %" if known else "–",
        worst_gap=gap_text(max(gaps)) if gaps else "–",
        picture=_picture(known) if draw and known else None,
    )


def _picture(known: Sequence[Unit]) -> Picture:
    values = [unit.npv_cents or 0 for unit in known]
    low, high = values[0], values[-1]
    n_bins = min(_N_BINS, max(1, math.isqrt(len(values))))
    counts = [0] * n_bins
    for value in values:
        counts[min(n_bins - 1, (value - low) * n_bins // (high - low)) if high > low else 0] += 1
    scale = axis(max(counts))
    edges = [low + (high - low) * index / n_bins for index in range(n_bins + 1)]
    bins = tuple(
        Bin(round(100 * index / n_bins, 3), round(100 / n_bins, 3), scale.height(n),
            f"{dollars(edges[index])} to {dollars(edges[index + 1])}: {count(n)}")
        for index, n in enumerate(counts)
    )  # fmt: skip
    points = tuple(
        Point(_at(value, low, high), round(100 * (rank + 1) / len(values), 2), f"{unit.scenario}: {dollars(value)}",
              unit.link)
        for rank, (value, unit) in enumerate(zip(values, known, strict=True))
    )  # fmt: skip
    return Picture(scale, bins, points, dollars(low), dollars((low + high) / 2), dollars(high))


def _at(value: float, low: float, high: float) -> float:
    return round(100 * (value - low) / (high - low), 3) if high > low else 50.0
