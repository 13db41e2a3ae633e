"""Limits over all sites, and any limit by its public name."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING

from planner.verify.eligibility import delivered
from planner.verify.limits import ONE, Terms
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.limits import SiteLimits
    from sites.schema.portfolio import PortfolioFile

JOINT = "*"


@dataclass
class AllLimits:
    """Every limit of the portfolio; rows are named `site:row`, and terms are kept by name and period."""

    portfolio: PortfolioFile
    sites: Mapping[str, SiteLimits]
    _known: dict[tuple[str, str], Terms | None] = field(default_factory=dict)

    def terms(self, name: str, quarter: str) -> Terms | None:
        """One limit in a period, or None where it does not exist; raises KeyError for an unknown name."""
        key = (name, quarter)
        if key not in self._known:
            self._known[key] = self._build(name, quarter)
        return self._known[key]

    def _build(self, name: str, quarter: str) -> Terms | None:
        site, family, element, detail = split_limit(name)
        if site == JOINT:
            return self._joint(family, element, quarter)
        terms = self.sites[site].terms(family, element, detail, quarter)
        if terms is None:
            return None
        return Terms({f"{site}:{row}": kinds for row, kinds in terms.rows.items()}, terms.capacity)

    def joint_names(self) -> list[str]:
        """Names of the limits over all sites."""
        names = [f"{JOINT}:envelope:{self.portfolio.envelope.basis}"]
        names += [f"{JOINT}:supply:{supply.system}" for supply in self.portfolio.supply]
        if self.portfolio.money.rack_budget is not None:
            names.append(f"{JOINT}:budget:racks")
        return names

    def _joint(self, family: str, element: str, quarter: str) -> Terms | None:
        if f"{JOINT}:{family}:{element}" not in self.joint_names():
            msg = f"the portfolio has no joint limit '{family}:{element}'"
            raise KeyError(msg)
        if family == "envelope":
            return self._envelope(element, quarter)
        if family == "supply":
            capacity = delivered(self.portfolio, element, quarter)
            return Terms(self._every_row(f"rack:{element}"), capacity * ONE)
        return Terms(self._every_row("cent"), floor(100 * (self.portfolio.money.rack_budget or 0)) * ONE)

    def _every_row(self, kind: str) -> dict[str, dict[str, int]]:
        return {f"{site}:{row}": {kind: ONE} for site, limits in self.sites.items() for row in limits.rows}

    def _envelope(self, basis: str, quarter: str) -> Terms:
        """What the plan places at all sites together, at the meter or as the racks' own power."""
        now = quarter_index(quarter)
        started = [step.capacity for step in self.portfolio.envelope.steps if quarter_index(step.start) <= now]
        rows: dict[str, dict[str, int]] = {}
        for site, limits in self.sites.items():
            if basis == "meter":
                meter = limits.terms("meter", "service", None, quarter)
                own = {} if meter is None else {row: dict(kinds) for row, kinds in meter.rows.items()}
            else:
                own = {row: {"it_w": ONE} for row in limits.rows if limits.exists(row, quarter)}
            rows.update({f"{site}:{row}": kinds for row, kinds in own.items()})
        return Terms(rows, floor(started[-1] if started else 0) * ONE)


def split_limit(name: str) -> tuple[str, str, str, str | None]:
    """Site, family, element and detail of `site:family:element[:detail]`; raises KeyError for anything else."""
    parts = name.split(":")
    if len(parts) not in {3, 4}:
        msg = f"'{name}' is not 'site:family:element' or 'site:family:element:detail'"
        raise KeyError(msg)
    return parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else None
