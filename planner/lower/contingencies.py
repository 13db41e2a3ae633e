"""Which failures can decide at an element: those that no other failure, nor normal operation, implies.

Loads are compared at the nodes that draw (rows, mechanical and support nodes), before any rounding. Coefficients
are sums of rounded-up shares with non-negative factors, so what holds there for every load holds for every
coefficient, and dropping the smaller limit loses nothing.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.lower.adding import Room, it_caps_w, pairs_that_add_up
from planner.lower.comparing import NONE, Contingency, Share, rises, undominated
from planner.lower.flex import before_action_w

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from fractions import Fraction

    from planner.lower.ceilings import Ceilings
    from planner.lower.constants import Difference
    from planner.lower.flex import FlexRows
    from planner.lower.flow import Changed, Supply
    from planner.lower.maintenance import Met
    from planner.lower.site import EpochState
    from sites.expansion.graphs import Graph

    Capped = Callable[[Mapping[str, Fraction]], Ceilings]


@dataclass(frozen=True)
class ElementLoads:
    """Everything that one element may have to carry in one epoch."""

    element: str
    normal: dict[str, Share]
    contingencies: tuple[Contingency, ...]
    """Those that may decide, normal operation (`failed` None) among them unless it is implied."""
    before_action: tuple[tuple[Contingency, int], ...]
    """Those that may decide before rows have shed and capped, with what the element carries until then (W)."""
    n_implied: int


def element_loads(
    state: EpochState, graph: Graph, loads: Iterable[str], droppable: frozenset[str], flex: FlexRows, capped: Capped
) -> list[ElementLoads]:
    """The loads of every live element under every contingency that may decide there.

    Parameters: state, the epoch; graph, the power graph as expanded; loads, nodes that may draw something; droppable,
    rows that may hold racks or act; flex, the rows that act; capped, the most that load nodes draw where the IT power
    of rows is capped (W): pairs that an element carries even then cannot bind and are left out.
    """
    weighed = _Weighed(state, frozenset(loads), droppable)
    for failed, changed in state.contingencies.items():
        weighed.add(failed, changed)
    normal, rising, n_compared = weighed.normal, weighed.rising, weighed.n_compared
    rooms: dict[str, Room] = {}
    if state.maintained:
        most = capped(it_caps_w(state, graph, normal, rising, flex))
        constant_w = state.constants.output_w
        rooms = {e: Room.of(most, shares, constant_w[e], graph.nodes[e]["emergency_w"]) for e, shares in normal.items()}
        sums = {e: pairs_that_add_up(rising[e], rooms[e], state) for e in normal}
        for name, met in state.pairs.items():
            weighed.add_pair(name, met, rooms)
    result = []
    for element in sorted(normal, key=state.flow.flow.position.__getitem__):
        together, n_pairs = sums[element] if state.maintained else ([], 0)
        n_all, every = n_compared[element] + n_pairs, [*rising[element], *together]
        result.append(_decisive(element, graph.nodes[element], normal[element], every, n_all, state, flex))
    return result


@dataclass(frozen=True)
class _Seen:
    """What one failure changes, kept for the pairs that start from it."""

    constants: Difference
    shares: dict[str, dict[str, Share]]
    dropped: frozenset[str]


class _Weighed:
    """Contingencies by element as they are met: those that raise something there."""

    def __init__(self, state: EpochState, wanted: frozenset[str], droppable: frozenset[str]) -> None:
        self._state, self._wanted, self._droppable = state, wanted, droppable
        self._bases = {met.base for met in state.pairs.values()}
        self._seen: dict[str, _Seen] = {}
        self._rise_of_base: dict[tuple[str, str], int] = {}
        self.normal = _normal_shares(state, wanted)
        self.rising: dict[str, list[Contingency]] = {element: [] for element in self.normal}
        self.n_compared = dict.fromkeys(self.normal, 1)

    def add(self, failed: str, changed: Changed) -> None:
        """Weigh a single failure or a group where it changes something."""
        state = self._state
        constants, dropped = state.constants.after(changed), self._dropped(changed)
        shares = _changed_shares(state.flow.flow.service, state.flow.normal, changed, self._wanted)
        if failed in self._bases:
            self._seen[failed] = _Seen(constants, shares, dropped)
        for element in (shares.keys() | constants.output_w.keys()) & self.normal.keys():
            self.n_compared[element] += 1
            own, normal_w = shares.get(element, {}), state.constants.output_w[element]
            watts = constants.output_w.get(element, normal_w)
            if element != failed and (watts > normal_w or rises(own, self.normal[element])):
                self.rising[element].append(Contingency(failed, own, watts, dropped))

    def add_pair(self, name: str, met: Met, rooms: Mapping[str, Room]) -> None:
        """Weigh a pair where it raises something beyond its base, which would imply it, and where it may bind."""
        state, start = self._state, self._seen[met.base]
        constants, dropped = state.constants.after(met.more, start.constants), self._dropped(met.more) | start.dropped
        before = ChainMap(state.contingencies[met.base], state.flow.normal)
        shares = _changed_shares(state.flow.flow.service, before, met.more, self._wanted)
        for element in (shares.keys() | constants.output_w.keys()) & self.normal.keys():
            self.n_compared[element] += 1
            normal, normal_w = self.normal[element], state.constants.output_w[element]
            base, base_w = start.shares.get(element, {}), start.constants.output_w.get(element, normal_w)
            more, watts = shares.get(element, {}), constants.output_w.get(element, base_w)
            loaded = ChainMap(base, normal)
            if watts <= base_w and not rises(more, loaded):
                continue
            room, key = rooms[element], (met.base, element)
            if key not in self._rise_of_base:
                self._rise_of_base[key] = room.most.rise(base, normal, base_w - normal_w)
            if self._rise_of_base[key] + room.most.rise(more, loaded, watts - base_w) <= room.left:
                continue
            one = Contingency(name, base | more, watts, dropped)
            if watts > normal_w or rises(one.changes, normal):
                self.rising[element].append(one)

    def _dropped(self, changed: Changed) -> frozenset[str]:
        return frozenset(node for node, supply in changed.items() if supply is None and node in self._droppable)


def _decisive(
    element: str,
    fields: dict[str, Any],
    normal: dict[str, Share],
    rising: list[Contingency],
    n_compared: int,
    state: EpochState,
    flex: FlexRows,
) -> ElementLoads:
    """Keep what decides: failures imply normal operation only where neither ratings nor rows ease them."""
    base = Contingency(None, {}, state.constants.output_w[element], frozenset())
    if flex.share or fields["emergency_w"] != fields["rating_w"]:
        kept = (base, *undominated(rising, normal, state))
    else:
        kept = undominated([base, *rising], normal, state)
    before = _before_action(fields, normal, rising, state, flex) if flex.share else ()
    return ElementLoads(element, normal, kept, before, n_compared - len(kept))


def _before_action(
    fields: dict[str, Any], normal: dict[str, Share], rising: list[Contingency], state: EpochState, flex: FlexRows
) -> tuple[tuple[Contingency, int], ...]:
    """Failures under which rows that act load the element, with what it carries until they have."""
    by_capacity: dict[int, list[Contingency]] = {}
    for one in rising:
        nodes = (node for node in normal.keys() | one.changes.keys() if share_of(one, normal, node)[0])
        slowest_s = flex.slowest_s(nodes, one.dropped)
        if slowest_s is not None:
            by_capacity.setdefault(before_action_w(fields, slowest_s), []).append(one)
    return tuple(
        (one, capacity_w)
        for capacity_w, group in sorted(by_capacity.items())
        for one in undominated(group, normal, state)
    )


def _normal_shares(state: EpochState, loads: Iterable[str]) -> dict[str, dict[str, Share]]:
    """Share of every load at every element in normal operation; elements without load included when they live."""
    result: dict[str, dict[str, Share]] = {e: {} for e in state.flow.elements if state.flow.normal[e] is not None}
    for load in loads:
        supply = state.flow.normal.get(load)
        if supply is None:
            continue
        for element, term in supply.vector.terms.items():
            if element != state.flow.flow.service:
                result[element][load] = (term, supply.vector.denominator)
    return result


def _changed_shares(
    service: str, earlier: Mapping[str, Supply | None], changed: Changed, wanted: frozenset[str]
) -> dict[str, dict[str, Share]]:
    """By element, the loads whose share there differs from what it was.

    Parameters: earlier, supply of every node before; changed, that of those where it differs.
    """
    result: dict[str, dict[str, Share]] = {}
    known: dict[tuple[int, int], list[tuple[str, Share]]] = {}
    for load in changed.keys() & wanted:
        before, now = earlier[load], changed[load]
        key = id(before), id(now)
        if key not in known:  # like loads have the very same supply
            known[key] = _differences(before, now, service)
        for element, share in known[key]:
            result.setdefault(element, {})[load] = share
    return result


def _differences(before: Supply | None, now: Supply | None, service: str) -> list[tuple[str, Share]]:
    """Elements whose share of a load differs between two supplies of it, with the later share."""
    old = before.vector.terms if before else {}
    new = now.vector.terms if now else {}
    old_denominator = before.vector.denominator if before else 1
    denominator = now.vector.denominator if now else 1
    found = [
        (element, (term, denominator))
        for element, term in new.items()
        if element not in old or term * old_denominator != old[element] * denominator
    ]
    found += [(element, NONE) for element in old.keys() - new.keys()]
    return [one for one in found if one[0] != service]


def share_of(contingency: Contingency, normal: dict[str, Share], load: str) -> Share:
    """The exact share of a load at the element in a contingency."""
    return contingency.changes.get(load) or normal.get(load, NONE)
