"""The cooling graph: from dry coolers and chillers through plants, units and headers to rows."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import networkx as nx

from sites.expansion.feeds import unit_feeds
from sites.expansion.ids import add_edge, add_node, member_ids
from sites.expansion.mechanical import air_header_id, liquid_header_id, plant_id, watts_per_watt
from sites.expansion.plant import design_day
from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.expansion.graphs import Graph
    from sites.expansion.places import Lineup, Place
    from sites.expansion.plant import DesignDay
    from sites.schema.cooling import Climate, CoolingBank, Plant
    from sites.schema.cooling_equipment import CoolingEquipment

ONE = Fraction(1)


def design_days(
    places: Sequence[Place], climate: Climate, cooling: Mapping[str, CoolingEquipment]
) -> dict[str, DesignDay]:
    """The design day of every plant by node id."""
    return {
        plant_id(place.building_id, plant.name): design_day(plant, climate, cooling)
        for place in places
        for plant in place.template.plants
    }


def cooling_graph(
    places: Sequence[Place],
    cooling: Mapping[str, CoolingEquipment],
    days: Mapping[str, DesignDay],
    members: Mapping[str, Mapping[str, tuple[str, ...]]],
) -> Graph:
    """The cooling graph with the fields of section 1 of `docs/model.md`.

    Parameters: days, the design day of each plant by node id; members, element ids of every power group by its name,
    for each building.
    """
    graph: Graph = nx.DiGraph()
    for place in places:
        for plant in place.template.plants:
            node_id = plant_id(place.building_id, plant.name)
            _add_plant(graph, node_id, plant, cooling, days[node_id], members[place.building_id], place.in_service)
        for lineup in place.lineups:
            for row_id in lineup.row_ids:
                add_node(graph, row_id, kind="row", in_service=lineup.in_service)
            _add_air(graph, lineup, cooling, members[place.building_id])
            _add_liquid(graph, lineup, cooling, members[place.building_id])
    return graph


def _add_plant(
    graph: Graph,
    node_id: str,
    plant: Plant,
    cooling: Mapping[str, CoolingEquipment],
    day: DesignDay,
    members: Mapping[str, tuple[str, ...]],
    in_service: str,
) -> None:
    """A plant below its units; a kind of unit with nothing to do at the design day carries no share."""
    add_node(graph, node_id, kind="plant", in_service=in_service, **asdict(day))
    banks = (
        (plant.coolers, day.dry_cooler_heat_w, day.dry_fraction),
        (plant.chillers, day.chiller_heat_w, day.chiller_fraction),
    )
    for bank, heat_w, share in banks:
        if bank is None:
            continue
        kind = str(cooling[bank.equipment].kind)
        feeds = unit_feeds(plant.unit_feeds, members[plant.powered_by], bank.count)
        for unit, fed_by in zip(member_ids(node_id, kind, bank.count), feeds, strict=True):
            add_node(graph, unit, kind=kind, heat_w=heat_w, fed_by=fed_by, in_service=in_service)
            if share > 0:
                add_edge(graph, unit, node_id, share / bank.count)


def _add_air(
    graph: Graph, lineup: Lineup, cooling: Mapping[str, CoolingEquipment], members: Mapping[str, tuple[str, ...]]
) -> None:
    air = lineup.template.air
    header, plant = air_header_id(lineup), plant_id(lineup.building_id, air.plant)
    equipment = cooling[air.handlers.equipment]
    _add_header(graph, header, "air-header", air.handlers, lineup.in_service, watts_per_watt(equipment))
    heat_w = floor(known(equipment.heat, f"equipment '{equipment.name}'", "heat"))
    units = member_ids(lineup.lineup_id, "air-handler", air.handlers.count)
    feeds = unit_feeds(air.unit_feeds, members[air.powered_by], air.handlers.count)
    for unit, fed_by in zip(units, feeds, strict=True):
        add_node(graph, unit, kind="air-handler", heat_w=heat_w, fed_by=fed_by, in_service=lineup.in_service)
        _hang(graph, plant, unit, header, air.handlers.count)
    for row_id in lineup.row_ids:
        add_edge(graph, header, row_id, ONE, medium="air")


def _add_liquid(
    graph: Graph, lineup: Lineup, cooling: Mapping[str, CoolingEquipment], members: Mapping[str, tuple[str, ...]]
) -> None:
    liquid = lineup.template.liquid
    if liquid is None:
        return
    header, plant = liquid_header_id(lineup), plant_id(lineup.building_id, liquid.plant)
    equipment = cooling[liquid.cdus.equipment]
    where = f"equipment '{equipment.name}'"
    _add_header(graph, header, "liquid-header", liquid.cdus, lineup.in_service, watts_per_watt(equipment))
    graph.nodes[header].update(supply_degc=liquid.supply, return_degc=liquid.supply + liquid.rise)
    feeds = unit_feeds(liquid.unit_feeds, members[liquid.powered_by], liquid.cdus.count)
    for unit, fed_by in zip(member_ids(lineup.lineup_id, "cdu", liquid.cdus.count), feeds, strict=True):
        add_node(
            graph,
            unit,
            kind="cdu",
            fed_by=fed_by,
            heat_w=floor(known(equipment.heat, where, "heat")),
            flow_ml_per_min=floor(known(equipment.flow, where, "flow") * 1000),
            approach_k=known(equipment.approach, where, "approach"),
            in_service=lineup.in_service,
        )
        _hang(graph, plant, unit, header, liquid.cdus.count)
    for row_id in lineup.row_ids:
        add_edge(graph, header, row_id, ONE, medium="liquid")


def _add_header(
    graph: Graph, header: str, kind: str, bank: CoolingBank, in_service: str, unit_watts_per_heat_watt: Fraction
) -> None:
    add_node(
        graph,
        header,
        kind=kind,
        loop=header,
        spares=bank.spares,
        in_service=in_service,
        watts_per_heat_watt=unit_watts_per_heat_watt,
    )


def _hang(graph: Graph, plant: str, unit: str, header: str, count: int) -> None:
    """One unit: all of its heat goes to the plant, and it takes its equal part of the header."""
    add_edge(graph, plant, unit, ONE)
    add_edge(graph, unit, header, Fraction(1, count))
