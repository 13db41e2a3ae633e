"""Watts that flow whatever is placed: house loads, no-load losses and fixed plant power, in every contingency.

Sums run in integers over one common denominator. Where a step would leave a remainder the denominator grows and
the step is taken again, so every figure is exact.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING

from planner.lower.flow import ZERO, EpochFlow

if TYPE_CHECKING:
    from planner.lower.flow import Changed
    from sites.expansion.graphs import Graph


class _CoarseError(Exception):
    """The common denominator is too small by this factor."""

    def __init__(self, factor: int) -> None:
        self.factor = factor
        super().__init__(factor)


@dataclass(frozen=True)
class Difference:
    """How constants differ after a failure."""

    changed: Changed
    """Nodes whose supply differs."""
    denominator: int
    terms: dict[str, int]
    """More watts of output by node, over the denominator."""
    output_w: dict[str, Fraction]
    """Output watts of the elements whose constants differ."""


class ConstantFlow:
    """Constant output watts of every element of one epoch, normal and after the loss of one element."""

    def __init__(self, graph: Graph, flow: EpochFlow) -> None:
        """Sum constants from the loads up.

        Parameters: graph, the power graph as expanded; flow, the flow of the epoch.
        """
        self._flow = flow
        at_output: dict[str, Fraction] = {}
        at_input: dict[str, Fraction] = {}
        for node in flow.existing:
            fields = graph.nodes[node]
            at_output[node] = Fraction(fields.get("house_load_w") or 0) + Fraction(fields.get("fixed_w") or 0)
            at_input[node] = Fraction(fields.get("loss_no_load") or 0) * Fraction(fields.get("plate_w") or 0)
        self.output_w: dict[str, Fraction] = dict.fromkeys(flow.existing, ZERO)
        """Normal operation."""
        input_w: dict[str, Fraction] = dict.fromkeys(flow.existing, ZERO)
        for node in reversed(flow.flow.order):
            supply = flow.normal.get(node)
            if supply is None:
                continue
            self.output_w[node] += at_output[node]
            input_w[node] = self.output_w[node] * Fraction(*flow.flow.gain[node]) + at_input[node]
            for source, *weight in supply.weights if input_w[node] else ():
                self.output_w[source] += Fraction(*weight) * input_w[node]
        self._denominator = lcm(
            *(watts.denominator for table in (at_input, self.output_w, input_w) for watts in table.values())
        )
        self._at_input, self._output, self._input = (self._scaled(t) for t in (at_input, self.output_w, input_w))

    def _scaled(self, table: dict[str, Fraction]) -> dict[str, int]:
        return {node: watts.numerator * (self._denominator // watts.denominator) for node, watts in table.items()}

    def after(self, changed: Changed, base: Difference | None = None) -> Difference:
        """How the constants differ in a contingency, and the output watts of the elements where they do.

        Parameters: changed, as from `EpochFlow.after`; base, what another failure changes already, where `changed` was
        walked from that: then the watts are those of elements that differ from it. Only differences are walked.
        """
        while True:
            try:
                difference = self._difference(changed, base)
                break
            except _CoarseError as coarse:
                self._refine(coarse.factor)
        already = self._already(base)
        watts = {
            node: Fraction(self._output[node] + already.get(node, 0) + more, self._denominator)
            for node, more in difference.items()
            if more
        }
        watts.update({node: ZERO for node, supply in changed.items() if supply is None})
        return Difference(changed, self._denominator, difference, watts)

    def _already(self, base: Difference | None) -> dict[str, int]:
        """What a base failure has changed, over the common denominator of now."""
        if base is None:
            return {}
        factor = self._denominator // base.denominator
        return base.terms if factor == 1 else {node: more * factor for node, more in base.terms.items()}

    def _refine(self, factor: int) -> None:
        self._denominator *= factor
        for table in (self._at_input, self._output, self._input):
            for node in table:
                table[node] *= factor

    def _difference(self, changed: Changed, base: Difference | None) -> dict[str, int]:
        """By how much the output of each element differs from normal operation, or from a base failure."""
        position, order = self._flow.flow.position, self._flow.flow.order
        already = self._already(base)
        difference: dict[str, int] = {}
        queue = [-position[node] for node in changed]
        heapq.heapify(queue)
        seen = set(queue)
        while queue:
            node = order[-heapq.heappop(queue)]
            for source, more in self._asked(node, changed, difference.get(node, 0), base, already.get(node, 0)):
                difference[source] = difference.get(source, 0) + more
                if -position[source] not in seen:
                    seen.add(-position[source])
                    heapq.heappush(queue, -position[source])
        return difference

    def _asked(
        self, node: str, changed: Changed, difference: int, base: Difference | None, already: int
    ) -> list[tuple[str, int]]:
        """What a node asks more (or less) of its sources than before."""
        in_base = base is not None and node in base.changed
        before = base.changed[node] if base is not None and in_base else self._flow.normal[node]
        now = changed.get(node, before)
        if before is now:
            if not before or not difference:
                return []
            more = _times(difference, *self._flow.flow.gain[node])
            return [(source, _times(more, *weight)) for source, *weight in before.weights]
        touched = in_base or already
        used = self._asks(node, self._output[node] + already) if touched else self._input[node]
        asked = [(source, _times(-used, *weight)) for source, *weight in (before.weights if before else ())]
        if now is not None:
            watts = self._asks(node, self._output[node] + already + difference)
            asked += [(source, _times(watts, *weight)) for source, *weight in now.weights]
        return [(source, more) for source, more in asked if more]

    def _asks(self, node: str, output: int) -> int:
        """Input of a node that puts out so much."""
        return _times(output, *self._flow.flow.gain[node]) + self._at_input[node]


def _times(number: int, numerator: int, denominator: int) -> int:
    """The product with a fraction; raises _CoarseError when it is no integer."""
    if numerator == denominator:
        return number
    product = number * numerator
    result, remainder = divmod(product, denominator)
    if remainder:
        raise _CoarseError(denominator // gcd(product, denominator))
    return result
