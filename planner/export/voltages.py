"""Load flow of a state: buses, their rated voltages, and every element's load and loss at the voltage that it sees.

Losses of equipment are published at rated voltage. Racks and drives draw constant power, so a lower voltage means more
current, and the square of it is lost: 1/u². A backward and forward sweep, the method for radial networks (Shirmohammadi
et al., IEEE Transactions on Power Systems 3(2), 1988), finds loads and voltages that fit each other.
"""

from __future__ import annotations

from collections import Counter
from math import sqrt
from typing import TYPE_CHECKING, NoReturn

from planner.verify.network import SERVICE
from sites.equipment import site_power_equipment
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from planner.export.condition import Condition

BASE_V = 1000.0
"""Rated voltage where no equipment of a level states one; results per unit do not depend on it."""
TRANSFORMERS = frozenset({"main-transformer", "unit-substation"})
SETTLED_PER_UNIT = 1e-10
"""Largest change of any voltage in the last sweep."""
MOST_SWEEPS = 100
"""A chain of one per cent of drop settles in five."""


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
    """Buses of the live elements of a state, and its load flow."""

    def __init__(self, state: Condition) -> None:
        """Join what shares a bus, find each level's voltage, and sweep until loads and voltages fit each other.

        Raises InputError when they never do: the voltage falls further the more current is drawn to make up for it.
        """
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
        self._service_bus = self.bus_of(state.network.index[SERVICE])
        self._fed = self._feeders()
        self.per_unit = dict.fromkeys((self.bus_of(node) for node in live), 1.0)
        """Voltage by first node of a bus, as a part of the rated one."""
        self.output_w = dict(state.output_w)
        """Output of every live element at these voltages, draw of every live load."""
        self.input_w = dict(state.input_w)
        self._settle()

    def bus_of(self, node: int) -> int:
        """The first node of the bus that a node feeds."""
        return self._buses.first(node)

    def bus_above(self, node: int) -> int:
        """The first node of the bus that feeds an element."""
        return self.bus_of(self._state.wiring.shares[node][0][0])

    def has_iron(self, node: int) -> bool:
        """Whether an element is a transformer with windings, whose no-load loss follows its voltage."""
        return self._state.network.kinds[node] in TRANSFORMERS and self._state.network.losses[node][2] > 0

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

    def _feeders(self) -> dict[int, list[int]]:
        """Elements by the bus that they feed, buses from source to load."""
        fed: dict[int, list[int]] = {}
        for node in sorted(self._state.elements()):
            fed.setdefault(self.bus_of(node), []).append(node)
        return fed

    def _settle(self) -> None:
        for _ in range(MOST_SWEEPS):
            self._sum_loads()
            if self._drop_voltages() < SETTLED_PER_UNIT:
                return
        self._refuse(min(self.per_unit, key=lambda bus: self.per_unit[bus]))

    def _refuse(self, node: int) -> NoReturn:
        state, load = self._state, self.output_w[node]
        message = (
            f"no voltage in {state.quarter} carries {load / 1e3:,.0f} kW through {state.network.names[node]}: the more "
            "current it draws the lower it falls; check the quadratic losses from the service down to it"
        )
        raise InputError([Fault(f"site {state.site}", None, "equipment", message)])

    def _sum_loads(self) -> None:
        """Loads and losses from the loads up, at the voltages of the last sweep."""
        state = self._state
        output_w = {
            node: watts if state.is_load(node) else float(state.network.output_constant_w[node])
            for node, watts in state.output_w.items()
        }
        for node in sorted(output_w, reverse=True):
            self.input_w[node] = output_w[node] + self._loss_w(node, output_w[node])
            for source, share in state.wiring.shares.get(node, ()):
                output_w[source] += self.input_w[node] * float(share)
        self.output_w = output_w

    def _loss_w(self, node: int, output_w: float) -> float:
        """Loss at this output and the last sweep's voltages: iron as u², copper as 1/u², electronics as published."""
        state = self._state
        plate_w = float(state.network.plate_w[node])
        if not plate_w:
            return 0.0
        no_load, linear, quadratic = state.network.losses[node]
        load = output_w / plate_w
        if state.network.kinds[node] != "ups":
            quadratic /= self.per_unit[self.bus_of(node)] ** 2
        if self.has_iron(node):
            no_load *= self.per_unit[self.bus_above(node)] ** 2
        return plate_w * (no_load + linear * load + quadratic * load**2)

    def _drop_voltages(self) -> float:
        """Voltages from the service down; returns the largest change of any.

        A bus that several elements feed has the mean of what each would give it, weighted by what they carry.
        """
        most = 0.0
        for bus, elements in self._fed.items():
            if bus == self._service_bus:
                continue
            weights = [max(self.output_w[node], 1.0) for node in elements]
            ends = [self._end_voltage(node) for node in elements]
            found = sum(weight * end for weight, end in zip(weights, ends, strict=True)) / sum(weights)
            most = max(most, abs(found - self.per_unit[bus]))
            self.per_unit[bus] = found
        return most

    def _end_voltage(self, node: int) -> float:
        """Voltage per unit at an element's output; a UPS holds its rated voltage.

        With u above it and u' below it, the resistance r (the quadratic loss, per unit of the plate) and the load x:
        u = u' + r·x/u', hence u' = (u + sqrt(u² − 4·r·x))/2. Loads only grow from sweep to sweep, so a negative root
        is final.
        """
        state = self._state
        plate_w = float(state.network.plate_w[node])
        if state.network.kinds[node] == "ups":
            return 1.0
        above = self.per_unit[self.bus_above(node)]
        load = self.output_w[node] / plate_w if plate_w else 0.0
        root = above**2 - 4 * state.network.losses[node][2] * load
        if root < 0:
            self._refuse(node)
        return (above + sqrt(root)) / 2
