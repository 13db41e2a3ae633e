"""Measured throughput of rack systems: benchmark bases with their curves, and the gains that a plan may count on."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sites import units
from sites.calendar import Quarter, quarter_index
from sites.schema.common import Model, Name, Provenance, Sourced, Text


class ModelClass(StrEnum):
    """Size of the model that a benchmark runs, in the three families that a plan serves."""

    LARGE = "large"
    MIDDLE = "middle"
    SMALL = "small"


class WorkKind(StrEnum):
    """What a basis measures."""

    INFERENCE = "inference"
    TRAINING = "training"


class Counted(StrEnum):
    """What a rate counts each second."""

    OUTPUT_TOKENS = "output-tokens"
    TOTAL_TOKENS = "total-tokens"
    """Input, cached or not, and output together; output alone may be less than a hundredth of it."""
    SAMPLES = "samples"
    RELATIVE = "relative"
    """Work in a unit that the conditions name, e.g. what one GB300 rack does in a second."""


class RatedPer(StrEnum):
    """What the rate of a point is the rate of."""

    RACK = "rack"
    GPU = "gpu"
    """One package; a rack has `gpu_packages` of them."""
    ALL_IN_MEGAWATT = "all-in-megawatt"
    """1 MW of GPUs with their share of hosts, NICs and fabric; before the losses of the facility."""


class ThroughputPoint(Model):
    """One measured operating point of a curve."""

    speed: Sourced[units.TokensPerSecondPerUser] | None = None
    """What each user gets; missing: offline, where no user waits."""
    ttft: Sourced[units.Seconds]
    """Time to first token; null with a reason where it is not published or not asked."""
    rate: Sourced[units.PerSecond]

    @model_validator(mode="after")
    def _positive(self) -> ThroughputPoint:
        if self.speed is not None and not self.speed.value:
            msg = "a point's 'speed' must be known and above 0 tokens/s/user; leave 'speed' out for an offline point"
            raise ValueError(msg)
        if not self.rate.value or (self.rate.low is not None and self.rate.low == 0):
            msg = "a point's 'rate' must be known and above 0 1/s; remove the point, or give its rate"
            raise ValueError(msg)
        return self

    @property
    def speed_tokens_per_s_user(self) -> units.TokensPerSecondPerUser | None:
        """Speed in tokens/s/user, None for an offline point."""
        return None if self.speed is None else self.speed.value


def ascending_points(points: tuple[ThroughputPoint, ...]) -> tuple[ThroughputPoint, ...]:
    """Refuse points that are not in order of speed: an offline one first, at most one of them, then each speed once."""
    speeds = [point.speed_tokens_per_s_user for point in points]
    for earlier, later in pairwise(speeds):
        if later is None:
            msg = "an offline point (without 'speed') stands first, and a curve has one at most; move or remove it"
            raise ValueError(msg)
        if earlier is not None and later <= earlier:
            found = f"found {float(later):g} after {float(earlier):g} tokens/s/user"
            msg = f"{found}; points ascend in speed, each speed once"
            raise ValueError(msg)
    return points


class ThroughputCurve(Model):
    """What one rack system did under the conditions of a basis, with one software and at one power profile."""

    system: Name
    """A rack system of the catalogue, unless `outside_catalogue` says why it is none."""
    outside_catalogue: Text | None = None
    """Why the system is not in the catalogue; its curve stands for comparison and serves no workload."""
    profile: Name | None
    """Power profile that it was measured at; null with `profile_reason` where that is not published."""
    profile_reason: Text | None = None
    software: Text
    measured: Quarter
    """Quarter of the measurement; gains that begin later are still to come."""
    per: RatedPer
    all_in_power_per_gpu: Sourced[units.Watts] | None = None
    """Power of a GPU with its share of hosts, NICs and fabric by which the source divided; due with
    `all-in-megawatt`."""
    points: Annotated[tuple[ThroughputPoint, ...], Field(min_length=1), AfterValidator(ascending_points)]

    @model_validator(mode="after")
    def _states_what_its_rates_need(self) -> ThroughputCurve:
        if (self.profile is None) != (self.profile_reason is not None):
            msg = "a null 'profile' needs a 'profile_reason', and only a null profile has one"
            raise ValueError(msg)
        if (self.per is RatedPer.ALL_IN_MEGAWATT) != (self.all_in_power_per_gpu is not None):
            msg = (
                f"found per: {self.per} {'without' if self.all_in_power_per_gpu is None else 'with'} "
                "'all_in_power_per_gpu'; rates for an all-in megawatt need it, and only they have it"
            )
            raise ValueError(msg)
        power = self.all_in_power_per_gpu
        if power is not None and not power.value and self.outside_catalogue is None:
            msg = "'all_in_power_per_gpu' must be known and above 0 W, for the rate of a rack is worked out with it"
            raise ValueError(msg)
        return self

    @property
    def name(self) -> str:
        """How lists call it: system, software and what its rates are for."""
        return f"{self.system}, {self.software}, per {self.per}"

    @property
    def configuration(self) -> tuple[str, str | None, str]:
        """What tells it from the other curves of its basis: system, profile and software."""
        return self.system, self.profile, self.software


class ThroughputBasis(Model):
    """One benchmark on one model under one set of conditions; its curves compare with each other and with no others."""

    name: Name
    title: Text
    model: Text
    """The model that was run."""
    model_class: ModelClass
    kind: WorkKind
    counts: Counted
    conditions: Text
    """Round, division, precision, lengths, percentiles and limits; for `relative` counts also the unit of work."""
    curves: Annotated[tuple[ThroughputCurve, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _training_has_no_users(self) -> ThroughputBasis:
        if self.kind is WorkKind.TRAINING and any(point.speed for curve in self.curves for point in curve.points):
            msg = "found a 'speed' in a basis for training, which has no users who wait; remove it"
            raise ValueError(msg)
        return self


class GainCase(StrEnum):
    """Which value of a software gain a plan counts on."""

    LOW = "low"
    MODE = "mode"
    HIGH = "high"


class SoftwareGain(Model):
    """A factor by which better software raises every rate of a rack system from a quarter on."""

    system: Name
    start: Quarter
    low: units.Ratio
    mode: units.Ratio
    high: units.Ratio
    provenance: Provenance

    @model_validator(mode="after")
    def _ascending(self) -> SoftwareGain:
        if not 0 < self.low <= self.mode <= self.high:
            found = ", ".join(f"{float(one):g}" for one in (self.low, self.mode, self.high))
            msg = f"found {found}; low, mode and high must ascend and lie above 0 (1 is no gain)"
            raise ValueError(msg)
        return self


class CoDesignGain(Model):
    """A fall of the cost of inference by co-design of models, software and racks: rates rise by 1/(1 − reduction)."""

    start: Quarter
    cost_reduction: units.Share
    provenance: Provenance

    @model_validator(mode="after")
    def _leaves_a_cost(self) -> CoDesignGain:
        if self.cost_reduction == 1:
            msg = "found a reduction of the whole cost; a share below 1 is allowed, e.g. 0.3"
            raise ValueError(msg)
        return self


class Goodput(Model):
    """Share of the measured rate that is left after failures, spares and maintenance."""

    share: units.Share
    provenance: Provenance


def gains_by_start(gains: tuple[SoftwareGain, ...]) -> tuple[SoftwareGain, ...]:
    """Refuse gains of one system that are out of order of quarter, or begin in the same one."""
    last: dict[str, str] = {}
    for gain in gains:
        before = last.get(gain.system)
        if before is not None and quarter_index(gain.start) <= quarter_index(before):
            msg = f"found {gain.start} after {before} for '{gain.system}'; gains of a system ascend, each quarter once"
            raise ValueError(msg)
        last[gain.system] = gain.start
    return gains


SoftwareGains = Annotated[tuple[SoftwareGain, ...], AfterValidator(gains_by_start)]
