"""A site file: what a site is, by templates with counts and dates."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sites import units
from sites.schema.building import Building, BuildingTemplate
from sites.schema.catalog import PowerEquipment, SwitchEquipment
from sites.schema.common import Model, Name, Provenance, Text
from sites.schema.cooling import Climate
from sites.schema.cooling_equipment import CoolingEquipment
from sites.schema.failures import Availability, CommonMode
from sites.schema.lineup import LineupTemplate
from sites.schema.power import PowerGroup
from sites.schema.service import Battery, Generation, Service


class Location(Model):
    """Where the site is."""

    country: Text
    region: Text
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    provenance: Provenance | None = None
    """Where the coordinates come from, where they are not simply those of the place."""


class SiteFile(Model):
    """A site."""

    format: Literal["gigaplan-site/1"]
    name: Name
    title: Text
    location: Location
    climate: Climate
    service: Service
    generation: tuple[Generation, ...] = ()
    """Plant of the site's own: its firm part adds to the service's capacity, and its fuel is paid for."""
    batteries: tuple[Battery, ...] = ()
    """Batteries at the meter: they add to what the load may do at once, and to no capacity."""
    energy_price: units.UsdPerMegawattHour
    energy_price_provenance: Provenance
    equipment: tuple[PowerEquipment, ...] = ()
    """Power equipment of this site's own, in the catalogue's form; `source` is the citation or the reasoning itself."""
    cooling_equipment: tuple[CoolingEquipment, ...] = ()
    """Cooling units of this site's own."""
    switch_equipment: tuple[SwitchEquipment, ...] = ()
    """Network switches of this site's own."""
    availability: Annotated[tuple[Availability, ...], Field(min_length=1)]
    power: Annotated[tuple[PowerGroup, ...], Field(min_length=1)]
    """Campus level, from the meter down; the first group is fed by `service`."""
    common_mode: tuple[CommonMode, ...] = ()
    """Groups of elements that fail as one: each is one more failure beside those of single elements."""
    lineup_templates: dict[Name, LineupTemplate]
    building_templates: dict[Name, BuildingTemplate]
    buildings: Annotated[tuple[Building, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _campus_groups_are_dated(self) -> SiteFile:
        for group in self.power:
            if not group.in_service:
                msg = f"campus power group '{group.name}' needs 'in_service': one quarter, or one for each member"
                raise ValueError(msg)
        return self
