"""What a contract promises beside its amount: floors, shares, tranches, take-or-pay commitments and the way out."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from sites import units
from sites.calendar import Quarter, quarter_index
from sites.schema.common import Model, Name, Provenance, Text

if TYPE_CHECKING:
    from fractions import Fraction

MAX_SHARE_DENOMINATOR = 10_000
"""Shares are whole hundredths of a percent, so that they are kept to the last unit."""

RackCount = Annotated[int, Field(strict=True, ge=0, le=10**9)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]


class Measure(StrEnum):
    """What a clause counts."""

    METER_W = "meter-w"
    """Watts at the meter for which a standing rack pays the demand charge."""
    IT_W = "it-w"
    """Sustained watts of the standing racks."""
    RACKS = "racks"
    ACCEPTED_RACKS = "accepted-racks"
    """Racks that have stood for the acceptance lag."""
    GPUS = "gpus"
    TOKENS = "tokens"
    """What workloads have served since the plan's start, in what their bases count."""
    SPEND = "spend"
    """Prices of the standing racks; in the customer's books the rent of the quarter."""


class Part(Model):
    """Which of the plan's racks a clause counts: those that every key given here names."""

    sites: Names | None = None
    """Missing: every site of the portfolio."""
    systems: Names | None = None
    """Missing: every system on offer."""
    vendors: Names | None = None
    """Missing: every vendor of a system on offer."""


class Served(Model):
    """Which workloads a clause counts, all together."""

    workloads: Names


class TermStep(Model):
    """Something that holds from a quarter on until the next step."""

    start: Quarter


class PowerStep(TermStep):
    """The least power that is due."""

    minimum: units.Watts


class RackStep(TermStep):
    """The least number of racks or GPUs that is due."""

    minimum: RackCount


class WorkStep(TermStep):
    """The least work that is due, counted from the plan's start."""

    minimum: units.Ratio
    """A bare number of what the workloads' bases count."""


class ExitStep(TermStep):
    """What leaving costs."""

    share: units.Share
    """Of what is left of the commitment once notice has run out."""


S = TypeVar("S", bound=TermStep)


def ascending_terms(steps: tuple[S, ...]) -> tuple[S, ...]:
    """Refuse steps that are out of order of quarter, or begin in the same one."""
    if any(quarter_index(a.start) >= quarter_index(b.start) for a, b in pairwise(steps)):
        found = ", ".join(step.start for step in steps)
        msg = f"found {found}; each step must begin later than the one before"
        raise ValueError(msg)
    return steps


_Steps = Annotated[tuple[S, ...], Field(min_length=1), AfterValidator(ascending_terms)]


class _Clause(Model):
    name: Name
    """Names the clause in limits, decisions and reports; unlike that of any other clause."""
    title: Text | None = None
    provenance: Provenance


class _Floor(_Clause):
    """What is due in each decision quarter; what is short is paid for."""


class PowerFloor(_Floor, Part):
    """Power that stands at the least."""

    measure: Literal[Measure.METER_W, Measure.IT_W]
    steps: _Steps[PowerStep]
    """Before the first step nothing is due."""
    price: units.UsdPerWatt
    """For each watt short in a quarter, each quarter anew."""


class RackFloor(_Floor, Part):
    """Racks or GPUs that stand at the least."""

    measure: Literal[Measure.RACKS, Measure.ACCEPTED_RACKS, Measure.GPUS]
    steps: _Steps[RackStep]
    price: units.Usd
    """For each one short in a quarter, each quarter anew."""


class WorkFloor(_Floor, Served):
    """Work served from the plan's start to the end of each quarter at the least."""

    measure: Literal[Measure.TOKENS]
    steps: _Steps[WorkStep]
    price: units.UsdPerMillion
    """For each million by which the work served so far is behind at a quarter's end, each quarter anew."""


Floor = Annotated[PowerFloor | RackFloor | WorkFloor, Field(discriminator="measure")]


