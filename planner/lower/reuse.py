"""Sites lowered once for many portfolios that differ in money, supply or envelope only.

Most of lowering is what can be said of a site alone. To be sure that a site may be reused, it is lowered from a world
that lacks all that may differ: prices, the envelope, contracts, all of the supply but when each system first comes.
What it was lowered from is then the key, and reading anything else raises AttributeError.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from planner.lower.joint_limits import delivered_racks
from sites.calendar import quarters_from
from sites.portfolio_checks import decision_periods
from sites.schema.catalog import RackSystem
from sites.schema.common import Model
from sites.schema.portfolio import Delivery, Money, PortfolioFile, Supply

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.lower.lowering import SiteTable
    from planner.lower.site import LoweredSite
    from sites.catalog.loader import Catalog
    from sites.world import World

M = TypeVar("M", bound=Model)
_SEEN = (
    "name", "start", "periods", "decisions_until", "configurations", "floors", "shares", "tranches", "refresh",
    "workloads", "openings",
)  # fmt: skip
"""Keys of a portfolio that a site alone depends on, beside its supply and the kind of work of its money."""
_UNSEEN_OF_SYSTEMS = frozenset({"price", "network_price", "rental"})
_UNSEEN_FILES = frozenset({"catalog/rack_systems.yaml", "catalog/economics.yaml", "catalog/throughput.yaml"})
"""Files of the catalogue whose content a key takes from what is seen of it, or not at all."""


class KnownSites:
    """Lowered sites by all that they were lowered from, the latest ones kept."""

    def __init__(self, n_kept: int = 12) -> None:
        """Parameters: n_kept, sites to keep; each may take some hundred megabytes."""
        self._n_kept = n_kept
        self._known: OrderedDict[str, tuple[LoweredSite, SiteTable]] = OrderedDict()
        self.n_made = 0

    def of(
        self, world: World, number: int, make: Callable[[World, int], tuple[LoweredSite, SiteTable]]
    ) -> tuple[LoweredSite, SiteTable]:
        """A site of a world, lowered now or before.

        Parameters: number, of the site; make, lowers a site of a world that lacks what a site does not depend on.
        """
        seen = seen_of_sites(world)
        key = _key(seen, number)
        if key not in self._known:
            self._known[key] = make(seen, number)
            self.n_made += 1
            while len(self._known) > self._n_kept:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


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
        supply=_first_deliveries(portfolio),
    )
    return replace(world, portfolio=seen, catalog=_without_prices(world.catalog))


def _first_deliveries(portfolio: PortfolioFile) -> tuple[Supply, ...]:
    """When each system first comes; how many come is for joint limits."""
    periods = quarters_from(portfolio.start, decision_periods(portfolio))
    found = []
    for system in dict.fromkeys(one.system for one in portfolio.supply):
        first = next((period for period in periods if delivered_racks(portfolio, system, period) > 0), None)
        deliveries = () if first is None else (Delivery(quarter=first, racks=1),)
        found.append(_having(Supply, system=system, deliveries=deliveries))
    return tuple(found)


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
