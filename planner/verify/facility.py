"""Cooling banks and leaf groups of a site: what feeds their units, whom they serve, and what a failure takes of them.

Section 2 of `docs/model.md`, failures across graphs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sites.calendar import quarter_index
from sites.schema.failures import FailureKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from planner.verify.network import Wiring
    from sites.expansion import SiteGraphs
    from sites.expansion.graphs import Graph

Feeds = tuple[tuple[int, ...], ...]
"""For each unit the power elements that it can draw from."""


@dataclass(frozen=True)
class Bank:
    """Like cooling units that share a header, or that reject the heat of a plant."""

    name: str
    """`<header>`, `<plant>:dry` or `<plant>:chiller`."""
    place: str
    """The header or plant."""
    families: tuple[str, ...]
    """Families of the limits of the bank."""
    failure: str
    """Id of the failure of one of its units."""
    kind: str
    spares: int
    feeds: Feeds
    dates: tuple[int, ...]
    """Quarter index from which each unit stands."""
    in_service: int
    """Quarter index from which the header or plant stands."""
    rows: frozenset[str]
    """Rows whose heat it moves."""

    def standing(self, quarter: int) -> list[tuple[int, ...]]:
        """Feeds of the units in service in a quarter."""
        return [feeds for feeds, date in zip(self.feeds, self.dates, strict=True) if date <= quarter]


@dataclass(frozen=True)
class LeafGroup:
    """The network of a fabric block."""

    name: str
    support: int
    """Its support node in the power network."""
    feeds: Feeds
    planes: int
    planes_needed: int
    rows: frozenset[str]

    @property
    def failure(self) -> str:
        """Id of the failure of one leaf."""
        return f"{self.name}/leaf"

    def fails_with(self, normal: Wiring, dead: Set[int]) -> bool:
        """Whether too few planes have all their leaves, or the support gear has no supply."""
        broken = {at % self.planes for at, feeds in enumerate(self.feeds) if _is_dead(feeds, normal, dead)}
        return self.support in dead or self.planes - len(broken) < self.planes_needed


@dataclass(frozen=True)
class Unit:
    """The failure of one unit of a bank or leaf group."""

    failure: str
    kind: str
    owner: str


@dataclass(frozen=True)
class Consequences:
    """What a failure takes of cooling and network."""

    lost: dict[str, int]
    """Units lost of each bank that loses any."""
    failed: dict[str, frozenset[str]]
    """Banks and leaf groups that fail, and machinery without supply, with the rows that stand and need each."""

    @property
    def rows(self) -> frozenset[str]:
        """Rows that need any of what fails."""
        return frozenset[str]().union(*self.failed.values())


NOTHING = Consequences({}, {})


@dataclass(frozen=True)
class Facility:
    """Every bank and leaf group of a site."""

    index: Mapping[str, int]
    """Node of each row in the power network."""
    banks: dict[str, Bank]
    leaf_groups: dict[str, LeafGroup]
    machinery: dict[int, tuple[str, frozenset[str]]]
    """Name of each mechanical load and the rows that drive it."""

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """One failure for each bank and leaf group, as its units are alike."""
        of_banks = (Unit(bank.failure, bank.kind, bank.name) for bank in self.banks.values())
        kind = str(FailureKind.LEAF)
        return (*of_banks, *(Unit(group.failure, kind, group.name) for group in self.leaf_groups.values()))

    @cached_property
    def _owners(self) -> dict[int, set[str]]:
        """Banks and leaf groups that each power node feeds a unit of."""
        owners: dict[int, set[str]] = defaultdict(set)
        of_banks = [(name, bank.feeds) for name, bank in self.banks.items()]
        of_groups = [(name, group.feeds) for name, group in self.leaf_groups.items()]
        for name, units in (*of_banks, *of_groups):
            for element in {element for feeds in units for element in feeds}:
                owners[element].add(name)
        for group in self.leaf_groups.values():
            owners[group.support].add(group.name)
        return owners

    def stands(self, owner: str, normal: Wiring, quarter: int) -> bool:
        """Whether the header, plant or support gear of a bank or leaf group exists in a quarter."""
        if owner in self.leaf_groups:
            return self.leaf_groups[owner].support not in normal.dead
        return self.banks[owner].in_service <= quarter

    def after_unit(self, owner: str, normal: Wiring) -> Consequences:
        """The loss of one unit of a bank or leaf group."""
        if owner in self.leaf_groups:
            group = self.leaf_groups[owner]
            fails = group.planes - 1 < group.planes_needed
            return Consequences({}, {owner: self._standing(group.rows, normal)} if fails else {})
        bank = self.banks[owner]
        return Consequences({owner: 1}, {owner: self._standing(bank.rows, normal)} if bank.spares == 0 else {})

    def after_power(self, normal: Wiring, dead: frozenset[int], quarter: int) -> Consequences:
        """What the loss of power nodes takes; only what they feed is looked at.

        Parameters: normal operation; dead, every node that the failure leaves without supply; quarter index.
        """
        owners = sorted({owner for node in dead & self._owners.keys() for owner in self._owners[node]})
        failed: dict[str, frozenset[str]] = {}
        lost: dict[str, int] = {}
        for owner in owners:
            if not self.stands(owner, normal, quarter):
                continue
            if owner in self.leaf_groups:
                if self.leaf_groups[owner].fails_with(normal, dead):
                    failed[owner] = self.leaf_groups[owner].rows
                continue
            standing = self.banks[owner].standing(quarter)
            n_lost = sum(_is_dead(feeds, normal, dead) for feeds in standing)
            if n_lost:
                lost[owner] = n_lost
            if n_lost >= len(standing):
                failed[owner] = self.banks[owner].rows
        for node in dead & self.machinery.keys():
            name, rows = self.machinery[node]
            failed[name] = rows
        if not failed and not lost:
            return NOTHING
        return Consequences(lost, {name: self._standing(rows, normal) for name, rows in failed.items()})

    def _standing(self, rows: frozenset[str], normal: Wiring) -> frozenset[str]:
        return frozenset(row for row in rows if self.index[row] not in normal.dead)


def _is_dead(feeds: tuple[int, ...], normal: Wiring, dead: Set[int]) -> bool:
    """Whether a unit has lost every feed of its that exists."""
    return all(element in dead or element in normal.dead for element in feeds)


def facility_of(
    graphs: SiteGraphs, index: Mapping[str, int], machinery: dict[int, tuple[str, frozenset[str]]]
) -> Facility:
    """Read the cooling and fabric graphs of a site.

    Parameters: index of power nodes by id; machinery, name and rows of each mechanical load.
    """
    banks = [*_header_banks(graphs, index), *_plant_banks(graphs, index)]
    groups = [
        LeafGroup(
            name=node,
            support=index[f"{node}/support"],
            feeds=_indexed(fields["leaf_feeds"], index),
            planes=int(fields["planes"]),
            planes_needed=int(fields["planes_needed"]),
            rows=frozenset(graphs.fabric.successors(node)),
        )
        for node, fields in graphs.fabric.nodes(data=True)
        if fields["kind"] == "leaf-group"
    ]
    return Facility(index, {bank.name: bank for bank in banks}, {group.name: group for group in groups}, machinery)


def _indexed(feeds: tuple[tuple[str, ...], ...], index: Mapping[str, int]) -> Feeds:
    return tuple(tuple(index[element] for element in unit) for unit in feeds)


_HEADERS = {
    "liquid-header": (("liquid", "flow"), "cdu", FailureKind.CDU),
    "air-header": (("air",), "air-handler", FailureKind.AIR_HANDLER),
}


def _header_banks(graphs: SiteGraphs, index: Mapping[str, int]) -> list[Bank]:
    cooling = graphs.cooling
    found = []
    for header, fields in cooling.nodes(data=True):
        if fields["kind"] in _HEADERS:
            families, unit, kind = _HEADERS[fields["kind"]]
            units = list(cooling.predecessors(header))
            rows = frozenset(cooling.successors(header))
            failure = f"{header.rpartition('/')[0]}/{unit}"
            spares = int(fields["spares"])
            found.append(_bank(graphs, header, header, families, failure, str(kind), spares, units, rows, index))
    return found


def _plant_banks(graphs: SiteGraphs, index: Mapping[str, int]) -> list[Bank]:
    """Banks of plants with something to do at the design day: only their units have an edge to the plant."""
    cooling, on_plant = graphs.cooling, rows_on_plant(graphs.cooling)
    found = []
    for plant, fields in cooling.nodes(data=True):
        if fields["kind"] != "plant":
            continue
        rows = frozenset(row for _, row, _ in on_plant[plant])
        units = list(cooling.predecessors(plant))
        for bank, kind in (("dry", FailureKind.COOLER), ("chiller", FailureKind.CHILLER)):
            own = [unit for unit in units if (cooling.nodes[unit]["kind"] == "chiller") == (bank == "chiller")]
            if own:
                name, failure, spares = f"{plant}:{bank}", f"{plant}/{kind}", int(fields[f"{bank}_spares"])
                found.append(_bank(graphs, name, plant, (bank,), failure, str(kind), spares, own, rows, index))
    return found


def _bank(
    graphs: SiteGraphs,
    name: str,
    place: str,
    families: tuple[str, ...],
    failure: str,
    kind: str,
    spares: int,
    units: list[str],
    rows: frozenset[str],
    index: Mapping[str, int],
) -> Bank:
    nodes = [graphs.cooling.nodes[unit] for unit in units]
    return Bank(
        name=name,
        place=place,
        families=families,
        failure=failure,
        kind=kind,
        spares=spares,
        feeds=_indexed(tuple(node["fed_by"] for node in nodes), index),
        dates=tuple(quarter_index(node["in_service"]) for node in nodes),
        in_service=quarter_index(graphs.cooling.nodes[place]["in_service"]),
        rows=rows,
    )


def rows_on_plant(cooling: Graph) -> dict[str, list[tuple[str, str, str]]]:
    """(header, row, medium) of everything whose heat ends in each plant."""
    found: dict[str, list[tuple[str, str, str]]] = {
        node: [] for node, fields in cooling.nodes(data=True) if fields["kind"] == "plant"
    }
    for header, row, edge in cooling.edges(data=True):
        if "medium" in edge:
            plants = {plant for unit in cooling.predecessors(header) for plant in cooling.predecessors(unit)}
            for plant in plants:
                found[plant].append((header, row, edge["medium"]))
    return found
