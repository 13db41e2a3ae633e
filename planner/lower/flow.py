"""Flow of one watt through a power graph: F[f, e, j] of section 2 of `docs/model.md`, exactly.

A vector says how many watts each upstream element puts out for one watt drawn at a node. All entries of a
vector share one denominator, so that sums and comparisons are of integers. Vectors that come from the same
parents are one object, so what a failure does not touch costs nothing and is known by identity.
"""

from __future__ import annotations

import heapq
from collections import ChainMap
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from sites.expansion.graphs import Graph

ZERO = Fraction(0)
ONE = Fraction(1)
Weights = tuple[tuple[str, int, int], ...]
"""(source, numerator and denominator of what a node draws from it), in whole numbers as they are met so often."""
Key = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, eq=False)
class Vector:
    """Watts of output at each element for one watt drawn: term / denominator."""

    denominator: int
    terms: dict[str, int]

    def share(self, element: str) -> Fraction:
        """Exact watts at `element` for each watt drawn; 0 where it carries nothing."""
        return Fraction(self.terms.get(element, 0), self.denominator)


@dataclass(frozen=True)
class Supply:
    """How a live node is fed: what one watt at it asks of everything above, and how it splits over its sources."""

    vector: Vector
    weights: Weights


Changed = dict[str, Supply | None]
"""Nodes whose supply differs after a failure; None for those that are dead."""


class PowerFlow:
    """A power graph prepared for walking, and every vector met so far."""

    def __init__(self, graph: Graph) -> None:
        """Prepare a power graph as expanded (section 1 of `docs/model.md`)."""
        self.order = tuple(nx.topological_sort(graph))
        self.position = {node: index for index, node in enumerate(self.order)}
        self.kind = {node: str(fields["kind"]) for node, fields in graph.nodes(data=True)}
        self.sources = {
            node: tuple(
                (source, edge["share"], bool(edge.get("reserve")))
                for source, _, edge in graph.in_edges(node, data=True)
            )
            for node in self.order
        }
        self.loads = {node: tuple(graph.successors(node)) for node in self.order}
        self.gain = {node: _gain(fields) for node, fields in graph.nodes(data=True)}
        """Watts at the input for one watt more of output: numerator and denominator."""
        self.service = next(node for node, kind in self.kind.items() if kind == "service")
        self.nothing = Supply(Vector(1, {}), ())
        self._outputs: dict[tuple[str, int], Vector] = {}
        self._supplies: dict[Key, Supply] = {}
        self._weights: dict[tuple[str, tuple[str, ...]], Weights] = {}
        numbers: dict[tuple[tuple[Fraction, bool], ...], int] = {}
        self._pattern = {
            node: numbers.setdefault(tuple(edge[1:] for edge in edges), len(numbers))
            for node, edges in self.sources.items()
        }
        self._splits: dict[tuple[int, tuple[int, ...]], list[tuple[int, int]]] = {}
        """How a node splits over live sources, by number of what is on its edges and places of the live ones."""

    def output(self, element: str, supply: Supply) -> Vector:
        """The vector of one watt put out by a live element: itself, and its input with losses above."""
        key = (element, id(supply.vector))
        found = self._outputs.get(key)
        if found is None:
            numerator, divisor = self.gain[element]
            above = supply.vector
            if numerator == divisor:  # no loss: nothing to reduce that has not been
                found = Vector(above.denominator, above.terms | {element: above.denominator})
            else:
                denominator = above.denominator * divisor
                terms = {node: term * numerator for node, term in above.terms.items()}
                terms[element] = denominator
                found = _reduced(denominator, terms)
            self._outputs[key] = found
        return found

    def weights(self, node: str, live: tuple[str, ...]) -> Weights:
        """How a node splits over its live sources: shares renormalised, or reserve edges in equal parts."""
        key = (node, live)
        found = self._weights.get(key)
        if found is None:
            edges = [(place, source) for place, (source, _, _) in enumerate(self.sources[node]) if source in live]
            pattern = (self._pattern[node], tuple(place for place, _ in edges))
            if pattern not in self._splits:
                shares = self.sources[node]
                self._splits[pattern] = _split([shares[place][1:] for place, _ in edges])
            split = self._splits[pattern]
            found = tuple((source, *part) for (_, source), part in zip(edges, split, strict=True) if part[0])
            self._weights[key] = found
        return found

    def mix(self, weights: Weights, vectors: list[Vector]) -> Supply:
        """The supply of a node that draws these weights from these sources' output vectors."""
        key = tuple([(id(vector), *weight[1:]) for weight, vector in zip(weights, vectors, strict=True)])
        found = self._supplies.get(key)
        if found is None:
            found = self._supplies[key] = Supply(_mixed(weights, vectors), weights)
        return found


