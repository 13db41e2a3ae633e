"""A scenario file: named futures, each a list of changes to the portfolio, its sites and the catalogue."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sites import units
from sites.schema.common import Model, Name, Provenance, Text

BASE = "base"
"""The future that changes nothing; it is there without being written."""
CHANGES = ("value", "factor", "delay_quarters")


class Override(Model):
    """One change, at every place that a path leads to."""

    path: Text
    """`portfolio.…`, `sites[NAME].…` or `catalog.…`, keys joined by dots; `*` is every key, `[*]` every item of a list,
    `[0]` one by its place, `[kind=line]` those with that value, `[vr-nvl72]` the one of that name, system or site."""
    value: Any = None
    """What stands there instead; an optional key that is not there yet is added, and null takes it away. `start+4` is
    the quarter four after the plan's first."""
    factor: units.Ratio | None = None
    """Times what stands there: a number with or without a unit, or a catalogue figure with its range. Counts of whole
    things are rounded down."""
    delay_quarters: Annotated[int, Field(strict=True, ge=-40, le=40)] | None = None
    """Later (below 0, earlier) by so many quarters, for every quarter there that lies after the plan's first one: what
    stands when the plan begins does not slip."""
    where: Literal["present"] | None = None
    """`present`: where the path leads nowhere, or nothing there changes, that is said and is no fault."""
    needs: Text | None = None
    """A path; the change is made only where it leads somewhere, which is said and is no fault otherwise."""
    provenance: Provenance | None = None
    """Missing: the scenario's."""

    @model_validator(mode="after")
    def _one_change(self) -> Override:
        found = [key for key in CHANGES if key in self.model_fields_set]
        if len(found) != 1:
            told = f"found {' and '.join(found)}" if found else "found no change"
            msg = f"{told}; exactly one of {', '.join(CHANGES)} is due"
            raise ValueError(msg)
        if self.delay_quarters == 0 or (found == ["factor"] and self.factor in {None, 1}):
            msg = f"'{found[0]}' changes nothing; give another number, or remove this override"
            raise ValueError(msg)
        return self


class Scenario(Model):
    """One named future."""

    name: Name
    title: Text
    extends: tuple[Name, ...] = ()
    """Scenarios whose changes are made first, in this order, each once."""
    overrides: tuple[Override, ...] = ()
    """Made in this order, each on what the ones before it have left."""
    provenance: Provenance

    @model_validator(mode="after")
    def _does_something(self) -> Scenario:
        if not self.overrides and not self.extends:
            msg = f"scenario '{self.name}' changes nothing; give 'overrides' or 'extends' ('{BASE}' is always there)"
            raise ValueError(msg)
        return self


class ScenarioFile(Model):
    """A scenario file."""

    format: Literal["gigaplan-scenarios/1"]
    title: Text
    include: tuple[Text, ...] = ()
    """Other scenario files, whose scenarios may be extended and chosen: names of the library, or paths relative to
    this file."""
    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1)]
