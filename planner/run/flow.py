"""Power flow of a site at a plan's draws, in normal operation and after the loss of some elements.

Section 2 of the model at actual draws, shares not rounded, in floating point: it describes a plan whose limits have
been held in exact integers. Only the part of the graph that a failure touches is worked out again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import networkx as nx

from sites.calendar import quarter_index
from sites.schema.catalog import ElementKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sites.expansion.graphs import Graph, SiteGraphs

_LOAD_KINDS = frozenset({"row", "mechanical", "support"})
_ELEMENT_KINDS = frozenset(str(kind) for kind in ElementKind)


@dataclass(frozen=True)
class RowDraw:
    """What the racks of a row draw, in whole watts."""

    it_w: int = 0
    liquid_w: int = 0
    air_w: int = 0
    support_w: int = 0

    def __add__(self, other: RowDraw) -> RowDraw:
        """Draws side by side."""
        return RowDraw(
            self.it_w + other.it_w,
            self.liquid_w + other.liquid_w,
            self.air_w + other.air_w,
            self.support_w + other.support_w,
        )


@dataclass(frozen=True)
class Flow:
    """After a failure: output watts of the elements that it touches, and the rows without supply."""

    output_w: dict[str, float]
    dropped_rows: tuple[str, ...]
    dead: frozenset[str]
    """Nodes that are dead because of it: the failed elements and all that hangs on them alone."""


@dataclass(frozen=True)
class _Node:
    """A node as flow needs it; `sources` are (position, share, reserve), input = output · factor + constant."""

    name: str
    is_load: bool
    is_row: bool
    sources: tuple[tuple[int, float, bool], ...]
    factor: float
    constant_w: float
    house_load_w: float
    fixed_w: float
    per_liquid_watt: float
    per_air_watt: float
    """Watts of cooling machinery or support gear, whatever its rows draw and for each watt of their heat."""


@dataclass
class _Driven:
    """What the rows behind cooling machinery or support gear give it to do, in whole watts."""

    liquid_w: int = 0
    air_w: int = 0
    of_row: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, row: str, liquid_w: int, air_w: int) -> None:
        before = self.of_row.get(row, (0, 0))
        self.of_row[row] = before[0] + liquid_w, before[1] + air_w
        self.liquid_w, self.air_w = self.liquid_w + liquid_w, self.air_w + air_w


class SiteFlow:
    """Power flow of one site in one period with given draws of its rows; nodes are numbered from source to load."""

    def __init__(
        self,
        graphs: SiteGraphs,
        period: str,
        draws: Mapping[str, RowDraw],
        acted: Mapping[str, float] | None = None,
    ) -> None:
        """Work out normal operation.

        Parameters: graphs; period, e.g. "2030-Q4"; draws of rows by row id, occupied racks included (W); acted, the
        share of its draw (network and support gear aside) that a row is left with once it has shed and capped, where
        that is not all.
        """
        self._power, self._draws, self._acted = graphs.power, draws, acted or {}
        order = list(nx.topological_sort(graphs.power))
        self._position = {node: index for index, node in enumerate(order)}
        self._nodes = [self._compiled(node) for node in order]
        self._loads = [[self._position[load] for load in graphs.power.adj[node]] for node in order]
        self._missing = self._not_in_service(graphs.containment, quarter_index(period))
        self.heat_rows = heat_rows(graphs.cooling)
        """Rows whose liquid heat and whose air heat each cooling node takes away."""
        self._block_rows = _block_rows(graphs.containment)
        self._loads_of_row = self._loads_by_row()
        self._driven: dict[int, _Driven] = {}
        self._output: dict[int, float] = {}
        self._taken: dict[tuple[int, int], float] = {}
        """Watts that each live edge carries in normal operation."""
        self._work_out_normal()

    def elements(self) -> list[str]:
        """Elements in service, in order of their ids; the service itself never fails."""
        names = (self._nodes[index].name for index in self._output)
        return sorted(name for name in names if self._power.nodes[name]["kind"] in _ELEMENT_KINDS)

    def normal_output_w(self, node: str) -> float:
        """Output of an element in normal operation, in W; zero where it is not in service."""
        return self._output.get(self._position[node], 0.0)

    def stands(self, element: str) -> bool:
        """Whether an element is in service."""
        return self._position[element] in self._output

    def after(self, *failed: str) -> Flow:
        """Outputs of the elements that the loss of `failed` touches, and the rows that it drops.

        Parameters: failed, elements in service. Changes are carried from loads to sources, each node once.
        """
        hit, dead = self._hit({self._position[element] for element in failed})
        dropped = [self._nodes[index].name for index in hit if index in dead and self._nodes[index].is_row]
        changed = hit | {load for row in dropped for load in self._loads_of_row[row]}
        waiting = [-index for index in changed]
        heapify(waiting)
        added: dict[int, float] = defaultdict(float)
        outputs: dict[int, float] = {}
        while waiting:
            index = -heappop(waiting)
            node, taken = self._nodes[index], {}
            if index not in dead:
                outputs[index] = (
                    self._own_w(index, dead, dropped) if node.is_load else self._output[index] + added[index]
                )
                taken = _taken_from(node, outputs[index], dead)
            for source, _, _ in node.sources:
                difference = taken.get(source, 0.0) - self._taken.get((source, index), 0.0)
                if source in dead or not difference:
                    continue
                added[source] += difference
                if source not in changed:
                    changed.add(source)
                    heappush(waiting, -source)
        return Flow(
            output_w={self._nodes[index].name: watts for index, watts in outputs.items()},
            dropped_rows=tuple(sorted(dropped)),
            dead=frozenset(self._nodes[index].name for index in hit & dead),
        )

    def rows_on(self, element: str, dead: Collection[str]) -> set[str]:
        """Rows that draw from an element once some nodes are dead: themselves, or through cooling or support.

        Parameters: element, alive; dead, names of the nodes that a failure stops.
        """
        gone = self._missing | {self._position[node] for node in dead}
        reached, waiting = set(), [self._position[element]]
        while waiting:
            source = waiting.pop()
            if source in reached or source in gone:
                continue
            reached.add(source)
            waiting += [load for load in self._loads[source] if source in _taken_from(self._nodes[load], 1.0, gone)]
        rows = {self._nodes[index].name for index in reached if self._nodes[index].is_row}
        drive = {row for row, loads in self._loads_of_row.items() if not reached.isdisjoint(loads)}
        return {row for row in rows | drive if self._position[row] not in gone}

    def drives(self, row: str) -> Iterator[str]:
        """Cooling machinery and support gear that a row's draw drives, as nodes of the power graph."""
        return (self._nodes[index].name for index in self._loads_of_row.get(row, ()))

    def _compiled(self, node: str) -> _Node:
        fields = self._power.nodes[node]
        edges = self._power.pred[node].items()
        sources = tuple((self._position[source], float(e["share"]), bool(e.get("reserve"))) for source, e in edges)
        element = fields["kind"] in _ELEMENT_KINDS
        return _Node(
            name=node,
            is_load=fields["kind"] in _LOAD_KINDS,
            is_row=fields["kind"] == "row",
            sources=sources,
            factor=float(1 + fields["loss_linear"] + fields["loss_quadratic"]) if element else 1.0,
            constant_w=float(fields["loss_no_load"] * fields["plate_w"]) if element else 0.0,
            house_load_w=float(fields.get("house_load_w", 0)),
            fixed_w=float(fields.get("fixed_w", 0)),
            per_liquid_watt=float(fields.get("watts_per_liquid_watt", 0)),
            per_air_watt=1.0 if fields["kind"] == "support" else float(fields.get("watts_per_air_watt", 0)),
        )

    def _work_out_normal(self) -> None:
        for index in range(len(self._nodes) - 1, -1, -1):
            if index in self._missing:
                continue
            node = self._nodes[index]
            if node.is_load:
                output_w = self._own_w(index, self._missing, ())
            else:
                output_w = sum((self._taken.get((index, load), 0.0) for load in self._loads[index]), node.house_load_w)
            self._output[index] = output_w
            for source, watts in _taken_from(node, output_w, self._missing).items():
                self._taken[source, index] = watts

    def _not_in_service(self, containment: Graph, now: int) -> set[int]:
        """Nodes that do not exist yet: not in service, or without a path to the service."""
        missing: set[int] = set()
        for index, node in enumerate(self._nodes):
            in_service = self._power.nodes[node.name].get("in_service")
            gone = [source in missing for source, _, _ in node.sources]
            waits_for_all = node.is_load and not (node.is_row and _one_feed_does(containment.nodes[node.name], now))
            cut = bool(gone) and (any(gone) if waits_for_all else all(gone))
            if cut or (in_service is not None and quarter_index(in_service) > now):
                missing.add(index)
        return missing

    def _hit(self, failed: set[int]) -> tuple[set[int], set[int]]:
        """The failed elements with what loses supply or a source because of them, and all dead nodes."""
        hit, waiting, dead = set(failed), [], self._missing | failed
        for index in failed:
            waiting += self._loads[index]
        heapify(waiting)
        while waiting:
            index = heappop(waiting)
            if index in hit or index in self._missing:
                continue
            hit.add(index)
            if all(source in dead for source, _, _ in self._nodes[index].sources):
                dead.add(index)
                for load in self._loads[index]:
                    heappush(waiting, load)
        return hit, dead

    def reach(self, failed: Iterable[str], dead: Iterable[str]) -> int:
        """What a failure can change, as bits: all below what fails, and what the rows drive that it cuts off.

        Parameters: failed, elements in service; dead, nodes that their loss stops.
        """
        waiting = [self._position[element] for element in failed]
        found = set(waiting)
        while waiting:
            for load in self._loads[waiting.pop()]:
                if load not in found and load not in self._missing:
                    found.add(load)
                    waiting.append(load)
        driven = {load for node in dead for load in self._loads_of_row.get(node, ())} - self._missing
        bits = bytearray(len(self._nodes) // 8 + 1)
        for index in found | driven:
            bits[index // 8] |= 1 << index % 8
        return int.from_bytes(bits, "little")

    def _own_w(self, index: int, dead: set[int], dropped: Iterable[str]) -> float:
        """What a load draws, rows without supply left out.

        Parameters: dead, nodes by number; dropped, rows among them that are in service.
        """
        node = self._nodes[index]
        if node.is_row:
            return self._draws.get(node.name, RowDraw()).it_w * self._acted.get(node.name, 1.0)
        if self._acted:
            liquid, air = self._acted_w(node, dead)
            return node.fixed_w + node.per_liquid_watt * liquid + node.per_air_watt * air
        if index not in self._driven:
            self._driven[index] = self._all_driven(node)
        driven = self._driven[index]
        liquid_w, air_w = driven.liquid_w, driven.air_w
        for row in dropped:
            if row in driven.of_row:
                liquid_w -= driven.of_row[row][0]
                air_w -= driven.of_row[row][1]
        return node.fixed_w + node.per_liquid_watt * liquid_w + node.per_air_watt * air_w

    def _all_driven(self, node: _Node) -> _Driven:
        """Whole watts, so that those of dropped rows can be taken off again without a rest."""
        driven, fields = _Driven(), self._power.nodes[node.name]
        if fields["kind"] == "support":
            for row, draw, _ in self._drawing(self._block_rows[fields["block_id"]], self._missing):
                driven.add(row, 0, draw.support_w)
            return driven
        liquid_rows, air_rows = self.heat_rows[fields["loop"]]
        for row, draw, _ in self._drawing(liquid_rows, self._missing):
            driven.add(row, draw.liquid_w, 0)
        for row, draw, _ in self._drawing(air_rows, self._missing):
            driven.add(row, 0, draw.air_w + draw.support_w)
        return driven

    def _acted_w(self, node: _Node, dead: set[int]) -> tuple[float, float]:
        """Liquid and air heat that drives a load once rows have shed and capped."""
        fields: Mapping[str, Any] = self._power.nodes[node.name]
        if fields["kind"] == "support":
            rows = self._block_rows[fields["block_id"]]
            return 0.0, float(sum(draw.support_w for _, draw, _ in self._drawing(rows, dead)))
        liquid_rows, air_rows = self.heat_rows[fields["loop"]]
        liquid_w = sum(draw.liquid_w * left for _, draw, left in self._drawing(liquid_rows, dead))
        air_w = sum(draw.air_w * left + draw.support_w for _, draw, left in self._drawing(air_rows, dead))
        return liquid_w, air_w

    def _drawing(self, rows: Iterable[str], dead: set[int]) -> Iterator[tuple[str, RowDraw, float]]:
        """Those rows that hold racks and have supply, their draws, and the share of them that is left."""
        for row in rows:
            if row in self._draws and self._position[row] not in dead:
                yield row, self._draws[row], self._acted.get(row, 1.0)

    def _loads_by_row(self) -> dict[str, list[int]]:
        """Mechanical and support nodes that each row's draw drives, those that are yet to come included."""
        loads: dict[str, list[int]] = defaultdict(list)
        for index, node in enumerate(self._nodes):
            fields = self._power.nodes[node.name]
            if fields["kind"] not in {"mechanical", "support"}:
                continue
            mechanical = fields["kind"] == "mechanical"
            rows = self.heat_rows[fields["loop"]] if mechanical else (self._block_rows[fields["block_id"]],)
            for row in {name for names in rows for name in names}:
                loads[row].append(index)
        return loads


def _one_feed_does(row: Mapping[str, Any], now: int) -> bool:
    """Whether a row need not wait for all of its feeds in this quarter."""
    until = row["single_feed_until"]
    return until is not None and now < quarter_index(until)


def _taken_from(node: _Node, output_w: float, dead: set[int]) -> dict[int, float]:
    """Watts that a live node takes from each of its live sources; from the reserves only when no share is left."""
    input_w = output_w * node.factor + node.constant_w
    live = [source for source in node.sources if source[0] not in dead]
    total = sum(share for _, share, _ in live)
    if total > 0:
        return {source: input_w * share / total for source, share, _ in live if share}
    reserves = [source for source, _, reserve in live if reserve]
    return {source: input_w / len(reserves) for source in reserves}


def heat_rows(cooling: Graph) -> dict[str, tuple[list[str], list[str]]]:
    """Rows whose liquid heat and whose air heat each cooling node takes away."""
    rows: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    above: dict[str, set[str]] = {}
    for node, fields in cooling.nodes(data=True):
        if fields["kind"] != "row":
            continue
        for header, edge in cooling.pred[node].items():
            if header not in above:
                above[header] = {header, *nx.ancestors(cooling, header)}
            for sink in above[header]:
                rows[sink][0 if edge["medium"] == "liquid" else 1].append(node)
    return rows


def _block_rows(containment: Graph) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = defaultdict(list)
    for node, fields in containment.nodes(data=True):
        if fields["kind"] == "row":
            rows[fields["block_id"]].append(node)
    return rows
