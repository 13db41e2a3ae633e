"""The containment tree: campus, building, hall, lineup, row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from sites.expansion.ids import CAMPUS, add_node
from sites.schema.site import BlockRedundant, Distributed, TwoN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.expansion.graphs import Graph
    from sites.expansion.places import Lineup, Place
    from sites.schema.site import Availability, Scheme, SiteFile


def n_feeds(scheme: Scheme) -> int:
    """How many busways feed each row under a named scheme: two under 2N and distributed redundancy, else one."""
    return 2 if isinstance(scheme, (TwoN, Distributed)) else 1


def n_blocks(scheme: Scheme) -> int:
    """How many blocks (chains) a lineup has under a named scheme, the catcher included."""
    if isinstance(scheme, TwoN):
        return 2
    if isinstance(scheme, BlockRedundant):
        return scheme.active + 1
    return scheme.blocks


def containment_graph(site: SiteFile, places: Sequence[Place]) -> Graph:
    """The tree of places with the fields of section 1 of `docs/model.md`."""
    graph: Graph = nx.DiGraph()
    classes = {entry.name: entry for entry in site.availability}
    add_node(graph, CAMPUS, kind="campus", name=site.name)
    for place in places:
        _add_building(graph, place)
        for lineup in place.lineups:
            _add_lineup(graph, lineup, place.building.available, classes[lineup.template.availability])
    return graph


def _add_building(graph: Graph, place: Place) -> None:
    add_node(
        graph,
        place.building_id,
        kind="building",
        in_service=place.in_service,
        binding_date=place.binding_date,
        landing_racks_per_quarter=place.building.landing_racks_per_quarter,
        available=place.building.available,
    )
    graph.add_edge(CAMPUS, place.building_id)
    for hall_id in place.hall_ids:
        add_node(graph, hall_id, kind="hall")
        graph.add_edge(place.building_id, hall_id)


def _add_lineup(graph: Graph, lineup: Lineup, building_available: bool, availability: Availability) -> None:
    add_node(
        graph,
        lineup.lineup_id,
        kind="lineup",
        template=lineup.batch.template,
        in_service=lineup.in_service,
        block_id=lineup.block_id,
        avoidable_capex_usd=lineup.template.avoidable_capex,
    )
    graph.add_edge(lineup.hall_id, lineup.lineup_id)
    fields = _row_fields(lineup, building_available, availability)
    for row_id in lineup.row_ids:
        add_node(graph, row_id, **fields)
        graph.add_edge(lineup.lineup_id, row_id)


def _row_fields(lineup: Lineup, building_available: bool, availability: Availability) -> dict[str, object]:
    """Fields of every row of a lineup; an occupied row stays in the graphs but is not offered."""
    rows, liquid, occupied = lineup.template.rows, lineup.template.liquid, lineup.batch.occupied
    return {
        "kind": "row",
        "positions": rows.positions,
        "lineup_id": lineup.lineup_id,
        "block_id": lineup.block_id,
        "building_id": lineup.building_id,
        "hall_id": lineup.hall_id,
        "in_service": lineup.in_service,
        "available": building_available and occupied is None,
        "availability_class": availability.name,
        "may_drop_on": availability.may_drop_on,
        "n_feeds": n_feeds(lineup.template.scheme),
        "ride_through": None if lineup.template.ride_through is None else lineup.template.ride_through.rule,
        "taps": rows.taps,
        "liquid_supply_degc": None if liquid is None else liquid.supply,
        "liquid_rise_k": None if liquid is None else liquid.rise,
        "coolant": None if liquid is None else liquid.coolant,
        "floor_uniform_kg_per_m2": rows.floor_uniform,
        "floor_point_kg_per_m2": rows.floor_point,
        "floor_area_m2": rows.positions * rows.pitch * (rows.depth + rows.aisles),
        "occupied_configuration": None if occupied is None else occupied.configuration,
        "occupied_racks": 0 if occupied is None else occupied.racks_per_row,
        "occupied_owner": None if occupied is None else occupied.owner,
    }
