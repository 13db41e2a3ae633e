"""What a plan is to be best at: measures by name, weighed, one after the other, as a ratio, or by a date."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints, model_validator

from sites import units
from sites.calendar import quarter_index
from sites.nearest import shortened, unknown
from sites.schema.common import Model, Name


class Kind(StrEnum):
    """What can be measured of a plan; more is better of all but `cost`, of which the measure is what is not spent."""

    NPV = "npv"
    COST = "cost"
    TOKENS = "tokens"
    FLOPS_NVFP4 = "flops-nvfp4"
    FLOPS_FP8 = "flops-fp8"
    FLOPS_BF16 = "flops-bf16"
    RACKS = "racks"
    GPUS = "gpus"
    METER_W = "meter-w"

    @property
    def unit(self) -> str:
        """Unit of its values."""
        return _UNITS[self]

    @property
    def has_quarter(self) -> bool:
        """Whether it can be asked for by or in a quarter."""
        return self not in {Kind.NPV, Kind.COST}


_UNITS = {
    Kind.NPV: "USD",
    Kind.COST: "USD",
    Kind.TOKENS: "million tokens",
    Kind.FLOPS_NVFP4: "PFLOP/s",
    Kind.FLOPS_FP8: "PFLOP/s",
    Kind.FLOPS_BF16: "PFLOP/s",
    Kind.RACKS: "racks",
    Kind.GPUS: "GPUs",
    Kind.METER_W: "W",
}
FLOPS = frozenset({Kind.FLOPS_NVFP4, Kind.FLOPS_FP8, Kind.FLOPS_BF16})
_NUMBER = re.compile(r"[+-]?(?:\d{1,24}/0*[1-9]\d{0,23}|\d{1,24}(?:\.\d{1,24})?(?:[eE][+-]?\d{1,2})?)")
_TEXT = re.compile(r"(?P<kind>[a-z0-9-]+)(?::(?P<workloads>[a-z0-9-]+(?:\+[a-z0-9-]+)*))?(?:@(?P<quarter>\S+))?")


@dataclass(frozen=True)
class Measure:
    """One measure, written `racks`, `racks@2028-Q4`, `tokens` or `tokens:chat+batch@2028-Q4`."""

    kind: Kind
    workloads: tuple[str, ...] = ()
    """Of tokens: those that count; empty: every workload that counts tokens."""
    quarter: str | None = None
    """Of tokens: sold up to its end; of others: standing in it. None: all of them, or standing in the last one."""

    def __str__(self) -> str:
        """As it is written in a portfolio."""
        workloads = f":{'+'.join(self.workloads)}" if self.workloads else ""
        return f"{self.kind}{workloads}" + (f"@{self.quarter}" if self.quarter else "")


def measure_of(text: str) -> Measure:
    """Read a measure; raises ValueError with what is allowed."""
    match = _TEXT.fullmatch(text)
    if match is None or match["kind"] not in {str(kind) for kind in Kind}:
        msg = unknown("measure", match["kind"] if match else text, [str(kind) for kind in Kind])
        raise ValueError(msg)
    kind, quarter = Kind(match["kind"]), match["quarter"]
    if match["workloads"] and kind is not Kind.TOKENS:
        msg = f"found '{text}'; workloads are named for tokens only, as in 'tokens:chat'"
        raise ValueError(msg)
    if quarter is not None:
        if not kind.has_quarter:
            msg = f"found '{text}'; '{kind}' is of the whole plan: leave '@{quarter}' out"
            raise ValueError(msg)
        quarter_index(quarter)
    workloads = tuple(match["workloads"].split("+")) if match["workloads"] else ()
    if len(set(workloads)) < len(workloads):
        msg = f"found '{text}'; name each workload once"
        raise ValueError(msg)
    return Measure(kind, workloads, quarter)


def _measure(value: object) -> str:
    """The canonical text of a measure."""
    if not isinstance(value, str):
        msg = f"found {value!r}; a measure is due, such as npv, racks@2028-Q4 or tokens"
        raise ValueError(msg)  # noqa: TRY004 - pydantic collects ValueError
    return str(measure_of(value))


def _weight(value: object) -> Fraction:
    """An exact number of either sign, or a quotient of two."""
    text = str(value).replace(" ", "")
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or _NUMBER.fullmatch(text) is None:
        msg = f"found '{shortened(text)}'; a number of USD for each unit is due, such as 1, 0.25 or '2/3'"
        raise ValueError(msg)
    return Fraction(text)


MeasureText: TypeAlias = Annotated[str, BeforeValidator(_measure), StringConstraints(min_length=1, max_length=500)]
if TYPE_CHECKING:
    Weight: TypeAlias = Fraction
else:
    Weight = Annotated[
        Fraction,
        BeforeValidator(_weight, json_schema_input_type=float | str),
        PlainSerializer(str, return_type=str),
    ]
Weights: TypeAlias = dict[MeasureText, Weight]


def _sound_weights(weights: Weights) -> Weights:
    """Refuse weights under which a bound would not hold, or nothing would be asked."""
    if not any(weights.values()):
        msg = "every weight is 0; give at least one measure a weight"
        raise ValueError(msg)
    for text, weight in weights.items():
        kind = measure_of(text).kind
        if weight < 0 and kind in {Kind.NPV, Kind.COST, Kind.TOKENS}:
            msg = f"found {weight} for '{text}'; money and tokens weigh 0 or more (more of a 'cost' is less spent)"
            raise ValueError(msg)
    return weights


class CostPerToken(Model):
    """The least spent for each token sold, among plans that sell enough."""

    at_least: units.Ratio
    """Tokens to sell over the plan at the least; more than 0."""
    workloads: tuple[Name, ...] = ()
    """Workloads whose tokens count; missing: every workload that counts tokens."""

    @model_validator(mode="after")
    def _some_tokens(self) -> CostPerToken:
        if self.at_least <= 0:
            msg = "found 0 tokens; a ratio needs tokens: ask for more than 0"
            raise ValueError(msg)
        return self


class Earliest(Model):
    """The first quarter in which a measure reaches a target."""

    measure: MeasureText
    target: units.Ratio

    @model_validator(mode="after")
    def _sound(self) -> Earliest:
        measure = measure_of(self.measure)
        if not measure.kind.has_quarter or measure.quarter is not None:
            allowed = ", ".join(str(kind) for kind in Kind if kind.has_quarter)
            msg = f"found '{self.measure}'; a measure without a quarter is due: {allowed}"
            raise ValueError(msg)
        if self.target <= 0:
            msg = "found a target of 0, which is reached before the plan begins; ask for more"
            raise ValueError(msg)
        return self


class Objective(Model):
    """Exactly one of four: weights of measures, measures one after the other, a ratio, or a date."""

    weights: Annotated[Weights, AfterValidator(_sound_weights)] | None = None
    """USD for each unit of each measure; their sum is what the plan is worth."""
    lexicographic: Annotated[tuple[MeasureText, ...], Field(min_length=2, max_length=2)] | None = None
    """The first is made best, then the second without giving up more of the first than `tolerance`."""
    tolerance: units.Share | None = None
    """Share of the first measure that may be given up; due with `lexicographic`."""
    cost_per_token: CostPerToken | None = None
    earliest: Earliest | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Objective:
        given = [key for key in FORMS if getattr(self, key) is not None]
        if len(given) != 1:
            msg = f"found {', '.join(given) or 'none'}; give exactly one of {', '.join(FORMS)}"
            raise ValueError(msg)
        if (self.lexicographic is None) != (self.tolerance is None):
            msg = "'lexicographic' and 'tolerance' come together: name two measures and what may be given up"
            raise ValueError(msg)
        if self.lexicographic is not None and len(set(self.lexicographic)) < len(self.lexicographic):
            msg = f"found '{self.lexicographic[0]}' twice; name two measures"
            raise ValueError(msg)
        return self


FORMS = ("weights", "lexicographic", "cost_per_token", "earliest")


def _spelt_out(value: Any) -> Any:
    """A measure's name stands for weight 1 on it and none on others."""
    return {"weights": {value: 1}} if isinstance(value, str) else value


if TYPE_CHECKING:
    ObjectiveChoice: TypeAlias = Objective
else:
    ObjectiveChoice = Annotated[Objective, BeforeValidator(_spelt_out, json_schema_input_type=str | Objective)]
NET_PRESENT_VALUE = Objective(weights={"npv": Fraction(1)})


def is_net_present_value(objective: Objective | None) -> bool:
    """Whether an objective asks for what a portfolio without one asks for."""
    return objective is None or objective == NET_PRESENT_VALUE
