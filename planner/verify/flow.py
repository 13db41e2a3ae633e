"""The watts of a plan through a power graph: in whole steps rounded up, or in floating point with true losses.

Each state is summed once from the loads up; a failure then moves only what it touches. Values are tuples over the
periods of one epoch. Sums of rounded flows are exact, so what a failure moves is what a full sum would give.
"""

from __future__ import annotations

import heapq
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from planner.verify.network import LOADS
from planner.verify.sums_book import SumsBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from fractions import Fraction

    from planner.verify.network import Network, Outage, Wiring
    from planner.verify.sums_book import Parts

Value = TypeVar("Value", int, float)

WATT_BITS = 32
"""Rounded flows count in 2^-32 W."""


class Arithmetic(Protocol[Value]):
    """How watts pass an element and split over its sources."""

    def constant(self, watts: Fraction) -> Value:
        """A constant in the units of this arithmetic."""

    def input_of(self, node: int, output: tuple[Value, ...]) -> tuple[Value, ...]:
        """Input of an element at these outputs, or of a load at these draws."""

    def part(self, value: tuple[Value, ...], share: Fraction) -> tuple[Value, ...]:
        """A share of some watts."""


@dataclass(frozen=True)
class RoundedUp:
    """Never below the published rule: integers in 2^-32 W, every step rounded up, losses by the secant."""

    network: Network

    def constant(self, watts: Fraction) -> int:
        """Round up."""
        return -(-(watts.numerator << WATT_BITS) // watts.denominator)

    def input_of(self, node: int, output: tuple[int, ...]) -> tuple[int, ...]:
        """Output times the secant factor, plus the no-load loss."""
        factor, constant = self.network.factor[node], self.constant(self.network.input_constant_w[node])
        numerator, denominator = factor.numerator, factor.denominator
        return tuple([-(-watts * numerator // denominator) + constant for watts in output])

    def part(self, value: tuple[int, ...], share: Fraction) -> tuple[int, ...]:
        """A share, rounded up."""
        numerator, denominator = share.numerator, share.denominator
        if denominator == numerator:
            return value
        return tuple([-(-watts * numerator // denominator) for watts in value])


@dataclass(frozen=True)
class TrueLosses:
    """Floating point watts with every element's loss at its actual load."""

    network: Network

    def constant(self, watts: Fraction) -> float:
        """The nearest float."""
        return float(watts)

    def input_of(self, node: int, output: tuple[float, ...]) -> tuple[float, ...]:
        """Output plus no-load, linear and quadratic loss at load x of the plate."""
        plate_w = float(self.network.plate_w[node])
        if not plate_w:
            return output
        no_load, linear, quadratic = self.network.losses[node]
        return tuple(
            [
                watts + plate_w * (no_load + linear * (watts / plate_w) + quadratic * (watts / plate_w) ** 2)
                for watts in output
            ]
        )

    def part(self, value: tuple[float, ...], share: Fraction) -> tuple[float, ...]:
        """A share."""
        factor = float(share)
        return tuple([watts * factor for watts in value])


class Flow(Generic[Value]):
    """Watts of one site in one epoch at the draws of its loads."""

    def __init__(
        self,
        network: Network,
        wiring: Wiring,
        draws: Mapping[int, Iterable[Value]],
        arithmetic: Arithmetic[Value],
        n: int,
    ) -> None:
        """Sum a state: normal operation, or what a planned outage leaves of it.

        Parameters: draws, of every load that stands, in the units of the arithmetic, one value for each of n periods.
        """
        self.network, self.wiring = network, wiring
        self.arithmetic: Arithmetic[Value] = arithmetic
        self.output: dict[int, tuple[Value, ...]] = {}
        self._parts: dict[int, Parts[Value]] = {}
        self._shares = dict(wiring.shares)
        self._book: SumsBook[Value] = SumsBook()
        for node in range(len(network.names)):
            if node not in wiring.dead:
                constant = arithmetic.constant(network.output_constant_w[node])
                self.output[node] = self._book.kept((constant,) * n)
        for node in sorted(self.output, reverse=True):
            if network.kinds[node] in LOADS:
                self.output[node] = self._book.kept(tuple(draws[node]))
            self._parts[node] = self._split(node, self.output[node], wiring.shares[node])
            for source, watts in self._parts[node]:
                self.output[source] = self._book.sum(self.output[source], watts)

    def _split(self, node: int, output: tuple[Value, ...], shares: tuple[tuple[int, Fraction], ...]) -> Parts[Value]:
        """What an element asks of each of its sources."""
        known = self._book.parts(self.network.like[node], output, shares)
        if known is not None:
            return known
        watts = self.arithmetic.input_of(node, output)
        parts = tuple((source, self.arithmetic.part(watts, share)) for source, share in shares)
        return self._book.keep_parts(self.network.like[node], output, shares, parts)

    def after(self, outage: Outage, changed_draws: Mapping[int, Iterable[Value]]) -> dict[int, tuple[Value, ...]]:
        """Outputs of the surviving elements that a failure touches.

        Parameters: changed_draws, of loads that survive but draw something else now.
        """
        moved = self._moved(outage, changed_draws)[0]
        return {node: output for node, output in moved.items() if self.network.rating_w[node] is not None}

    def while_out(self, outage: Outage, changed_draws: Mapping[int, Iterable[Value]]) -> Flow[Value]:
        """The state that a planned outage leaves, for what fails meanwhile; the same parameters."""
        outputs, parts = self._moved(outage, changed_draws)
        flow = copy(self)
        flow.wiring = self.wiring.after(outage)
        flow.output, flow._parts, flow._shares = self.output | outputs, self._parts | parts, dict(flow.wiring.shares)
        return flow

    def _moved(
        self, outage: Outage, changed_draws: Mapping[int, Iterable[Value]]
    ) -> tuple[dict[int, tuple[Value, ...]], dict[int, Parts[Value]]]:
        """Outputs of all survivors that a failure touches, and what they ask of their sources."""
        book: SumsBook[Value] = self._book
        dead: frozenset[int] = outage.dead
        changed: dict[int, tuple[Value, ...]] = {node: book.kept(tuple(draws)) for node, draws in changed_draws.items()}
        touched = {*outage.shares, *changed, *dead} - self.wiring.dead
        queue = [-node for node in touched]
        heapq.heapify(queue)
        moved: dict[int, tuple[Value, ...]] = {}
        outputs: dict[int, tuple[Value, ...]] = {}
        parts: dict[int, Parts[Value]] = {}
        while queue:
            node = -heapq.heappop(queue)
            before: Parts[Value] = self._parts[node]
            after: Parts[Value] = ()
            if node not in dead:
                output = changed[node] if node in changed else self.output[node]
                if node in moved:
                    output = book.sum(output, moved[node])
                outputs[node] = output
                parts[node] = after = self._split(node, output, outage.shares.get(node) or self._shares[node])
            for old, new, sources in book.changes(before, after):
                for source in sources:
                    if source in dead:
                        continue
                    known = moved.get(source)
                    if known is None and source not in touched:
                        heapq.heappush(queue, -source)
                    moved[source] = book.moved(known, old, new)
        return outputs, parts
