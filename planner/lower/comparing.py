"""Contingencies of one element against each other: which imply which, share by share, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from planner.lower.site import EpochState

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


def rises(changes: Mapping[str, Share], before: Mapping[str, Share]) -> bool:
    """Whether some load has a larger share than before."""
    return bool(_raised(changes, before, only_one=True))


def _raised(changes: Mapping[str, Share], before: Mapping[str, Share], *, only_one: bool = False) -> list[str]:
    """Loads whose share is larger than before; of them one at the most, where that is enough.

    Large sites ask this a million times, so that it compares in place.
    """
    found = []
    for load, share in changes.items():
        earlier = before.get(load, NONE)
        if earlier[0] * share[1] < share[0] * earlier[1]:
            found.append(load)
            if only_one:
                break
    return found


def undominated(
    contingencies: list[Contingency], before: dict[str, Share], state: EpochState
) -> tuple[Contingency, ...]:
    """Drop every contingency that another implies; of equals keep normal operation, else the failure nearest by."""
    n_nodes = len(state.flow.flow.position)

    def order(one: Contingency) -> tuple[int, int]:
        return (-len(one.changes), -n_nodes if one.failed is None else -state.order_of(one.failed))

    kept = _Kept(before)
    for one in sorted(contingencies, key=order):
        kept.add(one)
    return tuple(sorted(kept.contingencies, key=lambda one: -3 if one.failed is None else state.order_of(one.failed)))


class _Kept:
    """Contingencies that none implies, found by the loads that they raise.

    One that raises a load is implied only by others that raise it, so that lineups side by side are never compared.
    """

    def __init__(self, before: dict[str, Share]) -> None:
        self._before = before
        self._raising: dict[str, dict[int, Contingency]] = {}
        """By load the contingencies that raise it, by number in order of their coming."""
        self._all: dict[int, Contingency] = {}
        self._raised: dict[int, list[str]] = {}
        self._n_met = 0
        self.n_compared = 0

    @property
    def contingencies(self) -> list[Contingency]:
        """Those that are left, in order of their coming."""
        return list(self._all.values())

    def add(self, one: Contingency) -> None:
        """Keep a contingency unless one that is kept implies it; drop those that it implies."""
        raised = _raised(one.changes, self._before)
        larger = min((self._raising.get(load, {}) for load in raised), key=len, default=self._all)
        if any(implies(other, one, self._before) for other in larger.values()):
            return
        for number in self._smaller(one, raised):
            for load in self._raised.pop(number):
                del self._raising[load][number]
            del self._all[number]
        self._all[self._n_met], self._raised[self._n_met] = one, raised
        for load in raised:
            self._raising.setdefault(load, {})[self._n_met] = one
        self._n_met += 1

    def _smaller(self, one: Contingency, raised: list[str]) -> list[int]:
        """Those kept that a contingency implies: they raise none that it does not."""
        near = {number for load in raised for number in self._raising.get(load, {})}
        near.update(number for number, loads in self._raised.items() if not loads)
        return [number for number in near if implies(one, self._all[number], self._before)]


def implies(large: Contingency, small: Contingency, before: Mapping[str, Share]) -> bool:
    """Whether every load and the constants are at least as large under `large`."""
    if not large.dropped <= small.dropped:
        return False
    if large.constant_w < small.constant_w:
        return False
    for load, share in small.changes.items():
        above = large.changes.get(load) or before.get(load, NONE)
        if above[0] * share[1] < share[0] * above[1]:
            return False
    for load, share in large.changes.items():
        if load not in small.changes:
            earlier = before.get(load, NONE)
            if share[0] * earlier[1] < earlier[0] * share[1]:
                return False
    return True
