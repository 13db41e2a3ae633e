"""The most that load nodes can draw, whatever the plan: what the places of each row and its own feeds allow.

A limit whose element could carry all of that cannot bind. Pairs of a planned outage and a failure are asked this
before they are compared, since a large site has a million of them and few that matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from planner.lower.comparing import NONE, Share
from planner.lower.pieces import scaled_share
from planner.problem import SHARE_BITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.lower.draws import Draw
    from planner.lower.hosts import Offer, SiteHosts

RowWeights = tuple[str, tuple[tuple[int, Fraction], ...]]
"""A row behind a load node, and watts there for each watt of a kind of draw."""


@dataclass(frozen=True)
class Ceilings:
    """Upper bounds of what load nodes draw."""

    node_w: dict[str, int]
    """Whole W by load node, rounded up."""
    rounding: int
    """What rounding every share up once adds at most, scaled by 2^20 (W)."""

    def most(self, shares: Iterable[tuple[str, Share]], constant_w: Fraction) -> int:
        """The most that an element carries, scaled by 2^20 (W), rounded up.

        Parameters: shares of load nodes; constant_w, whatever is placed.
        """
        return scaled_share(constant_w) + sum(self._up(load, share) for load, share in shares)

    def rise(self, changes: Mapping[str, Share], before: Mapping[str, Share], more_w: Fraction) -> int:
        """By how much the most that an element carries rises at most, scaled by 2^20 (W).

        Parameters: changes, new shares of load nodes; before, their old ones; more_w, rise of the constants. Rises of
        failures that touch no load in common add.
        """
        rise = scaled_share(more_w)
        for load, share in changes.items():
            numerator, denominator = before.get(load, NONE)
            rise += self._up(load, share) - (numerator * self.node_w[load] << SHARE_BITS) // denominator
        return rise

    def _up(self, load: str, share: Share) -> int:
        return -((-share[0] * self.node_w[load] << SHARE_BITS) // share[1])


def ceilings(
    hosts: SiteHosts, offer: Offer, rows_behind: Mapping[str, Iterable[RowWeights]], it_cap_w: Mapping[str, Fraction]
) -> Ceilings:
    """What load nodes draw at the most.

    Parameters: hosts and offer; rows_behind, the rows that draw at each load node; it_cap_w, IT power that limits on
    rows alone allow, by row.
    """
    most_w: dict[str, list[int]] = {}
    for node in rows_behind.values():
        for row, _ in node:
            if row not in most_w:
                most_w[row] = _row_most_w(hosts, offer.draws, row, it_cap_w.get(row))
    node_w = {
        node: ceil(sum((weight * most_w[row][kind] for row, weights in rows for kind, weight in weights), Fraction(0)))
        for node, rows in rows_behind.items()
    }
    return Ceilings(node_w, 2 * (1 << SHARE_BITS) + sum(sum(kinds) for kinds in most_w.values()))


def _row_most_w(hosts: SiteHosts, draws: Iterable[Draw], row: str, it_cap_w: Fraction | None) -> list[int]:
    """The most of each electrical kind of draw in a row: by its places, and by its IT power."""
    if row not in hosts.row_idx:
        draw, n_racks = hosts.site.occupied[row]
        return [n_racks * watts for watts in draw.electrical]
    n_positions = hosts.n_positions[hosts.row_idx[row]]
    most: list[int] = []
    for kind in range(4):
        by_place = max(Fraction(draw.electrical[kind] * n_positions, draw.positions) for draw in draws)
        ratios = [Fraction(draw.electrical[kind], draw.it_w) if draw.it_w else None for draw in draws]
        if it_cap_w is not None and None not in ratios:
            by_place = min(by_place, it_cap_w * max(ratio for ratio in ratios if ratio is not None))
        most.append(ceil(by_place))
    return most
