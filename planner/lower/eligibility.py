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


class SiteEligibility:
    """Eligibility of every configuration in every row of one site."""

    def __init__(self, site: LoweredSite, offer: Offer, portfolio: PortfolioFile) -> None:
        """Prepare; supply is that of the portfolio."""
        self._site, self._offer, self._portfolio = site, offer, portfolio
        self._supplied = [self._first_supplied(one.system.name) for one in offer.configurations]
        self._mismatch = Mismatch(site, offer, portfolio)
        self._of_system = {
            system: tuple(k for k, one in enumerate(offer.configurations) if one.system.name == system)
            for system in offer.systems
        }

    def verdicts(self) -> dict[str, tuple[Verdict, ...]]:
        """By row id, one verdict for each configuration."""
        return {row: self._row_verdicts(row) for row in self._site.rows}

    def _row_verdicts(self, row: str) -> tuple[Verdict, ...]:
        reason = self._not_ours(row)
        first, why = (None, reason) if reason else self._first_open(row, *self._first_standing(row))
        if first is None:
            return (Verdict(None, why),) * len(self._offer.configurations)
        chosen = {system: self._chosen(row, system) for system in self._offer.systems}
        return tuple(
            self._verdict(row, k, first, *chosen[one.system.name]) for k, one in enumerate(self._offer.configurations)
        )

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

    def _verdict(self, row: str, k: int, first: int, figures: RowFigures, conversion: Conversion | None) -> Verdict:
        reason = self._mismatch.reason(row, k, figures)
        if reason is not None:
            return Verdict(None, reason)
        supplied = self._supplied[k]
        if supplied is None:
            system = self._offer.configurations[k].system.name
            reason = f"no rack of {system} is delivered by the last decision period"
            return Verdict(None, reason, fits=True, conversion=conversion)
        start = max(first, supplied) + (0 if conversion is None else conversion.quarters)
        if conversion is not None and start >= len(self._offer.periods):
            reason = f"the conversion '{conversion.name}' would be done only after the last decision period"
            return Verdict(None, reason, fits=True, conversion=conversion)
        return Verdict(start, None, fits=True, conversion=conversion)

    def _first_supplied(self, system: str) -> int | None:
        for t, period in enumerate(self._offer.periods):
            if delivered_racks(self._portfolio, system, period) > 0:
                return t
        return None

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
