"""The power graph: from the service through groups, chains and schemes to rows and mechanical and support loads."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import networkx as nx

from sites.expansion.feeds import member_shares
from sites.expansion.ids import SERVICE, add_edge, add_node, member_ids
from sites.expansion.ratings import Rating, rating_of
from sites.expansion.schemes import Promise, n_blocks, wire
from sites.expansion.service import service_fields
from sites.schema.catalog import ElementKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.expansion.graphs import Graph
    from sites.expansion.mechanical import Mechanical
    from sites.expansion.places import Lineup, Place
    from sites.schema.catalog import PowerEquipment
    from sites.schema.power import PowerGroup
    from sites.schema.site import SiteFile


@dataclass(frozen=True)
class PowerBuilder:
    """A power graph in the making, with ratings computed once for each piece of equipment."""

    graph: Graph
    equipment: Mapping[str, PowerEquipment]
    ratings: dict[str, Rating] = field(default_factory=dict)

    def rating(self, name: str) -> Rating:
        """The rating of one element of this equipment."""
        if name not in self.ratings:
            self.ratings[name] = rating_of(self.equipment[name])
        return self.ratings[name]

    def add_element(
        self,
        element_id: str,
        kind: ElementKind,
        name: str,
        in_service: str,
        *,
        house_load_w: Fraction = Fraction(0),
        promise: Promise | None = None,
    ) -> None:
        """Add one power element with its rating, losses and what its scheme promises downstream."""
        add_node(
            self.graph,
            element_id,
            kind=kind,
            equipment=name,
            in_service=in_service,
            house_load_w=house_load_w,
            guarantee_w=None if promise is None else promise.normal_w,
            guarantee_after_failure_w=None if promise is None else promise.after_failure_w,
            **asdict(self.rating(name)),
        )

    def feed(self, sources: Sequence[str], load: str) -> None:
        """Feed a load from all sources in equal shares."""
        self.feed_shares(dict.fromkeys(sources, Fraction(1, len(sources))), load)

    def feed_shares(self, shares: Mapping[str, Fraction], load: str) -> None:
        """Feed a load from some sources, each with its share."""
        for source, share in shares.items():
            add_edge(self.graph, source, load, share, reserve=False)


def power_graph(
    site: SiteFile,
    equipment: Mapping[str, PowerEquipment],
    places: Sequence[Place],
    mechanical: Sequence[Mechanical],
    members: Mapping[str, Mapping[str, tuple[str, ...]]],
) -> Graph:
    """The power graph with the fields of section 1 of `docs/model.md`; names must resolve (see `sites.references`).

    Parameters: members, element ids of every group by its name, for each building.
    """
    graph: Graph = nx.DiGraph()
    builder = PowerBuilder(graph, equipment)
    add_node(graph, SERVICE, kind="service", **service_fields(site))
    campus: dict[str, tuple[str, ...]] = {SERVICE: (SERVICE,)}
    for group in site.power:
        _add_group(builder, group, "", campus, None)
    for place in places:
        groups = dict(campus)
        for group in place.template.power:
            _add_group(builder, group, place.building_id, groups, place.in_service)
        for lineup in place.lineups:
            _add_lineup(builder, lineup, groups[lineup.template.fed_by])
        for block_id, lineups in place.blocks.items():
            _add_support(builder, block_id, lineups[0], groups)
    for load in mechanical:
        _add_mechanical(builder, load, members[load.building_id][load.powered_by])
    return graph


def _add_group(
    builder: PowerBuilder, group: PowerGroup, prefix: str, groups: dict[str, tuple[str, ...]], default: str | None
) -> None:
    """Add a group's members below `fed_by` and note them under its name; a building's own name hides the campus's."""
    sources = groups[group.fed_by]
    members = member_ids(prefix, group.name, group.count)
    for index, member in enumerate(members):
        quarter = _member_quarter(group, index, default)
        builder.add_element(member, group.kind, group.equipment, quarter, house_load_w=Fraction(group.house_load))
        matched = group.sharing == "matched"
        builder.feed([sources[index % len(sources)]] if matched else sources, member)
    groups[group.name] = members


