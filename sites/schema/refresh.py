"""Refresh: the racks of one system make way for as many of another, once, in a quarter that the plan may choose."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from sites import units
from sites.calendar import Quarter, quarter_index
from sites.schema.common import Model, Name, Provenance

MOST_QUARTERS = 4
"""Each candidate quarter is a system of its own to the planner."""


class ResaleStep(Model):
    """What a rack brings from an age on until the next step."""

    age_quarters: Annotated[int, Field(strict=True, ge=0, le=60)]
    share: units.Share
    """Of its price."""


def ascending_resale(steps: tuple[ResaleStep, ...]) -> tuple[ResaleStep, ...]:
    """Refuse steps that leave an age without a share, or are out of order."""
    ages = [step.age_quarters for step in steps]
    if not ages or ages[0] != 0 or any(a >= b for a, b in pairwise(ages)):
        found = f"found {', '.join(map(str, ages))}; " if ages else ""
        msg = f"{found}steps of resale begin with age_quarters: 0 and ascend; add {{age_quarters: 0, share: …}}"
        raise ValueError(msg)
    return steps


def ascending_quarters(quarters: tuple[Quarter, ...]) -> tuple[Quarter, ...]:
    """Refuse quarters out of order, or named twice."""
    if any(quarter_index(a) >= quarter_index(b) for a, b in pairwise(quarters)):
        msg = f"found {', '.join(quarters)}; quarters ascend, each once"
        raise ValueError(msg)
    return quarters


class Refresh(Model):
    """A system whose racks may be replaced by those of another."""

    before: Name
    """Rack system that stands first."""
    after: Name
    """Rack system that takes its place, as many racks in the same rows."""
    quarters: Annotated[
        tuple[Quarter, ...], Field(min_length=1, max_length=MOST_QUARTERS), AfterValidator(ascending_quarters)
    ]
    """Candidates for the quarter in which the old racks leave and the new ones are delivered and paid for."""
    downtime_quarters: Annotated[int, Field(strict=True, ge=0, le=8)]
    """Quarters without any rack at work, from that quarter on."""
    removal_cost: units.Usd
    """For each rack that leaves, work on its place included."""
    resale: Annotated[tuple[ResaleStep, ...], AfterValidator(ascending_resale)]
    """What a rack that leaves is sold for, by its age."""
    provenance: Provenance
