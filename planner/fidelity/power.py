"""GPUs for a gigawatt, and the power of racks, units, shelves and power equipment."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from planner.fidelity.computation import GIGA, KILO, MEGA, Computation
from planner.fidelity.reader import Case
from sites import units
from sites.expansion.ratings import rating_of
from sites.schema.common import Name

if TYPE_CHECKING:
    from planner.fidelity.reader import Reader

Support = Case | Literal["none"]
"""Which end of the share of network, storage and management outside the rack counts; `none`: the rack alone."""


def rack_w(reader: Reader, configuration: str, support: Support) -> Fraction:
    """Sustained watts of a rack of a configuration, with its share of the gear outside it."""
    profile = reader.configuration(configuration).profile
    watts = reader.number(f"{configuration}.sustained_max", profile.sustained_max)
    if support == "none":
        return watts
    return watts + reader.number(f"{configuration}.support_power", profile.support_power, support)


def gpus_of(reader: Reader, configuration: str) -> Fraction:
    """GPU packages of a rack."""
    system = reader.configuration(configuration).system
    return reader.number(f"{system.name}.gpu_packages", system.gpu_packages)


class GpusPerGigawatt(Computation):
    """GPU packages that a gigawatt carries: 1 GW / (watts of a rack · PUE) · GPUs of a rack."""

    kind: Literal["gpus-per-gigawatt"]
    configuration: str
    support: Support = Case.VALUE
    pue: units.Overload = Fraction(1)
    """1: the gigawatt is IT power; else it is counted at the meter."""

    @property
    def unit(self) -> str:
        """GPUs."""
        return "GPU/GW"

    def compute(self, reader: Reader) -> Fraction:
        """GPUs for a gigawatt on the basis stated."""
        watts = rack_w(reader, self.configuration, self.support) * self.pue
        return GIGA / watts * gpus_of(reader, self.configuration)


class PowerPerGpu(Computation):
    """IT power for each GPU package."""

    kind: Literal["power-per-gpu"]
    configuration: str
    support: Support = Case.VALUE

    @property
    def unit(self) -> str:
        """Kilowatts."""
        return "kW/GPU"

    def compute(self, reader: Reader) -> Fraction:
        """Kilowatts for a GPU."""
        return rack_w(reader, self.configuration, self.support) / gpus_of(reader, self.configuration) / KILO


class ScalableUnitPower(Computation):
    """IT power of one scalable unit."""

    kind: Literal["scalable-unit-power"]
    configuration: str
    support: Support = Case.VALUE

    @property
    def unit(self) -> str:
        """Megawatts."""
        return "MW"

    def compute(self, reader: Reader) -> Fraction:
        """Megawatts of the racks of a unit."""
        system = reader.configuration(self.configuration).system
        n_racks = reader.number(f"{system.name}.scalable_unit_racks", system.scalable_unit_racks)
        return n_racks * rack_w(reader, self.configuration, self.support) / MEGA


class RideThrough(Computation):
    """What the power shelves on one feed of two carry alone."""

    kind: Literal["ride-through"]
    system: Name

    @property
    def unit(self) -> str:
        """Kilowatts."""
        return "kW"

    def compute(self, reader: Reader) -> Fraction:
        """Shelves on a feed times the rating of each."""
        system = reader.entry("rack system", self.system, reader.catalog.rack_systems)
        each_w = reader.number(f"{self.system}.power_shelf_rating", system.power_shelf_rating)
        return each_w * reader.number(f"{self.system}.power_shelves_per_feed", system.power_shelves_per_feed) / KILO


class Efficiency(Computation):
    """Output over input of a power element at a share of its plate: x / (x + no-load + linear·x + quadratic·x²)."""

    kind: Literal["efficiency"]
    equipment: Name
    load: units.Share

    @property
    def unit(self) -> str:
        """Per cent."""
        return "%"

    def compute(self, reader: Reader) -> Fraction:
        """Efficiency in per cent."""
        losses = reader.entry("power equipment", self.equipment, reader.catalog.power).losses
        no_load, linear, quadratic = (
            reader.number(f"{self.equipment}.losses.{key}", getattr(losses, key))
            for key in ("no_load", "linear", "quadratic")
        )
        return 100 * self.load / (self.load + no_load + linear * self.load + quadratic * self.load**2)


class ElementRating(Computation):
    """What a power element may carry: plate · power factor · derating · continuous factor."""

    kind: Literal["element-rating"]
    equipment: Name

    @property
    def unit(self) -> str:
        """Kilowatts."""
        return "kW"

    def compute(self, reader: Reader) -> Fraction:
        """Rating in kilowatts."""
        equipment = reader.entry("power equipment", self.equipment, reader.catalog.power)
        for key in ("apparent", "real", "current", "voltage", "power_factor", "derating", "continuous_factor"):
            if getattr(equipment, key) is not None:
                reader.number(f"{self.equipment}.{key}", getattr(equipment, key))
        return rating_of(equipment).rating_w / KILO


class LeadTime(Computation):
    """Weeks from order to site."""

    kind: Literal["lead-time"]
    equipment: Name

    @property
    def unit(self) -> str:
        """Weeks."""
        return "weeks"

    def compute(self, reader: Reader) -> Fraction:
        """Mode of the lead time."""
        equipment = reader.entry("power equipment", self.equipment, reader.catalog.power)
        return reader.number(f"{self.equipment}.lead_time_weeks", equipment.lead_time_weeks)
