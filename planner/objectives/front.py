"""The front of two measures: plans none of which is beaten in both, and what no plan exceeds (model, section 7b)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from planner.objectives.scales import proven_usd, whole_weight, whole_weights
from sites.schema.objective import Kind, Measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.objectives.study import Answer, Study

_MONEY = frozenset({Kind.NPV, Kind.COST})
_DEAR = 16
"""How many times the slope of the front each unit short of a floor costs."""
_MOST_RUNS_EACH = 3
"""Runs for each point that is asked for, at the most."""


@dataclass(frozen=True)
class Point:
    """One run of the front."""

    answer: Answer
    kind: str
    """`end`, `weights`, or `floor`."""
    a: Fraction
    b: Fraction
    b_least: Fraction | None = None
    """What a floor asks of the second measure."""

    @property
    def proven_usd(self) -> Fraction:
        """Weighted sum that no plan exceeds; of a floor, no plan that keeps it."""
        return proven_usd(int(self.answer.document["bound"]), self.answer.weights)


@dataclass
class Front:
    """Points of two measures as they are found."""

    study: Study
    first: Measure
    second: Measure
    points: list[Point] = field(default_factory=list)

    def find(self, n_points: int) -> None:
        """Find ends, then points between them where the front is widest, up to so many.

        Weights along the line through two neighbours find what lies beyond it; where nothing does, floors between them
        find plans that are best under no weights, if standing racks alone make up one of the measures.
        """
        self._end(self.first, self.second)
        if not self._is_over():
            self._end(self.second, self.first)
        tried: set[tuple[str, str]] = set()
        while len(self.kept()) < n_points and len(self.points) < _MOST_RUNS_EACH * n_points and not self._is_over():
            pair = self._widest(tried)
            if pair is None:
                break
            tried.add((pair[0].answer.name, pair[1].answer.name))
            if not self._between(*pair) and not self._is_over():
                self._above_floor(*pair)

    def kept(self) -> list[Point]:
        """Points that no other beats in both measures, by the first measure, each pair of values once."""
        kept: list[Point] = []
        for point in sorted(self.points, key=lambda one: (-one.a, -one.b)):
            if not kept or point.b > kept[-1].b:
                kept.append(point)
        return kept

    def at_most(self, *, b: Fraction) -> Fraction | None:
        """What no plan with so much of the second measure exceeds in the first; None where nothing is proven."""
        limits = []
        for point in self.points:
            weight_a, weight_b = self._weights(point)
            if weight_a and (point.b_least is None or b >= point.b_least):
                limits.append((point.proven_usd - weight_b * b) / weight_a)
        return min(limits, default=None)

    def _weights(self, point: Point) -> tuple[Fraction, Fraction]:
        weights = point.answer.weights
        return weights.get(self.first, Fraction(0)), weights.get(self.second, Fraction(0))

    def _is_over(self) -> bool:
        return bool(self.points) and self.points[-1].answer.was_interrupted

    def _end(self, measure: Measure, other: Measure) -> None:
        """The most of one measure alone."""
        weights = {measure: whole_weight(measure), other: Fraction(0)}
        self._add(self.study.ask(f"most-{_file_name(measure)}", weights), "end")

    def _add(self, answer: Answer, kind: str, b_least: Fraction | None = None) -> Point:
        point = Point(answer, kind, answer.value(self.first), answer.value(self.second), b_least)
        self.points.append(point)
        return point

    def _widest(self, tried: set[tuple[str, str]]) -> tuple[Point, Point] | None:
        """Neighbours farthest apart, by their share of the whole front, that are not tried yet."""
        kept = self.kept()
        pairs = [pair for pair in pairwise(kept) if (pair[0].answer.name, pair[1].answer.name) not in tried]
        if not pairs:
            return None
        wide, high = kept[0].a - kept[-1].a, kept[-1].b - kept[0].b
        return max(pairs, key=lambda pair: (pair[0].a - pair[1].a) / wide + (pair[1].b - pair[0].b) / high)

    def _between(self, left: Point, right: Point) -> bool:
        """Ask for the most beyond the line through two neighbours; whether a new point was found."""
        wanted = {self.first: right.b - left.b, self.second: left.a - right.a}
        weights = whole_weights(wanted)
        name = "weights-" + "-".join(str(weight).replace("/", "of") for weight in weights.values())
        if any(point.answer.name == name for point in self.points):
            return False
        known = {(point.a, point.b) for point in self.points}
        point = self._add(self.study.ask(name, weights), "weights")
        return point in self.kept() and (point.a, point.b) not in known

    def _above_floor(self, left: Point, right: Point) -> bool:
        """Ask for the most of the first measure with a floor on the second halfway between two neighbours."""
        if not can_have_floor(self.first, self.second):
            return False
        least = Fraction(round((left.b + right.b) / 2))
        if not left.b < least < right.b:
            return False
        price = _DEAR * (left.a - right.a) / (right.b - left.b)
        floors = [*_own_floors(self.study), self._floor(least, price)]
        weights = {self.first: whole_weight(self.first), self.second: Fraction(0)}
        name = f"floor-{_file_name(self.second)}-{least}"
        self._add(self.study.ask(name, weights, {"floors": floors}), "floor", least)
        return True

    def _floor(self, least: Fraction, price_usd: Fraction) -> dict[str, Any]:
        """The floor as a portfolio states it."""
        quarter = self.second.quarter or self._last_quarter()
        unit, price_unit = (" W", " USD/W") if self.second.kind is Kind.METER_W else ("", " USD")
        minimum: int | str = f"{int(least)}{unit}" if unit else int(least)
        return {
            "name": "front",
            "measure": str(self.second.kind),
            "steps": [{"start": quarter, "minimum": minimum}],
            "price": f"{_decimals(price_usd)}{price_unit}",
            "provenance": {"status": "assumption", "source": "a point of a front between two of its neighbours"},
        }

    def _last_quarter(self) -> str:
        from sites.calendar import quarters_from
        from sites.portfolio_checks import decision_periods

        portfolio = self.study.world.portfolio
        return quarters_from(portfolio.start, decision_periods(portfolio))[-1]


def can_have_floor(first: Measure, second: Measure) -> bool:
    """Whether a floor in money can hold the second measure while the first is made best."""
    return first.kind in _MONEY and second.kind in {Kind.RACKS, Kind.GPUS, Kind.METER_W}


def _own_floors(study: Study) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json", exclude_none=True) for one in study.world.portfolio.floors]


def _decimals(value: Fraction) -> str:
    """Rounded up to six digits after the point."""
    scaled = -(-value.numerator * 10**6 // value.denominator)
    return f"{scaled // 10**6}.{scaled % 10**6:06d}"


def _file_name(measure: Measure) -> str:
    return str(measure).replace(":", "-").replace("@", "-").replace("+", "-")


def rows(front: Front) -> Iterator[dict[str, Any]]:
    """One flat line for each run, the front's own first, by the first measure."""
    kept = front.kept()
    others = [point for point in front.points if point not in kept]
    for point in (*kept, *others):
        limit = front.at_most(b=point.b)
        document = point.answer.document
        yield {
            "point": point.answer.name,
            "kind": point.kind,
            "on_front": point in kept,
            str(front.first): float(point.a),
            str(front.second): float(point.b),
            f"{front.first}_at_most": None if limit is None else float(limit),
            "objective_cents": document["objective"],
            "bound_cents": document["bound"],
            "gap": document["gap"],
            "stop_reason": document["stop_reason"],
            "run": str(point.answer.folder),
        }
