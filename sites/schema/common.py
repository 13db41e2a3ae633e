"""What all input files share: the closed base model, names, statuses, provenance and dated values."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sites import units
from sites.calendar import Quarter, quarter_index

Name = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=2000, strip_whitespace=True)]
Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]
T = TypeVar("T")


class Model(BaseModel):
    """Base of every schema class: unknown keys are faults, values never change after loading."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, use_attribute_docstrings=True)


class Status(StrEnum):
    """How firm a figure is."""

    MEASURED = "measured"
    PUBLISHED = "published"
    ESTIMATE = "estimate"
    ASSUMPTION = "assumption"


class Provenance(Model):
    """Where the figures of one part of a file come from."""

    status: Status
    source: Text
    """A citation, or for an assumption the reasoning behind it."""
    note: Text | None = None


class Sourced(Model, Generic[T]):
    """One catalogue figure: value with unit, range, source and status; null only with a reason."""

    value: T | None
    low: T | None = None
    high: T | None = None
    source: Text
    """Keys of the file's `sources`, separated by commas, or the reasoning of an assumption."""
    status: Status
    note: Text | None = None
    reason: Text | None = None
    """Why the value is null; required exactly then."""

    @model_validator(mode="after")
    def _null_needs_reason(self) -> Sourced[T]:
        if (self.value is None) != (self.reason is not None):
            msg = "a null value needs a 'reason', and only a null value has one"
            raise ValueError(msg)
        values = [x for x in (self.low, self.value, self.high) if x is not None]
        if any(a > b for a, b in pairwise(values)):  # type: ignore[operator]
            msg = "low, value and high must ascend"
            raise ValueError(msg)
        return self


class QuarterRange(Model):
    """A date with its range."""

    low: Quarter
    mode: Quarter
    high: Quarter

    @model_validator(mode="after")
    def _ascending(self) -> QuarterRange:
        if not quarter_index(self.low) <= quarter_index(self.mode) <= quarter_index(self.high):
            msg = f"found {self.low}, {self.mode}, {self.high}; low, mode and high must ascend"
            raise ValueError(msg)
        return self


class CapacityStep(Model):
    """A capacity that holds from a quarter on until the next step."""

    start: Quarter
    capacity: units.Watts


def ascending_steps(steps: tuple[CapacityStep, ...]) -> tuple[CapacityStep, ...]:
    """Refuse an empty or unsorted list of capacity steps (a missing limit never means unlimited)."""
    quarters = [quarter_index(step.start) for step in steps]
    if not quarters or any(a >= b for a, b in pairwise(quarters)):
        found = f"found {', '.join(step.start for step in steps)}; " if steps else ""
        msg = f"{found}steps must name at least one quarter, each later than the one before"
        raise ValueError(msg)
    return steps


Steps = Annotated[tuple[CapacityStep, ...], AfterValidator(ascending_steps)]
