"""Which failures can decide at an element: those that no other failure, nor normal operation, implies.

Loads are compared at the nodes that draw (rows, mechanical and support nodes), before any rounding. Coefficients
are sums of rounded-up shares with non-negative factors, so what holds there for every load holds for every
coefficient, and dropping the smaller limit loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.flow import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.lower.flow import Supply
    from planner.lower.site import EpochState

Share = tuple[int, int]
"""Numerator and denominator, not reduced."""
NONE: Share = (0, 1)


@dataclass(frozen=True)
class Contingency:
    """What the failure of one element, of a common-mode group or of nothing changes at an element."""

    failed: str | None
    """The element, or the name of the group."""
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
    n_implied: int


def element_loads(state: EpochState, loads: Iterable[str], droppable: frozenset[str]) -> list[ElementLoads]:
    """The loads of every live element under every contingency that may decide there.

    Parameters: state, the epoch; loads, nodes that may draw something; droppable, rows that may hold racks.
    """
    wanted = frozenset(loads)
    normal = _normal_shares(state, wanted)
    rising: dict[str, list[Contingency]] = {element: [] for element in normal}
    n_compared = dict.fromkeys(normal, 1)
    for failed, changed in state.contingencies.items():
        dropped = frozenset(node for node, supply in changed.items() if supply is None and node in droppable)
        constants = state.constants.after(changed)
        shares = _changed_shares(state, changed, wanted)
        for element in (shares.keys() | constants.keys()) & normal.keys():
            n_compared[element] += 1
            before_w = state.constants.output_w[element]
            one = Contingency(failed, shares.get(element, {}), constants.get(element, before_w), dropped)
            if element != failed and (one.constant_w > before_w or _rises(one.changes, normal[element])):
                rising[element].append(one)
    return [
        _decisive(element, normal[element], rising[element], n_compared[element], state)
        for element in sorted(normal, key=state.flow.flow.position.__getitem__)
    ]


def _decisive(
    element: str, normal: dict[str, Share], rising: list[Contingency], n_compared: int, state: EpochState
) -> ElementLoads:
    base = Contingency(None, {}, state.constants.output_w[element], frozenset())
    kept = _undominated([base, *rising], normal, state)
    return ElementLoads(element, normal, kept, n_compared - len(kept))


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
    state: EpochState, changed: dict[str, Supply | None], wanted: frozenset[str]
) -> dict[str, dict[str, Share]]:
    """By element, the loads whose share there differs from normal operation."""
    service = state.flow.flow.service
    result: dict[str, dict[str, Share]] = {}
    for load in changed.keys() & wanted:
        before, now = state.flow.normal[load], changed[load]
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
    return tuple(sorted(kept, key=lambda one: -2 if one.failed is None else state.order_of(one.failed)))


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
