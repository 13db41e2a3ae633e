"""What the compute network of a plan takes: switches, optics and cables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.words import count, megawatts
from planner.run.network import network_bill

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.network.bill import BillLine, NetworkSummary
    from sites.catalog.loader import Catalog
    from sites.world import World

_PARTS = {
    "rack-leaf": "Rack to leaf", "leaf-spine": "Leaf to spine", "spine-core": "Spine to core",
}  # fmt: skip


@dataclass(frozen=True)
class NetworkLine:
    """One network: the blocks of a building with one kind of port."""

    where: str
    port_kind: str
    n_ports: str
    tiers: str
    leaves: str
    spines: str
    cores: str
    note: str


@dataclass(frozen=True)
class CableLine:
    """Cables of one medium between the same two kinds of gear, over all buildings of a site."""

    site: str
    part: str
    medium: str
    n_cables: str
    n_optics: str
    kilometres: str
    longest: str


@dataclass(frozen=True)
class NetworkView:
    """The section on the network."""

    networks: tuple[NetworkLine, ...]
    cables: tuple[CableLine, ...]
    n_switches: str
    n_optics: str
    optics_mw: str
    unreached: str
    """Cables that no medium of the catalogue reaches; empty when there are none."""


def network_view(document: Mapping[str, Any], world: World) -> NetworkView:
    """The section on the network of a plan.

    Parameters: document, the content of `plan.json`; world, as loaded from the run's inputs.
    """
    bill = network_bill(document, world)
    cables = [line for line in bill.lines if line.length_m is not None]
    switches = [line for line in bill.lines if line.length_m is None]
    unreached = sum(line.n_items for line in cables if not line.item)
    return NetworkView(
        networks=tuple(_network(one, _n_spines(one, bill.networks)) for one in bill.networks),
        cables=_cables(cables, world.catalog),
        n_switches=count(sum(line.n_items for line in switches)),
        n_optics=count(sum(line.n_optics for line in cables)),
        optics_mw=megawatts(sum(line.power_w for line in cables)),
        unreached=count(unreached) if unreached else "",
    )


def _n_spines(one: NetworkSummary, networks: Iterable[NetworkSummary]) -> int:
    """Spines of all networks of the same building, which share its places."""
    own = (other for other in networks if (other.site, other.building) == (one.site, one.building))
    return sum(other.n_spines for other in own)


def _network(one: NetworkSummary, n_spines: int) -> NetworkLine:
    islands = f" in {one.n_islands} islands" if one.n_islands > 1 else ""
    planes = f", {one.n_planes} planes" if one.n_planes > 1 else ""
    return NetworkLine(
        where=f"{one.site}:{one.building}",
        port_kind=one.port_kind,
        n_ports=count(one.n_ports),
        tiers=f"{one.n_tiers}{planes}{islands}",
        leaves=count(one.n_leaves),
        spines=count(one.n_spines),
        cores=count(one.n_cores) if one.n_cores else "–",
        note="; ".join(_notes(one, n_spines)),
    )


def _notes(one: NetworkSummary, n_spines: int) -> Iterable[str]:
    """What a network engineer should know of it."""
    yield "by rail, whole racks to a leaf" if one.by_rail else "packed, for want of leaf places or wiring"
    if n_spines > one.n_spine_places:
        yield f"{count(n_spines)} spines in the building, {count(one.n_spine_places)} places"


def _cables(cables: Sequence[BillLine], catalog: Catalog) -> tuple[CableLine, ...]:
    grouped: dict[tuple[str, str, str], list[BillLine]] = defaultdict(list)
    for line in cables:
        grouped[line.site, line.part, line.item].append(line)
    order = list(_PARTS)
    keys = sorted(grouped, key=lambda key: (key[0], order.index(key[1]), key[2]))
    return tuple(
        CableLine(
            site=site,
            part=_PARTS[part],
            medium=catalog.media[item].title if item else "none reaches so far",
            n_cables=count(sum(line.n_items for line in grouped[site, part, item])),
            n_optics=count(sum(line.n_optics for line in grouped[site, part, item])),
            kilometres=count(sum(line.n_items * (line.length_m or 0) for line in grouped[site, part, item]) / 1000),
            longest=f"{max(line.length_m or 0 for line in grouped[site, part, item]):,} m",
        )
        for site, part, item in keys
    )
