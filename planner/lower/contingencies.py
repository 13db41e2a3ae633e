"""Which failures can decide at an element: those that no other failure, nor normal operation, implies.

Loads are compared at the nodes that draw (rows, mechanical and support nodes), before any rounding. Coefficients
are sums of rounded-up shares with non-negative factors, so what holds there for every load holds for every
coefficient, and dropping the smaller limit loses nothing.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.lower.flex import before_action_w
from planner.lower.flow import ZERO
from planner.lower.maintenance import Pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.lower.constants import Difference
    from planner.lower.flex import FlexRows
    from planner.lower.flow import Changed, Supply
    from planner.lower.site import EpochState
    from sites.expansion.graphs import Graph

Share = tuple[int, int]
"""Numerator and denominator, not reduced."""
NONE: Share = (0, 1)


@dataclass(frozen=True)
class Contingency:
    """What the failure of one element, of a group, of a pair in maintenance or of nothing changes at an element."""

    failed: str | None
    """The element, or the name of the group or pair."""
    changes: dict[str, Share]
    """New share of every load whose share differs from normal operation."""
    constant_w: Fraction
    dropped: frozenset[str]
    """Rows without supply: they draw nothing at all."""


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
    state: EpochState, graph: Graph, loads: Iterable[str], droppable: frozenset[str], flex: FlexRows
) -> list[ElementLoads]:
    """The loads of every live element under every contingency that may decide there.

    Parameters: state, the epoch; graph, the power graph as expanded; loads, nodes that may draw something; droppable,
    rows that may hold racks or act; flex, the rows that act.
    """
    weighed = _Weighed(state, frozenset(loads), droppable)
    for failed, changed in state.contingencies.items():
        weighed.add(failed, changed)
    for name, met in state.pairs.items():
        weighed.add(name, met.more, met.base)
    normal, rising, n_compared = weighed.normal, weighed.rising, weighed.n_compared
    result = []
    for element in sorted(normal, key=state.flow.flow.position.__getitem__):
        own = rising[element]
        together, n_pairs = _pairs_that_add_up(own, normal[element], state.constants.output_w[element], state)
        n_all = n_compared[element] + n_pairs
        result.append(_decisive(element, graph.nodes[element], normal[element], [*own, *together], n_all, state, flex))
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
        self.normal = _normal_shares(state, wanted)
        self.rising: dict[str, list[Contingency]] = {element: [] for element in self.normal}
        self.n_compared = dict.fromkeys(self.normal, 1)

    def add(self, failed: str, changed: Changed, base: str | None = None) -> None:
        """Weigh a failure where it changes something; a pair where it changes something beyond its base."""
        state, start = self._state, None if base is None else self._seen[base]
        dropped = frozenset(node for node, supply in changed.items() if supply is None and node in self._droppable)
        constants = state.constants.after(changed, None if start is None else start.constants)
        before = state.flow.normal if base is None else ChainMap(state.contingencies[base], state.flow.normal)
        shares = _changed_shares(state.flow.flow.service, before, changed, self._wanted)
        if failed in self._bases:
            self._seen[failed] = _Seen(constants, shares, dropped)
        for element in (shares.keys() | constants.output_w.keys()) & self.normal.keys():
            self.n_compared[element] += 1
            normal_w = state.constants.output_w[element]
            own = shares.get(element, {})
            base_w = normal_w
            if start is not None:
                own = start.shares.get(element, {}) | own
                base_w = start.constants.output_w.get(element, normal_w)
            watts = constants.output_w.get(element, base_w)
            gone = dropped if start is None else dropped | start.dropped
            one = Contingency(failed, own, watts, gone)
            if element != failed and (one.constant_w > normal_w or _rises(one.changes, self.normal[element])):
                self.rising[element].append(one)


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
        kept = (base, *_undominated(rising, normal, state))
    else:
        kept = _undominated([base, *rising], normal, state)
    before = _before_action(fields, normal, rising, state, flex) if flex.share else ()
    return ElementLoads(element, normal, kept, before, n_compared - len(kept))


def _before_action(
    fields: dict[str, Any], normal: dict[str, Share], rising: list[Contingency], state: EpochState, flex: FlexRows
) -> tuple[tuple[Contingency, int], ...]:
    """Failures under which rows that act load the element, with what it carries until they have."""
    by_capacity: dict[int, list[Contingency]] = {}
    for one in rising:
        nodes = (node for node in normal.keys() | one.changes.keys() if share_of(one, normal, node))
        slowest_s = flex.slowest_s(nodes, one.dropped)
        if slowest_s is not None:
            by_capacity.setdefault(before_action_w(fields, slowest_s), []).append(one)
    return tuple(
        (one, capacity_w)
        for capacity_w, group in sorted(by_capacity.items())
        for one in _undominated(group, normal, state)
    )


def _pairs_that_add_up(
    rising: list[Contingency], before: dict[str, Share], constant_w: Fraction, state: EpochState
) -> tuple[list[Contingency], int]:
    """A planned outage and a failure that touch nothing in common but both raise the load of an element.

    Returns those that no single contingency implies, and the number of all. What implies both implies their sum, but
    for the constants, which add.
    """
    if not state.maintained:
        return [], 0
    alone = [one for one in rising if one.failed not in state.pairs]
    covers = [
        (large.constant_w, {one.failed for one in alone if _implies(large, one, before)})
        for large in _undominated(rising, before, state)
    ]
    found, n_pairs = [], 0
    for outage in (one for one in alone if one.failed in state.maintained):
        for other in alone:
            pair = _pair(outage, other, state)
            if pair is None:
                continue
            n_pairs += 1
            sum_w = outage.constant_w + other.constant_w - constant_w
            if any(most_w >= sum_w and outage.failed in of and other.failed in of for most_w, of in covers):
                continue
            found.append(Contingency(pair.name, outage.changes | other.changes, sum_w, outage.dropped | other.dropped))
    return found, n_pairs


def _pair(outage: Contingency, other: Contingency, state: EpochState) -> Pair | None:
    """The pair of two contingencies of one element, if it is one, named this way round, and adds up."""
    if outage.failed is None or other.failed is None or outage.failed == other.failed:
        return None
    if other.failed in state.maintained and other.failed < outage.failed:
        return None
    adds_up = state.maintenance.add_up(outage.failed, other.failed)
    return Pair(outage.failed, other.failed) if adds_up else None


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
    for load in changed.keys() & wanted:
        before, now = earlier[load], changed[load]
        old = before.vector.terms if before else {}
        new = now.vector.terms if now else {}
        old_denominator = before.vector.denominator if before else 1
        new_denominator = now.vector.denominator if now else 1
        for element, term in new.items():
            if term * old_denominator != old.get(element, 0) * new_denominator and element != service:
                result.setdefault(element, {})[load] = (term, new_denominator)
        for element in old.keys() - new.keys():
            if element != service:
                result.setdefault(element, {})[load] = NONE
    return result


def _rises(changes: dict[str, Share], before: dict[str, Share]) -> bool:
    return any(_less(before.get(load, NONE), share) for load, share in changes.items())


def _less(a: Share, b: Share) -> bool:
    return a[0] * b[1] < b[0] * a[1]


def _undominated(
    contingencies: list[Contingency], before: dict[str, Share], state: EpochState
) -> tuple[Contingency, ...]:
    """Drop every contingency that another implies; of equals keep normal operation, else the failure nearest by."""
    n_nodes = len(state.flow.flow.position)

    def order(one: Contingency) -> tuple[int, int]:
        return (-len(one.changes), -n_nodes if one.failed is None else -state.order_of(one.failed))

    kept: list[Contingency] = []
    for one in sorted(contingencies, key=order):
        if any(_implies(other, one, before) for other in kept):
            continue
        kept = [other for other in kept if not _implies(one, other, before)]
        kept.append(one)
    return tuple(sorted(kept, key=lambda one: -3 if one.failed is None else state.order_of(one.failed)))


def _implies(large: Contingency, small: Contingency, before: dict[str, Share]) -> bool:
    """Whether every load and the constants are at least as large under `large`."""
    if large.constant_w < small.constant_w or not large.dropped <= small.dropped:
        return False
    for load, share in small.changes.items():
        if _less(large.changes.get(load) or before.get(load, NONE), share):
            return False
    return not any(
        load not in small.changes and _less(share, before.get(load, NONE)) for load, share in large.changes.items()
    )


def share_of(contingency: Contingency, normal: dict[str, Share], load: str) -> Fraction:
    """The exact share of a load at the element in a contingency."""
    numerator, denominator = contingency.changes.get(load) or normal.get(load, NONE)
    return Fraction(numerator, denominator) if numerator else ZERO
