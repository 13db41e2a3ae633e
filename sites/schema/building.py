"""A building: its template of groups, plants and lineups, its storeys, and its dates."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sites import units
from sites.schema.common import Count, Model, Name, Provenance, QuarterRange, Text
from sites.schema.cooling import Plant
from sites.schema.power import PowerGroup


class Dates(Model):
    """In service = the latest of utility, equipment, building, permit and network, plus commissioning (modes)."""

    utility: QuarterRange
    equipment: QuarterRange
    building: QuarterRange
    permit: QuarterRange
    network: QuarterRange
    """Leaves, spine and optics on site."""
    commissioning_quarters: Annotated[int, Field(strict=True, ge=0, le=12)]


class Occupied(Model):
    """Racks that stand in every row already and belong to someone; they use every limit and earn nothing."""

    owner: Text
    configuration: Text
    racks_per_row: Count


class LineupBatch(Model):
    """Like lineups in one hall."""

    template: Name
    count: Count
    hall: Name
    delay_quarters: Annotated[int, Field(strict=True, ge=0, le=40)] = 0
    """In service this long after the building."""
    occupied: Occupied | None = None


class Storey(Model):
    """A storey with halls on it; its slab bounds what their floors carry."""

    number: Annotated[int, Field(strict=True, ge=-20, le=200)]
    """0 is the ground floor."""
    halls: Annotated[tuple[Name, ...], Field(min_length=1)]
    floor_uniform: units.KilogramsPerSquareMetre
    floor_point: units.KilogramsPerSquareMetre
    provenance: Provenance


class BuildingTemplate(Model):
    """A repeated building."""

    power: tuple[PowerGroup, ...]
    plants: Annotated[tuple[Plant, ...], Field(min_length=1)]
    lineups: Annotated[tuple[LineupBatch, ...], Field(min_length=1)]
    storeys: tuple[Storey, ...] = ()
    """Missing: the rows' own floor ratings hold alone."""
    spine_positions: Count
    spine_switch: Name
    provenance: Provenance


class Building(Model):
    """One building: a template with dates."""

    name: Name
    template: Name
    dates: Dates
    landing_racks_per_quarter: Count
    """What crews can land, from the quarter in service on."""
    available: bool = True
    """False: wholly someone else's; no row is offered (its occupied lineups still load every limit)."""
    provenance: Provenance
