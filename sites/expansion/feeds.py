"""What hangs on which member of a power group: units of cooling banks and leaf switches."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from sites.expansion.ids import SERVICE, member_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.expansion.places import Place
    from sites.schema.cooling import UnitFeeds
    from sites.schema.power import PowerGroup
    from sites.schema.site import SiteFile


def campus_members(site: SiteFile) -> dict[str, tuple[str, ...]]:
    """Element ids of every campus group, by the group's name; the service is a group of itself."""
    return {SERVICE: (SERVICE,)} | _members("", site.power)


def building_members(site: SiteFile, place: Place) -> dict[str, tuple[str, ...]]:
    """Element ids of every group that a building can name; its own groups hide the campus's of the same name."""
    return campus_members(site) | _members(place.building_id, place.template.power)


def _members(prefix: str, groups: Sequence[PowerGroup]) -> dict[str, tuple[str, ...]]:
    return {group.name: member_ids(prefix, group.name, group.count) for group in groups}


def unit_feeds(rule: UnitFeeds, members: Sequence[str], n_units: int) -> tuple[tuple[str, ...], ...]:
    """For each unit of a bank the elements that it can draw from.

    Parameters: rule, `all` or `matched` (unit i on member i modulo their count); members of the group; n_units.
    """
    if rule == "all":
        return (tuple(members),) * n_units
    return tuple((members[index % len(members)],) for index in range(n_units))


def member_shares(rule: UnitFeeds, members: Sequence[str], bank_sizes: Sequence[int]) -> Mapping[str, Fraction]:
    """The share of each member in the draw of some banks, each numbered for itself; members without units have none.

    Parameters: rule and members as for `unit_feeds`; bank_sizes, the number of units of each bank.
    """
    if rule == "all":
        return dict.fromkeys(members, Fraction(1, len(members)))
    n_on: dict[str, int] = {}
    for n_units in bank_sizes:
        for (member,) in unit_feeds(rule, members, n_units):
            n_on[member] = n_on.get(member, 0) + 1
    return {member: Fraction(n, sum(bank_sizes)) for member, n in n_on.items()}
