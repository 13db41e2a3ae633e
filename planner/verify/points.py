"""Integer points of one row: the racks of one system that every limit allows while every other row is empty."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from planner.verify.draws import ELECTRICAL
from planner.verify.flow import WATT_BITS
from planner.verify.limits import ONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.draws import RackDraws
    from planner.verify.joint import AllLimits
    from planner.verify.limits import SiteLimits

_NEAR = 1 << WATT_BITS
"""One watt: far more than rounded flows are off."""
Bound = tuple[tuple[int, ...], int]
"""Coefficients of some configurations and the capacity, scaled by 2^20."""
Point = tuple[int, ...]
Kinds = tuple[tuple[str, int], ...]
OwnLimit = tuple[Kinds, int]
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
    reserved: Mapping[tuple[int, int], Mapping[int | None, int]]
    """By epoch, element and failure what it carries without the plan, in 2^-32 W; failures that touch it alone."""
    _power: dict[tuple[str, int], list[OwnLimit]] = field(default_factory=dict)
    _loads: dict[tuple[tuple[str, ...], Kinds], tuple[int, ...]] = field(default_factory=dict)
    _capacities: dict[tuple[int, int, int | None], int] = field(default_factory=dict)
    _known: dict[tuple[Bound, ...], tuple[Point, ...]] = field(default_factory=dict)

    def points(self, row: str, quarter: str, configurations: tuple[str, ...]) -> tuple[Point, ...]:
        """Every count of these configurations that the row may hold alone in a period, 0 included."""
        draws = [self.draws[name] for name in configurations]
        n_positions = self._n_positions(row)
        bounds = {(tuple(one.draw["position"] for one in draws), n_positions)}
        for kinds, capacity in self._own_limits(row, quarter):
            coefficients = self._coefficients(configurations, kinds)
            # Every rack takes a position, so a limit that the largest draw in all of them keeps cannot bind.
            if max(coefficients) * n_positions > capacity:
                bounds.add((coefficients, capacity))
        key = tuple(sorted(bounds))
        if key not in self._known:
            self._known[key] = _points(key)
        return self._known[key]

    def _coefficients(self, configurations: tuple[str, ...], kinds: Kinds) -> tuple[int, ...]:
        """Load of one rack of each configuration, scaled by 2^20."""
        key = (configurations, kinds)
        if key not in self._loads:
            draws = [self.draws[name].draw for name in configurations]
            self._loads[key] = tuple(sum(share * draw.get(kind, 0) for kind, share in kinds) for draw in draws)
        return self._loads[key]

    def _n_positions(self, row: str) -> int:
        return int(self.limits.graphs.containment.nodes[row]["positions"])

    def _own_limits(self, row: str, quarter: str) -> list[OwnLimit]:
        name = f"{self.site}:{row}"
        found: list[OwnLimit] = []
        for limit in self._names[row]:
            terms = self.everything.terms(limit, quarter)
            if terms is not None and name in terms.rows:
                found.append((tuple(terms.rows[name].items()), terms.capacity))
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
        """Power limits that the row alone could break, in normal operation, and under failures above it and of groups.

        Of limits with the same coefficients only the tightest matters, so only failures that leave an element about
        as full as any without the plan are worked out to the last unit.
        """
        walker = self.limits.walker
        network, epoch = walker.network, walker.epoch(quarter)
        candidates = self._candidates(row, epoch)
        dead = walker.wiring(epoch).dead
        failures = [f for f in sorted(walker.ancestors(row)) if network.rating_w[f] is not None and f not in dead]
        failures += [f for f in network.failures(walker.wiring(epoch)) if f >= len(network.names)]
        alike: dict[tuple[int, Kinds], list[int | None]] = defaultdict(list)
        for failed in [None, *failures] if candidates else ():
            for element, shares in walker.row_shares(epoch, row, failed, candidates).items():
                if element in candidates:
                    kinds = tuple(sorted((kind, ceil(share * ONE)) for kind, share in shares.items()))
                    alike[element, kinds].append(failed)
        found: list[OwnLimit] = []
        for (element, kinds), group in alike.items():
            reserved = self.reserved[epoch, element]
            fullest = max(reserved.get(failed, reserved[None]) for failed in group)
            for failed in group:
                if reserved.get(failed, reserved[None]) >= fullest - _NEAR:
                    found.append((kinds, self._exact_capacity(element, failed, quarter)))
                    if fullest == 0:
                        break
        return found

    def _candidates(self, row: str, epoch: int) -> frozenset[int]:
        """Elements above a row that could not carry the fullest row beside what loads them already."""
        walker = self.limits.walker
        draws = [sum(one.draw[kind] for kind in ELECTRICAL) for one in self.draws.values()]
        most_w = max(draws) * self._n_positions(row) * walker.largest_gain(row)
        found = set()
        for element in walker.ancestors(row) - walker.wiring(epoch).dead:
            rating_w = walker.network.rating_w[element]
            if rating_w is not None:
                reserved = max(self.reserved[epoch, element].values())
                if most_w * 2**WATT_BITS + reserved > rating_w << WATT_BITS:
                    found.add(element)
        return frozenset(found)

    def _exact_capacity(self, element: int, failed: int | None, quarter: str) -> int:
        network = self.limits.walker.network
        key = (self.limits.walker.epoch(quarter), element, failed)
        if key not in self._capacities:
            contingency = None if failed is None else network.failure_name(failed)
            terms = self.limits.terms("power", network.names[element], contingency, quarter)
            if terms is None:
                msg = f"element '{network.names[element]}' carries a row but has no limit"
                raise ValueError(msg)
            self._capacities[key] = terms.capacity
        return self._capacities[key]


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
