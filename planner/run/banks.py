"""Cooling banks and leaf groups of a site: what the loss of power elements, or of one unit, leaves of them.

Sections 1 and 2 of the model: a unit stops when every element that may feed it is dead; a bank fails when nothing of it
is left; a bank that has fewer units than before carries the same heat on those.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sites.calendar import quarter_index
from sites.schema.failures import FailureKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from planner.run.flow import RowDraw, SiteFlow
    from sites.expansion.graphs import SiteGraphs

_UNIT_OF_HEADER = {"liquid-header": FailureKind.CDU, "air-header": FailureKind.AIR_HANDLER}


@dataclass(frozen=True)
class Bank:
    """Like cooling units that share one heat load; nothing else stands in for them."""

    name: str
    """Id of the header, or of the plant with `:dry` or `:chiller`."""
    failure: str
    """What the loss of one of its units is called."""
    kind: str
    spares: int
    feeds: tuple[frozenset[str], ...]
    """For each unit in service the elements in service that may feed it."""
    unit_heat_w: int
    heat_w: dict[str, float]
    """Heat of each row, as the bank takes it."""

    def n_lost(self, dead: Collection[str]) -> int:
        """Units that stop when these nodes of the power graph are dead."""
        return sum(all(element in dead for element in feeds) for feeds in self.feeds)


@dataclass(frozen=True)
class LeafBank:
    """The leaves of a fabric block, in planes."""

    failure: str
    kind: str
    planes: tuple[tuple[frozenset[str], ...], ...]
    """For each plane and each of its leaves the elements in service that may feed it."""
    planes_needed: int
    support: str
    """The block's network and support gear as a node of the power graph."""
    rows: tuple[str, ...]

    def holds(self, dead: Collection[str], n_planes_lost: int) -> bool:
        """Whether the racks keep their network; n_planes_lost, planes that are out for another reason."""
        if self.support in dead:
            return False
        whole = sum(not any(all(one in dead for one in feeds) for feeds in plane) for plane in self.planes)
        return whole - n_planes_lost >= self.planes_needed


@dataclass(frozen=True)
class BankLoad:
    """How full a bank is that has lost units."""

    name: str
    load_w: float
    capacity_w: int


