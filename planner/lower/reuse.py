"""Sites lowered once for many portfolios that differ in money, supply or envelope only.

Most of lowering is what can be said of a site alone. To be sure that a site may be reused, it is lowered from a world
that lacks all that may differ: prices, that of energy too, the envelope, contracts, supply. What it was lowered from is
then the key, and reading anything else raises AttributeError. Supply decides from when on racks may stand in a row,
which is worked out for every portfolio, and thereby which may ever do so: limits are kept by that.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from planner.lower.eligibility import SiteEligibility
from planner.lower.hosts import offer_of
from planner.lower.refresh import refreshes_of
from planner.lower.site import prepare
from planner.lower.site_table import limits_alone, site_verdicts, whenever
from sites.checks import require_sound
from sites.expansion import expand
from sites.schema.catalog import RackSystem
from sites.schema.common import Model
from sites.schema.portfolio import Money, PortfolioFile
from sites.schema.site import SiteFile

if TYPE_CHECKING:
    from planner.lower.eligibility import Place
    from planner.lower.refresh import Refreshes
    from planner.lower.site import LoweredSite
    from planner.lower.site_table import SiteTable, Verdicts
    from sites.catalog.loader import Catalog
    from sites.checks import Finding
    from sites.expansion.graphs import SiteGraphs
    from sites.world import World

M = TypeVar("M", bound=Model)
_SEEN = (
    "name", "start", "periods", "decisions_until", "configurations", "floors", "shares", "tranches", "refresh",
    "workloads", "openings",
)  # fmt: skip
"""Keys of a portfolio that a site alone depends on, beside the kind of work of its money."""
_UNSEEN_OF_SYSTEMS = frozenset({"price", "network_price", "rental"})
_UNSEEN_OF_SITES = frozenset({"energy_price", "energy_price_provenance"})
_UNSEEN_FILES = frozenset({"catalog/rack_systems.yaml", "catalog/economics.yaml", "catalog/throughput.yaml"})
"""Files of the catalogue whose content a key takes from what is seen of it, or not at all."""
_TABLES_KEPT = 6
"""Of each site, for portfolios whose systems come so late that other racks may ever stand."""


@dataclass
class _Known:
    """What has been worked out of one site."""

    graphs: SiteGraphs
    findings: tuple[Finding, ...] | None = None
    """Warnings of the checks on its graphs, once these have been made."""
    site: LoweredSite | None = None
    places: dict[str, Place] = field(default_factory=dict)
    tables: list[tuple[Verdicts, SiteTable]] = field(default_factory=list)
    """Limits by which racks may ever stand where."""


class KnownSites:
    """Lowered sites by all that they were lowered from, the latest ones kept."""

    def __init__(self, n_kept: int = 12) -> None:
        """Parameters: n_kept, sites to keep, or as many as a world has; one alone may take some hundred megabytes."""
        self._n_kept = n_kept
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self.n_made = 0
        """Sites whose limits have been worked out."""

    def clear(self) -> None:
        """Let go of all of them."""
        self._known.clear()

    def sound(self, world: World, number: int) -> tuple[Finding, ...]:
        """Warnings of the checks on the graphs of a site of a world; raises InputError with every error."""
        known = self._found(seen_of_sites(world), number)
        if known.findings is None:
            known.findings = tuple(require_sound(known.graphs))
        return known.findings

    def of(self, world: World, number: int) -> tuple[LoweredSite, SiteTable]:
        """A site of a world, lowered now or before, and what it adds to the problem.

        Parameters: number, of the site. Raises InputError as lowering does.
        """
        seen = seen_of_sites(world)
        offer = offer_of(seen.portfolio, seen.catalog)
        refreshes = refreshes_of(seen.portfolio, offer)
        known = self._found(seen, number)
        if known.site is None:
            site = prepare(seen.sites[number], seen.catalog, offer.periods, known.graphs)
            known.places = SiteEligibility(site, offer, seen.portfolio).places()
            known.site = site
        verdicts = site_verdicts(known.places, refreshes, world.portfolio)
        table = self._table(known, known.site, seen, refreshes, whenever(verdicts))
        graphs = replace(known.graphs, site=world.sites[number].site, catalog=world.catalog)
        return replace(known.site, graphs=graphs), replace(table, verdicts=verdicts)

    def _found(self, seen: World, number: int) -> _Known:
        key = _key(seen, number)
        if key not in self._known:
            # Before the next is made, so that they never lie side by side; all of a world's own may stay.
            while len(self._known) >= max(self._n_kept, len(seen.sites)):
                self._known.popitem(last=False)
            self._known[key] = _Known(expand(seen.sites[number].site, seen.catalog))
        self._known.move_to_end(key)
        return self._known[key]

    def _table(self, known: _Known, site: LoweredSite, seen: World, refreshes: Refreshes, ever: Verdicts) -> SiteTable:
        """The limits of a site where racks may ever stand so, worked out now or before."""
        for own, table in known.tables:
            if own == ever:
                if table.refused is not None:
                    table.refused.with_traceback(None)  # frames of another plan, and all that they hold
                return table
        table = limits_alone(seen, refreshes, site, ever)
        self.n_made += 1
        if len(seen.sites) > 1:
            site.forget()  # what failures change is large, and there are many
        known.tables = [*known.tables[1 - _TABLES_KEPT :], (ever, table)]
        return table


def sites_key(world: World) -> str:
    """SHA-256 of everything that the sites of a world are lowered from."""
    seen = seen_of_sites(world)
    keys = "".join(_key(seen, number) for number in range(len(world.sites)))
    return hashlib.sha256(keys.encode("ascii")).hexdigest()


def seen_of_sites(world: World) -> World:
    """A world with what its sites alone depend on, and nothing else."""
    portfolio = world.portfolio
    seen = _having(
        PortfolioFile,
        **{name: getattr(portfolio, name) for name in _SEEN},
        money=_having(Money, workload=portfolio.money.workload),
    )
    sites = tuple(replace(one, site=_without_price(one.site)) for one in world.sites)
    return replace(world, portfolio=seen, sites=sites, catalog=_without_prices(world.catalog))


def _without_price(site: SiteFile) -> SiteFile:
    return _having(
        SiteFile, **{key: getattr(site, key) for key in SiteFile.model_fields if key not in _UNSEEN_OF_SITES}
    )


def _without_prices(catalog: Catalog) -> Catalog:
    seen = [key for key in RackSystem.model_fields if key not in _UNSEEN_OF_SYSTEMS]
    systems = {
        name: _having(RackSystem, **{key: getattr(system, key) for key in seen})
        for name, system in catalog.rack_systems.items()
    }
    return replace(catalog, rack_systems=systems, economics={}, throughput={})


def _having(model: type[M], **values: Any) -> M:
    """An object with some of its fields, unchecked; the rest cannot be read, not even where they have defaults."""
    made: Any = model.model_construct(**values)
    for name in made.__dict__.keys() - values.keys():
        del made.__dict__[name]
    return made  # type: ignore[no-any-return]


def _key(seen: World, number: int) -> str:
    """SHA-256 of everything that a site is lowered from."""
    total = hashlib.sha256()
    site = seen.sites[number]
    files = [(file.name, file.sha256) for file in seen.catalog.files if file.name not in _UNSEEN_FILES]
    for part in (site, seen.portfolio, seen.catalog.rack_systems, files):
        total.update(repr(part).encode("utf-8", "surrogatepass") + b"\0")
    return total.hexdigest()
