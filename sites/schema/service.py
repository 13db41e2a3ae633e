"""What a site is supplied from: the utility service with its terms, plant of its own, and batteries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sites import units as quantities  # sets of generation are called units too
from sites.calendar import Quarter
from sites.schema.common import Count, Model, Name, Provenance, Steps


class Swing(Model):
    """What the utility lets a site's load do at once: racks of one synchronous job rise and fall together."""

    rule: Literal["none", "limit"]
    """`limit`: the load may not rise or fall by more than `step` at once. `none`: not asked, for the reason given."""
    step: quantities.Watts | None = None
    """Largest step that the service takes without batteries; due with the rule `limit`, and only there."""
    ramp: quantities.WattsPerMinute | None = None
    """How fast the load may follow a step that a battery takes; missing: a battery covers its whole power."""
    provenance: Provenance

    @model_validator(mode="after")
    def _limit_has_its_step(self) -> Swing:
        if self.rule == "limit" and self.step is None:
            msg = "the rule 'limit' needs 'step', the largest change of load at once, for example '50 MW'; add it"
            raise ValueError(msg)
        if self.rule == "none" and (self.step is not None or self.ramp is not None):
            key = "step" if self.step is not None else "ramp"
            msg = f"found '{key}' beside the rule 'none', which asks nothing; remove it, or write the rule 'limit'"
            raise ValueError(msg)
        return self


class NonFirm(Model):
    """Capacity beside the firm service that the utility may curtail."""

    steps: Steps
    curtailed_hours_per_year: quantities.HoursPerYear
    """Hours of a year in which none of it can be had."""
    notice: quantities.Minutes
    """Time from the call to the curtailment."""
    provenance: Provenance


class MinimumDemand(Model):
    """What the tariff charges for at the least, however little is drawn."""

    steps: Steps
    """Demand charged in each month, from each quarter on."""
    provenance: Provenance


class Service(Model):
    """The utility connection; its capacity is at the meter, losses and cooling included."""

    steps: Steps
    """Firm capacity."""
    swing: Swing
    non_firm: NonFirm | None = None
    demand_charge: quantities.UsdPerKilowattMonth | None = None
    """Charge on the largest demand of a month."""
    demand_charge_provenance: Provenance | None = None
    minimum_demand: MinimumDemand | None = None
    """Demand that is charged even where less is drawn; only beside `demand_charge`."""
    provenance: Provenance

    @model_validator(mode="after")
    def _charge_says_whence(self) -> Service:
        if (self.demand_charge is None) != (self.demand_charge_provenance is None):
            keys = ("demand_charge", "demand_charge_provenance")
            found, missing = keys if self.demand_charge is not None else keys[::-1]
            msg = f"found '{found}' without '{missing}'; give both, or neither"
            raise ValueError(msg)
        if self.minimum_demand is not None and self.demand_charge is None:
            msg = (
                "found 'minimum_demand' without 'demand_charge', the price that it is charged at; add 'demand_charge', "
                "for example '15 USD/kW/month', and its provenance, or remove 'minimum_demand'"
            )
            raise ValueError(msg)
        return self


class Generation(Model):
    """Like generating sets on the site, which stand at the meter beside the service."""

    name: Name
    units: Count
    reserve: Annotated[int, Field(strict=True, ge=0)]
    """How many of them may be out at any time; the others are firm."""
    rating: quantities.Watts
    """Output of one set at `rated_dry_bulb`."""
    rated_dry_bulb: quantities.DegC
    derate_per_kelvin: quantities.Share
    """Share of the rating lost for each K of dry bulb above `rated_dry_bulb`."""
    in_service: Quarter
    fuel_cost: quantities.UsdPerMegawattHour
    """Fuel and upkeep for each MWh that it makes."""
    provenance: Provenance


class Battery(Model):
    """A battery at the meter that takes steps of the load."""

    name: Name
    power: quantities.Watts
    energy: quantities.StoredEnergy
    in_service: Quarter
    provenance: Provenance
