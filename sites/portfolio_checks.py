"""A portfolio against its sites and the catalogue: every name resolves, every configuration can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.book_checks import book_faults
from sites.calendar import quarter_index, quarter_name
from sites.nearest import unknown
from sites.objective_checks import objective_faults
from sites.opening_checks import opening_faults
from sites.refresh_checks import refresh_findings
from sites.supply import capacity_steps
from sites.terms_checks import terms_findings
from sites.workload_checks import money_findings, workload_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from sites.catalog.loader import Catalog
    from sites.explain import Step
    from sites.faults import Fault
    from sites.loading import Document
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.site import SiteFile
    from sites.supply import WattSteps


def portfolio_faults(
    portfolio: Document[PortfolioFile], sites: Sequence[Document[SiteFile] | None], catalog: Catalog
) -> list[Fault]:
    """Every fault of a portfolio that shows only beside its sites and the catalogue.

    Parameters: sites, in order of the portfolio, None where one could not be loaded.
    """
    found = [document.value for document in sites if document is not None]
    refreshes = refresh_findings(portfolio.value, catalog, decision_periods(portfolio.value))
    return [
        *_site_faults(portfolio, sites),
        *_configuration_faults(portfolio, catalog),
        *_supply_faults(portfolio, catalog),
        *_money_faults(portfolio, catalog),
        *_date_faults(portfolio),
        *objective_faults(portfolio, catalog, decision_periods(portfolio.value)),
        *book_faults(portfolio, catalog),
        *opening_faults(portfolio, sites),
        *(portfolio.fault(message, *path) for message, path in unmodelled(portfolio.value, found)),
        *(portfolio.fault(message, *path) for message, path in _work_findings(portfolio.value, found, catalog)),
        *(portfolio.fault(message, *path) for message, path in refreshes),
    ]


def unmodelled(portfolio: PortfolioFile, sites: Sequence[SiteFile]) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """What may be asked for but is not modelled, as a message and the keys of the portfolio that decide it.

    Racks cannot leave after the last decision and do not retire before it: a capacity that falls later, or a life that
    ends earlier, is refused.
    """
    n_decided = decision_periods(portfolio)
    life = portfolio.money.economic_life_quarters
    if life < n_decided:
        message = (
            f"found {life} quarters, but decisions run over {n_decided}; retirement within the horizon is not "
            f"modelled, so give at least {n_decided} quarters or an earlier 'decisions_until'"
        )
        yield message, ("money", "economic_life_quarters")
    last = quarter_index(portfolio.start) + n_decided - 1
    dated = {"the envelope": tuple((step.start, step.capacity) for step in portfolio.envelope.steps)}
    dated |= {f"the supply of site '{site.name}'": capacity_steps(site) for site in sites}
    for what, steps in dated.items():
        for start, capacity_w in _falling(steps, last):
            message = (
                f"{what} falls to {float(capacity_w):,.0f} W in {start}, after the last decision in "
                f"{quarter_name(last)}, when no rack can leave any more; move 'decisions_until' past it or keep the "
                "capacity"
            )
            yield message, ("decisions_until",)


def _work_findings(
    portfolio: PortfolioFile, sites: Sequence[SiteFile], catalog: Catalog
) -> Iterator[tuple[str, tuple[Step, ...]]]:
    yield from money_findings(portfolio)
    names = [site.name for site in sites] if len(sites) == len(portfolio.sites) else None
    yield from workload_findings(portfolio, names, catalog, decision_periods(portfolio))
    yield from terms_findings(portfolio, names, catalog, decision_periods(portfolio))


def _falling(steps: WattSteps, last_idx: int) -> Iterator[tuple[str, Fraction]]:
    """Steps after a quarter that lie below the capacity of that quarter."""
    held = [capacity_w for start, capacity_w in steps if quarter_index(start) <= last_idx]
    for start, capacity_w in steps:
        if quarter_index(start) > last_idx and held and capacity_w < held[-1]:
            yield start, capacity_w


def decision_periods(portfolio: PortfolioFile) -> int:
    """How many quarters the plan decides: all, or those to `decisions_until`."""
    if portfolio.decisions_until is None:
        return portfolio.periods
    to_last = quarter_index(portfolio.decisions_until) - quarter_index(portfolio.start) + 1
    return min(portfolio.periods, to_last)


def _site_faults(portfolio: Document[PortfolioFile], sites: Sequence[Document[SiteFile] | None]) -> Iterator[Fault]:
    """Each site once, and only buildings that it has and offers."""
    seen: set[str] = set()
    for index, (entry, document) in enumerate(zip(portfolio.value.sites, sites, strict=True)):
        if document is None:
            continue
        site = document.value
        if site.name in seen:
            message = f"site '{site.name}' stands in the portfolio a second time; name all its buildings in one entry"
            yield portfolio.fault(message, "sites", index, "site")
        seen.add(site.name)
        offered = {building.name: building.available for building in site.buildings}
        names = entry.buildings or ()
        for position, name in enumerate(names):
            path = ("sites", index, "buildings", position)
            if name not in offered:
                yield portfolio.fault(f"site '{site.name}': {unknown('building', name, offered)}", *path)
            elif not offered[name]:
                message = f"building '{name}' of site '{site.name}' is marked as not available; remove it here"
                yield portfolio.fault(message, *path)
            elif name in names[:position]:
                yield portfolio.fault(f"building '{name}' stands here a second time; remove one", *path)
        if entry.buildings == ():  # a site without any available building is for the planner to find infeasible
            message = f"no building of site '{site.name}' is ours to fill; name one, or remove the site"
            yield portfolio.fault(message, "sites", index)


def _configuration_faults(portfolio: Document[PortfolioFile], catalog: Catalog) -> Iterator[Fault]:
    """Each configuration once, known, enabled and with a supply entry."""
    names = portfolio.value.configurations
    supplied = {supply.system for supply in portfolio.value.supply}
    for index, name in enumerate(names):
        path = ("configurations", index)
        try:
            configuration = catalog.configuration(name)
        except KeyError as error:
            yield portfolio.fault(str(error.args[0]), *path)
            continue
        if name in names[:index]:
            yield portfolio.fault(f"configuration '{name}' stands here a second time; remove one", *path)
        if configuration.disabled_reason is not None:
            message = f"configuration '{name}' cannot be planned: {configuration.disabled_reason}; remove it here"
            yield portfolio.fault(message, *path)
        system = configuration.system.name
        if system not in supplied:
            message = f"'supply' has no entry for system '{system}'; add its deliveries, or remove this configuration"
            yield portfolio.fault(message, *path)


def _supply_faults(portfolio: Document[PortfolioFile], catalog: Catalog) -> Iterator[Fault]:
    systems = [supply.system for supply in portfolio.value.supply]
    yield from _system_faults(portfolio, systems, "supply", (), catalog)


def _money_faults(portfolio: Document[PortfolioFile], catalog: Catalog) -> Iterator[Fault]:
    systems = [money.system for money in portfolio.value.money.systems]
    yield from _system_faults(portfolio, systems, "money", ("systems",), catalog)


def _system_faults(
    portfolio: Document[PortfolioFile], systems: Sequence[str], top: str, below: tuple[str, ...], catalog: Catalog
) -> Iterator[Fault]:
    """Each system of a list is in the catalogue and stands there once."""
    for index, system in enumerate(systems):
        path: tuple[Step, ...] = (top, *below, index, "system")
        if system not in catalog.rack_systems:
            yield portfolio.fault(unknown("rack system", system, catalog.rack_systems), *path)
        elif system in systems[:index]:
            yield portfolio.fault(f"system '{system}' stands here a second time; join the entries", *path)


def _date_faults(portfolio: Document[PortfolioFile]) -> Iterator[Fault]:
    """The last decision lies in the plan, and the envelope covers it from its first quarter."""
    value = portfolio.value
    first = quarter_index(value.start)
    last = first + value.periods - 1
    if value.decisions_until is not None and not first <= quarter_index(value.decisions_until) <= last:
        message = f"found {value.decisions_until}; a quarter from {value.start} to {quarter_name(last)} is allowed"
        yield portfolio.fault(message, "decisions_until")
    begins = value.envelope.steps[0].start
    if quarter_index(begins) > first:
        message = f"the first step begins in {begins}, after the plan's start {value.start}; add a step for the start"
        yield portfolio.fault(message, "envelope", "steps", 0, "start")
