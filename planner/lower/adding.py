"""Pairs of a planned outage and a failure that touch nothing in common: at an element above both their rises add.

A site of a gigawatt has a million of them. Those that an element carries whatever is placed are set aside by their
rises alone, and of those of equal effect one is taken.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.lower.comparing import Contingency, Share
from planner.lower.maintenance import Pair
from planner.problem import SHARE_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.lower.ceilings import Ceilings
    from planner.lower.flex import FlexRows
    from planner.lower.site import EpochState
    from sites.expansion.graphs import Graph


@dataclass(frozen=True)
class Room:
    """What an element has left after a failure once every load draws the most that it can in normal operation."""

    most: Ceilings
    normal: dict[str, Share]
    constant_w: Fraction
    left: int
    """Scaled by 2^20 (W); below 0 where the loads would exceed the element."""

    @classmethod
    def of(cls, most: Ceilings, normal: dict[str, Share], constant_w: Fraction, capacity_w: Fraction | int) -> Room:
        """The room of an element.

        Parameters: most, ceilings of the loads; normal, their shares; constant_w, whatever is placed; capacity_w,
        what it may carry after a failure.
        """
        left = (int(capacity_w) << SHARE_BITS) - most.rounding - most.most(normal.items(), constant_w)
        return cls(most, normal, constant_w, left)

    def rise(self, one: Contingency) -> int:
        """By how much a contingency raises that most, scaled by 2^20 (W)."""
        return self.most.rise(one.changes, self.normal, one.constant_w - self.constant_w)


def it_caps_w(
    state: EpochState,
    graph: Graph,
    normal: Mapping[str, Mapping[str, Share]],
    rising: Mapping[str, list[Contingency]],
    flex: FlexRows,
) -> dict[str, Fraction]:
    """IT power of rows that the feeds which they share with nothing else allow, in W by row.

    Parameters: state; graph, the power graph as expanded; normal shares by element; rising, what single failures make
    of them; flex, rows that draw less after a failure.
    """
    caps: dict[str, Fraction] = {}
    for element, shares in normal.items():
        loads = shares.keys() | {load for one in rising[element] for load in one.changes}
        if len(loads) != 1 or state.flow.flow.kind[next(iter(loads))] != "row":
            continue
        [row] = loads
        fields, constant_w = graph.nodes[element], state.constants.output_w[element]
        _cap(caps, row, fields["rating_w"] - constant_w, shares.get(row))
        for one in rising[element]:
            if row not in one.dropped:
                left_w = (fields["emergency_w"] - one.constant_w) / flex.share.get(row, Fraction(1))
                _cap(caps, row, left_w, one.changes.get(row))
    return caps


def _cap(caps: dict[str, Fraction], row: str, left_w: Fraction, share: Share | None) -> None:
    if share is not None and share[0]:
        cap_w = max(Fraction(0), left_w) * Fraction(share[1], share[0])
        caps[row] = min(caps.get(row, cap_w), cap_w)


def pairs_that_add_up(alone: list[Contingency], room: Room, state: EpochState) -> tuple[list[Contingency], int]:
    """Pairs that may bind at an element, one for each effect, and the number of all that raise its load.

    Parameters: alone, single failures and groups that raise something there; room of the element; state.
    """
    maintenance = state.maintenance
    place = {maintenance.place[str(one.failed)]: one for one in alone}
    raising = sum(1 << at for at in place)
    outages = [one for one in alone if one.failed in maintenance.maintained]
    n_pairs = sum((maintenance.adding[str(one.failed)] & raising).bit_count() for one in outages)
    found = [
        Contingency(
            Pair(str(outage.failed), str(other.failed)).name,
            outage.changes | other.changes,
            outage.constant_w + other.constant_w - room.constant_w,
            outage.dropped | other.dropped,
        )
        for outage, other in _unlike(_binding(outages, place, room, state), alone)
    ]
    return found, n_pairs


def _binding(
    outages: list[Contingency], place: dict[int, Contingency], room: Room, state: EpochState
) -> Iterator[tuple[Contingency, Contingency]]:
    """Pairs whose rises together exceed the room of the element, in order of the outage, then of the other."""
    if not outages:
        return
    by_rise = sorted((room.rise(one), at) for at, one in place.items())
    rise_of = {at: rise for rise, at in by_rise}
    rises = [rise for rise, _ in by_rise]
    above = [0] * (len(by_rise) + 1)
    for at in range(len(by_rise) - 1, -1, -1):
        above[at] = above[at + 1] | 1 << by_rise[at][1]
    for outage in outages:
        name = str(outage.failed)
        own = rise_of[state.maintenance.place[name]]
        others = state.maintenance.adding[name] & above[bisect_right(rises, room.left - own)]
        while others:
            lowest = others & -others
            yield outage, place[lowest.bit_length() - 1]
            others ^= lowest


def _unlike(
    pairs: Iterator[tuple[Contingency, Contingency]], alone: list[Contingency]
) -> Iterator[tuple[Contingency, Contingency]]:
    """The first of all pairs of the same two effects."""
    number: dict[Any, int] = {}
    effect = {
        one.failed: number.setdefault((frozenset(one.changes.items()), one.constant_w, one.dropped), len(number))
        for one in alone
    }
    seen: set[tuple[int, int]] = set()
    for one, other in pairs:
        first, second = sorted((effect[one.failed], effect[other.failed]))
        if (first, second) not in seen:
            seen.add((first, second))
            yield one, other