def _member_quarter(group: PowerGroup, index: int, default: str | None) -> str:
    if not group.in_service:
        if default is None:
            msg = f"campus power group '{group.name}' has no 'in_service'"
            raise ValueError(msg)
        return default
    return group.in_service[index if len(group.in_service) > 1 else 0]


def _add_lineup(builder: PowerBuilder, lineup: Lineup, above: Sequence[str]) -> None:
    """Add a lineup's chains, what its scheme puts behind them, its rows and their busways."""
    template = lineup.template
    labels = _stage_labels(lineup)
    chains = [
        [f"{lineup.lineup_id}/{label}-{number}" for label in labels]
        for number in range(1, n_blocks(template.scheme) + 1)
    ]
    block_rating_w = builder.rating(template.chain[-1].equipment).rating_w
    blocks = [chain[-1] for chain in chains]
    wiring = wire(template.scheme, lineup.lineup_id, blocks, block_rating_w, template.rows.count)
    for index, chain in enumerate(chains):
        _add_chain(builder, lineup, chain, above[index % len(above)], wiring.block_promises[index])
    for extra in wiring.extras:
        builder.add_element(extra.element_id, extra.kind, extra.equipment, lineup.in_service, promise=extra.promise)
    for feed in wiring.feeds:
        add_edge(builder.graph, feed.source, feed.load, feed.share, reserve=feed.reserve)
    for row_id, sources in zip(lineup.row_ids, wiring.row_sources, strict=True):
        _add_row(builder, lineup, row_id, sources)


def _stage_labels(lineup: Lineup) -> list[str]:
    """Names of the chain's stages: the kind, with the stage's number where a kind occurs twice."""
    kinds = [stage.kind for stage in lineup.template.chain]
    return [
        str(kind) if kinds.count(kind) == 1 else f"{kind}-stage{number}" for number, kind in enumerate(kinds, start=1)
    ]


def _add_chain(builder: PowerBuilder, lineup: Lineup, chain: Sequence[str], source: str, promise: Promise) -> None:
    """One block from the top down; the last element carries the scheme's promise."""
    for element_id, stage in zip(chain, lineup.template.chain, strict=True):
        last = element_id == chain[-1]
        builder.add_element(
            element_id, stage.kind, stage.equipment, lineup.in_service, promise=promise if last else None
        )
        builder.feed([source], element_id)
        source = element_id


def _add_row(builder: PowerBuilder, lineup: Lineup, row_id: str, sources: Sequence[str]) -> None:
    add_node(builder.graph, row_id, kind="row", row=row_id, in_service=lineup.in_service)
    busways = member_ids(row_id, "busway", len(sources))
    for busway, source in zip(busways, sources, strict=True):
        builder.add_element(busway, ElementKind.BUSWAY, lineup.template.rows.busway, lineup.in_service)
        builder.feed([source], busway)
    builder.feed(busways, row_id)


def _add_support(builder: PowerBuilder, block_id: str, lineup: Lineup, groups: Mapping[str, tuple[str, ...]]) -> None:
    """The network and support gear of a fabric block, fed as its leaves are."""
    load, fabric = f"{block_id}/support", lineup.template.fabric
    fields = {"block_id": block_id, "unit_feeds": fabric.support_feeds, "in_service": lineup.in_service}
    add_node(builder.graph, load, kind="support", **fields)
    members = groups[fabric.support_powered_by]
    builder.feed_shares(member_shares(fabric.support_feeds, members, [fabric.leaf_positions]), load)


def _add_mechanical(builder: PowerBuilder, load: Mechanical, members: Sequence[str]) -> None:
    add_node(
        builder.graph,
        load.node_id,
        kind="mechanical",
        loop=load.loop,
        watts_per_liquid_watt=load.watts_per_liquid_watt,
        watts_per_air_watt=load.watts_per_air_watt,
        fixed_w=load.fixed_w,
        unit_feeds=load.unit_feeds,
        in_service=load.in_service,
    )
    builder.feed_shares(member_shares(load.unit_feeds, members, load.bank_sizes), load.node_id)
