"""Integer points of one row: the racks of one system that every limit allows while every other row is empty."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from planner.verify.flow import WATT_BITS
from planner.verify.limits import ONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.draws import RackDraws
    from planner.verify.joint import AllLimits
    from planner.verify.limits import SiteLimits

Bound = tuple[tuple[int, ...], int]
"""Coefficients of some configurations and the capacity, scaled by 2^20."""
Point = tuple[int, ...]
OwnLimit = tuple[dict[str, int], int]
"""Coefficients of one row by kind of draw and the capacity, scaled by 2^20."""


@dataclass
class RowPoints:
    """Points of the rows of one site; equal questions are answered once."""

    site: str
    limits: SiteLimits
    everything: AllLimits
    draws: Mapping[str, RackDraws]
    """Every configuration on offer."""
    periods: tuple[str, ...]
    reserved: Mapping[tuple[int, int], int]
    """By epoch and element what it carries without the plan at the most, in 2^-32 W."""
    _power: dict[tuple[str, int], list[OwnLimit]] = field(default_factory=dict)
    _loaded: dict[int, bool] = field(default_factory=dict)
    _known: dict[tuple[Bound, ...], tuple[Point, ...]] = field(default_factory=dict)

    def points(self, row: str, quarter: str, configurations: tuple[str, ...]) -> tuple[Point, ...]:
        """Every count of these configurations that the row may hold alone in a period, 0 included."""
        draws = [self.draws[name] for name in configurations]
        n_positions = self._n_positions(row)
        bounds = {(tuple(one.draw["position"] for one in draws), n_positions)}
        for kinds, capacity in self._own_limits(row, quarter):
            coefficients = tuple(_coefficient(kinds, one) for one in draws)
            # Every rack takes a position, so a limit that the largest draw in all of them keeps cannot bind.
            if max(coefficients) * n_positions > capacity:
                bounds.add((coefficients, capacity))
        key = tuple(sorted(bounds))
        if key not in self._known:
            self._known[key] = _points(key)
        return self._known[key]

    def _n_positions(self, row: str) -> int:
        return int(self.limits.graphs.containment.nodes[row]["positions"])

    def _own_limits(self, row: str, quarter: str) -> list[OwnLimit]:
        name = f"{self.site}:{row}"
        found: list[OwnLimit] = []
        for limit in self._names[row]:
            terms = self.everything.terms(limit, quarter)
            if terms is not None and name in terms.rows:
                found.append((dict(terms.rows[name]), terms.capacity))
        key = (row, self.limits.walker.epoch(quarter))
        if key not in self._power:
            self._power[key] = self._power_limits(row, quarter)
        return found + self._power[key]

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """Names of the limits of each row, power limits aside."""
        names = [":".join([self.site, *(part for part in parts if part)]) for parts in self.limits.names()]
        found: dict[str, list[str]] = defaultdict(list)
        for name in [*names, *self.everything.joint_names()]:
            terms = self.everything.terms(name, self.periods[-1])
            for full in terms.rows if terms is not None else ():
                site, _, row = full.partition(":")
                if site == self.site:
                    found[row].append(name)
        return found

    def _power_limits(self, row: str, quarter: str) -> list[OwnLimit]:
        """Power limits that the row alone could break, in normal operation and under every failure above it."""
        walker = self.limits.walker
        network, epoch = walker.network, walker.epoch(quarter)
        dead = walker.wiring(epoch).dead
        failures = [None, *(f for f in sorted(walker.ancestors(row)) if network.rating_w[f] is not None)]
        found: list[OwnLimit] = []
        unloaded = {e for e in walker.ancestors(row) if not self._is_loaded(e)}
        seen: set[tuple[int, tuple[tuple[str, int], ...]]] = set()
        for failed in failures:
            if failed is not None and failed in dead:
                continue
            for element, shares in walker.row_shares(epoch, row, failed).items():
                kinds = {kind: ceil(share * ONE) for kind, share in shares.items()}
                # Where nothing else loads the element, equal coefficients are the same limit whatever failed.
                key = (element, tuple(sorted(kinds.items())))
                if not self._may_break(row, epoch, element, kinds) or (key in seen and element in unloaded):
                    continue
                seen.add(key)
                found.append((kinds, self._exact_capacity(element, failed, quarter)))
        return found

    def _may_break(self, row: str, epoch: int, element: int, kinds: dict[str, int]) -> bool:
        """Whether the fullest row could exceed what is left of an element."""
        rating_w = self.limits.walker.network.rating_w[element]
        if rating_w is None:
            return False
        most = max(_coefficient(kinds, one) for one in self.draws.values()) * self._n_positions(row)
        reserved = -(-self.reserved.get((epoch, element), 0) >> (WATT_BITS - 20))
        return most + reserved > rating_w * ONE

    def _is_loaded(self, element: int) -> bool:
        """Whether constants or racks that stood already may load an element."""
        if element not in self._loaded:
            network = self.limits.walker.network
            nodes = (element, *self.limits.walker.below(element))
            constants = any(network.output_constant_w[n] or network.input_constant_w[n] for n in nodes)
            self._loaded[element] = constants or bool(self.limits.occupied)
        return self._loaded[element]

    def _exact_capacity(self, element: int, failed: int | None, quarter: str) -> int:
        names = self.limits.walker.network.names
        contingency = None if failed is None else names[failed]
        terms = self.limits.terms("power", names[element], contingency, quarter)
        if terms is None:
            msg = f"element '{names[element]}' carries a row but has no limit"
            raise ValueError(msg)
        return terms.capacity


def _coefficient(kinds: Mapping[str, int], draws: RackDraws) -> int:
    return sum(share * draws.draw.get(kind, 0) for kind, share in kinds.items())


def _points(bounds: tuple[Bound, ...]) -> tuple[Point, ...]:
    """All non-negative integer points under some bounds; the positions bound every configuration."""
    n_configurations = len(bounds[0][0])
    found: list[Point] = []

    def extend(prefix: Point, left: tuple[int, ...]) -> None:
        if len(prefix) == n_configurations:
            found.append(prefix)
            return
        needs = [coefficients[len(prefix)] for coefficients, _ in bounds]
        count = 0
        while all(room >= 0 for room in left):
            extend((*prefix, count), left)
            count += 1
            left = tuple(room - need for room, need in zip(left, needs, strict=True))

    extend((), tuple(capacity for _, capacity in bounds))
    return tuple(found) or ((0,) * n_configurations,)