class EpochFlow:
    """The flow of one epoch in normal operation, and after the loss of any elements."""

    def __init__(self, flow: PowerFlow, existing: AbstractSet[str]) -> None:
        """Work out normal operation of the nodes that exist."""
        self.flow = flow
        self.existing = existing
        self.normal: dict[str, Supply | None] = {}
        for node in flow.order:
            if node in existing:
                self.normal[node] = flow.nothing if node == flow.service else self._supply(node, self.normal, None)

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """Elements that exist, from the top down."""
        loads = {"row", "mechanical", "support", "service"}
        return tuple(node for node in self.flow.order if node in self.existing and self.flow.kind[node] not in loads)

    def after(
        self, failed: AbstractSet[str], base: Changed | None = None, held: AbstractSet[str] = frozenset()
    ) -> Changed:
        """Nodes whose supply differs once `failed` are lost, they included; None for those that are dead.

        Parameters: failed, elements that exist in this epoch; base, what the loss of `held` has changed already: then
        only what differs from that is walked and returned.
        """
        before: Mapping[str, Supply | None] = self.normal if base is None else ChainMap(base, self.normal)
        changed: Changed = dict.fromkeys(failed)
        lost = {self.flow.position[one] for one in (*failed, *held)}
        seen = {self.flow.position[load] for one in failed for load in self.flow.loads[one] if load in self.existing}
        seen -= lost
        queue = sorted(seen)
        while queue:
            node = self.flow.order[heapq.heappop(queue)]
            supply = self._supply(node, changed, before)
            if supply is before[node]:
                continue
            changed[node] = supply
            for load in self.flow.loads[node]:
                position = self.flow.position[load]
                if load in self.existing and position not in lost and position not in seen:
                    seen.add(position)
                    heapq.heappush(queue, position)
        return changed

    def _supply(self, node: str, first: Changed, other: Mapping[str, Supply | None] | None) -> Supply | None:
        """The supply of a node; that of its sources is looked up in `first`, then in `other`. None when it is dead."""
        flow, existing = self.flow, self.existing
        live: dict[str, Supply] = {}
        for source, _, _ in flow.sources[node]:
            if source not in existing:
                continue
            above = first[source] if other is None or source in first else other[source]
            if above is not None:
                live[source] = above
        weights = flow.weights(node, tuple(live)) if live else ()
        if not weights:
            return None
        return flow.mix(weights, [flow.output(source, live[source]) for source, _, _ in weights])


def _gain(fields: dict[str, Any]) -> tuple[int, int]:
    """Watts at the input for one watt more of output: the secant of the loss curve at the plate."""
    gain = ONE + Fraction(fields.get("loss_linear", ZERO)) + Fraction(fields.get("loss_quadratic", ZERO))
    return gain.numerator, gain.denominator


def _split(edges: list[tuple[Fraction, bool]]) -> list[tuple[int, int]]:
    """Numerator and denominator of what each live edge carries; edges as (share, reserve)."""
    total = sum((share for share, _ in edges), start=ZERO)
    n_reserves = sum(reserve for _, reserve in edges)
    if total > 0:
        parts = [share / total for share, _ in edges]
        return [(part.numerator, part.denominator) for part in parts]
    return [(int(reserve), n_reserves) for _, reserve in edges]


def _mixed(weights: Weights, vectors: list[Vector]) -> Vector:
    if len(weights) == 1 and weights[0][1] == weights[0][2]:
        return vectors[0]
    denominator = lcm(*(one.denominator * divisor for (_, _, divisor), one in zip(weights, vectors, strict=True)))
    terms: dict[str, int] = {}
    for (_, numerator, divisor), vector in zip(weights, vectors, strict=True):
        factor = numerator * (denominator // (vector.denominator * divisor))
        for node, term in vector.terms.items():
            terms[node] = terms.get(node, 0) + term * factor
    return _reduced(denominator, terms)


def _reduced(denominator: int, terms: dict[str, int]) -> Vector:
    common = gcd(denominator, *terms.values())
    if common == 1:
        return Vector(denominator, terms)
    return Vector(denominator // common, {node: term // common for node, term in terms.items()})
