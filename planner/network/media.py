"""Which cable goes where: lengths from the floor plan, media by their reach."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from sites.expansion.values import known
from sites.schema.media import OPTICAL_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from fractions import Fraction

    from sites.schema.media import Cabling, Medium


@dataclass(frozen=True)
class Cable:
    """Like cables of one medium and one length that is sold; `medium` is None where none reaches so far."""

    medium: Medium | None
    length_m: Fraction
    n_cables: int

    @property
    def n_optics(self) -> int:
        """Transceivers at their ends, counted at the speed of one port each."""
        return 2 * self.n_cables if self.medium is not None and self.medium.kind in OPTICAL_KINDS else 0

    @property
    def power_w(self) -> int:
        """What both ends of all of them draw, in whole W rounded up; 0 where no medium reaches."""
        if self.medium is None:
            return 0
        each_w = known(self.medium.power_per_end, f"medium '{self.medium.name}'", "power_per_end")
        return ceil(2 * self.n_cables * each_w)


def cable_length_m(way_m: Fraction, cabling: Cabling) -> Fraction:
    """The length that is bought for a way along and across the rows, in m.

    Twice the drop, the way times the route factor, and slack; rounded up to a length that is sold.
    """
    where = f"cabling '{cabling.name}'"
    length_m = (
        2 * known(cabling.drop, where, "drop")
        + way_m * known(cabling.route_factor, where, "route_factor")
        + known(cabling.slack, where, "slack")
    )
    longest_m = cabling.lengths[-1]
    return next((one for one in cabling.lengths if one >= length_m), longest_m * ceil(length_m / longest_m))


def medium_for(length_m: Fraction, port_kind: str, media: Iterable[Medium]) -> Medium | None:
    """The medium of shortest reach that carries so far between ports of this kind; None where none does."""
    fit = [
        (reach_m, medium.name, medium)
        for medium in media
        if port_kind in medium.port_kinds
        and (reach_m := known(medium.reach, f"medium '{medium.name}'", "reach")) >= length_m
    ]
    return min(fit)[2] if fit else None


def cables(
    links: Mapping[Fraction, int], port_kind: str, media: Iterable[Medium], cabling: Cabling
) -> tuple[Cable, ...]:
    """Links put together by the length that is bought for them, shortest first.

    Parameters: links, number of links by their way along and across the rows in m; port_kind of both ends; media and
    cabling of the catalogue.
    """
    known_media = tuple(media)
    by_length: dict[Fraction, int] = {}
    for way_m, n_links in links.items():
        if n_links:
            length_m = cable_length_m(way_m, cabling)
            by_length[length_m] = by_length.get(length_m, 0) + n_links
    return tuple(
        Cable(medium_for(length_m, port_kind, known_media), length_m, by_length[length_m])
        for length_m in sorted(by_length)
    )
