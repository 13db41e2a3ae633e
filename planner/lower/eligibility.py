"""From which period on a configuration may stand in a row, or why it never may (section 5 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.lower.joint_limits import delivered_racks
from planner.lower.mismatch import Mismatch
from planner.lower.openings import earliest_period, opening_of
from planner.lower.row_figures import RowFigures, figures_as_it_stands, figures_converted
from planner.lower.stops import forbidden_stops, stops_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.lower.hosts import Offer
    from planner.lower.site import LoweredSite
    from sites.schema.lineup import Conversion
    from sites.schema.portfolio import PortfolioFile


@dataclass(frozen=True)
class Verdict:
    """First decision period of a configuration in a row, or the reason why there is none."""

    first_period: int | None
    reason: str | None
    fits: bool = False
    """Whether the row offers what the configuration needs, whenever it may stand there."""
    conversion: Conversion | None = None
    """What must be converted in the row for it."""


@dataclass(frozen=True)
class Place:
    """What a row offers each configuration, whatever is delivered."""

    first_period: int | None
    """Of the row, whatever is to stand there."""
    reason: str
    """Why it has none."""
    fits: tuple[tuple[str | None, Conversion | None], ...] = ()
    """By configuration what it needs and the row does not offer, and what must be converted for it."""


class SiteEligibility:
    """What every row of one site offers; nothing here depends on what is delivered."""

    def __init__(self, site: LoweredSite, offer: Offer, portfolio: PortfolioFile) -> None:
        """Prepare; the portfolio says when buildings open and what work racks do."""
        self._site, self._offer, self._portfolio = site, offer, portfolio
        self._mismatch = Mismatch(site, offer, portfolio)
        self._of_system = {
            system: tuple(k for k, one in enumerate(offer.configurations) if one.system.name == system)
            for system in offer.systems
        }

    def places(self) -> dict[str, Place]:
        """By row id; equal ones are one object."""
        known: dict[tuple[object, ...], Place] = {}
        found: dict[str, Place] = {}
        for row in self._site.rows:
            place = self._place(row)
            key = (place.first_period, place.reason, tuple((reason, id(change)) for reason, change in place.fits))
            found[row] = known.setdefault(key, place)
        return found

    def _place(self, row: str) -> Place:
        reason = self._not_ours(row)
        first, why = (None, reason) if reason else self._first_open(row, *self._first_standing(row))
        if first is None:
            return Place(None, why)
        chosen = {system: self._chosen(row, system) for system in self._offer.systems}
        fits = []
        for k, one in enumerate(self._offer.configurations):
            figures, conversion = chosen[one.system.name]
            fits.append((self._mismatch.reason(row, k, figures), conversion))
        return Place(first, why, tuple(fits))

    def _chosen(self, row: str, system: str) -> tuple[RowFigures, Conversion | None]:
        """What the row offers a system: as it stands, or by the first conversion under which some of it fits."""
        fields, configurations = self._site.rows[row], self._of_system[system]
        standing = figures_as_it_stands(fields)
        if not fields["conversions"] or any(self._mismatch.reason(row, k, standing) is None for k in configurations):
            return standing, None
        for number, conversion in enumerate(fields["conversions"]):
            figures = figures_converted(fields, number)
            if any(self._mismatch.reason(row, k, figures) is None for k in configurations):
                return figures, conversion
        return standing, None

    def _not_ours(self, row: str) -> str | None:
        fields = self._site.rows[row]
        building = fields["building_id"]
        if fields["occupied_racks"]:
            return f"the row is occupied by {fields['occupied_owner']}"
        if self._site.buildings is not None and building not in self._site.buildings:
            return f"building '{building}' is not among those that the portfolio may fill"
        if not fields["available"]:
            return f"building '{building}' is not available"
        return None

    def _first_open(self, row: str, first: int | None, why: str) -> tuple[int | None, str]:
        """First epoch in which the row stands and its building may be open."""
        opening = opening_of(self._portfolio, self._site.name, self._site.rows[row]["building_id"])
        earliest = earliest_period(opening, self._offer.periods)
        if first is None or opening is None or earliest <= first:
            return first, why
        if earliest >= len(self._offer.periods):
            return None, f"the opening '{opening.name}' may come only in {opening.earliest}, after the last decision"
        return earliest, why

    def _first_standing(self, row: str) -> tuple[int | None, str]:
        """First epoch in which the row exists and from which on no failure stops it outside its class."""
        fields = self._site.rows[row]
        reason = "the row comes into service after the last decision period, or something that it needs does"
        first: int | None = None
        for state in self._site.states:
            if row not in state.epoch.power:
                if first is not None:
                    first, reason = None, "the row loses a feed that is due by then: not all of its feeds are there"
                continue
            stops = forbidden_stops(state, row, fields)
            if stops:
                first = None
                reason = f"{stops_in_words(stops)}, which its class '{fields['availability_class']}' does not allow"
            elif first is None:
                first = state.epoch.first_period
        return first, reason


def verdicts_of(places: Mapping[str, Place], offer: Offer, portfolio: PortfolioFile) -> dict[str, tuple[Verdict, ...]]:
    """By row id, one verdict for each configuration on offer; like rows share theirs.

    Parameters: places of the rows; portfolio, whose supply says when each system first comes.
    """
    supplied = {system: _first_supplied(system, offer, portfolio) for system in offer.systems}
    known: dict[int, tuple[Verdict, ...]] = {}
    for place in places.values():
        if id(place) not in known:
            known[id(place)] = _verdicts(place, offer, supplied)
    return {row: known[id(place)] for row, place in places.items()}


def _first_supplied(system: str, offer: Offer, portfolio: PortfolioFile) -> int | None:
    arrived = (t for t, period in enumerate(offer.periods) if delivered_racks(portfolio, system, period) > 0)
    return next(arrived, None)


def _verdicts(place: Place, offer: Offer, supplied: Mapping[str, int | None]) -> tuple[Verdict, ...]:
    if place.first_period is None:
        return (Verdict(None, place.reason),) * len(offer.configurations)
    return tuple(
        _verdict(place.first_period, one.system.name, supplied[one.system.name], len(offer.periods), *fit)
        for one, fit in zip(offer.configurations, place.fits, strict=True)
    )


def _verdict(
    first: int, system: str, supplied: int | None, n_periods: int, reason: str | None, conversion: Conversion | None
) -> Verdict:
    """Of a configuration of a system in a row that is there from a first period on."""
    if reason is not None:
        return Verdict(None, reason)
    if supplied is None:
        reason = f"no rack of {system} is delivered by the last decision period"
        return Verdict(None, reason, fits=True, conversion=conversion)
    start = max(first, supplied) + (0 if conversion is None else conversion.quarters)
    if conversion is not None and start >= n_periods:
        reason = f"the conversion '{conversion.name}' would be done only after the last decision period"
        return Verdict(None, reason, fits=True, conversion=conversion)
    return Verdict(start, None, fits=True, conversion=conversion)
