"""Cooling equipment of the catalogue: what one unit moves, what it draws, and the physics that its kind needs."""

from __future__ import annotations

from enum import StrEnum

from pydantic import model_validator

from sites import units
from sites.schema.common import Model, Name, Sourced, Status, Text


class CoolingKind(StrEnum):
    """Kinds of cooling unit."""

    CDU = "cdu"
    AIR_HANDLER = "air-handler"
    DRY_COOLER = "dry-cooler"
    ADIABATIC_COOLER = "adiabatic-cooler"
    """A dry cooler whose entering air passes wetted pads."""
    FLUID_COOLER = "fluid-cooler"
    """A closed wet cooler: the coil that carries the fluid is sprayed."""
    CHILLER = "chiller"


COOLER_KINDS = (CoolingKind.DRY_COOLER, CoolingKind.ADIABATIC_COOLER, CoolingKind.FLUID_COOLER)
"""Kinds that reject heat without a compressor: what a plant's `coolers` may be."""
WET_KINDS = (CoolingKind.ADIABATIC_COOLER, CoolingKind.FLUID_COOLER)
"""Kinds of cooler that evaporate water; both need the wet bulb of the design day."""

TemperatureRange = tuple[units.DegC, units.DegC]
Biquadratic = tuple[
    units.Coefficient,
    units.Coefficient,
    units.Coefficient,
    units.Coefficient,
    units.Coefficient,
    units.Coefficient,
]
"""a, b, c, d, e, f of a + b·x + c·x² + d·y + e·y² + f·x·y."""
Quadratic = tuple[units.Coefficient, units.Coefficient, units.Coefficient]
"""a, b, c of a + b·x + c·x²."""


class ChillerCurves(Model):
    """Published performance of an air-cooled chiller in EnergyPlus's EIR form, x leaving fluid, y air entering, degC.

    Heat at full load = `heat` · capacity(x, y); electric W = heat at full load · power(x, y) · part_load(load) /
    `reference_cop`, load being the share of the heat at full load that is used. EnergyPlus Engineering Reference,
    Electric Chiller Model Based on Condenser Entering Temperature (Chiller:Electric:EIR).
    """

    leaving_degc: TemperatureRange
    """Lowest and highest leaving fluid for which the curves hold."""
    condenser_degc: TemperatureRange
    """Lowest and highest air entering the condenser for which they hold."""
    reference_cop: Sourced[units.Ratio]
    """Heat per electric watt at the conditions of `heat`, compressor and fans."""
    capacity: Biquadratic
    power: Biquadratic
    part_load: Quadratic
    source: Text
    """Keys of the file's `sources`, separated by commas."""
    status: Status
    note: Text | None = None

    @model_validator(mode="after")
    def _ranges_ascend(self) -> ChillerCurves:
        for key in ("leaving_degc", "condenser_degc"):
            low, high = getattr(self, key)
            if low >= high:
                msg = f"'{key}' is from {float(low):g} to {float(high):g} degC; write the lower temperature first"
                raise ValueError(msg)
        if self.reference_cop.value == 0:
            msg = "'reference_cop' is 0; a chiller moves some heat for each electric watt"
            raise ValueError(msg)
        constant, linear, quadratic = self.part_load
        if constant < 0 or constant + linear + quadratic <= 0:
            msg = "'part_load' must not be below 0 at no load and must be above 0 at full load; check the order a, b, c"
            raise ValueError(msg)
        return self


class CoolingEquipment(Model):
    """One cooling unit: the heat that it moves at the design day and what it draws to do so."""

    name: Name
    title: Text
    kind: CoolingKind
    heat: Sourced[units.Watts]
    """Thermal capacity at `rated_dry_bulb` where that matters (coolers by approach, chillers by derate or curves)."""
    flow: Sourced[units.LitresPerMinute] | None = None
    """Largest flow of the technology loop; CDUs only."""
    head: Sourced[units.Kilopascals] | None = None
    """Pressure that the pumps leave for manifolds and racks at that flow; CDUs only."""
    power_per_heat: Sourced[units.Ratio] | None = None
    """Electric watts per watt of heat moved (pumps, fans); not for chillers, whose COP is computed."""
    approach: Sourced[units.Kelvin] | None = None
    """Coolers: leaving fluid over entering air, or over its wet bulb (fluid-cooler). CDU: technology over facility."""
    saturation_efficiency: Sourced[units.Share] | None = None
    """Adiabatic coolers: share of the way from dry to wet bulb that the pads bring the entering air."""
    cycles_of_concentration: Sourced[units.Ratio] | None = None
    """Wet coolers: makeup over bleed; makeup = evaporation · cycles / (cycles − 1)."""
    second_law_efficiency: Sourced[units.Share] | None = None
    """Chillers: COP = efficiency · T_cold / max(15 K, T_hot − T_cold), where `curves` are missing or do not hold."""
    condenser_lift: Sourced[units.Kelvin] | None = None
    """Chillers: condensing temperature over dry bulb."""
    evaporator_approach: Sourced[units.Kelvin] | None = None
    """Chillers: evaporating temperature under leaving fluid."""
    rated_dry_bulb: Sourced[units.DegC] | None = None
    """Chillers: dry bulb of the rated heat."""
    derate_per_kelvin: Sourced[units.Share] | None = None
    """Chillers: share of rated heat lost for each K of dry bulb above `rated_dry_bulb`."""
    curves: ChillerCurves | None = None
    """Chillers: published performance; inside its range it replaces the second-law form and the derate."""

    @model_validator(mode="after")
    def _figures_fit_the_kind(self) -> CoolingEquipment:
        if self.kind is CoolingKind.ADIABATIC_COOLER and self.saturation_efficiency is None:
            msg = "an adiabatic cooler needs 'saturation_efficiency': how far its pads bring the air to the wet bulb"
            raise ValueError(msg)
        owners = {
            "head": (CoolingKind.CDU,),
            "saturation_efficiency": (CoolingKind.ADIABATIC_COOLER,),
            "cycles_of_concentration": WET_KINDS,
            "curves": (CoolingKind.CHILLER,),
        }
        for key, kinds in owners.items():
            if getattr(self, key) is not None and self.kind not in kinds:
                allowed = " or ".join(f"'{kind}'" for kind in kinds)
                msg = f"'{key}' belongs to kind {allowed}, but this unit is of kind '{self.kind}'; remove it"
                raise ValueError(msg)
        cycles = None if self.cycles_of_concentration is None else self.cycles_of_concentration.value
        if cycles is not None and cycles <= 1:
            msg = f"found {float(cycles):g} cycles of concentration; more than 1 are due, for example 5"
            raise ValueError(msg)
        return self
