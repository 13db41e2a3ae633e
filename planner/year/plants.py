"""Plants of a site as the kernel sees them; like plants are one."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from sites.equipment import site_cooling_equipment
from sites.expansion.mechanical import plant_id
from sites.expansion.values import known

if TYPE_CHECKING:
    from planner.year.heat import Heat, HeatMap
    from sites.catalog.loader import Catalog
    from sites.schema.catalog import CoolingEquipment
    from sites.schema.site import CoolingBank, Plant, SiteFile


@dataclass(frozen=True, order=True)
class PlantModel:
    """One plant; fields and units as in `kernels.hourly.YearModel`."""

    heat_w: float
    fixed_heat_w: float
    design_heat_w: float
    design_pump_w: float
    supply_degc: float
    rise_k: float
    dry_rated_w: float
    dry_approach_k: float
    dry_fan_w: float
    chiller_rated_w: float
    chiller_rated_degc: float
    chiller_derate_per_k: float
    efficiency: float
    evaporation_degc: float
    condenser_lift_k: float

    def figures(self) -> tuple[float, ...]:
        """All fields in order."""
        return tuple(float(value) for value in astuple(self))


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
    dry_w, approach_k, fan_w = _dry(plant.dry_coolers, equipment)
    chiller = _chiller(plant, equipment)
    return PlantModel(
        float(heat.average_w),
        float(heat.fixed_w),
        float(heat.most_w),
        float(plant.pump_power_per_heat * heat.most_w),
        float(plant.supply),
        float(plant.rise),
        dry_w,
        approach_k,
        fan_w,
        *chiller,
    )


def _dry(bank: CoolingBank | None, equipment: dict[str, CoolingEquipment]) -> tuple[float, float, float]:
    """Rated heat of the bank, spares included (W), its approach (K) and its fans at full speed (W)."""
    if bank is None:
        return 0.0, 0.0, 0.0
    unit = equipment[bank.equipment]
    rated_w = bank.count * _figure(unit, "heat")
    return float(rated_w), float(_figure(unit, "approach")), float(rated_w * _figure(unit, "power_per_heat"))


def _chiller(plant: Plant, equipment: dict[str, CoolingEquipment]) -> tuple[float, ...]:
    """Rated heat of the bank (W), its dry bulb and derate, efficiency, evaporation and condenser lift."""
    bank = plant.chillers
    if bank is None:
        return 0.0, 0.0, 0.0, 1.0, 0.0, 0.0
    unit = equipment[bank.equipment]
    return (
        float(bank.count * _figure(unit, "heat")),
        float(_figure(unit, "rated_dry_bulb")),
        float(_figure(unit, "derate_per_kelvin")),
        float(_figure(unit, "second_law_efficiency")),
        float(plant.supply - _figure(unit, "evaporator_approach")),
        float(_figure(unit, "condenser_lift")),
    )


def _figure(unit: CoolingEquipment, key: str) -> Fraction:
    return Fraction(known(getattr(unit, key), f"equipment '{unit.name}'", key))
