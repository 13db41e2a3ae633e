"""Like nodes of a power graph as one class.

What a node carries depends on what hangs below it alone. So two nodes with the same figures that feed the same numbers
of like loads in the same shares carry the same watts, exactly; they are found from the loads up.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any

from kernels.hourly import ELEMENT, FANS, MACHINERY, PUMPS, ROWS, SUPPORT
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.year.heat import HeatMap, RowLoad
    from planner.year.plants import PlantModel
    from sites.expansion.graphs import Graph, SiteGraphs

SERVICE = "service"
_LOADS = frozenset({"row", "mechanical", "support"})


@dataclass(frozen=True)
class NodeFigures:
    """What tells nodes apart apart from what they feed; fields as in `kernels.hourly.YearModel`."""

    kind: int
    plate_w: float = 0.0
    loss_no_load: float = 0.0
    loss_linear: float = 0.0
    loss_quadratic: float = 0.0
    rating_w: float = inf
    draw_w: float = 0.0
    fixed_w: float = 0.0
    flow_ratio: float = 0.0
    flow_base: float = 0.0
    plant: PlantModel | None = None


@dataclass
class NodeClass:
    """One class."""

    title: str
    """Kind of its nodes, in the graph's word."""
    first: str
    """The first of its nodes."""
    figures: NodeFigures
    feeds: tuple[tuple[int, float], ...]
    """Classes fed, with the share of one fed node's input that one node of this class carries, summed."""
    members: int = 0


@dataclass(frozen=True)
class SiteState:
    """A site in one quarter."""

    graphs: SiteGraphs
    alive: set[str]
    """Nodes of the power graph that exist and live."""
    loads: Mapping[str, RowLoad]
    heats: HeatMap
    plants: Mapping[str, PlantModel]


def existing(graphs: SiteGraphs, quarter: str) -> set[str]:
    """Nodes of the power graph that exist in a quarter, by the rule of section 2 of the model.

    Parameters: graphs; quarter, e.g. "2030-Q4".
    """
    power, now, known = graphs.power, quarter_index(quarter), dict[str, bool]()

    def exists(node: str) -> bool:
        if node not in known:
            fields, sources = power.nodes[node], list(power.pred[node])
            dated = fields["capacity_steps"][0][0] if node == SERVICE else fields.get("in_service")
            served = [exists(source) for source in sources]
            waits = fields["kind"] in _LOADS and not _one_feed_does(graphs, node, now)
            fed = not sources or (all(served) if waits else any(served))
            known[node] = fed and (dated is None or quarter_index(dated) <= now)
        return known[node]

    return {node for node in power.nodes if exists(node)}


def _one_feed_does(graphs: SiteGraphs, node: str, now: int) -> bool:
    """Whether a row need not wait for all of its feeds in this quarter."""
    until = graphs.containment.nodes[node]["single_feed_until"] if graphs.power.nodes[node]["kind"] == "row" else None
    return until is not None and now < quarter_index(until)


def surviving(power: Graph, alive: set[str], lost: Iterable[str]) -> set[str]:
    """Nodes that still live once some are lost: those not lost that some source of theirs still feeds.

    Parameters: power graph; alive, nodes that exist; lost, elements.
    """
    gone, known = set(lost), dict[str, bool]()

    def lives(node: str) -> bool:
        if node not in known:
            fed = not power.pred[node] or any(lives(source) for source in power.pred[node])
            known[node] = fed and node in alive and node not in gone
        return known[node]

    return {node for node in alive if lives(node)}


def node_classes(state: SiteState, capacity_w: float) -> list[NodeClass]:
    """Classes of a site from load to source; the last is the service.

    Parameters: state; capacity of the service in the quarter (W).
    """
    power, alive = state.graphs.power, state.alive
    classes: list[NodeClass] = []
    index_of_key: dict[tuple[Any, ...], int] = {}
    class_of_node: dict[str, int] = {}

    def place(node: str) -> int:
        if node in class_of_node:
            return class_of_node[node]
        shares: dict[int, Fraction] = defaultdict(Fraction)
        for load in power.adj[node]:
            if load in alive:
                share = _live_share(power, node, load, alive)
                if share:
                    shares[place(load)] += share
        figures = _figures(state, node, capacity_w)
        key = (power.nodes[node]["kind"], figures, frozenset(shares.items()))
        if key not in index_of_key:
            feeds = tuple((index, float(share)) for index, share in sorted(shares.items()))
            index_of_key[key] = len(classes)
            classes.append(NodeClass(str(power.nodes[node]["kind"]), node, figures, feeds))
        class_of_node[node] = index_of_key[key]
        classes[class_of_node[node]].members += 1
        return class_of_node[node]

    for node in sorted(alive - {SERVICE}):
        place(node)
    place(SERVICE)
    return classes


def _live_share(power: Graph, source: str, load: str, alive: set[str]) -> Fraction:
    """Share of a load's input that one source carries among those that exist; reserves only when no share is left."""
    live = {name: edge for name, edge in power.pred[load].items() if name in alive}
    total = sum((Fraction(edge["share"]) for edge in live.values()), Fraction(0))
    if total > 0:
        return Fraction(live[source]["share"]) / total
    reserves = [name for name, edge in live.items() if edge.get("reserve")]
    return Fraction(1, len(reserves)) if source in reserves else Fraction(0)


def _figures(state: SiteState, node: str, capacity_w: float) -> NodeFigures:
    fields = state.graphs.power.nodes[node]
    match str(fields["kind"]):
        case "service":
            return NodeFigures(ELEMENT, rating_w=capacity_w)
        case "row":
            return NodeFigures(ROWS, draw_w=float(state.loads[node].it_w) if node in state.loads else 0.0)
        case "support":
            return NodeFigures(SUPPORT, draw_w=float(_support_w(state, fields["block_id"])))
        case "mechanical":
            return _mechanical(state, fields)
    return NodeFigures(
        ELEMENT,
        plate_w=float(fields["plate_w"]),
        loss_no_load=float(fields["loss_no_load"]),
        loss_linear=float(fields["loss_linear"]),
        loss_quadratic=float(fields["loss_quadratic"]),
        rating_w=float(fields["rating_w"]),
        fixed_w=float(fields["house_load_w"]),
    )


def _support_w(state: SiteState, block: str) -> int:
    rows = state.graphs.containment.nodes
    return sum(load.support_w for row, load in state.loads.items() if rows[row]["block_id"] == block)


def _mechanical(state: SiteState, fields: Mapping[str, Any]) -> NodeFigures:
    """Pumps or fans of a header at their design power, or the machinery of a plant."""
    loop, fixed_w = fields["loop"], float(fields.get("fixed_w", 0))
    cooling = state.graphs.cooling.nodes[loop]
    if cooling["kind"] == "plant":
        return NodeFigures(MACHINERY, fixed_w=fixed_w, plant=state.plants[loop])
    heat, per_watt = state.heats.headers[loop], cooling["watts_per_heat_watt"]
    kind = PUMPS if cooling["kind"] == "liquid-header" else FANS
    design_w = heat.most_w + heat.fixed_w
    return NodeFigures(
        kind,
        draw_w=float(per_watt * design_w),
        fixed_w=fixed_w,
        flow_ratio=float(heat.average_w / design_w) if design_w else 0.0,
        flow_base=float(heat.fixed_w / design_w) if design_w else 0.0,
    )
