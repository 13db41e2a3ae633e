"""Watts that flow whatever is placed: house loads, no-load losses and fixed plant power, in every contingency."""

from __future__ import annotations

import heapq
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.flow import ZERO, EpochFlow, Supply

if TYPE_CHECKING:
    from sites.expansion.graphs import Graph


class ConstantFlow:
    """Constant output watts of every element of one epoch, normal and after the loss of one element."""

    def __init__(self, graph: Graph, flow: EpochFlow) -> None:
        """Sum constants from the loads up.

        Parameters: graph, the power graph as expanded; flow, the flow of the epoch.
        """
        self._flow = flow
        self._at_output: dict[str, Fraction] = {}
        self._at_input: dict[str, Fraction] = {}
        for node in flow.existing:
            fields = graph.nodes[node]
            self._at_output[node] = Fraction(fields.get("house_load_w") or 0) + Fraction(fields.get("fixed_w") or 0)
            self._at_input[node] = Fraction(fields.get("loss_no_load") or 0) * Fraction(fields.get("plate_w") or 0)
        self.output_w: dict[str, Fraction] = dict.fromkeys(flow.existing, ZERO)
        """Normal operation."""
        self._input_w: dict[str, Fraction] = {}
        for node in reversed(flow.flow.order):
            if node in flow.existing:
                self._add_up(node)

    def _add_up(self, node: str) -> None:
        supply = self._flow.normal[node]
        if supply is None:
            self.output_w[node] = self._input_w[node] = ZERO
            return
        self.output_w[node] += self._at_output[node]
        self._input_w[node] = self._input(node, self.output_w[node])
        if self._input_w[node]:
            for source, weight in supply.weights:
                self.output_w[source] += weight * self._input_w[node]

    def _input(self, node: str, output_w: Fraction) -> Fraction:
        return output_w * self._flow.flow.gain[node] + self._at_input[node]

    def after(self, changed: dict[str, Supply | None]) -> dict[str, Fraction]:
        """Output watts of the elements whose constants differ in a contingency.

        Parameters: changed, as from `EpochFlow.after`. Only differences are walked, from the loads up.
        """
        position = self._flow.flow.position
        difference: dict[str, Fraction] = {}
        queue = [-position[node] for node in changed]
        heapq.heapify(queue)
        seen = set(queue)
        while queue:
            node = self._flow.flow.order[-heapq.heappop(queue)]
            for source, watts in self._differences(node, changed, difference.get(node, ZERO)):
                difference[source] = difference.get(source, ZERO) + watts
                if -position[source] not in seen:
                    seen.add(-position[source])
                    heapq.heappush(queue, -position[source])
        result = {node: self.output_w[node] + watts for node, watts in difference.items() if watts}
        result.update({node: ZERO for node, supply in changed.items() if supply is None})
        return result

    def _differences(
        self, node: str, changed: dict[str, Supply | None], difference: Fraction
    ) -> list[tuple[str, Fraction]]:
        """What a node asks more (or less) of its sources than in normal operation."""
        before = self._flow.normal[node]
        now = changed.get(node, before)
        if before is now:
            if not before or not difference:
                return []
            more = difference * self._flow.flow.gain[node]
            return [(source, more if weight == 1 else weight * more) for source, weight in before.weights]
        less = -self._input_w[node]
        asked = [(source, weight * less) for source, weight in (before.weights if before else ())]
        if now is not None:
            watts = self._input(node, self.output_w[node] + difference)
            asked += [(source, weight * watts) for source, weight in now.weights]
        return [(source, watts) for source, watts in asked if watts]
