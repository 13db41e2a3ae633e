"""The network bill of a plan, from its document: what stands in the last decision quarter."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from planner.network.bill import BlockRacks, NetworkBill, building_bill
from sites.equipment import site_switch_equipment
from sites.expansion.places import places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.world import World, WorldSite


def network_bill(document: Mapping[str, Any], world: World) -> NetworkBill:
    """Switches, cables and optics of every site in the last decision quarter.

    Parameters: document, the content of `plan.json`; world, as loaded from the run's inputs. Raises InputError when the
    catalogue lacks a figure that decides.
    """
    bills = [one for site in world.sites for one in _site_bills(document, world, site)]
    return NetworkBill(
        tuple(line for bill in bills for line in bill.lines),
        tuple(network for bill in bills for network in bill.networks),
    )


def _site_bills(document: Mapping[str, Any], world: World, site: WorldSite) -> list[NetworkBill]:
    blocks = _blocks(document, world, site)
    switches = site_switch_equipment(site.site, world.catalog)
    bills = []
    for place in places(site.site):
        own = [blocks[block_id] for block_id in place.blocks if block_id in blocks]
        if own:
            bills.append(building_bill(site.name, place, own, switches, world.catalog))
    return bills


def _blocks(document: Mapping[str, Any], world: World, site: WorldSite) -> dict[str, BlockRacks]:
    """What stands in each fabric block of a site at the end: one system, its units and its racks by row."""
    last = document["periods"][-1]
    block_of_row = {
        row: block_id
        for place in places(site.site)
        for block_id, lineups in place.blocks.items()
        for lineup in lineups
        for row in lineup.row_ids
    }
    n_racks: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in document["placements"]:
        if one["site"] == site.name and one["period"] == last:
            n_racks[block_of_row[one["row"]]][one["row"]] += one["n_racks"]
    return {
        one["block"]: BlockRacks(
            block_id=one["block"],
            system=world.catalog.rack_systems[one["system"]],
            n_units=one["n_units"],
            n_racks=dict(n_racks[one["block"]]),
        )
        for one in document["units"]
        if one["site"] == site.name and one["period"] == last
    }
