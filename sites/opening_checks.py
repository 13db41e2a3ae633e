"""Openings against the sites of their portfolio: known buildings of ours, each in one opening at the most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.nearest import unknown
from sites.schema.objective import is_net_present_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sites.faults import Fault
    from sites.loading import Document
    from sites.schema.portfolio import Opening, PortfolioFile
    from sites.schema.site import SiteFile


def opening_faults(portfolio: Document[PortfolioFile], sites: Sequence[Document[SiteFile] | None]) -> Iterator[Fault]:
    """Every fault of the openings that shows only beside the sites.

    Parameters: sites, in order of the portfolio, None where one could not be loaded.
    """
    value = portfolio.value
    if value.openings and value.objective is not None and not is_net_present_value(value.objective):
        message = "openings are weighed in money alone: give the objective 'npv' or none, or remove 'openings'"
        yield portfolio.fault(message, "objective")
    ours = _ours(value, sites)
    taken: dict[tuple[str, str], str] = {}
    names: set[str] = set()
    for index, opening in enumerate(value.openings):
        if opening.name in names:
            yield portfolio.fault(f"opening '{opening.name}' stands here a second time", "openings", index, "name")
        names.add(opening.name)
        if opening.cost == 0 and opening.earliest is None:
            message = "an opening that costs nothing and may come at once changes nothing; remove it"
            yield portfolio.fault(message, "openings", index)
        if opening.site not in ours:
            if None not in sites:
                message = unknown("site of the portfolio", opening.site, ours)
                yield portfolio.fault(message, "openings", index, "site")
            continue
        for path, message in _building_faults(opening, ours[opening.site], taken):
            yield portfolio.fault(message, "openings", index, *path)


def opened_buildings(opening: Opening, ours: Sequence[str]) -> tuple[str, ...]:
    """Buildings that an opening opens: those that it names, or all that are ours."""
    return tuple(ours) if opening.buildings is None else opening.buildings


def _ours(portfolio: PortfolioFile, sites: Sequence[Document[SiteFile] | None]) -> dict[str, tuple[str, ...]]:
    """Buildings that the plan may fill, by site."""
    pairs = zip(portfolio.sites, sites, strict=True)
    return {
        document.value.name: entry.buildings or tuple(one.name for one in document.value.buildings if one.available)
        for entry, document in pairs
        if document is not None
    }


def _building_faults(
    opening: Opening, ours: Sequence[str], taken: dict[tuple[str, str], str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for position, building in enumerate(opened_buildings(opening, ours)):
        path = ("site",) if opening.buildings is None else ("buildings", position)
        key = (opening.site, building)
        if building not in ours:
            yield path, f"site '{opening.site}': {unknown('building of ours', building, ours)}"
        elif key in taken:
            message = f"building '{building}' of site '{opening.site}' is opened by '{taken[key]}' already"
            yield path, f"{message}; each building is in one opening at the most"
        taken.setdefault(key, opening.name)
