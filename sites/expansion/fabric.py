"""The fabric graph: core, one spine for each building, one leaf group for each fabric block, rows."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import networkx as nx

from sites.expansion.feeds import unit_feeds
from sites.expansion.ids import CORE, add_node
from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.expansion.graphs import Graph
    from sites.expansion.places import Lineup, Place
    from sites.schema.catalog import SwitchEquipment
    from sites.schema.lineup import LineupTemplate

BITS_PER_GIGABIT = 10**9


def fabric_graph(
    places: Sequence[Place],
    switches: Mapping[str, SwitchEquipment],
    members: Mapping[str, Mapping[str, tuple[str, ...]]],
) -> Graph:
    """The fabric graph with the fields of section 1 of `docs/model.md`.

    Parameters: members, element ids of every power group by its name, for each building.
    """
    graph: Graph = nx.DiGraph()
    add_node(graph, CORE, kind="core")
    for place in places:
        spine = f"{place.building_id}/spine"
        add_node(graph, spine, kind="spine", ports_gbps=spine_gbps(place, switches))
        graph.add_edge(CORE, spine)
        for block_id, lineups in place.blocks.items():
            _add_block(graph, spine, block_id, lineups, switches, members[place.building_id])
    return graph


def spine_gbps(place: Place, switches: Mapping[str, SwitchEquipment]) -> int:
    """Gb/s that a building's spine offers to its leaves: positions · half the ports · speed, floored."""
    switch = switches[place.template.spine_switch]
    where = f"switch '{switch.name}'"
    bits_per_second = known(switch.port_speed, where, "port_speed")
    n_ports = place.template.spine_positions * (known(switch.ports, where, "ports") // 2)
    return floor(n_ports * bits_per_second / BITS_PER_GIGABIT)


def ports_by_kind(template: LineupTemplate, switches: Mapping[str, SwitchEquipment]) -> dict[str, int]:
    """Host ports of a leaf group by their kind, those that a conversion would bring included.

    The places hold one kind of leaf at a time, so each kind of port has its own count; `sites.references` sees to it
    that one switch stands for each kind.
    """
    ports: dict[str, int] = {}
    for name in (*template.fabric.leaf_switches, *(name for one in template.conversions for name in one.leaf_switches)):
        switch = switches[name]
        n_host_ports = known(switch.ports, f"switch '{name}'", "ports") // 2
        ports[switch.port_kind] = template.fabric.leaf_positions * n_host_ports
    return ports


def _add_block(
    graph: Graph,
    spine: str,
    block_id: str,
    lineups: Sequence[Lineup],
    switches: Mapping[str, SwitchEquipment],
    members: Mapping[str, tuple[str, ...]],
) -> None:
    """A leaf group with its places, planes and feeds."""
    fabric = lineups[0].template.fabric
    add_node(
        graph,
        block_id,
        kind="leaf-group",
        ports_by_kind=ports_by_kind(lineups[0].template, switches),
        partial_units=fabric.partial_units,
        block_id=block_id,
        leaf_positions=fabric.leaf_positions,
        leaf_feeds=unit_feeds(fabric.support_feeds, members[fabric.support_powered_by], fabric.leaf_positions),
        planes=fabric.planes,
        planes_needed=fabric.planes_needed,
        support_positions=fabric.support_positions,
    )
    graph.add_edge(spine, block_id)
    for lineup in lineups:
        for row_id in lineup.row_ids:
            add_node(graph, row_id, kind="row")
            graph.add_edge(block_id, row_id)
