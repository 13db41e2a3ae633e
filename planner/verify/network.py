"""The power graph of a site as plain tuples in topological order, for the checker's own walks.

Section 2 of `docs/model.md`: which nodes are alive, and which share of a load each live edge carries.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from heapq import heapify, heappop, heappush
from math import floor
from typing import TYPE_CHECKING, Any

import networkx as nx

from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping, Sequence

    from sites.expansion import SiteGraphs

LOADS = frozenset({"row", "mechanical", "support"})
SERVICE = "service"
ALWAYS = -1
"""Quarter index from which a node without a date stands."""


@dataclass(frozen=True)
class Source:
    """One edge into a node."""

    node: int
    share: Fraction
    reserve: bool


@dataclass(frozen=True)
class Network:
    """Nodes of one site's power graph, each after everything that feeds it; tuples are indexed by node."""

    names: tuple[str, ...]
    index: dict[str, int]
    kinds: tuple[str, ...]
    sources: tuple[tuple[Source, ...], ...]
    loads: tuple[tuple[int, ...], ...]
    """Nodes that each node feeds."""
    in_service: tuple[int, ...]
    """Quarter index from which a node stands, cooling headers of a row included."""
    factor: tuple[Fraction, ...]
    """Watts of input for each watt of output, losses by the secant at the plate."""
    output_constant_w: tuple[Fraction, ...]
    """House load of an element, fixed watts of a mechanical load."""
    input_constant_w: tuple[Fraction, ...]
    """No-load loss of an element."""
    plate_w: tuple[Fraction, ...]
    """Base of the loss fractions; 0 for loads and the service."""
    losses: tuple[tuple[float, float, float], ...]
    """No-load, linear and quadratic loss as fractions of the plate."""
    rating_w: tuple[int | None, ...]
    """Floored; None for the service and for loads."""
    emergency_w: tuple[int, ...]
    """Load permitted after a failure elsewhere, floored; 0 for the service and for loads."""
    short_time_w: tuple[int, ...]
    """Load permitted for `short_time_s`, floored."""
    short_time_s: tuple[Fraction, ...]
    needs: dict[int, tuple[int, ...]]
    """Mechanical and support loads without which each row cannot run."""
    single_feed_until: dict[int, int]
    """Quarter index before which a row runs on any of its feeds, for the rows that may."""

    @property
    def elements(self) -> tuple[int, ...]:
        """Nodes that may fail: everything but the service and the loads."""
        return tuple(i for i, kind in enumerate(self.kinds) if kind not in LOADS and kind != SERVICE)

    @cached_property
    def like(self) -> tuple[int, ...]:
        """For each node the number of its kind: nodes of one kind lose alike what passes them."""
        numbers: dict[object, int] = {}
        losses = zip(self.factor, self.input_constant_w, self.plate_w, self.losses, strict=True)
        return tuple(numbers.setdefault(one, len(numbers)) for one in losses)

    def below(self, node: int) -> list[int]:
        """Everything that a node feeds, directly or not, in topological order, itself excluded."""
        seen: set[int] = set()
        ahead = list(self.loads[node])
        while ahead:
            load = ahead.pop()
            if load not in seen:
                seen.add(load)
                ahead.extend(self.loads[load])
        return sorted(seen)

    def above(self, row: str) -> frozenset[int]:
        """Everything that carries any of a row's draws: above the row, its machinery and its support gear."""
        node = self.index[row]
        return frozenset[int]().union(*(self.carriers(load) for load in (node, *self.needs.get(node, ()))))

    def carriers(self, load: int) -> frozenset[int]:
        """Everything that carries any of what a load draws."""
        found: set[int] = set()
        ahead = [load]
        while ahead:
            for edge in self.sources[ahead.pop()]:
                if edge.node not in found:
                    found.add(edge.node)
                    ahead.append(edge.node)
        return frozenset(found)


def network_of(graphs: SiteGraphs, needs: dict[str, list[str]]) -> Network:
    """Read the power graph of a site.

    Parameters: needs, the mechanical and support loads of each row. Raises ValueError when the graph has a cycle.
    """
    power = graphs.power
    if not nx.is_directed_acyclic_graph(power):
        msg = f"the power graph of site '{graphs.site.name}' has a cycle"
        raise ValueError(msg)
    names = tuple(nx.lexicographical_topological_sort(power))
    index = {name: position for position, name in enumerate(names)}
    fields = [power.nodes[name] for name in names]
    return Network(
        names=names,
        index=index,
        kinds=tuple(str(field["kind"]) for field in fields),
        sources=tuple(_sources(graphs, name, index) for name in names),
        loads=tuple(tuple(sorted(index[load] for load in power.successors(name))) for name in names),
        in_service=tuple(_in_service(graphs, name) for name in names),
        factor=tuple(_factor(field) for field in fields),
        output_constant_w=tuple(Fraction(field.get("house_load_w", field.get("fixed_w", 0))) for field in fields),
        input_constant_w=tuple(
            Fraction(field["loss_no_load"]) * field["plate_w"] if _is_element(field) else Fraction(0)
            for field in fields
        ),
        plate_w=tuple(Fraction(field["plate_w"]) if _is_element(field) else Fraction(0) for field in fields),
        losses=tuple(_losses(field) for field in fields),
        rating_w=tuple(floor(field["rating_w"]) if _is_element(field) else None for field in fields),
        emergency_w=tuple(floor(field["emergency_w"]) if _is_element(field) else 0 for field in fields),
        short_time_w=tuple(floor(field["short_time_w"]) if _is_element(field) else 0 for field in fields),
        short_time_s=tuple(Fraction(field["short_time_s"] if _is_element(field) else 0) for field in fields),
        needs={index[row]: tuple(index[node] for node in needed) for row, needed in needs.items()},
        single_feed_until={
            index[row]: quarter_index(field["single_feed_until"])
            for row, field in graphs.containment.nodes(data=True)
            if field["kind"] == "row" and field["single_feed_until"] is not None
        },
    )


