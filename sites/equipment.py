"""What a site may build with: the catalogue's equipment and the site's own, which hides an entry of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sites.catalog.loader import Catalog
    from sites.schema.catalog import PowerEquipment, SwitchEquipment
    from sites.schema.cooling_equipment import CoolingEquipment
    from sites.schema.site import SiteFile


def site_power_equipment(site: SiteFile, catalog: Catalog) -> dict[str, PowerEquipment]:
    """Power equipment by name."""
    return catalog.power | {entry.name: entry for entry in site.equipment}


def site_cooling_equipment(site: SiteFile, catalog: Catalog) -> dict[str, CoolingEquipment]:
    """Cooling units by name."""
    return catalog.cooling | {entry.name: entry for entry in site.cooling_equipment}


def site_switch_equipment(site: SiteFile, catalog: Catalog) -> dict[str, SwitchEquipment]:
    """Network switches by name."""
    return catalog.switches | {entry.name: entry for entry in site.switch_equipment}
