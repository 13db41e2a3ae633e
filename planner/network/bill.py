"""The bill of a plan's compute network: switches, cables and optics of every fabric block and building.

Leaves are bought for whole scalable units, cables from racks to leaves for the racks that stand. One network joins the
blocks of a building whose leaves have the same kind of port; what joins buildings is not in the bill.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import ceil, lcm
from typing import TYPE_CHECKING

from planner.network.floor_plan import floor_plan, way_m
from planner.network.media import cables
from planner.network.tiers import LeafGroup, leaves_by_rail, leaves_packed, tiers_of
from sites.expansion.values import known
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from fractions import Fraction

    from planner.network.floor_plan import FloorPlan
    from planner.network.media import Cable
    from planner.network.tiers import Tiers
    from sites.catalog.loader import Catalog
    from sites.expansion.places import Place
    from sites.schema.catalog import RackSystem, SwitchEquipment
    from sites.schema.lineup import Fabric
    from sites.schema.media import Cabling

LEAF, SPINE, CORE = "leaf", "spine", "core"
RACK_LEAF, LEAF_SPINE, SPINE_CORE = "rack-leaf", "leaf-spine", "spine-core"


@dataclass(frozen=True)
class BlockRacks:
    """What a plan puts into one fabric block: racks of one system, and the scalable units paid for."""

    block_id: str
    system: RackSystem
    n_units: int
    n_racks: dict[str, int]
    """Racks by row."""


@dataclass(frozen=True)
class BillLine:
    """Like switches or like cables of one block, or of a building where `block` is empty."""

    site: str
    building: str
    block: str
    part: str
    """`leaf`, `spine`, `core`, or the cables `rack-leaf`, `leaf-spine`, `spine-core`."""
    item: str
    """Switch or medium of the catalogue; empty for cables that no medium reaches."""
    length_m: int | None
    n_items: int
    n_optics: int
    power_w: int


@dataclass(frozen=True)
class NetworkSummary:
    """One network: the blocks of a building with one kind of port."""

    site: str
    building: str
    port_kind: str
    n_blocks: int
    n_ports: int
    """Host ports of the racks that stand."""
    n_planes: int
    n_tiers: int
    n_islands: int
    by_rail: bool
    """Whether every leaf serves one rail of whole racks; else leaves are packed, for want of places or wiring."""
    n_leaves: int
    n_leaf_places: int
    n_spines: int
    n_spine_places: int
    """Places for spine switches in the building; each network of the building sees all of them."""
    n_cores: int


@dataclass(frozen=True)
class NetworkBill:
    """Everything that a plan's network takes."""

    lines: tuple[BillLine, ...]
    networks: tuple[NetworkSummary, ...]


@dataclass(frozen=True)
class _Block:
    """A block with its leaves."""

    racks: BlockRacks
    fabric: Fabric
    switch: SwitchEquipment
    n_leaves: int
    leaves: LeafGroup
    by_rail: bool

    @property
    def n_ports(self) -> int:
        """Host ports of a rack."""
        return known(self.racks.system.ports, f"rack system '{self.racks.system.name}'", "ports")


def building_bill(
    site: str, place: Place, blocks: Sequence[BlockRacks], switches: Mapping[str, SwitchEquipment], catalog: Catalog
) -> NetworkBill:
    """The bill of one building.

    Parameters: name of the site; place, the building; blocks with racks of the plan; switches by name, the site's own
    included; catalog with media, cabling and wirings. Raises InputError when a figure that decides is null or the
    catalogue has no rule for cables.
    """
    networks: dict[str, list[_Block]] = defaultdict(list)
    for racks in blocks:
        block = _block(place, racks, switches, catalog)
        networks[block.switch.port_kind].append(block)
    spine = switches[place.template.spine_switch]
    built = [_Network(site, place, tuple(members), spine) for members in networks.values()]
    plan = floor_plan(place) if built else None
    lines = [line for network in built if plan is not None for line in _lines(network, plan, catalog)]
    return NetworkBill(tuple(lines), tuple(_summary(network) for network in built))


def _block(place: Place, racks: BlockRacks, switches: Mapping[str, SwitchEquipment], catalog: Catalog) -> _Block:
    """Leaves of a block: by rail where its places allow, else packed."""
    template = place.blocks[racks.block_id][0].template
    fabric, system, where = template.fabric, racks.system, f"rack system '{racks.system.name}'"
    names = (*fabric.leaf_switches, *(name for one in template.conversions for name in one.leaf_switches))
    switch = next(switches[name] for name in names if switches[name].port_kind == system.port_kind)
    n_unit_racks = known(system.scalable_unit_racks, where, "scalable_unit_racks")
    n_ports, n_host_ports = known(system.ports, where, "ports"), n_ports_of(switch) // 2
    n_rails = rails_of(system.name, catalog)
    by_rail = None
    if n_rails is not None:
        by_rail = leaves_by_rail(n_unit_racks, n_ports, lcm(n_rails, fabric.planes), n_host_ports)
    if by_rail is not None and racks.n_units * by_rail.n_leaves <= fabric.leaf_positions:
        return _Block(racks, fabric, switch, racks.n_units * by_rail.n_leaves, by_rail, by_rail=True)
    packed = leaves_packed(racks.n_units * n_unit_racks * n_ports, fabric.planes, n_host_ports)
    return _Block(racks, fabric, switch, packed.n_leaves, packed, by_rail=False)


