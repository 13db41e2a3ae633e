"""The watts of a plan through a power graph: in whole steps rounded up, or in floating point with true losses.

Each state is summed once from the loads up; a failure then moves only what it touches. Values are lists over the
periods of one epoch. Sums of rounded flows are exact, so what a failure moves is what a full sum would give.
"""

from __future__ import annotations

import heapq
from collections import ChainMap
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from planner.verify.network import LOADS

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from fractions import Fraction

    from planner.verify.network import Network, Outage, Wiring

Value = TypeVar("Value", int, float)

WATT_BITS = 32
"""Rounded flows count in 2^-32 W."""


class Arithmetic(Protocol[Value]):
    """How watts pass an element and split over its sources."""

    def constant(self, watts: Fraction) -> Value:
        """A constant in the units of this arithmetic."""

    def input_of(self, node: int, output: list[Value]) -> list[Value]:
        """Input of an element at these outputs, or of a load at these draws."""

    def part(self, value: list[Value], share: Fraction) -> list[Value]:
        """A share of some watts."""


@dataclass(frozen=True)
class RoundedUp:
    """Never below the published rule: integers in 2^-32 W, every step rounded up, losses by the secant."""

    network: Network

    def constant(self, watts: Fraction) -> int:
        """Round up."""
        return -(-(watts.numerator << WATT_BITS) // watts.denominator)

    def input_of(self, node: int, output: list[int]) -> list[int]:
        """Output times the secant factor, plus the no-load loss."""
        factor, constant = self.network.factor[node], self.constant(self.network.input_constant_w[node])
        numerator, denominator = factor.numerator, factor.denominator
        return [-(-watts * numerator // denominator) + constant for watts in output]

    def part(self, value: list[int], share: Fraction) -> list[int]:
        """A share, rounded up."""
        numerator, denominator = share.numerator, share.denominator
        if denominator == numerator:
            return value
        return [-(-watts * numerator // denominator) for watts in value]


@dataclass(frozen=True)
class TrueLosses:
    """Floating point watts with every element's loss at its actual load."""

    network: Network

    def constant(self, watts: Fraction) -> float:
        """The nearest float."""
        return float(watts)

    def input_of(self, node: int, output: list[float]) -> list[float]:
        """Output plus no-load, linear and quadratic loss at load x of the plate."""
        plate_w = float(self.network.plate_w[node])
        if not plate_w:
            return output
        no_load, linear, quadratic = self.network.losses[node]
        return [
            watts + plate_w * (no_load + linear * (watts / plate_w) + quadratic * (watts / plate_w) ** 2)
            for watts in output
        ]

    def part(self, value: list[float], share: Fraction) -> list[float]:
        """A share."""
        factor = float(share)
        return [watts * factor for watts in value]


class Flow(Generic[Value]):
    """Watts of one site in one epoch at the draws of its loads."""

    def __init__(
        self, network: Network, wiring: Wiring, draws: dict[int, list[Value]], arithmetic: Arithmetic[Value], n: int
    ) -> None:
        """Sum a state: normal operation, or what a planned outage leaves of it.

        Parameters: draws, of every load that stands, in the units of the arithmetic, one value for each of n periods.
        """
        self.network, self.wiring = network, wiring
        self.arithmetic: Arithmetic[Value] = arithmetic
        self.output: MutableMapping[int, list[Value]] = {}
        self._parts: MutableMapping[int, list[tuple[int, list[Value]]]] = {}
        for node in range(len(network.names)):
            if node not in wiring.dead:
                constant = arithmetic.constant(network.output_constant_w[node])
                self.output[node] = [constant] * n
        for node in sorted(self.output, reverse=True):
            if network.kinds[node] in LOADS:
                self.output[node] = draws[node]
            self._parts[node] = self._split(node, self.output[node], wiring.shares[node])
            for source, watts in self._parts[node]:
                self.output[source] = _plus(self.output[source], watts)

    def _split(
        self, node: int, output: list[Value], shares: tuple[tuple[int, Fraction], ...]
    ) -> list[tuple[int, list[Value]]]:
        watts = self.arithmetic.input_of(node, output)
        return [(source, self.arithmetic.part(watts, share)) for source, share in shares]

    def after(self, outage: Outage, changed_draws: dict[int, list[Value]]) -> dict[int, list[Value]]:
        """Outputs of the surviving elements that a failure touches.

        Parameters: changed_draws, of loads that survive but draw something else now.
        """
        moved = self._moved(outage, changed_draws)[0]
        return {node: output for node, output in moved.items() if self.network.rating_w[node] is not None}

    def while_out(self, outage: Outage, changed_draws: dict[int, list[Value]]) -> Flow[Value]:
        """The state that a planned outage leaves, for what fails meanwhile; the same parameters."""
        outputs, parts = self._moved(outage, changed_draws)
        flow = copy(self)
        flow.wiring = self.wiring.after(outage)
        flow.output, flow._parts = ChainMap(outputs, self.output), ChainMap(parts, self._parts)
        return flow

    def _moved(
        self, outage: Outage, changed_draws: dict[int, list[Value]]
    ) -> tuple[dict[int, list[Value]], dict[int, list[tuple[int, list[Value]]]]]:
        """Outputs of all survivors that a failure touches, and what they ask of their sources."""
        touched = {*outage.shares, *changed_draws, *outage.dead} - self.wiring.dead
        queue = [-node for node in touched]
        heapq.heapify(queue)
        seen = set(touched)
        moved: dict[int, list[Value]] = {}
        outputs: dict[int, list[Value]] = {}
        parts: dict[int, list[tuple[int, list[Value]]]] = {}
        while queue:
            node = -heapq.heappop(queue)
            moves = [(source, [-watts for watts in part]) for source, part in self._parts[node]]
            if node not in outage.dead:
                output = changed_draws.get(node, self.output[node])
                outputs[node] = output = _plus(output, moved[node]) if node in moved else output
                parts[node] = self._split(node, output, outage.shares.get(node) or self.wiring.shares[node])
                moves += parts[node]
            for source, watts in moves:
                if source in outage.dead:
                    continue
                moved[source] = _plus(moved[source], watts) if source in moved else watts
                if source not in seen:
                    seen.add(source)
                    heapq.heappush(queue, -source)
        return outputs, parts


def _plus(left: list[Value], right: list[Value]) -> list[Value]:
    return [a + b for a, b in zip(left, right, strict=True)]