class _Share(_Clause, Part):
    """How much of the whole plan a part of it may or must be, in the decision quarters from `start` to `end`."""

    at_most: units.Share | None = None
    at_least: units.Share | None = None
    start: Quarter | None = None
    """Missing: the plan's start."""
    end: Quarter | None = None
    """Last quarter in which it holds; missing: the last decision quarter."""

    @model_validator(mode="after")
    def _says_what_of_what(self) -> _Share:
        if (self.at_most is None) == (self.at_least is None):
            msg = "give either 'at_most' (concentration) or 'at_least' (exclusivity)"
            raise ValueError(msg)
        if self.sites is None and self.systems is None and self.vendors is None:
            msg = "a share is that of a part; name its 'sites', 'systems' or 'vendors'"
            raise ValueError(msg)
        if MAX_SHARE_DENOMINATOR % self.share.denominator:
            msg = f"found {float(self.share):g}; shares are whole hundredths of a percent, e.g. 33.33 %"
            raise ValueError(msg)
        if self.start is not None and self.end is not None and quarter_index(self.end) < quarter_index(self.start):
            msg = f"found start {self.start} and end {self.end}; the end must not lie before the start"
            raise ValueError(msg)
        return self

    @property
    def share(self) -> Fraction:
        """The share, whichever way it binds."""
        return next(one for one in (self.at_most, self.at_least) if one is not None)


class PowerShare(_Share):
    """Share of the power."""

    measure: Literal[Measure.METER_W, Measure.IT_W]
    price: units.UsdPerWatt
    """For each watt beyond the share in a quarter, each quarter anew."""


class RackShare(_Share):
    """Share of the racks or GPUs."""

    measure: Literal[Measure.RACKS, Measure.ACCEPTED_RACKS, Measure.GPUS]
    price: units.Usd
    """For each one beyond the share in a quarter, each quarter anew."""


class SpendShare(_Share):
    """Share of the money spent on racks."""

    measure: Literal[Measure.SPEND]
    price: units.Ratio
    """USD for each USD beyond the share in a quarter, each quarter anew."""


Share = Annotated[PowerShare | RackShare | SpendShare, Field(discriminator="measure")]


class _Tranche(_Clause):
    """An instalment that is paid when a milestone is reached in time, and lost otherwise."""

    by: Quarter
    """Decision quarter in which the milestone must be reached."""
    cash: units.Usd | None = None
    """Paid out at the end of that quarter."""
    rack_budget: units.Usd | None = None
    """Added to `money.rack_budget` from the next quarter on."""

    @model_validator(mode="after")
    def _brings_something(self) -> _Tranche:
        if not self.cash and not self.rack_budget:
            msg = "a tranche pays 'cash', adds to the 'rack_budget', or both; give one, above 0 USD"
            raise ValueError(msg)
        return self


class PowerTranche(_Tranche, Part):
    """Paid when so much power stands."""

    measure: Literal[Measure.METER_W, Measure.IT_W]
    target: units.Watts


class RackTranche(_Tranche, Part):
    """Paid when so many racks or GPUs stand."""

    measure: Literal[Measure.RACKS, Measure.ACCEPTED_RACKS, Measure.GPUS]
    target: RackCount


class WorkTranche(_Tranche, Served):
    """Paid when so much work has been served since the plan's start."""

    measure: Literal[Measure.TOKENS]
    target: units.Ratio


Tranche = Annotated[PowerTranche | RackTranche | WorkTranche, Field(discriminator="measure")]


class Commitment(_Clause, Part):
    """Take or pay: the least rent that the customer pays over a term, used or not.

    It binds in the customer's books; in those of the provider and the chain, where it is a transfer, it is reported.
    """

    amount: units.Usd
    start: Quarter
    """First quarter of the term."""
    end: Quarter
    """Last quarter of the term, in which what was not used falls due."""

    @model_validator(mode="after")
    def _has_a_term(self) -> Commitment:
        if quarter_index(self.end) < quarter_index(self.start):
            msg = f"found start {self.start} and end {self.end}; the term must not end before it begins"
            raise ValueError(msg)
        return self


class Termination(_Clause):
    """The way out of a commitment: reported by quarter, never binding."""

    commitment: Name
    notice_quarters: Annotated[int, Field(strict=True, ge=0, le=40)]
    """Quarters after that of the notice in which the rent is still due."""
    steps: _Steps[ExitStep]
    """Before the first step there is no way out."""