def _is_element(field: dict[str, Any]) -> bool:
    return str(field["kind"]) not in LOADS and str(field["kind"]) != SERVICE


def _factor(field: dict[str, Any]) -> Fraction:
    if not _is_element(field):
        return Fraction(1)
    return 1 + Fraction(field["loss_linear"]) + Fraction(field["loss_quadratic"])


def _losses(field: dict[str, Any]) -> tuple[float, float, float]:
    if not _is_element(field):
        return 0.0, 0.0, 0.0
    return float(field["loss_no_load"]), float(field["loss_linear"]), float(field["loss_quadratic"])


def _sources(graphs: SiteGraphs, name: str, index: dict[str, int]) -> tuple[Source, ...]:
    edges = graphs.power.in_edges(name, data=True)
    found = [Source(index[source], Fraction(edge["share"]), bool(edge.get("reserve"))) for source, _, edge in edges]
    return tuple(sorted(found, key=lambda edge: edge.node))


def _in_service(graphs: SiteGraphs, name: str) -> int:
    """Quarter index: the latest of a row's own date, its place's and its headers'; the first step of the service."""
    field = graphs.power.nodes[name]
    if field["kind"] == SERVICE:
        return min(quarter_index(quarter) for quarter, _ in field["capacity_steps"])
    quarters = [field["in_service"]] if "in_service" in field else []
    if field["kind"] == "row":
        quarters.append(graphs.containment.nodes[name]["in_service"])
        quarters.extend(graphs.cooling.nodes[header]["in_service"] for header in graphs.cooling.predecessors(name))
    return max((quarter_index(quarter) for quarter in quarters), default=ALWAYS)


@dataclass(frozen=True)
class Wiring:
    """What is alive in some state, and how its loads share."""

    dead: frozenset[int]
    """Nodes that do not stand yet, or no longer."""
    shares: MutableMapping[int, tuple[tuple[int, Fraction], ...]]
    """(source, share) pairs of every other node; the shares sum to one."""

    def after(self, outage: Outage) -> Wiring:
        """The wiring that an outage leaves, as the state in which something else may fail."""
        return Wiring(self.dead | outage.dead, ChainMap(outage.shares, self.shares))


@dataclass(frozen=True)
class Outage:
    """What one failure changes in a wiring."""

    failed: int
    """Number of the failure."""
    dead: frozenset[int]
    """Nodes that lose all supply, the failed ones included."""
    shares: dict[int, tuple[tuple[int, Fraction], ...]]
    """(source, share) pairs of the survivors that lose a source."""


def live_shares(live: Sequence[Source]) -> tuple[tuple[int, Fraction], ...]:
    """Shares over live edges: in proportion, or all from the reserve edges in equal parts when none else lives."""
    total = sum((edge.share for edge in live), Fraction(0))
    if total > 0:
        return tuple((edge.node, edge.share / total) for edge in live if edge.share > 0)
    reserve = [edge.node for edge in live if edge.reserve]
    return tuple((node, Fraction(1, len(reserve))) for node in reserve)


def wiring_in(network: Network, quarter: int) -> Wiring:
    """Normal operation in a quarter; a load stands only when all of its feeds do, an element when any does.

    A row that may run on a single feed until a later quarter stands when any of its feeds does.
    """
    dead: set[int] = set()
    shares = {}
    for node, sources in enumerate(network.sources):
        live = [edge for edge in sources if edge.node not in dead]
        waits = network.kinds[node] in LOADS and network.single_feed_until.get(node, quarter) <= quarter
        supplied = len(live) == len(sources) if waits else bool(live)
        if network.in_service[node] > quarter or not (supplied or network.kinds[node] == SERVICE):
            dead.add(node)
        else:
            shares[node] = live_shares(live)
    for row, needed in network.needs.items():
        if any(node in dead for node in needed):
            dead.add(row)
            shares.pop(row, None)
    return Wiring(frozenset(dead), shares)


def outage_of(network: Network, normal: Wiring, failed: int, lost: Iterable[int]) -> Outage:
    """One failure in a wiring: only what loses a source is looked at, each node after everything that feeds it.

    Parameters: failed, its number; lost, its elements.
    """
    dead = {node for node in lost if node not in normal.dead}
    shares: dict[int, tuple[tuple[int, Fraction], ...]] = {}
    queue = [load for node in dead for load in network.loads[node]]
    heapify(queue)
    while queue:
        node = heappop(queue)
        if node in normal.dead or node in dead or node in shares:
            continue
        live = [edge for edge in network.sources[node] if edge.node not in dead and edge.node not in normal.dead]
        if live:
            shares[node] = live_shares(live)
        else:
            dead.add(node)
            for load in network.loads[node]:
                heappush(queue, load)
    return Outage(failed, frozenset(dead), shares)
