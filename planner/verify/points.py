"""Integer points of one row: the racks of one system that every limit allows while every other row is empty."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from planner.verify.draws import ELECTRICAL
from planner.verify.flow import WATT_BITS
from planner.verify.joint import limit_name
from planner.verify.limits import BEFORE
from planner.verify.states import NO_CHANGE
from planner.verify.terms import ONE
from planner.verify.walk import SHARE_BITS, acted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.draws import RackDraws
    from planner.verify.joint import AllLimits
    from planner.verify.limits import SiteLimits
    from planner.verify.power import Load, PowerCheck
    from planner.verify.walk import RowShares

Bound = tuple[tuple[int, ...], int]
"""Coefficients of some configurations and the capacity, scaled by 2^20."""
Point = tuple[int, ...]
Kinds = tuple[tuple[str, int], ...]
OwnLimit = tuple[Kinds, int]
"""Coefficients of one row by kind of draw and the capacity, scaled by 2^20."""
OwnLimits = tuple[OwnLimit, ...]


@dataclass
class RowPoints:
    """Points of the rows of one site; equal questions are answered once."""

    site: str
    limits: SiteLimits
    everything: AllLimits
    draws: Mapping[str, RackDraws]
    """Every configuration on offer."""
    periods: tuple[str, ...]
    power: PowerCheck
    """What elements carry without the plan."""
    raised: Mapping[tuple[str, str], int]
    """What decisions beside the racks may add to joint limits at the most, by name and quarter, scaled by 2^20."""
    _own: dict[tuple[str, str], OwnLimits] = field(default_factory=dict)
    _alike: dict[OwnLimits, OwnLimits] = field(default_factory=dict)
    """One list for all rows and periods with equal limits."""
    _power: dict[tuple[str, int], list[OwnLimit]] = field(default_factory=dict)
    _coefficients_of: dict[tuple[tuple[str, ...], Kinds], tuple[int, ...]] = field(default_factory=dict)
    _cooling: dict[int, dict[str, list[str]]] = field(default_factory=dict)
    _loads_of: dict[tuple[int, int], list[Load | None]] = field(default_factory=dict)
    _most: dict[tuple[int, int], int] = field(default_factory=dict)
    _capacities: dict[tuple[int, int, Load | None], int] = field(default_factory=dict)
    _most_w: dict[int, int] = field(default_factory=dict)
    _asked: dict[tuple[int, int, tuple[str, ...]], tuple[Point, ...]] = field(default_factory=dict)
    _known: dict[tuple[Bound, ...], tuple[Point, ...]] = field(default_factory=dict)

    def points(self, row: str, quarter: str, configurations: tuple[str, ...]) -> tuple[Point, ...]:
        """Every count of these configurations that the row may hold alone in a period, 0 included.

        Equal answers are one object.
        """
        place = (row, quarter)
        if place not in self._own:
            own = tuple(self._own_limits(row, quarter))
            self._own[place] = self._alike.setdefault(own, own)
        limits, n_positions = self._own[place], self._n_positions(row)
        asked = (id(limits), n_positions, configurations)
        if asked not in self._asked:
            self._asked[asked] = self._points_under(limits, n_positions, configurations)
        return self._asked[asked]

    def _points_under(self, limits: OwnLimits, n_positions: int, configurations: tuple[str, ...]) -> tuple[Point, ...]:
        bounds = {(tuple(self.draws[name].draw["position"] for name in configurations), n_positions)}
        for kinds, capacity in limits:
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
        if key not in self._coefficients_of:
            draws = [self.draws[name].draw for name in configurations]
            self._coefficients_of[key] = tuple(
                sum(share * draw.get(kind, 0) for kind, share in kinds) for draw in draws
            )
        return self._coefficients_of[key]

    def _n_positions(self, row: str) -> int:
        return int(self.limits.graphs.containment.nodes[row]["positions"])

    def _own_limits(self, row: str, quarter: str) -> list[OwnLimit]:
        name = f"{self.site}:{row}"
        found: list[OwnLimit] = []
        for limit in (*self._names[row], *self._names_after(row, quarter)):
            terms = self.everything.terms(limit, quarter)
            if terms is not None and name in terms.rows:
                capacity = terms.capacity + self.raised.get((limit, quarter), 0)
                found.append((tuple(terms.rows[name].items()), capacity))
        key = (row, self.limits.states.epoch(quarter))
        if key not in self._power:
            self._power[key] = self._power_limits(row, quarter)
        return found + self._power[key]

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """Names of the limits without failure of each row, power limits aside."""
        prefix = f"{self.site}:"
        names = [name for name in self.everything.site_names(None) if name.startswith(prefix)]
        found: dict[str, list[str]] = defaultdict(list)
        for name in [*names, *self.everything.joint_names()]:
            terms = self.everything.terms(name, self.periods[-1])
            for full in terms.rows if terms is not None else ():
                site, _, row = full.partition(":")
                if site == self.site:
                    found[row].append(name)
        return found

    def _names_after(self, row: str, quarter: str) -> list[str]:
        """Names of the cooling limits under failures that touch a row in a period."""
        epoch = self.limits.states.epoch(quarter)
        if epoch not in self._cooling:
            found: dict[str, list[str]] = defaultdict(list)
            for parts in self.limits.names_after_failures(quarter):
                name = limit_name(self.site, *parts)
                terms = self.everything.terms(name, quarter)
                for full in terms.rows if terms is not None else ():
                    found[full.partition(":")[2]].append(name)
            self._cooling[epoch] = found
        return self._cooling[epoch].get(row, [])

    def _power_limits(self, row: str, quarter: str) -> list[OwnLimit]:
        """Power limits that the row alone could break, in normal operation and under every failure.

        Of limits with the same coefficients only the tightest matters, so only failures that leave an element about
        as little room as any without the plan are worked out to the last unit; of failures that change nothing
        different below an element, one.
        """
        walker = self.limits.walker
        epoch = walker.states.epoch(quarter)
        candidates = self._candidates(row, epoch)
        alike: dict[tuple[int, Kinds], dict[Load | None, int]] = defaultdict(dict)
        own: dict[int | None, dict[int, RowShares]] = {}
        for element in candidates:
            for load in self._distinct(epoch, element):
                failed = None if load is None else load[0]
                if failed not in own:
                    own[failed] = self._row_shares(epoch, row, failed, candidates, own)
                shares = own[failed].get(element)
                room = None if shares is None else self._room(epoch, element, load)
                if shares and room is not None:
                    if load is not None and not load[1]:
                        shares = acted(row, shares, walker.flex)
                    kinds = tuple(sorted((kind, ceil(share * ONE)) for kind, share in shares.items()))
                    if self._may_bind(row, kinds, room - self.power.rounding[epoch]):
                        alike[element, kinds][load] = room
        return [
            (kinds, self._exact_capacity(element, load, quarter))
            for (element, kinds), rooms in alike.items()
            for load, room in rooms.items()
            if room <= min(rooms.values()) + self.power.rounding[epoch]
        ]

    def _row_shares(
        self,
        epoch: int,
        row: str,
        failed: int | None,
        wanted: frozenset[int],
        known: Mapping[int | None, dict[int, RowShares]],
    ) -> dict[int, RowShares]:
        """Shares of a row after a failure; those of normal operation where it changes nothing on the way to the row."""
        walker, node = self.limits.walker, self.limits.network.index[row]
        above = walker.ancestors(row) | {node, *self.limits.network.needs.get(node, ())}
        unchanged = failed is not None and self.limits.states.changed_below(epoch, failed, above) == NO_CHANGE
        if unchanged and None in known:
            return known[None]
        return walker.row_shares(epoch, row, failed, wanted)

    def _may_bind(self, row: str, kinds: Kinds, room: int) -> bool:
        """Whether the fullest row may need more room than this, in 2^-32 W; every rack takes a position."""
        most = max(self._coefficients(tuple(self.draws), kinds)) * self._n_positions(row)
        return most << (WATT_BITS - SHARE_BITS) > room

    def _distinct(self, epoch: int, element: int) -> list[Load | None]:
        """Normal operation, and of the failures that leave all below an element alike the first.

        A failure that changes nothing below it leaves it the shares of normal operation, and no smaller capacity.
        """
        key = (epoch, element)
        if key not in self._loads_of:
            states, below = self.limits.states, frozenset(self.limits.states.below(element))
            found: dict[object, Load | None] = {}
            for load in self.power.without(epoch, element):
                changed = None if load is None else states.changed_below(epoch, load[0], below)
                if load is None or changed != NO_CHANGE:
                    found.setdefault((changed, load is not None and load[1]), load)
            self._loads_of[key] = list(found.values())
        return self._loads_of[key]

    def _room(self, epoch: int, element: int, load: Load | None) -> int | None:
        """What an element may carry beside what loads it without the plan, in 2^-32 W; None without such a limit."""
        before = None
        if load is not None and load[1]:
            before = self.limits.walker.shares(epoch, element, load[0], before_action=True)
        capacity_w = self.limits.permitted_w(element, load is not None, before)
        return None if capacity_w is None else (capacity_w << WATT_BITS) - self.power.without(epoch, element)[load]

    def _candidates(self, row: str, epoch: int) -> frozenset[int]:
        """Elements above a row that could not carry the fullest row beside what loads them already."""
        walker, node, n_positions = self.limits.walker, self.limits.network.index[row], self._n_positions(row)
        most: dict[int, int] = defaultdict(int)
        for load in (node, *walker.network.needs.get(node, ())):
            for element in walker.carriers(load):
                most[element] += self._most_carried_w(load)
        # Coefficients are rounded up, each by less than one unit.
        draws = [sum(one.draw[kind] for kind in ELECTRICAL) for one in self.draws.values()]
        slack = (n_positions * max(draws) << (WATT_BITS - SHARE_BITS)) + self.power.rounding[epoch]
        found = set()
        for element in most.keys() - walker.states.wiring(epoch).dead:
            rating_w = walker.network.rating_w[element]
            if rating_w is None:
                continue
            room = (rating_w << WATT_BITS) - self._most_reserved(epoch, element)
            if (n_positions * most[element] << WATT_BITS) + slack > room:
                found.add(element)
        return frozenset(found)

    def _most_carried_w(self, load: int) -> int:
        """At least what an element can carry of a load for one rack in a row that drives it."""
        if load not in self._most_w:
            walker = self.limits.walker
            self._most_w[load] = max(walker.most_carried_w(load, one.draw) for one in self.draws.values())
        return self._most_w[load]

    def _most_reserved(self, epoch: int, element: int) -> int:
        """The most that an element carries without the plan in any state, in 2^-32 W."""
        key = (epoch, element)
        if key not in self._most:
            self._most[key] = self.power.most_without(epoch, element)
        return self._most[key]

    def _exact_capacity(self, element: int, load: Load | None, quarter: str) -> int:
        key = (self.limits.states.epoch(quarter), element, load)
        if key not in self._capacities:
            details: tuple[str, ...] = ()
            if load is not None:
                details = (self.limits.states.contingencies.name(load[0]), *((BEFORE,) if load[1] else ()))
            name = self.limits.network.names[element]
            terms = self.limits.terms("power", name, details, quarter)
            if terms is None:
                msg = f"element '{name}' carries a row but has no limit"
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