def rails_of(system: str, catalog: Catalog) -> int | None:
    """Rails over which a rack system spreads its ports; None where the catalogue does not say."""
    wiring = next((one for one in catalog.wirings.values() if system in one.systems), None)
    return None if wiring is None else known(wiring.rails, f"wiring '{wiring.name}'", "rails")


def n_ports_of(switch: SwitchEquipment) -> int:
    """All ports of a switch."""
    return known(switch.ports, f"switch '{switch.name}'", "ports")


class _Network:
    """The blocks of a building whose leaves have one kind of port."""

    def __init__(self, site: str, place: Place, blocks: tuple[_Block, ...], spine: SwitchEquipment) -> None:
        """Count spines and cores; a spine of another kind of port gives way to the kind of the leaves."""
        self.site, self.place, self.blocks = site, place, blocks
        self.port_kind = blocks[0].switch.port_kind
        self.spine = spine if spine.port_kind == self.port_kind else blocks[0].switch
        self.n_planes = max(block.fabric.planes for block in blocks)
        self.n_uplinks = max(block.leaves.n_uplinks for block in blocks)
        self.tiers: Tiers = tiers_of(
            sum(block.n_leaves for block in blocks),
            self.n_uplinks,
            max(block.leaves.group_size for block in blocks),
            self.n_planes,
            n_ports_of(self.spine),
        )


def _summary(network: _Network) -> NetworkSummary:
    blocks, tiers = network.blocks, network.tiers
    return NetworkSummary(
        site=network.site,
        building=network.place.building_id,
        port_kind=network.port_kind,
        n_blocks=len(blocks),
        n_ports=sum(sum(block.racks.n_racks.values()) * block.n_ports for block in blocks),
        n_planes=network.n_planes,
        n_tiers=tiers.n_tiers,
        n_islands=tiers.n_islands,
        by_rail=all(block.by_rail for block in blocks),
        n_leaves=sum(block.n_leaves for block in blocks),
        n_leaf_places=sum(block.fabric.leaf_positions for block in blocks),
        n_spines=tiers.n_spines,
        n_spine_places=network.place.template.spine_positions,
        n_cores=tiers.n_cores,
    )


def _lines(network: _Network, plan: FloorPlan, catalog: Catalog) -> Iterator[BillLine]:
    """Switches and cables of each block, then those of the building."""
    cabling = cabling_of(catalog)
    room_m = known(cabling.room_run, f"cabling '{cabling.name}'", "room_run")
    media = tuple(catalog.media.values())
    for block in network.blocks:
        block_id = block.racks.block_id
        yield _switches(network, block_id, LEAF, block.switch, block.n_leaves)
        to_racks = cables(_rack_ways_m(block, plan), network.port_kind, media, cabling)
        yield from _cables(network, block_id, RACK_LEAF, to_racks)
        way = way_m(plan.leaves[block_id], plan.room)
        up = cables({way: block.n_leaves * network.n_uplinks}, network.port_kind, media, cabling)
        yield from _cables(network, block_id, LEAF_SPINE, up)
    yield _switches(network, "", SPINE, network.spine, network.tiers.n_spines)
    if network.tiers.n_cores:
        yield _switches(network, "", CORE, network.spine, network.tiers.n_cores)
        links = {room_m: network.tiers.n_core_links}
        yield from _cables(network, "", SPINE_CORE, cables(links, network.port_kind, media, cabling))


def cabling_of(catalog: Catalog) -> Cabling:
    """The catalogue's rule for cables; raises InputError where it has none or several."""
    if len(catalog.cabling) != 1:
        found = ", ".join(catalog.cabling) or "none"
        message = f"found {found}; the catalogue must have exactly one entry of 'cabling'"
        raise InputError([Fault("catalogue", None, "cabling", message)])
    return next(iter(catalog.cabling.values()))


def _rack_ways_m(block: _Block, plan: FloorPlan) -> dict[Fraction, int]:
    """Links from racks to leaves by their way; racks stand from the near end of their row."""
    links: Counter[Fraction] = Counter()
    leaves = plan.leaves[block.racks.block_id]
    n_positions = known(block.racks.system.positions, f"rack system '{block.racks.system.name}'", "positions")
    for row, n_racks in block.racks.n_racks.items():
        for rack in range(n_racks):
            links[way_m(plan.rack(row, rack * n_positions), leaves)] += block.n_ports
    return dict(links)


def _switches(network: _Network, block: str, part: str, switch: SwitchEquipment, n_switches: int) -> BillLine:
    power_w = ceil(n_switches * known(switch.power, f"switch '{switch.name}'", "power"))
    return BillLine(network.site, network.place.building_id, block, part, switch.name, None, n_switches, 0, power_w)


def _cables(network: _Network, block: str, part: str, found: Sequence[Cable]) -> Iterator[BillLine]:
    for cable in found:
        yield BillLine(
            site=network.site,
            building=network.place.building_id,
            block=block,
            part=part,
            item="" if cable.medium is None else cable.medium.name,
            length_m=ceil(cable.length_m),
            n_items=cable.n_cables,
            n_optics=cable.n_optics,
            power_w=cable.power_w,
        )
