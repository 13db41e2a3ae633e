"""Banks of cooling units and leaf groups of a site: what hangs on which power elements, and which rows need them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from sites.schema.failures import FailureKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from planner.lower.couplings import RowCouplings
    from sites.expansion import SiteGraphs

T = TypeVar("T")
Feeds = tuple[str, ...]
"""Power elements that one unit can draw from."""

CDU, AIR_HANDLER, COOLER, CHILLER, LEAF = (
    str(kind)
    for kind in (FailureKind.CDU, FailureKind.AIR_HANDLER, FailureKind.COOLER, FailureKind.CHILLER, FailureKind.LEAF)
)


@dataclass(frozen=True, eq=False)
class Bank:
    """Like cooling units that stand in for each other: those of one header, or one kind of a plant's."""

    node: str
    """The header or plant that they serve."""
    kind: str
    """`cdu`, `air-handler`, `cooler` or `chiller`: the kind of its units' own failure."""
    failure: str
    """Id of the failure of one of its units."""
    units: tuple[str, ...]
    fed_by: tuple[Feeds, ...]
    """[n_units]"""
    spares: int
    rows: frozenset[str]
    """Rows whose heat it carries."""


@dataclass(frozen=True, eq=False)
class LeafGroup:
    """The leaf switches of one fabric block."""

    block: str
    support: str
    """The power node of the block's network and support gear."""
    planes: int
    planes_needed: int
    leaf_feeds: tuple[Feeds, ...]
    rows: frozenset[str]

    @property
    def failure(self) -> str:
        """Id of the failure of one of its leaves."""
        return f"{self.block}/{LEAF}"

    def whole_planes(self, existing: Collection[str], dead: Collection[str]) -> int:
        """Planes all of whose leaves have supply, with these elements existing and these of them dead."""
        broken = {
            leaf % self.planes for leaf, feeds in enumerate(self.leaf_feeds) if not has_supply(feeds, existing, dead)
        }
        return self.planes - len(broken)


@dataclass(frozen=True)
class Facility:
    """Everything of a site that is fed by power elements and that rows need besides their own feeds."""

    banks: tuple[Bank, ...]
    leaf_groups: tuple[LeafGroup, ...]
    needed_by: dict[str, frozenset[str]]
    """Rows that cannot run without a mechanical or support node, by node."""

    @cached_property
    def banks_on(self) -> dict[str, tuple[Bank, ...]]:
        """Banks with units that can draw from an element, by element."""
        return _by_element((bank, bank.fed_by) for bank in self.banks)

    @cached_property
    def leaf_groups_on(self) -> dict[str, tuple[LeafGroup, ...]]:
        """Leaf groups with leaves that can draw from an element, by element."""
        return _by_element((group, group.leaf_feeds) for group in self.leaf_groups)

    @cached_property
    def feeding(self) -> frozenset[str]:
        """Elements that feed some unit or leaf."""
        return frozenset(self.banks_on) | frozenset(self.leaf_groups_on)


def has_supply(feeds: Feeds, existing: Collection[str], dead: Collection[str]) -> bool:
    """Whether a unit can draw from some element that exists and is not dead."""
    return any(feed in existing and feed not in dead for feed in feeds)


def facility_of(graphs: SiteGraphs, couplings: dict[str, RowCouplings]) -> Facility:
    """Find the banks and leaf groups of a site.

    Parameters: graphs, as expanded; couplings of every row by row id.
    """
    rows_of: dict[str, set[str]] = {}
    needed_by: dict[str, set[str]] = {}
    for row, own in couplings.items():
        headers = {header for header in (own.liquid_header, own.air_header) if header is not None}
        for node in headers | own.liquid_plants.keys() | own.air_plants.keys():
            rows_of.setdefault(node, set()).add(row)
        for node in own.needs:
            needed_by.setdefault(node, set()).add(row)
    return Facility(
        banks=tuple(_banks(graphs, rows_of)),
        leaf_groups=tuple(_leaf_groups(graphs)),
        needed_by={node: frozenset(rows) for node, rows in needed_by.items()},
    )


def _banks(graphs: SiteGraphs, rows_of: dict[str, set[str]]) -> Iterable[Bank]:
    """The units above every header, and those above a plant: units with nothing to do have no edge."""
    for node, fields in graphs.cooling.nodes(data=True):
        kind = fields["kind"]
        if kind in {"liquid-header", "air-header"}:
            unit_kind = CDU if kind == "liquid-header" else AIR_HANDLER
            failure = f"{node.rpartition('/')[0]}/{unit_kind}"
            yield _bank(graphs, node, unit_kind, failure, fields["spares"], graphs.cooling.predecessors(node), rows_of)
        elif kind == "plant":
            units = {unit: graphs.cooling.nodes[unit]["kind"] for unit in graphs.cooling.predecessors(node)}
            for own_kind, family in ((COOLER, "dry"), (CHILLER, "chiller")):
                own = [unit for unit, named in units.items() if (named == CHILLER) == (own_kind == CHILLER)]
                if fields[f"{family}_fraction"]:
                    spares = fields[f"{family}_spares"]
                    yield _bank(graphs, node, own_kind, f"{node}/{own_kind}", spares, own, rows_of)


def _bank(
    graphs: SiteGraphs,
    node: str,
    kind: str,
    failure: str,
    spares: int,
    units: Iterable[str],
    rows_of: dict[str, set[str]],
) -> Bank:
    named = tuple(units)
    fed_by = tuple(graphs.cooling.nodes[unit]["fed_by"] for unit in named)
    return Bank(node, kind, failure, named, fed_by, spares, frozenset(rows_of.get(node, ())))


def _leaf_groups(graphs: SiteGraphs) -> Iterable[LeafGroup]:
    support = {
        fields["block_id"]: node for node, fields in graphs.power.nodes(data=True) if fields["kind"] == "support"
    }
    for node, fields in graphs.fabric.nodes(data=True):
        if fields["kind"] == "leaf-group":
            rows = frozenset(row for row in graphs.fabric.successors(node))
            planes, needed = fields["planes"], fields["planes_needed"]
            yield LeafGroup(node, support[fields["block_id"]], planes, needed, fields["leaf_feeds"], rows)


def _by_element(feeds_of: Iterable[tuple[T, Iterable[Feeds]]]) -> dict[str, tuple[T, ...]]:
    found: dict[str, dict[int, T]] = {}
    for one, feeds in feeds_of:
        for element in {element for group in feeds for element in group}:
            found.setdefault(element, {})[id(one)] = one
    return {element: tuple(ones.values()) for element, ones in found.items()}
