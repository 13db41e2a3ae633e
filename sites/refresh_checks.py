"""Refreshes against the rest of a portfolio and the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.calendar import quarter_index, quarter_name
from sites.nearest import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.catalog.loader import Catalog
    from sites.explain import Step
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.refresh import Refresh

Found = tuple[str, tuple["Step", ...]]
"""A message and the keys of the portfolio that it is about."""


def refresh_findings(portfolio: PortfolioFile, catalog: Catalog, n_decided: int) -> Iterator[Found]:
    """Everything that refreshes ask for and cannot have.

    Parameters: n_decided, decision quarters.
    """
    seen: set[tuple[str, str]] = set()
    for index, refresh in enumerate(portfolio.refresh):
        for message, path in _of_one(portfolio, refresh, catalog, n_decided):
            yield message, ("refresh", index, *path)
        if (refresh.before, refresh.after) in seen:
            message = f"'{refresh.before}' to '{refresh.after}' stands here a second time; join the entries"
            yield message, ("refresh", index)
        seen.add((refresh.before, refresh.after))


def _of_one(portfolio: PortfolioFile, refresh: Refresh, catalog: Catalog, n_decided: int) -> Iterator[Found]:
    offered = _systems(portfolio, catalog)
    for key in ("before", "after"):
        system = getattr(refresh, key)
        if system not in catalog.rack_systems:
            yield unknown("rack system", system, catalog.rack_systems), (key,)
        elif system not in offered:
            message = f"no configuration of '{system}' is on offer; add one to 'configurations', or remove this refresh"
            yield message, (key,)
    if refresh.before == refresh.after:
        yield f"found '{refresh.after}' twice; a refresh goes from one system to another", ("after",)
    first = quarter_index(portfolio.start)
    last = first + n_decided - 1 - refresh.downtime_quarters
    for position, quarter in enumerate(refresh.quarters):
        if not first < quarter_index(quarter) <= last:
            allowed = (
                f"a quarter from {quarter_name(first + 1)} to {quarter_name(last)} is allowed"
                if last > first
                else "no quarter is left"
            )
            message = (
                f"found {quarter}; {allowed}, so that the old racks stand for a quarter at the least and the new ones "
                f"stand in the last decision quarter after {refresh.downtime_quarters} quarters down"
            )
            yield message, ("quarters", position)


def _systems(portfolio: PortfolioFile, catalog: Catalog) -> set[str]:
    """Systems on offer; configurations that the catalogue does not know are faults elsewhere."""
    found = set()
    for name in portfolio.configurations:
        try:
            found.add(catalog.configuration(name).system.name)
        except KeyError:
            continue
    return found
