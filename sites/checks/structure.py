"""Structure of the graphs: ids, cycles, fields, shares, feeds."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import networkx as nx

from sites.checks.findings import ELEMENT_KINDS, error, rows_of
from sites.expansion.ids import CORE, SERVICE
from sites.schema.cooling_equipment import CoolingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.checks.findings import Finding
    from sites.expansion.graphs import Graph, SiteGraphs

_ELEMENT_FIELDS = (
    "rating_w", "emergency_w", "short_time_w", "short_time_s", "plate_w", "loss_no_load", "loss_linear",
    "loss_quadratic", "house_load_w",
)  # fmt: skip
_UNIT_KINDS = frozenset(map(str, CoolingKind))


def _unique_ids(graphs: SiteGraphs) -> Iterator[Finding]:
    """An id stands for one thing over all graphs; only rows are shared."""
    rows, seen = set(rows_of(graphs)), dict[str, str]()
    named = (("containment", graphs.containment), ("power", graphs.power))
    for name, graph in (*named, ("cooling", graphs.cooling), ("fabric", graphs.fabric)):
        for node in graph.nodes:
            if node not in rows and node in seen:
                message = f"the id stands in the {seen[node]} and the {name} graph; rename the building, group or plant"
                yield error(node, message)
            seen[node] = name


def _acyclic(graphs: SiteGraphs) -> Iterator[Finding]:
    for name in ("containment", "power", "cooling", "fabric"):
        graph: Graph = getattr(graphs, name)
        if not nx.is_directed_acyclic_graph(graph):
            cycle = [source for source, _ in nx.find_cycle(graph)]
            yield error(cycle[0], f"the {name} graph has a cycle: {' -> '.join(cycle)}; an element cannot feed itself")


def _fields(graphs: SiteGraphs) -> Iterator[Finding]:
    """Ratings, losses and dates of every element are present and positive where they must be."""
    for node, fields in graphs.power.nodes(data=True):
        if str(fields["kind"]) not in ELEMENT_KINDS:
            continue
        for name in _ELEMENT_FIELDS:
            if fields.get(name) is None:
                yield error(node, f"'{name}' is missing; every power element needs it")
        if fields.get("rating_w") is not None and fields["rating_w"] <= 0:
            yield error(node, f"rated {fields['rating_w']} W; a rating must be at least 1 W")
    for node, fields in graphs.cooling.nodes(data=True):
        if str(fields["kind"]) in _UNIT_KINDS and not fields.get("fed_by"):
            yield error(node, "'fed_by' is missing; every cooling unit draws from some power element")
    for graph in (graphs.cooling, graphs.power):
        for node, fields in graph.nodes(data=True):
            if fields["kind"] != "service" and fields.get("in_service") is None:
                yield error(node, "'in_service' is missing; every element needs the quarter from which it exists")


def _shares(graphs: SiteGraphs) -> Iterator[Finding]:
    """What a node draws is split over its sources without remainder; each medium of a row for itself.

    A plant that lacks a kind of unit is told about by `_plants`, in its own terms.
    """
    for graph in (graphs.power, graphs.cooling):
        for node in graph.nodes:
            if graph.nodes[node]["kind"] == "plant":
                continue
            sums: dict[str, Fraction] = {}
            for _, _, fields in graph.in_edges(node, data=True):
                if not fields.get("reserve", False):
                    medium = str(fields.get("medium", ""))
                    sums[medium] = sums.get(medium, Fraction(0)) + fields["share"]
            for medium, total in sums.items():
                if total != 1:
                    kind = f"{medium} shares" if medium else "shares"
                    yield error(node, f"its {kind} sum to {total}; they must sum to 1")


def _fed(graphs: SiteGraphs) -> Iterator[Finding]:
    """Everything on the power graph hangs on the service."""
    reached = nx.descendants(graphs.power, SERVICE) | {SERVICE} if SERVICE in graphs.power else set()
    for node in graphs.power.nodes:
        if node not in reached:
            yield error(node, "no path leads to it from the utility service; feed it from a group that has one")


def _rows_connected(graphs: SiteGraphs) -> Iterator[Finding]:
    """Every row is fed by its feeds, cooled by air (and by liquid if it has a loop) and on one leaf group."""
    on_core = nx.descendants(graphs.fabric, CORE) if CORE in graphs.fabric else set()
    for row in rows_of(graphs):
        fields = graphs.containment.nodes[row]
        n_feeds = graphs.power.in_degree(row) if row in graphs.power else 0
        if n_feeds != fields["n_feeds"]:
            yield error(row, f"it has {n_feeds} power feeds; {fields['n_feeds']} are due")
        headers = list(graphs.cooling.predecessors(row)) if row in graphs.cooling else []
        media = sorted(str(graphs.cooling.edges[header, row]["medium"]) for header in headers)
        due = ["air"] if fields["liquid_supply_degc"] is None else ["air", "liquid"]
        if media != due:
            yield error(row, f"it is cooled by {media or 'nothing'}; {due} is due")
        groups = list(graphs.fabric.predecessors(row)) if row in graphs.fabric else []
        if groups != [fields["block_id"]] or groups[0] not in on_core:
            yield error(
                row, f"it hangs on leaf groups {groups}; its block '{fields['block_id']}' below the core is due"
            )


STRUCTURE = (_unique_ids, _acyclic, _fields, _shares, _fed, _rows_connected)
