"""Shares of one watt: what each load puts on an element, in normal operation and after one failure.

`F[f, e, j]` of section 2 of `docs/model.md`, exact, by walking down from the element e.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import networkx as nx

from planner.verify.network import LOADS, Network, Outage, Wiring, network_of, outage_of, wiring_in
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from sites.expansion import SiteGraphs

ZERO = Fraction(0)
SHARE_BITS = 20
NEVER = -1
"""Epoch before anything is in service."""


@dataclass(frozen=True)
class Drive:
    """What makes a load node draw: watts for each watt of one kind of draw of some rows."""

    rows: frozenset[str]
    kind: str
    watts_per_watt: Fraction


@dataclass(frozen=True)
class Shares:
    """Exact shares of rows on one element, and the constants that reach it."""

    rows: dict[str, dict[str, Fraction]]
    """By row and kind of draw."""
    constant_w: Fraction
    """House loads, no-load losses and fixed watts at the element's output, together."""

    @cached_property
    def scaled(self) -> dict[str, dict[str, int]]:
        """Coefficients: each share times 2^20, rounded up once."""
        return {
            row: {kind: -(-(share.numerator << SHARE_BITS) // share.denominator) for kind, share in kinds.items()}
            for row, kinds in self.rows.items()
        }


@dataclass
class Walker:
    """Walks over one site's power graph; everything it works out is kept by wiring."""

    graphs: SiteGraphs
    network: Network = field(init=False)
    drives_by_name: dict[str, tuple[Drive, ...]] = field(init=False)
    _wirings: dict[int, Wiring] = field(default_factory=dict)
    _outages: dict[tuple[int, int], Outage] = field(default_factory=dict)
    _shares: dict[tuple[int, int, int], Shares] = field(default_factory=dict)
    _dropping: dict[int, dict[int, tuple[int, ...]]] = field(default_factory=dict)
    _above: dict[str, frozenset[int]] = field(default_factory=dict)
    _below: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the graph once."""
        self.drives_by_name = _drives(self.graphs)
        needs: dict[str, list[str]] = defaultdict(list)
        for node, drives in self.drives_by_name.items():
            for drive in drives:
                if node not in drive.rows and (drive.watts_per_watt or drive.kind == "support_w"):
                    for row in drive.rows:
                        needs[row].append(node)
        self.network = network_of(self.graphs, needs)

    @cached_property
    def _dates(self) -> list[int]:
        return sorted(set(self.network.in_service))

    def epoch(self, quarter: str) -> int:
        """The last date at or before a quarter on which something came into service: equal epochs, equal wiring."""
        now = quarter_index(quarter)
        return max((date for date in self._dates if date <= now), default=NEVER)

    def below(self, node: int) -> list[int]:
        """Everything under a node, in topological order."""
        if node not in self._below:
            self._below[node] = self.network.below(node)
        return self._below[node]

    def wiring(self, epoch: int) -> Wiring:
        """Normal operation in an epoch."""
        if epoch not in self._wirings:
            self._wirings[epoch] = wiring_in(self.network, epoch)
        return self._wirings[epoch]

    def outage(self, epoch: int, failed: int) -> Outage:
        """One failure in an epoch."""
        key = (epoch, failed)
        if key not in self._outages:
            nodes = self.network.failed_nodes(failed)
            below = self.below(nodes[0]) if len(nodes) == 1 else sorted({one for n in nodes for one in self.below(n)})
            self._outages[key] = outage_of(self.network, self.wiring(epoch), failed, below)
        return self._outages[key]

    @cached_property
    def drives(self) -> dict[int, tuple[Drive, ...]]:
        """What drives each load node."""
        return {self.network.index[name]: drives for name, drives in self.drives_by_name.items()}

    def dropping(self, epoch: int) -> dict[int, tuple[int, ...]]:
        """Failures that cut each row off, for the rows that any does."""
        if epoch not in self._dropping:
            found: dict[int, list[int]] = defaultdict(list)
            for failed in self.network.failures(self.wiring(epoch)):
                for node in self.outage(epoch, failed).dead:
                    if self.network.kinds[node] == "row":
                        found[node].append(failed)
            self._dropping[epoch] = {row: tuple(elements) for row, elements in found.items()}
        return self._dropping[epoch]

    def shares(self, epoch: int, element: int, failed: int | None = None) -> Shares:
        """Shares of every row on an element's output, in an epoch, after one failure or in normal operation.

        Rows that the failure drops draw nothing, neither their racks nor what cools and connects them.
        """
        key = (epoch, element, -1 if failed is None else failed)
        if key not in self._shares:
            self._shares[key] = self._walk(epoch, element, failed)
        return self._shares[key]

    def ancestors(self, row: str) -> frozenset[int]:
        """Everything that carries any of a row's draws: above the row, its machinery and its support gear."""
        if row not in self._above:
            node = self.network.index[row]
            found: set[int] = set()
            ahead = [node, *self.network.needs.get(node, ())]
            while ahead:
                for edge in self.network.sources[ahead.pop()]:
                    if edge.node not in found:
                        found.add(edge.node)
                        ahead.append(edge.node)
            self._above[row] = frozenset(found)
        return self._above[row]

    def largest_gain(self, row: str) -> Fraction:
        """At least the watts that any element can carry for each watt that a row draws of all kinds together.

        Shares of a load sum to one, so no element carries more than the losses on the way make of it.
        """
        network, node = self.network, self.network.index[row]
        loads = (node, *network.needs.get(node, ()))
        watts = max([Fraction(1), *(drive.watts_per_watt for load in loads for drive in self.drives[load])])
        return sum((self._gains[load] * watts for load in loads), ZERO)

    @cached_property
    def _gains(self) -> list[Fraction]:
        """For each node the largest product of the loss factors of what lies above it."""
        gains: list[Fraction] = []
        for sources in self.network.sources:
            gains.append(max((gains[s.node] * self.network.factor[s.node] for s in sources), default=Fraction(1)))
        return gains

    def row_shares(
        self, epoch: int, row: str, failed: int | None, wanted: frozenset[int]
    ) -> dict[int, dict[str, Fraction]]:
        """Shares of one row on the output of wanted elements and what lies between, by element and kind of draw.

        The same shares as `shares`, found by walking up from the row; empty when the row is cut off.
        """
        wiring = self.wiring(epoch)
        outage = None if failed is None else self.outage(epoch, failed)
        silent = wiring.dead if outage is None else wiring.dead | outage.dead
        node = self.network.index[row]
        if node in silent:
            return {}
        asked: dict[int, dict[str, Fraction]] = {}
        for load in (node, *self.network.needs.get(node, ())):
            drives = [drive for drive in self.drives[load] if row in drive.rows and drive.watts_per_watt]
            asked[load] = {drive.kind: drive.watts_per_watt for drive in drives if load not in silent}
        carried: dict[int, dict[str, Fraction]] = {}
        between = self._between(row, wanted)
        for one in sorted({*between, *asked}, reverse=True):
            if one in silent or not (asked.get(one) or carried.get(one)):
                continue
            factor = self.network.factor[one]
            drawn = asked.get(one) or {kind: watts * factor for kind, watts in carried[one].items()}
            shares = wiring.shares[one] if outage is None else outage.shares.get(one, wiring.shares[one])
            for source, share in shares:
                if source not in between:
                    continue
                kinds = carried.setdefault(source, defaultdict(Fraction))
                for kind, watts in drawn.items():
                    kinds[kind] += share * watts
        return carried

    def _between(self, row: str, wanted: frozenset[int]) -> set[int]:
        """Ancestors of a row that are wanted or lie below something wanted."""
        found: set[int] = set()
        for node in sorted(self.ancestors(row)):
            if node in wanted or any(edge.node in found for edge in self.network.sources[node]):
                found.add(node)
        return found

    def _walk(self, epoch: int, element: int, failed: int | None) -> Shares:
        wiring = self.wiring(epoch)
        outage = None if failed is None else self.outage(epoch, failed)
        gone = frozenset[int]() if outage is None else outage.dead
        silent = wiring.dead | gone
        reach = {element: Fraction(1)}
        rows: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        constant_w = self.network.output_constant_w[element]
        for node in self.below(element):
            if node in silent:
                continue
            shares = wiring.shares[node] if outage is None else outage.shares.get(node, wiring.shares[node])
            drawn = sum((share * reach[source] for source, share in shares if source in reach), ZERO)
            if not drawn:
                continue
            constant_w += drawn * self._constant_w(node)
            if self.network.kinds[node] in LOADS:
                self._spread(node, drawn, silent, rows)
            else:
                reach[node] = drawn * self.network.factor[node]
        return Shares({row: dict(kinds) for row, kinds in rows.items()}, constant_w)

    def _constant_w(self, node: int) -> Fraction:
        """Constant watts at the input of a node: house load or fixed watts through it, and its no-load loss."""
        network = self.network
        return network.output_constant_w[node] * network.factor[node] + network.input_constant_w[node]

    def _spread(
        self, node: int, drawn: Fraction, silent: frozenset[int], rows: dict[str, dict[str, Fraction]]
    ) -> None:
        for drive in self.drives[node]:
            if not drive.watts_per_watt:
                continue
            for row in drive.rows:
                if self.network.index[row] not in silent:
                    rows[row][drive.kind] += drawn * drive.watts_per_watt


def _drives(graphs: SiteGraphs) -> dict[str, tuple[Drive, ...]]:
    """What drives each load node of the power graph, by name."""
    liquid, air = _rows_of_loops(graphs)
    by_block: dict[str, list[str]] = defaultdict(list)
    for row, fields in graphs.containment.nodes(data=True):
        if fields["kind"] == "row":
            by_block[str(fields["block_id"])].append(row)
    found: dict[str, tuple[Drive, ...]] = {}
    for name, fields in graphs.power.nodes(data=True):
        if fields["kind"] == "row":
            found[name] = (Drive(frozenset({name}), "it_w", Fraction(1)),)
        elif fields["kind"] == "support":
            found[name] = (Drive(frozenset(by_block[fields["block_id"]]), "support_w", Fraction(1)),)
        elif fields["kind"] == "mechanical":
            loop = fields["loop"]
            found[name] = (
                Drive(frozenset(liquid[loop]), "liquid_w", Fraction(fields["watts_per_liquid_watt"])),
                Drive(frozenset(air[loop]), "air_w", Fraction(fields["watts_per_air_watt"])),
            )
    return found


def _rows_of_loops(graphs: SiteGraphs) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Rows whose liquid heat, and whose air heat, each cooling node carries away."""
    liquid: dict[str, list[str]] = defaultdict(list)
    air: dict[str, list[str]] = defaultdict(list)
    above: dict[str, set[str]] = {}
    for header, row, edge in graphs.cooling.edges(data=True):
        if "medium" not in edge:
            continue
        if header not in above:
            above[header] = {header, *nx.ancestors(graphs.cooling, header)}
        for sink in above[header]:
            (liquid if edge["medium"] == "liquid" else air)[sink].append(row)
    return liquid, air
