"""Limits of ports, floors, positions, places for support gear, landing, and of swings at the meter."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.draws import UnknownFigureError, known
from planner.verify.terms import ONE, Terms
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.verify.fits import Fits
    from planner.verify.terms import Occupied
    from sites.expansion import SiteGraphs


@dataclass
class PlaceLimits:
    """Limits of one site that no failure touches; racks that stand already are not taken off here."""

    graphs: SiteGraphs
    fits: Fits
    occupied: Mapping[str, Occupied]

    def terms(self, family: str, element: str, details: tuple[str, ...], quarter: str) -> Terms | None:
        """One limit in a period, or None where it does not exist; raises KeyError for names that are none."""
        if family == "leaf" and len(details) == 1:
            return self._leaf(element, details[0])
        if details:
            msg = f"a limit of family '{family}' ends with its element, found '{':'.join(details)}' after it"
            raise KeyError(msg)
        if family in {"landing", "swing"}:
            return self._landing(element, quarter) if family == "landing" else self._swing(element, quarter)
        by_family = {"spine": self._spine, "floor": self._floor, "position": self._position, "support": self._support}
        return by_family[family](element)

    def names(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """(family, element, details) of every limit, whether active or not."""
        if self.fits.limits_swing:
            yield "swing", "service", ()
        for node, fields in self.graphs.fabric.nodes(data=True):
            if fields["kind"] == "leaf-group":
                yield from (("leaf", node, (str(kind),)) for kind in fields["ports_by_kind"])
                yield "support", node, ()
            elif fields["kind"] == "spine":
                yield "spine", node, ()
        for node, fields in self.graphs.containment.nodes(data=True):
            if fields["kind"] == "row":
                yield from (("floor", node, ()), ("position", node, ()))
            elif fields["kind"] == "building":
                yield "landing", node, ()

    def _leaf(self, block: str, kind: str) -> Terms:
        fabric = self.graphs.fabric
        n_ports = int(fabric.nodes[block]["ports_by_kind"][kind])
        return Terms({row: {f"ports:{kind}": ONE} for row in fabric.successors(block)}, n_ports * ONE)

    def _spine(self, spine: str) -> Terms:
        fabric = self.graphs.fabric
        ports_gbps = int(fabric.nodes[spine]["ports_gbps"])
        rows = {row: {"gbps": ONE} for block in fabric.successors(spine) for row in fabric.successors(block)}
        return Terms(rows, ports_gbps * ONE)

    def _support(self, block: str) -> Terms:
        """Rack places outside the rows; an emptiest unit that is paid for in full takes its places in full."""
        fields = self.graphs.fabric.nodes[block]
        capacity = int(fields["support_positions"]) * ONE
        standing = {one.draws.system for one in self.occupied.values()}
        systems = dict.fromkeys((*self.fits.systems, *sorted(standing)))
        shares = {f"rack:{system}": ceil(ONE * self._places_per_rack(system)) for system in systems}
        if fields["partial_units"]:
            left = max(self._places_per_rack(system) * (self._unit_racks(system) - 1) for system in self.fits.systems)
            capacity = max(0, capacity - ceil(ONE * left))
        return Terms(dict.fromkeys(self.graphs.fabric.successors(block), shares), capacity)

    def _unit_racks(self, system: str) -> int:
        figure = self.fits.catalog.rack_systems[system].scalable_unit_racks
        return known(figure, f"{system} scalable_unit_racks")

    def _places_per_rack(self, system: str) -> Fraction:
        figure = self.fits.catalog.rack_systems[system].support_positions_per_unit
        return Fraction(known(figure, f"{system} support_positions_per_unit")) / self._unit_racks(system)

    def _floor(self, row: str) -> Terms:
        area_m2 = self.graphs.containment.nodes[row]["floor_area_m2"]
        return Terms({row: {"kg": ONE}}, floor(self.fits.floor_uniform(row) * area_m2) * ONE)

    def _position(self, row: str) -> Terms:
        positions = int(self.graphs.containment.nodes[row]["positions"])
        return Terms({row: {"position": ONE}}, positions * ONE)

    def _landing(self, building: str, quarter: str) -> Terms | None:
        """Racks landed since the building opened; racks that stood before do not count."""
        containment = self.graphs.containment
        fields = containment.nodes[building]
        n_quarters = quarter_index(quarter) - quarter_index(fields["in_service"]) + 1
        if n_quarters <= 0:
            return None
        return Terms(self._rows_of_building[building], int(fields["landing_racks_per_quarter"]) * n_quarters * ONE)

    @cached_property
    def _rows_of_building(self) -> dict[str, dict[str, dict[str, int]]]:
        """Rows with one landed for each rack, by building."""
        found: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
        for row, fields in self.graphs.containment.nodes(data=True):
            if fields["kind"] == "row":
                found[fields["building_id"]][row] = {"landed": ONE}
        return found

    @cached_property
    def _swinging(self) -> dict[str, dict[str, int]]:
        """Every row with its racks' own swing."""
        rows = [row for row, fields in self.graphs.containment.nodes(data=True) if fields["kind"] == "row"]
        return {row: {"swing_w": ONE} for row in rows}

    def _swing(self, element: str, quarter: str) -> Terms | None:
        """What racks of one synchronous job do to the meter at once, from the service's first step on."""
        fields = self.graphs.power.nodes[element]
        if element != "service" or not self.fits.limits_swing:
            msg = f"no swing is limited at '{element}'"
            raise KeyError(msg)
        first = min(quarter_index(start) for start, _ in fields["capacity_steps"])
        if quarter_index(quarter) < first:
            return None
        started = [watts for start, watts in fields["swing_steps"] if quarter_index(start) <= quarter_index(quarter)]
        for row, standing in self.occupied.items():
            if "swing_w" not in standing.draws.draw:
                msg = f"how far {standing.draws.name} in {row} swings is unknown"
                raise UnknownFigureError(msg)
        return Terms(self._swinging, floor(started[-1] if started else 0) * ONE)
