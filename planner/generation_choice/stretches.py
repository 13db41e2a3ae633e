"""Racks that a rate takes at each speed: linear between measured points, and nothing beyond the fastest."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from planner.generation_choice.envelope import Line, Polynomial, spans, through
from sites.throughput import profile_factor, units_per_rack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.catalog.loader import Configuration
    from sites.schema.throughput import ThroughputBasis, ThroughputCurve, ThroughputPoint

ZERO = Fraction(0)
Timed = tuple[Fraction, Fraction, "ThroughputPoint"]
"""Speed in tokens/s/user, racks that 1/s takes at it, and the point."""


@dataclass(frozen=True)
class Stretch:
    """A range of speeds, its end included, in which the same points serve best."""

    start: Fraction
    end: Fraction
    racks: Line
    """Racks that a rate of 1/s takes, over speed in tokens/s/user."""
    curve: ThroughputCurve
    points: tuple[ThroughputPoint, ...]
    """The one or two points that it rests on."""

    @property
    def segment(self) -> str:
        """The points that it rests on, by their speeds."""
        speeds = [f"{float(point.speed_tokens_per_s_user or 0):g}" for point in self.points]
        return f"at {speeds[0]}" if len(speeds) == 1 else f"{speeds[0]} to {speeds[1]}"


def stretches(basis: ThroughputBasis, configuration: Configuration) -> tuple[Stretch, ...]:
    """The best of all curves of a configuration's system, from speed 0 to the fastest that was measured.

    The same rates as `sites.throughput.serving_rate`, as lines: 1/rate is linear between two points, and a point
    serves everyone who asks for no more than its speed. Empty where only offline work was measured.
    """
    curves = [one for one in basis.curves if one.system == configuration.system.name and one.outside_catalogue is None]
    own = [one for one in curves if one.profile == configuration.profile.name]
    timed = {index: _timed(curve, configuration) for index, curve in enumerate(own or curves)}
    speeds = sorted({speed for points in timed.values() for speed, _, _ in points})
    found: list[Stretch] = []
    for start, end in pairwise((ZERO, *speeds)):
        candidates = [
            Stretch(start, end, line, curve, points)
            for index, curve in enumerate(own or curves)
            for line, points in _lines(timed[index], start, end)
        ]
        for span in spans(candidates, _racks_less, start, end):
            best = span.best
            found.append(Stretch(span.start, span.end, best.racks, best.curve, best.points))
    return tuple(found)


def _racks_less(one: Stretch, other: Stretch) -> Polynomial:
    return one.racks.less(other.racks)


def _timed(curve: ThroughputCurve, configuration: Configuration) -> list[Timed]:
    """The points that state a speed."""
    factor, _ = profile_factor(curve, configuration)
    scale = factor * units_per_rack(curve, configuration.system)
    return [
        (speed, 1 / (scale * point.rate.value), point)
        for point in curve.points
        if (speed := point.speed_tokens_per_s_user) is not None and point.rate.value
    ]


def _lines(
    points: Sequence[Timed], start: Fraction, end: Fraction
) -> Iterator[tuple[Line, tuple[ThroughputPoint, ...]]]:
    """What one curve offers between two neighbouring speeds: its best faster point, and its own segment there."""
    faster = [one for one in points if one[0] >= end]
    if faster:
        _, racks, point = min(faster, key=lambda one: one[1])
        yield Line(racks), (point,)
    for (v0, racks0, point0), (v1, racks1, point1) in pairwise(points):
        if v0 <= start and end <= v1:
            yield through(v0, racks0, v1, racks1), (point0, point1)
