"""Where rows, leaves and spines stand, by what a site file says of its rows, and how long the cables between them are.

The drawing that is assumed, since a site file gives no coordinates: halls side by side; in a hall all rows parallel,
one behind the other at their depth and aisles, in the order of the lineups; the leaves of a fabric block in network
rows of the same kind in the middle of the block's rows, as many as its support places need; racks from the near end of
a row; spines and cores in one network room at the near wall, in the middle of the building. Cables follow the rows and
the aisles, not the straight line.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.expansion.places import Lineup, Place


@dataclass(frozen=True)
class Point:
    """A place on the floor of a building, in m from its corner."""

    along_m: Fraction
    """Along the rows."""
    across_m: Fraction
    """Across the rows, from the near wall on."""


@dataclass(frozen=True)
class FloorPlan:
    """Where the things of one building stand."""

    first_rack: dict[str, Point]
    """The first position of each row."""
    pitch_m: dict[str, Fraction]
    """Distance of two positions of each row."""
    leaves: dict[str, Point]
    """The middle of the network rows of each fabric block."""
    room: Point
    """The network room with spines and cores."""

    def rack(self, row: str, position: int) -> Point:
        """Where a position of a row stands, the first being 0."""
        first = self.first_rack[row]
        return Point(first.along_m + position * self.pitch_m[row], first.across_m)


def way_m(start: Point, end: Point) -> Fraction:
    """The way between two places along and across the rows, in m."""
    return abs(start.along_m - end.along_m) + abs(start.across_m - end.across_m)


def floor_plan(place: Place) -> FloorPlan:
    """The assumed drawing of a building.

    Parameters: place, the building with its lineups. Rows are as long as their positions at their pitch; halls are as
    wide as their longest row, one aisle apart.
    """
    first_rack: dict[str, Point] = {}
    pitch_m: dict[str, Fraction] = {}
    leaves: dict[str, Point] = {}
    along_m = Fraction(0)
    for hall in place.hall_ids:
        across_m = Fraction(0)
        lineups = [lineup for lineup in place.lineups if lineup.hall_id == hall]
        for block_id, members in place.blocks.items():
            if members[0].hall_id == hall:
                across_m = _add_block(members, block_id, Point(along_m, across_m), first_rack, leaves)
        pitch_m |= {row: lineup.template.rows.pitch for lineup in lineups for row in lineup.row_ids}
        along_m += max(_length_m(lineup) + lineup.template.rows.aisles for lineup in lineups)
    return FloorPlan(first_rack, pitch_m, leaves, Point(along_m / 2, Fraction(0)))


def _add_block(
    lineups: Sequence[Lineup], block_id: str, corner: Point, first_rack: dict[str, Point], leaves: dict[str, Point]
) -> Fraction:
    """Place a block's rows, with its network rows after half of them; returns how far across it ends, in m."""
    n_rows = sum(len(lineup.row_ids) for lineup in lineups)
    across_m, n_placed = corner.across_m, 0
    for lineup in lineups:
        rows = lineup.template.rows
        for row in lineup.row_ids:
            if n_placed == n_rows // 2:
                room_m = _network_rows(lineups[0]) * (rows.depth + rows.aisles)
                leaves[block_id] = Point(corner.along_m + _length_m(lineups[0]) / 2, across_m + room_m / 2)
                across_m += room_m
            first_rack[row] = Point(corner.along_m + rows.pitch / 2, across_m + (rows.depth + rows.aisles) / 2)
            across_m += rows.depth + rows.aisles
            n_placed += 1
    return across_m


def _network_rows(lineup: Lineup) -> int:
    """Rows of network racks that a block's support places fill."""
    return -(-lineup.template.fabric.support_positions // lineup.template.rows.positions)


def _length_m(lineup: Lineup) -> Fraction:
    return lineup.template.rows.positions * lineup.template.rows.pitch