class SiteBanks:
    """Every bank and leaf group of a site in one period, with the heat of the racks that stand."""

    def __init__(self, graphs: SiteGraphs, period: str, flow: SiteFlow, draws: Mapping[str, RowDraw]) -> None:
        """Gather the banks in service.

        Parameters: graphs; period; flow of that period, which knows what is in service; draws of rows by row id with
        occupied racks (W).
        """
        self._now, self._flow = quarter_index(period), flow
        self._draws = {row: draw for row, draw in draws.items() if flow.stands(row)}
        self._cooling, self._rows = graphs.cooling, flow.heat_rows
        self._known_feeds: dict[tuple[str, ...], frozenset[str]] = {}
        self.banks = {bank.failure: bank for bank in self._all_banks()}
        self.leaves = {one.failure: one for one in self._leaf_banks(graphs)}
        self._by_element = self._banks_by_element()

    def rows_dropped(self, dead: Collection[str], own: str | None) -> set[str]:
        """Rows without cooling or network when these nodes are dead, or when one unit of the bank `own` has failed."""
        dropped: set[str] = set()
        for name in self._touched(dead, own):
            if name in self.banks:
                bank = self.banks[name]
                n_left = len(bank.feeds) - (1 if name == own else bank.n_lost(dead))
                if n_left <= 0 or (name == own and bank.spares == 0):
                    dropped.update(self._rows_of_bank(bank))
            elif not self.leaves[name].holds(dead, 1 if name == own else 0):
                dropped.update(self.leaves[name].rows)
        return dropped

    def survivors(self, dead: Collection[str], own: str | None) -> Iterator[BankLoad]:
        """Banks that have lost units and go on with what is left, with the heat of the rows that still have supply."""
        for name in self._touched(dead, own):
            bank = self.banks.get(name)
            if bank is None or (name == own and bank.spares == 0):
                continue
            n_lost = 1 if name == own else bank.n_lost(dead)
            n_left = len(bank.feeds) - n_lost
            heat_w = sum(watts for row, watts in bank.heat_w.items() if row not in dead)
            if n_lost and n_left > 0 and heat_w > 0:
                yield BankLoad(bank.name, heat_w, n_left * bank.unit_heat_w)

    def _touched(self, dead: Collection[str], own: str | None) -> set[str]:
        if own is not None:
            return {own}
        return {name for element in dead for name in self._by_element.get(element, ())}

    def _rows_of_bank(self, bank: Bank) -> Iterator[str]:
        node = bank.name.partition(":")[0]
        liquid, air = self._rows[node]
        yield from liquid
        yield from air

    def _all_banks(self) -> Iterator[Bank]:
        for node, fields in self._cooling.nodes(data=True):
            if fields["kind"] in _UNIT_OF_HEADER and self._stands(node):
                yield self._header_bank(node, fields)
            elif fields["kind"] == "plant" and self._stands(node):
                yield from self._plant_banks(node, fields)

    def _stands(self, node: str) -> bool:
        return quarter_index(self._cooling.nodes[node]["in_service"]) <= self._now

    def _header_bank(self, node: str, fields: Mapping[str, Any]) -> Bank:
        """The units of a header; network and support gear heats the air of its row."""
        failure = _UNIT_OF_HEADER[fields["kind"]]
        liquid, air = self._rows[node]
        heat_w = {row: float(draw.liquid_w) for row in liquid if (draw := self._draws.get(row)) is not None}
        for row in air:
            if (draw := self._draws.get(row)) is not None:
                heat_w[row] = float(draw.air_w + draw.support_w)
        lineup = node.rpartition("/")[0]
        units = tuple(self._cooling.predecessors(node))
        return self._bank(node, f"{lineup}/{failure}", failure, fields["spares"], units, heat_w)

    def _plant_banks(self, node: str, fields: Mapping[str, Any]) -> Iterator[Bank]:
        """Coolers and chillers of a plant, each with its part of the heat of the design day; idle ones have no edge."""
        heat_w = self._plant_heat(node)
        units = list(self._cooling.predecessors(node))
        chillers = tuple(unit for unit in units if self._cooling.nodes[unit]["kind"] == "chiller")
        coolers = tuple(unit for unit in units if unit not in chillers)
        for part, members, failure in (
            ("dry", coolers, FailureKind.COOLER),
            ("chiller", chillers, FailureKind.CHILLER),
        ):
            if members:
                fraction = float(fields[f"{part}_fraction"])
                taken_w = {row: fraction * watts for row, watts in heat_w.items()}
                spares = fields[f"{part}_spares"]
                yield self._bank(f"{node}:{part}", f"{node}/{failure}", failure, spares, members, taken_w)

    def _plant_heat(self, node: str) -> dict[str, float]:
        """Heat of each row at a plant, that of its handlers' fans included."""
        liquid, air = self._rows[node]
        heat_w: dict[str, float] = defaultdict(float)
        for row in liquid:
            if row in self._draws:
                heat_w[row] += self._draws[row].liquid_w
        for row in air:
            if row in self._draws:
                draw = self._draws[row]
                heat_w[row] += (draw.air_w + draw.support_w) * (1 + self._fan_watts(row))
        return dict(heat_w)

    def _fan_watts(self, row: str) -> float:
        """Watts of the handlers for each watt of a row's air heat."""
        headers = (header for header, edge in self._cooling.pred[row].items() if edge["medium"] == "air")
        return sum(float(self._cooling.nodes[header]["watts_per_heat_watt"]) for header in headers)

    def _bank(
        self, name: str, failure: str, kind: str, spares: int, units: tuple[str, ...], heat_w: dict[str, float]
    ) -> Bank:
        standing = tuple(unit for unit in units if self._stands(unit))
        feeds = tuple(self._standing_feeds(self._cooling.nodes[unit]["fed_by"]) for unit in standing)
        unit_heat_w = int(self._cooling.nodes[standing[0]]["heat_w"]) if standing else 0
        return Bank(name, failure, str(kind), spares, feeds, unit_heat_w, heat_w)

    def _standing_feeds(self, elements: tuple[str, ...]) -> frozenset[str]:
        if elements not in self._known_feeds:
            self._known_feeds[elements] = frozenset(filter(self._flow.stands, elements))
        return self._known_feeds[elements]

    def _leaf_banks(self, graphs: SiteGraphs) -> Iterator[LeafBank]:
        """The leaf groups of blocks whose network gear is in service; leaf i is in plane i modulo their count."""
        for node, fields in graphs.fabric.nodes(data=True):
            support = f"{node}/support"
            if fields["kind"] != "leaf-group" or not self._flow.stands(support):
                continue
            feeds = [self._standing_feeds(one) for one in fields["leaf_feeds"]]
            planes = tuple(tuple(feeds[plane :: fields["planes"]]) for plane in range(fields["planes"]))
            rows = tuple(graphs.fabric.successors(node))
            kind = str(FailureKind.LEAF)
            yield LeafBank(f"{node}/{kind}", kind, planes, fields["planes_needed"], support, rows)

    def _banks_by_element(self) -> dict[str, set[str]]:
        """Banks and leaf groups that the loss of a node of the power graph touches."""
        touched: dict[str, set[str]] = defaultdict(set)
        for bank in self.banks.values():
            for element in frozenset().union(*bank.feeds):
                touched[element].add(bank.failure)
        for leaf in self.leaves.values():
            touched[leaf.support].add(leaf.failure)
            for element in frozenset().union(*(feeds for plane in leaf.planes for feeds in plane)):
                touched[element].add(leaf.failure)
        return touched
