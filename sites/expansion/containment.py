"""The containment tree: campus, building, hall, lineup, row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from sites.expansion.ids import CAMPUS, add_node
from sites.expansion.rows import port_fields, pressure_kpa, row_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.expansion.graphs import Graph
    from sites.expansion.places import Lineup, Place
    from sites.schema.catalog import SwitchEquipment
    from sites.schema.cooling_equipment import CoolingEquipment
    from sites.schema.site import SiteFile


def containment_graph(
    site: SiteFile,
    places: Sequence[Place],
    cooling: Mapping[str, CoolingEquipment],
    switches: Mapping[str, SwitchEquipment],
) -> Graph:
    """The tree of places with the fields of section 1 of `docs/model.md`.

    Parameters: cooling and switches, the equipment that the site may name.
    """
    graph: Graph = nx.DiGraph()
    classes = {entry.name: entry for entry in site.availability}
    add_node(graph, CAMPUS, kind="campus", name=site.name)
    for place in places:
        _add_building(graph, place)
        for lineup in place.lineups:
            fields = row_fields(lineup, place.building.available, classes[lineup.template.availability])
            fields |= {"pressure_kpa": pressure_kpa(lineup.template.liquid, cooling)}
            _add_lineup(graph, lineup, fields | port_fields(lineup.template, switches))
    return graph


def _add_building(graph: Graph, place: Place) -> None:
    add_node(
        graph,
        place.building_id,
        kind="building",
        in_service=place.in_service,
        binding_date=place.binding_date,
        dates=place.dates,
        landing_racks_per_quarter=place.building.landing_racks_per_quarter,
        available=place.building.available,
    )
    graph.add_edge(CAMPUS, place.building_id)
    for hall_id in place.hall_ids:
        add_node(graph, hall_id, kind="hall")
        graph.add_edge(place.building_id, hall_id)


def _add_lineup(graph: Graph, lineup: Lineup, fields: Mapping[str, object]) -> None:
    """A lineup and its rows, which are alike."""
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
    for row_id in lineup.row_ids:
        add_node(graph, row_id, **fields)
        graph.add_edge(lineup.lineup_id, row_id)
