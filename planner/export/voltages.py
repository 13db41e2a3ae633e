"""Buses of a state, their rated voltages, and the voltages that our losses imply."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from planner.verify.network import SERVICE
from sites.equipment import site_power_equipment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from planner.export.condition import Condition

BASE_V = 1000.0
"""Rated voltage where no equipment of a level states one; results per unit do not depend on it."""
TRANSFORMERS = frozenset({"main-transformer", "unit-substation"})


class _Groups:
    """Disjoint sets of nodes, each named by its lowest."""

    def __init__(self, nodes: Iterable[int]) -> None:
        self._above = {node: node for node in nodes}

    def first(self, node: int) -> int:
        while self._above[node] != node:
            self._above[node] = self._above[self._above[node]]
            node = self._above[node]
        return node

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.first(one), self.first(other)))
        self._above[high] = low


class Voltages:
    """Buses of the live elements of a state."""

    def __init__(self, state: Condition) -> None:
        """Join what shares a bus, find each level's voltage, and follow the drops from the service down."""
        self._state = state
        live = [node for node in state.output_w if not state.is_load(node)]
        self._buses, self._levels = _Groups(live), _Groups(live)
        for node in state.elements():
            first, *others = [source for source, _ in state.wiring.shares[node]]
            for other in others:
                self._buses.join(first, other)
                self._levels.join(first, other)
            if state.network.kinds[node] not in TRANSFORMERS:
                self._levels.join(first, node)
        self._rated_v = self._level_voltages()
        self.per_unit = self._drops()
        """By first node of a bus."""

    def bus_of(self, node: int) -> int:
        """The first node of the bus that a node feeds."""
        return self._buses.first(node)

    def rated_v(self, node: int) -> float:
        """Rated voltage of the bus that a node feeds, in V."""
        return self._rated_v.get(self._levels.first(node), BASE_V)

    def _level_voltages(self) -> dict[int, float]:
        """The voltage that most equipment and taps of a level state, the highest of equals, by its first node."""
        votes: dict[int, Counter[float]] = {}
        for node, volts in self._stated_voltages():
            votes.setdefault(self._levels.first(node), Counter())[volts] += 1
        return {level: max(stated, key=lambda volts: (stated[volts], volts)) for level, stated in votes.items()}

    def _stated_voltages(self) -> Iterator[tuple[int, float]]:
        """Elements whose plate is amperes at a voltage, and what the taps of rows hang on."""
        state, graphs = self._state, self._state.graphs
        equipment = site_power_equipment(graphs.site, graphs.catalog)
        for node in state.elements():
            voltage = equipment[graphs.power.nodes[state.network.names[node]]["equipment"]].voltage
            if voltage is not None and voltage.value is not None:
                yield node, float(voltage.value)
        for node in state.output_w:
            if state.network.kinds[node] == "row":
                taps = graphs.containment.nodes[state.network.names[node]]["taps"]
                yield from ((source, float(taps.voltage)) for source, _ in state.wiring.shares[node])

    def _drops(self) -> dict[int, float]:
        """Voltage of each bus per unit, from the service down.

        The same current enters and leaves a resistance, so at unity power factor its voltages are in proportion to
        its power: u_out / u_in = output / (output + quadratic loss). A UPS holds its output at its rated voltage.
        """
        state = self._state
        found = {self.bus_of(state.network.index[SERVICE]): 1.0}
        for node in sorted(state.elements()):
            bus, above = self.bus_of(node), self.bus_of(state.wiring.shares[node][0][0])
            if state.network.kinds[node] == "ups":
                found.setdefault(bus, 1.0)
                continue
            plate_w, output_w = float(state.network.plate_w[node]), state.output_w[node]
            load = output_w / plate_w if plate_w else 0.0
            found.setdefault(bus, found[above] / (1 + state.network.losses[node][2] * load))
        return found
