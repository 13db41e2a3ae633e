"""Limits over all sites, and any limit by its public name."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING

from planner.verify.eligibility import delivered
from planner.verify.terms import ONE, Terms
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.limits import SiteLimits
    from sites.schema.portfolio import PortfolioFile

JOINT = "*"
_IT_W = {"it_w": ONE}
_BY_QUARTER = frozenset({"meter", "landing", "swing"})
"""Families of a site whose limits change from quarter to quarter; the others do so with what is in service."""


@dataclass
class AllLimits:
    """Every limit of the portfolio; rows are named `site:row`, and terms are kept by name and period."""

    portfolio: PortfolioFile
    sites: Mapping[str, SiteLimits]
    _known: dict[tuple[str, str], Terms | None] = field(default_factory=dict)
    _by_epoch: dict[tuple[str, int], Terms | None] = field(default_factory=dict)
    _named: dict[tuple[str, int], tuple[Mapping[str, Mapping[str, int]], Mapping[str, Mapping[str, int]]]] = field(
        default_factory=dict
    )
    """By site and the identity of rows of a limit there: these rows, and the same as `site:row`."""
    _rows_of_kind: dict[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)

    def terms(self, name: str, quarter: str) -> Terms | None:
        """One limit in a period, or None where it does not exist; raises KeyError for an unknown name."""
        key = (name, quarter)
        if key not in self._known:
            self._known[key] = self._build(name, quarter)
        return self._known[key]

    def _build(self, name: str, quarter: str) -> Terms | None:
        site, family, element, details = split_limit(name)
        if site == JOINT:
            return self._joint(":".join((family, element, *details)), quarter)
        if family in _BY_QUARTER:
            return self._own(site, family, element, details, quarter)
        key = (name, self.sites[site].states.epoch(quarter))
        if key not in self._by_epoch:
            self._by_epoch[key] = self._own(site, family, element, details, quarter)
        return self._by_epoch[key]

    def _own(self, site: str, family: str, element: str, details: tuple[str, ...], quarter: str) -> Terms | None:
        """A limit of one site; rows that several limits share stay one object."""
        terms = self.sites[site].terms(family, element, details, quarter)
        if terms is None:
            return None
        key = (site, id(terms.rows))
        if key not in self._named:
            self._named[key] = terms.rows, {f"{site}:{row}": kinds for row, kinds in terms.rows.items()}
        return Terms(self._named[key][1], terms.capacity)

    def site_names(self, quarter: str | None) -> list[str]:
        """Names of the limits of every site but its power limits: those without failure, or under failures in a period.

        Parameters: quarter, of failures; None: without failure.
        """
        return [
            limit_name(site, *parts)
            for site, limits in self.sites.items()
            for parts in (limits.names() if quarter is None else limits.names_after_failures(quarter))
        ]

    def joint_names(self) -> list[str]:
        """Names of the limits over all sites."""
        names = [f"{JOINT}:envelope:{self.portfolio.envelope.basis}"]
        names += [f"{JOINT}:supply:{supply.system}" for supply in self.portfolio.supply]
        if self.portfolio.money.rack_budget is not None:
            names.append(f"{JOINT}:budget:racks")
        return names

    def _joint(self, limit: str, quarter: str) -> Terms | None:
        if f"{JOINT}:{limit}" not in self.joint_names():
            msg = f"the portfolio has no joint limit '{limit}'"
            raise KeyError(msg)
        family, _, element = limit.partition(":")
        if family == "envelope":
            return self._envelope(element, quarter)
        if family == "supply":
            capacity = delivered(self.portfolio, element, quarter)
            return Terms(self._every_row(f"delivered:{element}"), capacity * ONE)
        return Terms(self._every_row("usd"), floor(self.portfolio.money.rack_budget or 0) * ONE)

    def _every_row(self, kind: str) -> Mapping[str, Mapping[str, int]]:
        """Every row of every site with one of a kind for each rack; made once, as portfolios have many rows."""
        if kind not in self._rows_of_kind:
            one = {kind: ONE}
            self._rows_of_kind[kind] = {f"{site}:{row}": one for site, own in self.sites.items() for row in own.rows}
        return self._rows_of_kind[kind]

    def _envelope(self, basis: str, quarter: str) -> Terms:
        """What the plan places at all sites together, at the meter or as the racks' own power."""
        now = quarter_index(quarter)
        started = [step.capacity for step in self.portfolio.envelope.steps if quarter_index(step.start) <= now]
        rows: dict[str, Mapping[str, int]] = {}
        for site, limits in self.sites.items():
            own: Mapping[str, Mapping[str, int]]
            if basis == "meter":
                meter = limits.terms("meter", "service", (), quarter)
                own = {} if meter is None else meter.rows
            else:
                own = {row: _IT_W for row in limits.rows if limits.exists(row, quarter)}
            rows.update({f"{site}:{row}": kinds for row, kinds in own.items()})
        return Terms(rows, floor(started[-1] if started else 0) * ONE)


def split_limit(name: str) -> tuple[str, str, str, tuple[str, ...]]:
    """Site, family, element and details of `site:family:element[:detail[:before]]`; raises KeyError for others."""
    site, *parts = name.split(":")
    if not 2 <= len(parts) <= 4:
        msg = f"'{name}' is not 'site:family:element' with a failure or a kind of port and 'before' after it at most"
        raise KeyError(msg)
    return site, parts[0], parts[1], tuple(parts[2:])


def limit_name(site: str, family: str, element: str, details: tuple[str, ...]) -> str:
    """The public name of a limit of a site."""
    return ":".join((site, family, element, *details))
