"""A second way to all limits of a small site: failures simulated edge by edge, sharing nothing with lowering."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import networkx as nx

from planner.problem import INACTIVE, SHARE_BITS
from sites.expansion import expand

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    import numpy as np

    from planner.problem import Problem
    from sites.world import World

    Graph = nx.DiGraph[str]

ZERO = Fraction(0)
Limit = tuple[dict[str, list[int]], int]
"""Coefficients by row, and capacity, scaled by 2^20."""


def dead_nodes(graph: Graph, existing: Iterable[str], lost: Collection[str]) -> set[str]:
    """Nodes without supply: those that are lost or do not exist, and all whose every source is dead."""
    dead = (set(graph) - set(existing)) | set(lost)
    while True:
        more = {n for n in graph if n not in dead and graph.pred[n] and all(p in dead for p in graph.pred[n])}
        if not more:
            return dead
        dead |= more


def simulate(graph: Graph, load: str, watts: Fraction, dead: set[str]) -> dict[str, Fraction]:
    """Output of every element above for `watts` drawn at a node."""
    output: dict[str, Fraction] = {}

    def draw(node: str, demand: Fraction) -> None:
        live = {p: edge for p, edge in graph.pred[node].items() if p not in dead}
        total = sum((edge["share"] for edge in live.values()), ZERO)
        reserves = [p for p, edge in live.items() if edge["reserve"]]
        for source, edge in live.items():
            part = edge["share"] / total if total else Fraction(int(source in reserves), max(len(reserves), 1))
            if part:
                output[source] = output.get(source, ZERO) + demand * part
                fields = graph.nodes[source]
                draw(source, demand * part * (1 + fields.get("loss_linear", ZERO) + fields.get("loss_quadratic", ZERO)))

    if load not in dead:
        draw(load, watts)
    return output


def constants_by_hand(graph: Graph, dead: set[str]) -> dict[str, Fraction]:
    """Constant output of every element: each constant pushed up on its own."""
    output: dict[str, Fraction] = {}
    for node, fields in graph.nodes(data=True):
        if node in dead:
            continue
        gain = 1 + fields.get("loss_linear", ZERO) + fields.get("loss_quadratic", ZERO)
        house = fields.get("house_load_w", ZERO)
        own = (
            house * gain + fields.get("loss_no_load", ZERO) * fields.get("plate_w", ZERO) + fields.get("fixed_w", ZERO)
        )
        if house:
            output[node] = output.get(node, ZERO) + house
        for element, watts in simulate(graph, node, own, dead).items():
            output[element] = output.get(element, ZERO) + watts
    return output


@dataclass(frozen=True)
class Event:
    """What is lost at once; nothing in normal operation."""

    name: str | None
    lost: frozenset[str]


class Simulator:
    """Every limit on power and heat of the last epoch of a one-site world, by the published rule alone."""

    def __init__(self, world: World) -> None:
        """Expand the site and note what each configuration draws."""
        self.graphs = expand(world.sites[0].site, world.catalog)
        self.power = self.graphs.power
        self.draws = [_electrical(world, name) for name in world.portfolio.configurations]
        self.elements = [n for n, fields in self.power.nodes(data=True) if "rating_w" in fields]
        self.rows = {n: f for n, f in self.graphs.containment.nodes(data=True) if f["kind"] == "row"}

    def events(self) -> Iterator[Event]:
        """Nothing, each element, each group, and each planned outage with each of the others."""
        alone = [Event(element, frozenset({element})) for element in self.elements]
        alone += [Event(name, frozenset(members)) for name, members in self.graphs.common_mode.items()]
        yield Event(None, frozenset())
        yield from alone
        kinds = {str(kind) for fields in self.rows.values() for kind in fields["maintenance"]}
        for element in (e for e in self.elements if str(self.power.nodes[e]["kind"]) in kinds):
            for other in alone:
                if element not in other.lost:
                    yield Event(f"{element}+{other.name}", other.lost | {element})

    def power_limits(self) -> Iterator[Limit]:
        """`power:e`, `power:e:f` and `power:e:f:before` of every element and event."""
        for event in self.events():
            dead = dead_nodes(self.power, self.power.nodes, event.lost)
            flows = {n: simulate(self.power, n, Fraction(1), dead) for n in self.power if self.power.out_degree(n) == 0}
            constants = constants_by_hand(self.power, dead)
            for element in self.elements:
                if element in dead:
                    continue
                shares = {row: self._shares(row, element, flows) for row in self.rows if row not in dead}
                constant = ceil(constants.get(element, ZERO) * 2**SHARE_BITS)
                for watts, acts in self._capacities(element, event, shares):
                    yield self._by_row(shares, acts), (int(watts) << SHARE_BITS) - constant

    def _capacities(self, element: str, event: Event, shares: dict[str, list[Fraction]]) -> Iterator[tuple[int, bool]]:
        fields = self.power.nodes[element]
        if event.name is None:
            yield fields["rating_w"], False
            return
        yield fields["emergency_w"], True
        acting = [self.rows[row]["flex_within_s"] for row, own in shares.items() if any(own) and self._phi(row) < 1]
        if acting:
            lasts = fields["short_time_s"] >= max(acting)
            yield (fields["short_time_w"] if lasts else fields["emergency_w"]), False

    def _phi(self, row: str) -> Fraction:
        return Fraction(self.rows[row]["flex_share"])

    def _by_row(self, shares: dict[str, list[Fraction]], acts: bool) -> dict[str, list[int]]:
        found = {}
        for row, own in shares.items():
            phi = self._phi(row) if acts else Fraction(1)
            scaled = [ceil(share * 2**SHARE_BITS) for share in (own[0] * phi, own[1] * phi, own[2] * phi, own[3])]
            found[row] = [sum(s * d for s, d in zip(scaled, draw, strict=True)) for draw in self.draws]
        return found

    def _shares(self, row: str, element: str, flows: dict[str, dict[str, Fraction]]) -> list[Fraction]:
        """Watts at the element for each watt of IT, liquid heat, air heat and support of a row."""
        cooling = self.graphs.cooling
        above = {edge["medium"]: {header} | nx.ancestors(cooling, header) for header, edge in cooling.pred[row].items()}
        shares = [flows[row].get(element, ZERO), ZERO, ZERO, ZERO]
        for node, fields in self.power.nodes(data=True):
            if fields["kind"] != "mechanical":
                continue
            at_element = flows[node].get(element, ZERO)
            if fields["loop"] in above["liquid"]:
                shares[1] += at_element * fields["watts_per_liquid_watt"]
            if fields["loop"] in above["air"]:
                for kind in (2, 3):
                    shares[kind] += at_element * fields["watts_per_air_watt"]
        shares[3] += flows[f"{self.rows[row]['block_id']}/support"].get(element, ZERO)
        return shares

    def heat_limits(self) -> Iterator[Limit]:
        """`liquid`, `air`, `dry` and `chiller` with spares out, and after every event that takes more than those."""
        for event in self.events():
            dead = dead_nodes(self.power, self.power.nodes, event.lost)
            for node, fields in self.graphs.cooling.nodes(data=True):
                if fields["kind"] in {"liquid-header", "air-header"}:
                    fraction, spares = Fraction(1), fields["spares"]
                    units = list(self.graphs.cooling.pred[node])
                    yield from self._bank(node, units, spares, fraction, event, dead)
                elif fields["kind"] == "plant":
                    above = list(self.graphs.cooling.pred[node])
                    chillers = [unit for unit in above if "/chiller-" in unit]
                    dry = [unit for unit in above if unit not in chillers]
                    if dry:
                        yield from self._bank(node, dry, fields["dry_spares"], fields["dry_fraction"], event, dead)
                    if chillers:
                        spares, fraction = fields["chiller_spares"], fields["chiller_fraction"]
                        yield from self._bank(node, chillers, spares, fraction, event, dead)

    def _bank(
        self, node: str, units: list[str], spares: int, fraction: Fraction, event: Event, dead: set[str]
    ) -> Iterator[Limit]:
        cooling = self.graphs.cooling
        lost = sum(all(feed in dead for feed in cooling.nodes[unit]["fed_by"]) for unit in units)
        left = len(units) - (spares if event.name is None else lost)
        if left < 1 or (event.name is not None and lost <= spares):
            return
        found = {}
        for row in self.rows:
            if row in dead:
                continue
            scaled = [ceil(share * fraction / left * 2**SHARE_BITS) for share in self._heat(row, node)]
            if any(scaled):
                found[row] = [sum(s * d for s, d in zip(scaled, draw[1:], strict=True)) for draw in self.draws]
        yield found, int(cooling.nodes[units[0]]["heat_w"]) << SHARE_BITS

    def _heat(self, row: str, node: str) -> list[Fraction]:
        """Watts of heat at a header or plant for each watt of liquid heat, air heat and support of a row."""
        cooling = self.graphs.cooling
        liquid = air = ZERO
        for header, edge in cooling.pred[row].items():
            reaches = node == header or node in nx.ancestors(cooling, header)
            if not reaches:
                continue
            if edge["medium"] == "liquid":
                liquid = Fraction(1)
            else:
                air = Fraction(1) if node == header else 1 + cooling.nodes[header]["watts_per_heat_watt"]
        return [liquid, air, air]


def _electrical(world: World, name: str) -> list[int]:
    profile = world.catalog.configuration(name).profile
    it_w = ceil(profile.sustained_max.value or 0)
    liquid = it_w * (profile.liquid_share.value or ZERO)
    return [it_w, ceil(liquid), it_w - floor(liquid), ceil(profile.support_power.value or 0)]


def holds(limits: list[Limit], racks: dict[str, list[int]]) -> bool:
    """Whether a plan of racks by row and configuration breaks none of these limits."""
    return all(
        sum(sum(c * n for c, n in zip(values, racks[row], strict=True)) for row, values in found.items()) <= capacity
        for found, capacity in limits
    )


def problem_holds(problem: Problem, families: Collection[str], racks: np.ndarray[Any, Any], period: int) -> bool:
    """Whether racks, [n_rows, n_configurations], break none of the problem's limits of these families in a period."""
    for index in range(problem.n_limits):
        capacity = int(problem.capacity[index, period])
        if problem.limits[index].family not in families or capacity == INACTIVE:
            continue
        entries = range(int(problem.limit_ptr[index]), int(problem.limit_ptr[index + 1]))
        load = sum(
            int(c) * int(n)
            for entry in entries
            for c, n in zip(problem.entry_coefficient[entry], racks[problem.entry_row_idx[entry]], strict=True)
        )
        if load > capacity:
            return False
    return True
