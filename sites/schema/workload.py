"""What racks work for: workloads at a service level, with demand in tiers that each have a price."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, model_validator

from sites import units
from sites.calendar import Quarter, quarter_index
from sites.schema.common import Model, Name, Provenance, Text
from sites.schema.throughput import ModelClass, WorkKind

if TYPE_CHECKING:
    from collections.abc import Iterable


class DemandStep(Model):
    """A demand that holds from a quarter on until the next step; the last one holds on."""

    start: Quarter
    rate: units.PerSecond
    """Of what the workload's basis counts, over all hours of a quarter."""


def ascending_demand(steps: tuple[DemandStep, ...]) -> tuple[DemandStep, ...]:
    """Refuse demand that is out of order of quarter, or has two steps in one."""
    if any(quarter_index(a.start) >= quarter_index(b.start) for a, b in pairwise(steps)):
        msg = f"found {', '.join(step.start for step in steps)}; steps ascend, each quarter once"
        raise ValueError(msg)
    return steps


class Tier(Model):
    """A part of a workload's demand that pays one price: contracted, forecast, spot."""

    name: Name
    demand: Annotated[tuple[DemandStep, ...], Field(min_length=1), AfterValidator(ascending_demand)]
    price: units.UsdPerMillion
    """For each million of what the basis counts, in the plan's first quarter."""
    price_decline_per_year: units.Share
    """Fall of the price for each year after the plan's first quarter."""
    penalty: units.UsdPerMillion | None = None
    """Paid for each million of demand that is not served; missing: nothing was promised."""
    provenance: Provenance


class Charge(Model):
    """What each million that is served costs beside racks and power: network egress, cache warming, storage."""

    name: Name
    cost: units.UsdPerMillion
    provenance: Provenance


class Workload(Model):
    """Training or serving of one model family at one service level."""

    name: Name
    title: Text
    kind: WorkKind
    family: ModelClass
    basis: Name
    """Throughput basis of the catalogue, whose curves (or a pilot's in their place) give the rates of racks."""
    speed: units.TokensPerSecondPerUser | None = None
    """What each user gets; missing: batch work, where no user waits."""
    ttft: units.Seconds | None = None
    """Longest time to first token; points of a curve that state a longer one do not serve."""
    work_factor: units.Ratio
    """Units of the basis' model that take as much work as one unit of this workload's model."""
    sites: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """Sites on which it may run (residency); missing: all of the portfolio."""
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    """Dearest first."""
    charges: tuple[Charge, ...] = ()
    provenance: Provenance

    @model_validator(mode="after")
    def _asks_what_can_be_served(self) -> Workload:
        if self.speed is not None and self.kind is WorkKind.TRAINING:
            msg = "found a 'speed' for training, which has no users who wait; remove it"
            raise ValueError(msg)
        if self.speed == 0:
            msg = "found a speed of 0 tokens/s/user; leave 'speed' out for batch work, or give one above 0"
            raise ValueError(msg)
        if self.ttft is not None and self.speed is None:
            msg = "found a 'ttft' for work without 'speed', in which no user waits; remove it, or give the speed"
            raise ValueError(msg)
        if self.work_factor == 0:
            msg = "found a 'work_factor' of 0; above 0 is due, 1 where the model is the basis' own"
            raise ValueError(msg)
        _refuse_twins("tier", self.name, (tier.name for tier in self.tiers))
        _refuse_twins("charge", self.name, (charge.name for charge in self.charges))
        return self


def named_once(workloads: tuple[Workload, ...]) -> tuple[Workload, ...]:
    """Refuse two workloads of one name."""
    seen: set[str] = set()
    for workload in workloads:
        if workload.name in seen:
            msg = f"workload '{workload.name}' stands here a second time; rename or remove one"
            raise ValueError(msg)
        seen.add(workload.name)
    return workloads


Workloads = Annotated[tuple[Workload, ...], AfterValidator(named_once)]


def _refuse_twins(what: str, workload: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            msg = f"{what} '{name}' of workload '{workload}' stands there a second time; rename or remove one"
            raise ValueError(msg)
        seen.add(name)
