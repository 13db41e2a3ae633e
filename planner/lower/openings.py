"""Openings of sites and phases: from when on their rows may be used, and the blocks that they open (model, 6a)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.problem import Opening
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.lower.assemble import Blocks
    from planner.lower.hosts import SiteHosts
    from planner.lower.money import SiteMoney
    from sites.schema.portfolio import Opening as OpeningEntry
    from sites.schema.portfolio import PortfolioFile


def opening_of(portfolio: PortfolioFile, site: str, building: str) -> OpeningEntry | None:
    """The opening that a building of a site waits for, or None."""
    for opening in portfolio.openings:
        if opening.site == site and (opening.buildings is None or building in opening.buildings):
            return opening
    return None


def earliest_period(opening: OpeningEntry | None, periods: Sequence[str]) -> int:
    """First decision period in which its buildings may be open; at or past the number of periods: never."""
    if opening is None or opening.earliest is None:
        return 0
    return max(0, quarter_index(opening.earliest) - quarter_index(periods[0]))


def openings_of(
    portfolio: PortfolioFile, hosts: Sequence[SiteHosts], monies: Sequence[SiteMoney], blocks: Blocks
) -> tuple[Opening, ...]:
    """Openings with blocks in which something may stand, in order of the portfolio.

    Parameters: hosts and monies, by site in the order of the portfolio; blocks of the problem.
    """
    number = {name: index for index, name in enumerate(blocks.names)}
    members: dict[str, dict[int, None]] = {}
    money_of = dict(zip((one.site.name for one in hosts), monies, strict=True))
    for one in hosts:
        for row in one.row_idx:
            fields = one.site.rows[row]
            opening = opening_of(portfolio, one.site.name, fields["building_id"])
            if opening is not None:
                members.setdefault(opening.name, {})[number[f"{one.site.name}:{fields['block_id']}"]] = None
    return tuple(
        Opening(opening.name, tuple(members[opening.name]), tuple(money_of[opening.site].open_cost(opening.cost)))
        for opening in portfolio.openings
        if opening.name in members
    )
