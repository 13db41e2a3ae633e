"""From a site file to its graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.equipment import site_cooling_equipment, site_power_equipment, site_switch_equipment
from sites.expansion.common_mode import common_mode_groups
from sites.expansion.containment import containment_graph
from sites.expansion.cooling import cooling_graph, design_days
from sites.expansion.fabric import fabric_graph
from sites.expansion.feeds import building_members
from sites.expansion.graphs import SiteGraphs
from sites.expansion.mechanical import mechanical_loads
from sites.expansion.places import places
from sites.expansion.power import power_graph
from sites.faults import Fault, InputError
from sites.references import site_faults

if TYPE_CHECKING:
    from sites.catalog.loader import Catalog
    from sites.schema.site import SiteFile


def expand(site: SiteFile, catalog: Catalog) -> SiteGraphs:
    """The containment, power, cooling and fabric graphs of a site (section 1 of `docs/model.md`).

    Parameters: site, a loaded site file; catalog, with the equipment that the site names beside its own.
    Raises InputError with every name that does not resolve, or with the first figure that is null where it decides a
    limit or the first id that two things would share.
    """
    file = f"site {site.name}"
    faults = site_faults(site, catalog, lambda message, *path: Fault(file, None, ".".join(map(str, path)), message))
    if faults:
        raise InputError(faults)
    try:
        return _expanded(site, catalog)
    except InputError as error:
        raise InputError([Fault(file, fault.line, fault.key, fault.message) for fault in error.faults]) from None


def _expanded(site: SiteFile, catalog: Catalog) -> SiteGraphs:
    all_places = places(site)
    cooling = site_cooling_equipment(site, catalog)
    days = design_days(all_places, site.climate, cooling)
    members = {place.building_id: building_members(site, place) for place in all_places}
    mechanical = mechanical_loads(all_places, cooling, days)
    power = power_graph(site, site_power_equipment(site, catalog), all_places, mechanical, members)
    switches = site_switch_equipment(site, catalog)
    return SiteGraphs(
        site=site,
        catalog=catalog,
        containment=containment_graph(site, all_places, cooling, switches),
        power=power,
        cooling=cooling_graph(all_places, cooling, days, members),
        fabric=fabric_graph(all_places, switches, members),
        common_mode=common_mode_groups(site, power),
    )
