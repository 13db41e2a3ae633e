"""What a plan says of its objective: weights that the portfolio asks for, values, further certificates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from planner.verify.aim_claims import Claims, Proven
from planner.verify.certificate import CertificateError
from planner.verify.report import Check, check_of
from planner.verify.weights import Weights, per_unit
from sites.schema.objective import Kind, Measure, is_net_present_value, measure_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planner.verify.decisions import BlockCounts
    from planner.verify.limits import SiteLimits
    from planner.verify.objective import Ledger
    from planner.verify.side import Side
    from planner.verify.standing import Counts
    from sites.schema.objective import Objective

NPV = Measure(Kind.NPV)
_FILE = re.compile(r"certificate-(?:first|\d{4}-q[1-4])\.json")
_MOST_DIGITS = 200


@dataclass
class Aim:
    """The objective of a run: what its portfolio asks for, and what its plan states."""

    plan: Mapping[str, Any]
    ledger: Ledger
    """Of money."""
    side: Side
    """Of money."""
    limits: Mapping[str, SiteLimits]
    prove: Callable[[Mapping[str, Any], Ledger, Side], int]
    """Cents that a certificate proves under coefficients and worths; may raise CertificateError."""
    read: Callable[[str], Mapping[str, Any]]
    """Content of a further certificate of the run, by file name; may raise CertificateError."""

    @property
    def objective(self) -> Objective | None:
        """As the portfolio states it."""
        return self.ledger.money.portfolio.objective

    @cached_property
    def _read(self) -> tuple[dict[Measure, Fraction], list[str]]:
        """Weights of the run's objective and bound, and what is wrong with those stated."""
        if is_net_present_value(self.objective):
            strange = [key for key in ("aim", "npv_cents") if key in self.plan]
            return {NPV: Fraction(1)}, [f"'{key}' is stated, but money is all that counts" for key in strange]
        aim = self.plan.get("aim")
        if not isinstance(aim, dict):
            return {NPV: Fraction(1)}, ["'aim' is missing; the portfolio has an objective of its own"]
        weights, faults = weights_of_texts(aim.get("weights"))
        return weights, faults or self._foreign(weights)

    def _foreign(self, weights: Mapping[Measure, Fraction]) -> list[str]:
        """Weights other than those that the objective allows."""
        objective = self.objective
        if objective is None or objective.weights is None:
            return []
        due = {measure_of(text): weight for text, weight in objective.weights.items()}
        return (
            [] if dict(weights) == due else [f"the weights are {_shown(weights)}; the portfolio states {_shown(due)}"]
        )

    @property
    def weights(self) -> Weights:
        """What the objective of the plan weighs; money alone where that cannot be read."""
        usd, faults = self._read
        return Weights(self.ledger, self.limits, {NPV: Fraction(1)} if faults else usd)

    @cached_property
    def aimed_ledger(self) -> Ledger:
        """Coefficients of the objective by parts."""
        return self.weights.weighed_ledger()

    @cached_property
    def aimed_side(self) -> Side:
        """What is decided beside the racks, at its worth to the objective."""
        return self.weights.weighed_side(self.side)

    def value(
        self, measure: Measure, placed: Mapping[str, dict[str, Counts]], blocks: BlockCounts, values: Mapping[str, int]
    ) -> Fraction:
        """What a plan amounts to in the measure's unit.

        Parameters: values, of what is decided beside the racks.
        """
        alone = Weights(self.ledger, self.limits, {measure: 1 / (100 * per_unit(measure))})
        side = alone.weighed_side(self.side)
        whole = alone.weighed_ledger().objective(placed, blocks) + side.worth_cents(values) + side.constant_cents
        return whole * per_unit(measure)

    def check(self, placed: Mapping[str, dict[str, Counts]], blocks: BlockCounts, values: Mapping[str, int]) -> Check:
        """Weights, values of every measure, and the plan's worth in money."""
        usd, faults = self._read
        faults = list(faults)
        if is_net_present_value(self.objective) or faults:
            return check_of("aim", faults, "the objective is net present value")
        stated = self.plan["aim"].get("values")
        stated = stated if isinstance(stated, dict) else {}
        for measure in dict.fromkeys((*usd, NPV)):
            due = {"value": str(self.value(measure, placed, blocks, values)), "unit": measure.kind.unit}
            if stated.get(str(measure)) != due:
                faults.append(f"{measure} is {due['value']} {due['unit']}, stated {stated.get(str(measure))}")
        amounts = {measure: self.value(measure, placed, blocks, values) for measure in usd}
        faults += self._claims(usd, amounts)
        npv_cents = self.value(NPV, placed, blocks, values) * 100
        if self.plan.get("npv_cents") != npv_cents:
            faults.append(f"'npv_cents' is {npv_cents}, stated {self.plan.get('npv_cents')}")
        return check_of("aim", faults, f"the objective weighs {_shown(usd)}")

    def _claims(self, usd: Mapping[Measure, Fraction], amounts: Mapping[Measure, Fraction]) -> list[str]:
        """What is wrong with further certificates and with what is claimed of the objective."""
        bound, entries = self.plan.get("bound"), self.plan["aim"].get("certificates")
        assert self.objective is not None
        if type(bound) is not int or not isinstance(entries, list):
            return ["'bound' must be whole cents, 'certificates' of 'aim' a list"]
        others, faults = [], []
        for entry in entries:
            try:
                others.append(self._proven(entry))
            except CertificateError as error:
                faults.append(str(error))
        if faults:
            return faults
        claims = Claims(
            objective=self.objective,
            aim=self.plan["aim"],
            values=amounts,
            own=Proven(usd, bound),
            others=tuple(others),
            periods=tuple(self.ledger.setting.periods),
            may_fall=bool(self.ledger.money.portfolio.refresh),
        )
        return list(claims.faults())

    def _proven(self, entry: object) -> Proven:
        """A further certificate, worked out; raises CertificateError where it does not prove what is stated."""
        stated = entry if isinstance(entry, dict) else {}
        usd, faults = weights_of_texts(stated.get("weights"))
        name = stated.get("file")
        if faults or not isinstance(name, str) or _FILE.fullmatch(name) is None:
            msg = f"'certificates' of 'aim' names {str(entry)[:80]}; a file, weights and a bound are due"
            raise CertificateError(msg)
        weights = Weights(self.ledger, self.limits, usd)
        bound = self.prove(self.read(name), weights.weighed_ledger(), weights.weighed_side(self.side))
        if stated.get("bound") != bound:
            msg = f"'{name}' proves {bound} cents, stated {stated.get('bound')}"
            raise CertificateError(msg)
        return Proven(usd, bound)


def weights_of_texts(stated: object) -> tuple[dict[Measure, Fraction], list[str]]:
    """Weights as a plan states them, and what is wrong with them."""
    if not isinstance(stated, dict) or not stated:
        return {}, ["'weights' of 'aim' must be an object of exact numbers by measure"]
    found: dict[Measure, Fraction] = {}
    for text, weight in stated.items():
        try:
            measure = measure_of(str(text))
            found[measure] = Fraction(_number(weight))
        except (ValueError, ZeroDivisionError):
            return {}, [f"'{str(text)[:80]}': {str(weight)[:80]!r} is no measure with an exact weight"]
        if found[measure] < 0 and measure.kind in {Kind.NPV, Kind.COST, Kind.TOKENS}:
            return {}, [f"the weight of {measure} is {weight}; no bound holds below 0"]
    return found, []


def _number(text: object) -> str:
    """Text of an exact number, no longer than one that is meant."""
    if not isinstance(text, str) or len(text) > _MOST_DIGITS or not set(text) <= set("-0123456789/"):
        raise ValueError
    return text


def _shown(weights: Mapping[Measure, Fraction]) -> str:
    return ", ".join(f"{measure} at {weight}" for measure, weight in weights.items())
