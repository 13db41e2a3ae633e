"""What alone drops rows that were promised to survive it: elements above them, and what takes their cooling or network.

The rule itself, failure by failure, is that of section 2 of `docs/model.md`; here it is read off the dominators of the
power graph (every path from the service to a node passes them), so that a site is judged before anything is planned.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import networkx as nx

from sites.checks.findings import nodes_of, rows_of, warning
from sites.expansion.ids import SERVICE
from sites.schema.failures import UNIT_FAILURES, FailureKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sites.checks.findings import Finding
    from sites.expansion.graphs import SiteGraphs


@dataclass(frozen=True)
class Point:
    """A kind of thing whose failure alone drops a row, and how it does so."""

    kind: str
    how: str


Points = dict[str, tuple[Point, ...]]
"""Single points by the node that they take."""


class _Above:
    """Elements of the power graph without which a node or a unit is dead."""

    def __init__(self, graphs: SiteGraphs) -> None:
        self._kind: dict[str, str] = {node: str(kind) for node, kind in graphs.power.nodes(data="kind")}
        self._dominator: Mapping[str, str] = nx.immediate_dominators(graphs.power, SERVICE)

    def node(self, node: str) -> frozenset[str]:
        """Elements that a node cannot do without; it is one of them itself when it is an element."""
        found = [node]
        while found[-1] != SERVICE:
            found.append(self._dominator[found[-1]])
        return frozenset(found) - {SERVICE}

    def unit(self, fed_by: Iterable[str]) -> frozenset[str]:
        """Elements that a unit cannot do without that draws from any of some members."""
        return reduce(frozenset.intersection, [self.node(member) for member in fed_by])

    def points(self, elements: Iterable[str], how: str) -> tuple[Point, ...]:
        """One point for each kind among some elements."""
        kinds = dict.fromkeys(self._kind[element] for element in sorted(elements))
        return tuple(Point(kind, how) for kind in kinds)


def _single_points(graphs: SiteGraphs) -> Iterator[Finding]:
    """Whatever alone drops a row against the promise of its class; such a row can never be used."""
    above = _Above(graphs)
    banks, networks = _bank_points(graphs, above), _network_points(graphs, above)
    for row in rows_of(graphs):
        fields = graphs.containment.nodes[row]
        if not fields["available"]:
            continue
        cooling = nx.ancestors(graphs.cooling, row)
        points = [*above.points(above.node(row) - {row}, "drops it"), *networks[fields["block_id"]]]
        points += [point for node in sorted(cooling) for point in banks.get(node, ())]
        for point in dict.fromkeys(points):
            planned = point.kind in fields["maintenance"]
            if planned or point.kind not in fields["may_drop_on"]:
                message = (
                    f"the {'planned outage' if planned else 'failure'} of one {point.kind} {point.how}, which its "
                    f"class '{fields['availability_class']}' does not allow: no rack can stand here; change the scheme "
                    "or the class"
                )
                yield warning(row, message)


def _bank_points(graphs: SiteGraphs, above: _Above) -> Points:
    """What leaves a header or plant without a bank that has a duty at the design day, by that node.

    Pumps, fans and machinery stop only with all of their units, so nothing is said of them besides.
    """
    cooling, result = graphs.cooling, dict[str, tuple[Point, ...]]()
    for node in nodes_of(cooling, "liquid-header", "air-header", "plant"):
        banks: dict[str, list[str]] = defaultdict(list)
        for unit in cooling.predecessors(node):
            banks[_unit_kind(str(cooling.nodes[unit]["kind"]))].append(unit)
        points: list[Point] = []
        for kind, units in banks.items():
            cuts = reduce(frozenset.intersection, [above.unit(cooling.nodes[unit]["fed_by"]) for unit in units])
            points += above.points(cuts, f"stops every {kind} that its heat needs")
            if _spares(graphs, node, kind) == 0:
                points.append(Point(kind, "leaves too few of them, as none is spare"))
        result[node] = tuple(points)
    return result


def _unit_kind(kind: str) -> str:
    """The kind of failure of a cooling unit: every unit of heat rejection that is no chiller is a cooler."""
    return kind if kind in UNIT_FAILURES else str(FailureKind.COOLER)


def _spares(graphs: SiteGraphs, node: str, kind: str) -> int:
    fields = graphs.cooling.nodes[node]
    key = {FailureKind.COOLER: "dry_spares", FailureKind.CHILLER: "chiller_spares"}.get(FailureKind(kind), "spares")
    return int(fields[key])


def _network_points(graphs: SiteGraphs, above: _Above) -> Points:
    """What leaves a block without enough whole planes, by its leaf group."""
    supports = {graphs.power.nodes[load]["block_id"]: load for load in nodes_of(graphs.power, "support")}
    result: Points = {}
    for block in nodes_of(graphs.fabric, "leaf-group"):
        fields = graphs.fabric.nodes[block]
        n_planes = fields["planes"]
        cut_planes: dict[str, set[int]] = defaultdict(set)
        for index, fed_by in enumerate(fields["leaf_feeds"]):
            for element in above.unit(fed_by):
                cut_planes[element].add(index % n_planes)
        gone = {one for one, planes in cut_planes.items() if n_planes - len(planes) < fields["planes_needed"]}
        points = above.points(gone | (above.node(supports[block]) - {supports[block]}), "stops its network")
        if n_planes - 1 < fields["planes_needed"]:
            points += (Point(str(FailureKind.LEAF), "leaves it fewer whole planes than it needs"),)
        result[block] = points
    return result


SINGLE_POINTS = (_single_points,)
