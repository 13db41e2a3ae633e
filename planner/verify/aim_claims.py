"""What a plan claims of objectives that several solves answer: each claim worked out anew from exact values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.verify.weights import per_unit
from sites.schema.objective import Kind, Measure, measure_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sites.schema.objective import CostPerToken, Earliest, Objective

CENTS = 100
MILLION = 10**6


@dataclass(frozen=True)
class Proven:
    """A certificate that was checked: under these weights no plan is worth more."""

    weights: Mapping[Measure, Fraction]
    bound_cents: int

    @property
    def usd(self) -> Fraction:
        """Weighted sum of exact values that no plan exceeds; tokens are rounded to the cent once."""
        tokens = any(one.kind is Kind.TOKENS and weight for one, weight in self.weights.items())
        return Fraction(self.bound_cents + tokens, CENTS)

    def is_exact(self) -> bool:
        """Whether weights round no coefficient: whole cents for each whole number, and money by whole numbers."""
        fine = {one: 1 << 20 if one.kind is Kind.TOKENS else 1 for one in self.weights}
        steps = (CENTS * weight * per_unit(one) * fine[one] for one, weight in self.weights.items())
        return all(step.denominator == 1 for step in steps)


@dataclass(frozen=True)
class Claims:
    """Claims of one plan."""

    objective: Objective
    aim: Mapping[str, Any]
    """Key `aim` of the plan."""
    values: Mapping[Measure, Fraction]
    """Of the plan, as worked out."""
    own: Proven
    """The plan's own certificate."""
    others: tuple[Proven, ...]
    """Further certificates, in order."""
    periods: tuple[str, ...]
    """Decision quarters."""
    may_fall: bool
    """Whether a later quarter may have less of what stands."""

    def faults(self) -> Iterator[str]:
        """What is wrong with the claims."""
        if self.objective.lexicographic is not None:
            yield from self._form("lexicographic")
            yield from self._lexicographic()
        elif self.objective.earliest is not None:
            yield from self._form("earliest")
            yield from self._earliest(self.objective.earliest)
        elif self.objective.cost_per_token is not None:
            yield from self._form("cost_per_token")
            yield from self._ratio(self.objective.cost_per_token)
        else:
            yield from self._form("weights")

    def _form(self, due: str) -> Iterator[str]:
        if self.aim.get("form") != due:
            yield f"'form' is {due}, stated {self.aim.get('form')}"

    def _lexicographic(self) -> Iterator[str]:
        """Limits of both measures, the second's among plans that keep enough of the first, and what the plan keeps."""
        first, second = (measure_of(text) for text in self.objective.lexicographic or ())
        stated_first = _part(self.aim, "first")
        best = _fraction(stated_first.get("best_found"))
        if set(self.own.weights) != {first, second} or not self.own.is_exact() or min(self.own.weights.values()) < 0:
            yield "the weights of a lexicographic objective are those of its two measures, 0 or more, in whole steps"
            return
        if best is None or len(self.others) != 1 or not self._is_alone(self.others[0], first):
            yield f"a certificate of '{first}' alone and the best that was found of it are due"
            return
        least = best - Fraction(self.objective.tolerance or 0) * abs(best)
        limit = self.others[0].usd / self.others[0].weights[first]
        due = {
            "first": {"measure": str(first), "best_found": str(best), "at_most": str(limit)},
            "second": {"measure": str(second), "at_most": self._second_limit(first, second, least)},
            "first_at_least": str(least),
        }
        yield from _differences(self.aim, due)
        if not least <= self.values[first] <= limit or best > limit:
            yield f"the plan has {self.values[first]} of '{first}'; {least} to {limit} is due"

    def _is_alone(self, proven: Proven, measure: Measure) -> bool:
        counted = {one for one, weight in proven.weights.items() if weight}
        return counted == {measure} and proven.weights[measure] > 0 and proven.is_exact()

    def _second_limit(self, first: Measure, second: Measure, least: Fraction) -> str | None:
        weight = self.own.weights[second]
        return str((self.own.usd - self.own.weights[first] * least) / weight) if weight else None

    def _earliest(self, asked: Earliest) -> Iterator[str]:
        """The plan reaches the target in its quarter, and certificates rule out quarters before."""
        measure, target = measure_of(asked.measure), Fraction(asked.target)
        counted = [one for one, weight in self.own.weights.items() if weight]
        if (
            len(counted) != 1
            or replace(counted[0], quarter=None) != measure
            or not self._is_alone(self.own, counted[0])
        ):
            yield f"the weights of a date are those of '{measure}' in one quarter, in whole steps"
            return
        if self.values[counted[0]] < target:
            yield f"the plan has {self.values[counted[0]]} of '{counted[0]}'; {target} is due"
        ruled_out = [quarter for one in self.others if (quarter := self._ruled_out(one, measure, target)) is not None]
        if len(ruled_out) != len(self.others):
            yield f"a certificate does not rule out that '{measure}' reaches {target} in its quarter"
        due = {
            "measure": str(measure),
            "target": str(target),
            "reached_in": counted[0].quarter,
            "not_before": self._not_before(measure, ruled_out),
        }
        yield from _differences(self.aim, due)

    def _ruled_out(self, proven: Proven, measure: Measure, target: Fraction) -> str | None:
        """The quarter in which a certificate proves that the target is missed."""
        for one, weight in proven.weights.items():
            alone = replace(one, quarter=None) == measure and self._is_alone(proven, one)
            if alone and one.quarter in self.periods and proven.usd / weight < target:
                return one.quarter
        return None

    def _not_before(self, measure: Measure, ruled_out: list[str]) -> str | None:
        """The first quarter that is not ruled out: racks never leave, so what one misses those before it miss too."""
        missed = [self.periods.index(quarter) for quarter in ruled_out]
        n_missed = max(missed, default=-1) + 1
        if measure.kind is not Kind.TOKENS and (self.may_fall or measure.kind is Kind.METER_W):
            n_missed = next((n for n in range(len(self.periods)) if n not in missed), len(self.periods))
        return self.periods[n_missed] if n_missed < len(self.periods) else None

    def _ratio(self, asked: CostPerToken) -> Iterator[str]:
        """Tokens enough, the plan's ratio, and the least that every plan with enough tokens spends for each."""
        tokens, cost = Measure(Kind.TOKENS, asked.workloads), Measure(Kind.COST)
        least = Fraction(asked.at_least) / MILLION
        if set(self.own.weights) != {tokens, cost} or not self.own.is_exact() or min(self.own.weights.values()) < 0:
            yield "the weights of a cost for each token are those of tokens and cost, in whole steps"
            return
        if self.values[tokens] < least:
            yield f"the plan sells {self.values[tokens]} million tokens; {least} are due"
            return
        due = {
            "tokens": str(tokens),
            "tokens_at_least": str(least),
            "usd_per_million_tokens": {
                "plan": str(-self.values[cost] / self.values[tokens]),
                "at_least": str(self._least_ratio(tokens, cost, least)),
            },
        }
        yield from _differences(self.aim, due)

    def _least_ratio(self, tokens: Measure, cost: Measure, least: Fraction) -> Fraction:
        """From w·tokens − c·spent ≤ b follows spent / tokens ≥ (w − b / tokens) / c."""
        weight = self.own.weights[cost]
        if not weight:
            return Fraction(0)
        excess = max(Fraction(0), self.own.usd)
        return max(Fraction(0), (self.own.weights[tokens] - excess / least) / weight)


def _part(aim: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = aim.get(key)
    return value if isinstance(value, dict) else {}


def _fraction(text: object) -> Fraction | None:
    """An exact number as a plan states it."""
    if not isinstance(text, str) or len(text) > 200 or not text or not set(text) <= set("-0123456789/"):
        return None
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


def _differences(aim: Mapping[str, Any], due: Mapping[str, Any]) -> Iterator[str]:
    for key, value in due.items():
        if aim.get(key) != value:
            yield f"'{key}' is {value}, stated {aim.get(key)}"
