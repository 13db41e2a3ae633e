"""Economics of the catalogue: what facilities cost, how long assets last, what capital, energy and upkeep cost."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from sites import units
from sites.schema.common import Model, Name, Sourced, Text


class PowerBasis(StrEnum):
    """Which watts a figure for each watt counts."""

    IT = "it"
    """Drawn by racks and the gear outside them."""
    METER = "meter"
    """Drawn from the utility, losses and cooling included."""


class FacilityCost(Model):
    """What one source says that everything but servers and network costs for each watt."""

    kind: Literal["facility-cost"]
    name: Name
    title: Text
    basis: PowerBasis
    cost: Sourced[units.UsdPerWatt]
    covers: Text
    """What is in the figure, and what is not."""


class AssetLife(Model):
    """Over how many years a class of assets is written off."""

    kind: Literal["asset-life"]
    name: Name
    title: Text
    life_years: Sourced[units.Ratio]


class InterestRate(Model):
    """What capital costs in a year."""

    kind: Literal["interest-rate"]
    name: Name
    title: Text
    rate_per_year: Sourced[units.Share]


class Maintenance(Model):
    """Upkeep of the machinery of a facility: a share of what that machinery cost, each year."""

    kind: Literal["maintenance"]
    name: Name
    title: Text
    machinery_share: Sourced[units.Share]
    """Share of the facility's cost that is electrical and mechanical machinery."""
    share_per_year: Sourced[units.Share]
    """Yearly upkeep as a share of the machinery's cost."""


class EnergyPrice(Model):
    """A price of electricity that is not a site's own."""

    kind: Literal["energy-price"]
    name: Name
    title: Text
    price: Sourced[units.UsdPerMegawattHour]


class PowerUse(Model):
    """Power usage effectiveness over a year, and the share of connected IT power that is drawn on average."""

    kind: Literal["power-use"]
    name: Name
    title: Text
    annual_pue: Sourced[units.Overload]
    average_share: Sourced[units.Share]


class RackQuote(Model):
    """What one source says that a rack of a system costs; the system's own `price` is what plans use."""

    kind: Literal["rack-quote"]
    name: Name
    title: Text
    system: Name
    price: Sourced[units.Usd]
    includes: Text
    """What the source counts in."""


EconomicEntry = FacilityCost | AssetLife | InterestRate | Maintenance | EnergyPrice | PowerUse | RackQuote
Economics = Annotated[EconomicEntry, Field(discriminator="kind")]
