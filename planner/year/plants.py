"""Plants of a site as the kernel sees them; like plants are one."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING

from kernels.hourly import ADIABATIC, DRY, WET
from sites.equipment import site_cooling_equipment
from sites.expansion.mechanical import plant_id
from sites.expansion.values import known
from sites.schema.cooling_equipment import CoolingKind

if TYPE_CHECKING:
    from planner.year.heat import Heat, HeatMap
    from sites.catalog.loader import Catalog
    from sites.schema.cooling import CoolingBank, Plant
    from sites.schema.cooling_equipment import Biquadratic, ChillerCurves, CoolingEquipment
    from sites.schema.site import SiteFile

COOLERS = {CoolingKind.DRY_COOLER: DRY, CoolingKind.ADIABATIC_COOLER: ADIABATIC, CoolingKind.FLUID_COOLER: WET}


@dataclass(frozen=True, order=True)
class CoolerModel:
    """A plant's coolers; fields and units as in `kernels.hourly.YearModel`."""

    cooler_kind: float = DRY
    cooler_rated_w: float = 0.0
    cooler_approach_k: float = 0.0
    cooler_fan_w: float = 0.0
    saturation_efficiency: float = 0.0
    makeup_ratio: float = 0.0


@dataclass(frozen=True, order=True)
class CurveModel:
    """Published curves of a plant's chillers at its set-point; fields and units as in `kernels.hourly.YearModel`."""

    has_curves: float = 0.0
    curves_from_degc: float = inf
    curves_to_degc: float = -inf
    reference_cop: float = 1.0
    capacity_constant: float = 1.0
    capacity_linear: float = 0.0
    capacity_quadratic: float = 0.0
    power_constant: float = 1.0
    power_linear: float = 0.0
    power_quadratic: float = 0.0
    part_constant: float = 0.0
    part_linear: float = 1.0
    part_quadratic: float = 0.0


@dataclass(frozen=True, order=True)
class ChillerModel:
    """A plant's chillers by the second law; fields and units as in `kernels.hourly.YearModel`."""

    chiller_rated_w: float = 0.0
    n_chillers: float = 0.0
    chiller_rated_degc: float = 0.0
    chiller_derate_per_k: float = 0.0
    efficiency: float = 1.0
    evaporation_degc: float = 0.0
    condenser_lift_k: float = 0.0


@dataclass(frozen=True, order=True)
class PlantModel:
    """One plant; fields and units as in `kernels.hourly.YearModel`."""

    heat_w: float
    fixed_heat_w: float
    design_heat_w: float
    design_pump_w: float
    supply_degc: float
    rise_k: float
    coolers: CoolerModel
    chillers: ChillerModel
    curves: CurveModel

    def figures(self) -> dict[str, float]:
        """Every figure by its name in the kernel's model."""
        own = {name: getattr(self, name) for name in list(self.__dataclass_fields__)[:6]}
        parts = (self.coolers, self.chillers, self.curves)
        return own | {
            name: value for part in parts for name, value in zip(part.__dataclass_fields__, astuple(part), strict=True)
        }


def site_plants(site: SiteFile, catalog: Catalog, heats: HeatMap) -> dict[str, PlantModel]:
    """Plants by node id of the cooling graph; those without heat run their pumps at the floor of nothing.

    Parameters: site; catalog; heats of the period. Raises InputError where a figure that decides is null.
    """
    equipment = site_cooling_equipment(site, catalog)
    result = {}
    for building in site.buildings:
        for plant in site.building_templates[building.template].plants:
            node = plant_id(building.name, plant.name)
            result[node] = _plant(plant, heats.plants[node], equipment)
    return result


def _plant(plant: Plant, heat: Heat, equipment: dict[str, CoolingEquipment]) -> PlantModel:
    return PlantModel(
        float(heat.average_w),
        float(heat.fixed_w),
        float(heat.most_w),
        float(plant.pump_power_per_heat * heat.most_w),
        float(plant.supply),
        float(plant.rise),
        _coolers(plant.coolers, equipment),
        _chillers(plant, equipment),
        _curves(plant, equipment),
    )


def _coolers(bank: CoolingBank | None, equipment: dict[str, CoolingEquipment]) -> CoolerModel:
    """The bank with its spares, which run beside the others."""
    if bank is None:
        return CoolerModel()
    unit = equipment[bank.equipment]
    rated_w = bank.count * _figure(unit, "heat")
    padded = unit.kind is CoolingKind.ADIABATIC_COOLER
    cycles = None if unit.cycles_of_concentration is None else unit.cycles_of_concentration.value
    return CoolerModel(
        COOLERS[unit.kind],
        float(rated_w),
        float(_figure(unit, "approach")),
        float(rated_w * _figure(unit, "power_per_heat")),
        float(_figure(unit, "saturation_efficiency")) if padded else 0.0,
        float(cycles / (cycles - 1)) if cycles is not None else 0.0,
    )


def _chillers(plant: Plant, equipment: dict[str, CoolingEquipment]) -> ChillerModel:
    bank = plant.chillers
    if bank is None:
        return ChillerModel()
    unit = equipment[bank.equipment]
    return ChillerModel(
        float(bank.count * _figure(unit, "heat")),
        float(bank.count),
        float(_figure(unit, "rated_dry_bulb")),
        float(_figure(unit, "derate_per_kelvin")),
        float(_figure(unit, "second_law_efficiency")),
        float(plant.supply - _figure(unit, "evaporator_approach")),
        float(_figure(unit, "condenser_lift")),
    )


def _curves(plant: Plant, equipment: dict[str, CoolingEquipment]) -> CurveModel:
    """Curves at the plant's set-point; where that lies outside their range they hold at no air temperature."""
    unit = None if plant.chillers is None else equipment[plant.chillers.equipment]
    if unit is None or unit.curves is None:
        return CurveModel()
    curves: ChillerCurves = unit.curves
    low, high = curves.leaving_degc
    if not low <= plant.supply <= high:
        return CurveModel(has_curves=1.0)
    return CurveModel(
        1.0,
        float(curves.condenser_degc[0]),
        float(curves.condenser_degc[1]),
        float(known(curves.reference_cop, f"equipment '{unit.name}'", "reference_cop")),
        *at_leaving(curves.capacity, plant.supply),
        *at_leaving(curves.power, plant.supply),
        *(float(one) for one in curves.part_load),
    )


def at_leaving(coefficients: Biquadratic, leaving_degc: Fraction) -> tuple[float, float, float]:
    """A biquadratic curve at one leaving temperature: constant, linear and quadratic terms in the entering air."""
    a, b, c, d, e, f = coefficients
    return float(a + b * leaving_degc + c * leaving_degc**2), float(d + f * leaving_degc), float(e)


def _figure(unit: CoolingEquipment, key: str) -> Fraction:
    return Fraction(known(getattr(unit, key), f"equipment '{unit.name}'", key))
