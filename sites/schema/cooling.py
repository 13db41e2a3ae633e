"""The cooling of a site: its design day, the plants of its buildings, and the loops of its lineups."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sites import units
from sites.schema.common import Count, Model, Name, Provenance

UnitFeeds = Literal["all", "matched"]
"""How the units of a bank hang on the members of a power group."""


class Climate(Model):
    """The design day: the extreme hour for which plant is sized (n=20 years)."""

    design_dry_bulb: units.DegC
    design_wet_bulb: units.DegC | None = None
    """Due where a plant evaporates water: adiabatic and closed wet coolers."""
    recirculation: units.Kelvin
    """Warm air drawn back into the coolers, added to the dry bulb."""
    provenance: Provenance

    @model_validator(mode="after")
    def _wet_bulb_is_the_colder(self) -> Climate:
        wet_bulb_degc = self.design_wet_bulb
        if wet_bulb_degc is not None and wet_bulb_degc > self.design_dry_bulb:
            msg = (
                f"found a wet bulb of {float(wet_bulb_degc):g} degC over a dry bulb of {float(self.design_dry_bulb):g} "
                "degC; air is never colder than its wet bulb, so the two may be exchanged"
            )
            raise ValueError(msg)
        return self


class CoolingBank(Model):
    """`count` like cooling units on one header, one of which may be out at the design day."""

    equipment: Name
    count: Count
    spares: Annotated[int, Field(strict=True, ge=0)] = 1
    """How many of them may be out at the design day."""


class Plant(Model):
    """Heat rejection of a building: coolers first, trim chillers for what the weather leaves over."""

    name: Name
    supply: units.DegC
    """Facility-water set-point."""
    rise: units.Kelvin
    pump_power_per_heat: units.Ratio
    coolers: CoolingBank | None = None
    """Dry coolers, adiabatic coolers or fluid coolers (closed wet towers)."""
    chillers: CoolingBank | None = None
    fixed_power: units.Watts
    powered_by: Name
    """Power group whose members carry fans, pumps and compressors."""
    unit_feeds: UnitFeeds
    """`all`: every unit can draw from every member of `powered_by`, and its load is spread over them. `matched`: unit i
    of each bank hangs on member i modulo their count, and stops when that one is dead."""
    provenance: Provenance


class Liquid(Model):
    """The technology loop of a lineup and its CDU group on a shared manifold."""

    plant: Name
    supply: units.DegC
    """Technology-loop set-point; the CDU's approach above the plant's supply at the least."""
    rise: units.Kelvin
    coolant: Literal["water", "pg25"]
    cdus: CoolingBank
    manifold_drop: units.Kilopascals | None = None
    """Pressure lost between CDUs and racks at the design flow. Given: a rack must state its own drop, and both together
    must be within the head of the CDUs. Missing: pressure is not asked."""
    powered_by: Name
    unit_feeds: UnitFeeds
    """As for a plant."""


class Air(Model):
    """The air side of a lineup: residual rack heat and the heat of network and support gear."""

    plant: Name
    handlers: CoolingBank
    powered_by: Name
    unit_feeds: UnitFeeds
    """As for a plant."""
