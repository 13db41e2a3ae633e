"""Mechanical loads: the pumps, fans and compressors that a cooling node draws power for."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.expansion.places import Lineup, Place
    from sites.expansion.plant import DesignDay
    from sites.schema.cooling import Plant, UnitFeeds
    from sites.schema.cooling_equipment import CoolingEquipment


@dataclass(frozen=True)
class Mechanical:
    """One load on the power graph that drives one cooling node."""

    node_id: str
    loop: str
    building_id: str
    powered_by: str
    unit_feeds: UnitFeeds
    bank_sizes: tuple[int, ...]
    """Units of each bank that it drives."""
    watts_per_liquid_watt: Fraction
    watts_per_air_watt: Fraction
    fixed_w: Fraction
    in_service: str


def watts_per_watt(equipment: CoolingEquipment) -> Fraction:
    """Electric watts of a unit for each watt of heat that it moves."""
    return known(equipment.power_per_heat, f"equipment '{equipment.name}'", "power_per_heat")


def plant_id(building_id: str, plant: str) -> str:
    """Id of a plant's node."""
    return f"{building_id}/{plant}"


def liquid_header_id(lineup: Lineup) -> str:
    """Id of the liquid header of a lineup."""
    return f"{lineup.lineup_id}/liquid"


def air_header_id(lineup: Lineup) -> str:
    """Id of the air header of a lineup."""
    return f"{lineup.lineup_id}/air"


def mechanical_loads(
    places: Sequence[Place], cooling: Mapping[str, CoolingEquipment], days: Mapping[str, DesignDay]
) -> tuple[Mechanical, ...]:
    """Pumps of every CDU header, fans of every air header, and the machinery of every plant.

    Parameters: days, the design day of each plant by node id.
    """
    result: list[Mechanical] = []
    for place in places:
        for lineup in place.lineups:
            result += _lineup_loads(lineup, cooling)
        result += [_plant_load(place, plant, cooling, days) for plant in place.template.plants]
    return tuple(result)


def _lineup_loads(lineup: Lineup, cooling: Mapping[str, CoolingEquipment]) -> list[Mechanical]:
    zero = Fraction(0)
    air = lineup.template.air
    fans = Mechanical(
        node_id=f"{lineup.lineup_id}/fans",
        loop=air_header_id(lineup),
        building_id=lineup.building_id,
        powered_by=air.powered_by,
        unit_feeds=air.unit_feeds,
        bank_sizes=(air.handlers.count,),
        watts_per_liquid_watt=zero,
        watts_per_air_watt=watts_per_watt(cooling[air.handlers.equipment]),
        fixed_w=zero,
        in_service=lineup.in_service,
    )
    liquid = lineup.template.liquid
    if liquid is None:
        return [fans]
    pumps = Mechanical(
        node_id=f"{lineup.lineup_id}/pumps",
        loop=liquid_header_id(lineup),
        building_id=lineup.building_id,
        powered_by=liquid.powered_by,
        unit_feeds=liquid.unit_feeds,
        bank_sizes=(liquid.cdus.count,),
        watts_per_liquid_watt=watts_per_watt(cooling[liquid.cdus.equipment]),
        watts_per_air_watt=zero,
        fixed_w=zero,
        in_service=lineup.in_service,
    )
    return [pumps, fans]


def _plant_load(
    place: Place, plant: Plant, cooling: Mapping[str, CoolingEquipment], days: Mapping[str, DesignDay]
) -> Mechanical:
    """The plant also moves the heat of the fans of the handlers on it.

    One load stands for all of them, so among unlike handlers the one with the most fan power counts: never too little.
    """
    node_id = plant_id(place.building_id, plant.name)
    handlers = {
        lineup.template.air.handlers.equipment for lineup in place.lineups if lineup.template.air.plant == plant.name
    }
    fan_watts = max((watts_per_watt(cooling[name]) for name in handlers), default=Fraction(0))
    watts_per_heat_watt = days[node_id].watts_per_heat_watt
    return Mechanical(
        node_id=f"{node_id}/machinery",
        loop=node_id,
        building_id=place.building_id,
        powered_by=plant.powered_by,
        unit_feeds=plant.unit_feeds,
        bank_sizes=tuple(bank.count for bank in (plant.coolers, plant.chillers) if bank is not None),
        watts_per_liquid_watt=watts_per_heat_watt,
        watts_per_air_watt=watts_per_heat_watt * (1 + fan_watts),
        fixed_w=plant.fixed_power,
        in_service=place.in_service,
    )
