"""Which configuration may stand in which row, and from when (section 5 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from planner.verify.openings import not_before
from planner.verify.refresh import spells_of
from sites.schema.failures import MAINTENANCE

if TYPE_CHECKING:
    from planner.verify.limits import SiteLimits
    from planner.verify.refresh import Change, Spell
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile


@dataclass(frozen=True)
class Eligibility:
    """The rule for the rows of one site."""

    limits: SiteLimits
    portfolio: PortfolioFile
    catalog: Catalog
    periods: tuple[str, ...]
    _first: dict[tuple[str, str], int | None] = field(default_factory=dict)
    _drops: dict[tuple[str, int], list[str]] = field(default_factory=dict)

    def first_period(self, row: str, configuration: str) -> int | None:
        """First decision period in which one rack may stand; None when it never may."""
        key = (row, configuration)
        if key not in self._first:
            self._first[key] = self._first_period(row, configuration)
        return self._first[key]

    @cached_property
    def spells(self) -> dict[str, Spell]:
        """Configurations of refreshes by name."""
        return spells_of(self.portfolio, self.catalog, len(self.periods))

    def may_stand(self, row: str, configuration: str, period: int) -> bool:
        """Whether one rack may stand in a period."""
        first, spell = self.first_period(row, configuration), self.spells.get(configuration)
        return first is not None and first <= period and (spell is None or period < spell.end)

    def changes_to_nothing(self, row: str, change: Change) -> str | None:
        """Why a row cannot be refreshed so, in words; None when it can."""
        refresh = change.refresh
        old, new = (self._first_of(row, system) for system in (refresh.before, refresh.after))
        if old is None or new is None:
            return "one of its systems may never stand in the row"
        if old >= change.leaves:
            return f"'{refresh.before}' may not stand there before {change.quarter}"
        if new > change.stands:
            return f"'{refresh.after}' may not stand there yet in {self.periods[change.stands]}"
        if delivered(self.portfolio, refresh.after, change.quarter) < 1:
            return f"no rack of '{refresh.after}' is delivered by {change.quarter}"
        fits = self.limits.fits
        if fits.conversion(row, refresh.before) != fits.conversion(row, refresh.after):
            return "its systems ask for the row in different states"
        return None

    def _first_of(self, row: str, system: str) -> int | None:
        own = [name for name in self.portfolio.configurations if self.catalog.configuration(name).system.name == system]
        found = [first for name in own if (first := self.first_period(row, name)) is not None]
        return min(found, default=None)

    def _first_of_spell(self, row: str, spell: Spell) -> int | None:
        if self.changes_to_nothing(row, spell.change) is not None:
            return None
        if spell.configuration is None:
            return spell.begin
        first = self.first_period(row, spell.configuration)
        return None if first is None else max(first, spell.begin)

    def _first_period(self, row: str, configuration: str) -> int | None:
        if configuration in self.spells:
            return self._first_of_spell(row, self.spells[configuration])
        if self.refusal(row, configuration) is not None:
            return None
        system = self.catalog.configuration(configuration).system.name
        first = None
        for period, quarter in reversed(list(enumerate(self.periods))):
            if not self.limits.exists(row, quarter) or self.forbidden_drops(row, quarter):
                break
            if delivered(self.portfolio, system, quarter) >= 1:
                first = period
        return self._converted(row, system, self._opened(row, first))

    def _opened(self, row: str, first: int | None) -> int | None:
        """The first period in which its building may be open, too."""
        if first is None:
            return None
        building = str(self.limits.graphs.containment.nodes[row]["building_id"])
        later = max(first, not_before(self.portfolio, self.limits.graphs.site.name, building))
        return later if later < len(self.periods) else None

    def _converted(self, row: str, system: str, first: int | None) -> int | None:
        """The first period once the row is converted for the system, if it must be."""
        conversion = self.limits.fits.conversion(row, system)
        if first is None or conversion is None:
            return first
        later = first + conversion.quarters
        return later if later < len(self.periods) else None

    def refusal(self, row: str, configuration: str) -> str | None:
        """Why a configuration can never stand in a row, dates and failures aside; None when it can."""
        return self.limits.fits.refusal(row, configuration)

    def reason(self, row: str, configuration: str, quarter: str) -> str:
        """Why a configuration may not stand in a row in a quarter, in words."""
        if configuration in self.spells:
            spell = self.spells[configuration]
            return self.changes_to_nothing(row, spell.change) or f"it lasts until {self.periods[spell.end - 1]}"
        refusal = self.refusal(row, configuration)
        if refusal is not None:
            return refusal
        if not self.limits.exists(row, quarter):
            return f"the row does not stand in {quarter}"
        drops = self.forbidden_drops(row, quarter)
        if drops:
            return drops[0] + (f", and {len(drops) - 1} more" if len(drops) > 1 else "")
        system = self.catalog.configuration(configuration).system.name
        building = str(self.limits.graphs.containment.nodes[row]["building_id"])
        if not_before(self.portfolio, self.limits.graphs.site.name, building) > self.periods.index(quarter):
            return f"building '{building}' may not be opened yet in {quarter}"
        conversion = self.limits.fits.conversion(row, system)
        if conversion is not None:
            return f"its conversion '{conversion.name}' takes {conversion.quarters} quarters"
        return f"no rack of '{system}' is delivered by {quarter}, or the row falls out later"

    def forbidden_drops(self, row: str, quarter: str) -> list[str]:
        """Failures of what is in service that stop the row against its availability class, in words."""
        key = (row, self.limits.states.epoch(quarter))
        if key not in self._drops:
            self._drops[key] = [self._drop_words(row, *key[1:], failed) for failed in self.forbidden(*key)]
        return self._drops[key]

    def forbidden(self, row: str, epoch: int) -> list[int]:
        """Failures that stop the row against its class, by number.

        A planned outage must not stop it, whatever its class permits otherwise; nor must a failure beside one that
        alone would not, if the class asks for maintenance.
        """
        states, fields = self.limits.states, self.limits.graphs.containment.nodes[row]
        maintenance = {str(kind) for kind in fields["maintenance"]}
        allowed = {str(kind) for kind in fields["may_drop_on"]} - maintenance
        if fields["may_drop_in_maintenance"] or not maintenance:
            allowed.add(MAINTENANCE)
        stopping = states.dropping(epoch).get(row, ())
        return [failed for failed in stopping if states.contingencies.kind(failed) not in allowed]

    def _drop_words(self, row: str, epoch: int, failed: int) -> str:
        states, fields = self.limits.states, self.limits.graphs.containment.nodes[row]
        name, kind = states.contingencies.name(failed), states.contingencies.kind(failed)
        planned = kind in {str(one) for one in fields["maintenance"]}
        event = f"the planned outage of {name}" if planned else f"the failure of {name} ({kind})"
        if row in states.cut_rows(epoch, failed):
            cause = "cuts the row off"
        else:
            stopped = states.consequences(epoch, failed).failed
            cause = f"stops {', '.join(name for name, rows in stopped.items() if row in rows)}"
        return f"{event} {cause}, which class '{fields['availability_class']}' does not permit"


def delivered(portfolio: PortfolioFile, system: str, quarter: str) -> int:
    """Racks of a system delivered up to a quarter."""
    return sum(
        delivery.racks
        for supply in portfolio.supply
        if supply.system == system
        for delivery in supply.deliveries
        if delivery.quarter <= quarter
    )
