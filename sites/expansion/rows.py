"""What a row is: fields in the containment tree, from its lineup's template, class, loop, storey and conversions."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from sites.expansion.schemes import n_feeds
from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sites.expansion.places import Lineup
    from sites.schema.catalog import SwitchEquipment
    from sites.schema.cooling import Liquid
    from sites.schema.cooling_equipment import CoolingEquipment
    from sites.schema.failures import Availability
    from sites.schema.lineup import Flex, LineupTemplate


def row_fields(lineup: Lineup, building_available: bool, availability: Availability) -> dict[str, object]:
    """Fields of every row of a lineup; an occupied row stays in the graphs but is not offered."""
    template, occupied = lineup.template, lineup.batch.occupied
    return {
        "kind": "row",
        "positions": template.rows.positions,
        "lineup_id": lineup.lineup_id,
        "block_id": lineup.block_id,
        "building_id": lineup.building_id,
        "hall_id": lineup.hall_id,
        "in_service": lineup.in_service,
        "available": building_available and occupied is None,
        "n_feeds": n_feeds(template.scheme),
        "taps": template.rows.taps,
        "conversions": template.conversions,
        "occupied_configuration": None if occupied is None else occupied.configuration,
        "occupied_racks": 0 if occupied is None else occupied.racks_per_row,
        "occupied_owner": None if occupied is None else occupied.owner,
        **_promised(template, availability),
        **_loop(template.liquid),
        **_floor(lineup),
    }


def _promised(template: LineupTemplate, availability: Availability) -> dict[str, object]:
    """What holds when something fails or is out for work."""
    return {
        "availability_class": availability.name,
        "may_drop_on": availability.may_drop_on,
        "maintenance": availability.maintenance,
        "may_drop_in_maintenance": availability.may_drop_in_maintenance,
        "single_feed_until": availability.single_feed_until,
        "ride_through": None if template.ride_through is None else template.ride_through.rule,
        "flex": template.flex,
        "flex_share": flex_share(template.flex),
        "flex_within_s": Fraction(0) if template.flex is None else template.flex.within,
    }


def flex_share(flex: Flex | None) -> Fraction:
    """Share of their power that racks draw once they have shed and capped: 1 − sheddable − cappable·(1 − cap_to)."""
    if flex is None:
        return Fraction(1)
    return 1 - flex.sheddable - flex.cappable * (1 - flex.cap_to)


def _loop(liquid: Liquid | None) -> dict[str, object]:
    return {
        "liquid_supply_degc": None if liquid is None else liquid.supply,
        "liquid_rise_k": None if liquid is None else liquid.rise,
        "coolant": None if liquid is None else liquid.coolant,
    }


def pressure_kpa(liquid: Liquid | None, cooling: Mapping[str, CoolingEquipment]) -> Fraction | None:
    """Pressure that the loop leaves for a rack: head of the CDUs less the manifold's drop; None where not stated.

    Raises InputError when the manifold's drop is stated and the head of the CDUs is missing or null.
    """
    if liquid is None or liquid.manifold_drop is None:
        return None
    equipment = cooling[liquid.cdus.equipment]
    return known(equipment.head, f"equipment '{equipment.name}'", "head") - liquid.manifold_drop


def _floor(lineup: Lineup) -> dict[str, object]:
    """The floor of a row carries what the row's own rating and that of its storey's slab both allow."""
    rows, storey = lineup.template.rows, lineup.storey
    floors = (rows,) if storey is None else (rows, storey)
    return {
        "floor_uniform_kg_per_m2": min(one.floor_uniform for one in floors),
        "floor_point_kg_per_m2": min(one.floor_point for one in floors),
        "floor_area_m2": rows.positions * rows.pitch * (rows.depth + rows.aisles),
        "storey": None if storey is None else storey.number,
    }


def port_fields(template: LineupTemplate, switches: Mapping[str, SwitchEquipment]) -> dict[str, object]:
    """Kinds of host port that reach a row as it stands, and with each of its conversions."""
    own = _port_kinds(template.fabric.leaf_switches, switches)
    converted = (own | _port_kinds(one.leaf_switches, switches) for one in template.conversions)
    return {"port_kinds": own, "conversion_port_kinds": tuple(converted)}


def _port_kinds(names: Iterable[str], switches: Mapping[str, SwitchEquipment]) -> frozenset[str]:
    return frozenset(switches[name].port_kind for name in names)
