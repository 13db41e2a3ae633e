"""Every limit of one site on demand: coefficients and capacity by name and period (section 4 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.draws import flow_kind
from planner.verify.walk import Shares, Walker
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from planner.verify.draws import RackDraws
    from sites.expansion import SiteGraphs

ONE = 2**20
"""Shares and capacities are in units of 2^-20."""


@dataclass(frozen=True)
class Terms:
    """One limit in one period: the sum over rows and kinds of coefficient · draw is at most the capacity."""

    rows: Mapping[str, Mapping[str, int]]
    """Coefficient for each row and kind of draw, scaled by 2^20."""
    capacity: int
    """Scaled by 2^20, less racks that stand already and constants."""

    def coefficient(self, row: str, draws: RackDraws) -> int:
        """Load of one rack of a configuration in a row, scaled by 2^20."""
        return sum(share * draws.draw.get(kind, 0) for kind, share in self.rows.get(row, {}).items())


@dataclass(frozen=True)
class Occupied:
    """Racks that stand in a row already."""

    draws: RackDraws
    n_racks: int


@dataclass
class SiteLimits:
    """The limits of one site; nothing is kept but what a walk found out."""

    graphs: SiteGraphs
    occupied: dict[str, Occupied]
    walker: Walker = field(init=False)

    def __post_init__(self) -> None:
        """Read the graphs once."""
        self.walker = Walker(self.graphs)

    def terms(self, family: str, element: str, detail: str | None, quarter: str) -> Terms | None:
        """One limit in a period, or None where it does not exist.

        Parameters: detail, the failed element or group of a power limit, the kind of port of a leaf group, else None.
        Raises KeyError when the family, the element or the detail is none of this site's.
        """
        if family == "power":
            return self._power(element, detail, quarter)
        if family == "leaf" and detail is not None:
            return self._leaf(element, detail, quarter)
        if detail is not None:
            msg = f"a limit of family '{family}' ends with its element, found '{detail}' after it"
            raise KeyError(msg)
        return self._builders[family](element, quarter)

    @cached_property
    def _builders(self) -> dict[str, Callable[[str, str], Terms | None]]:
        return {
            "meter": self._meter,
            "liquid": self._liquid,
            "flow": self._flow,
            "air": self._air,
            "dry": self._dry,
            "chiller": self._chiller,
            "spine": self._spine,
            "floor": self._floor,
            "position": self._position,
            "landing": self._landing,
        }

    def names(self) -> Iterator[tuple[str, str, str | None]]:
        """(family, element, detail) of every limit but the power limits, whether active or not."""
        yield "meter", "service", None
        by_kind = {
            "liquid-header": ("liquid", "flow"),
            "air-header": ("air",),
            "plant": ("dry", "chiller"),
        }
        for node, fields in self.graphs.cooling.nodes(data=True):
            for family in by_kind.get(fields["kind"], ()):
                yield family, node, None
        for node, fields in self.graphs.fabric.nodes(data=True):
            if fields["kind"] == "leaf-group":
                yield from (("leaf", node, str(kind)) for kind in fields["ports_by_kind"])
            elif fields["kind"] == "spine":
                yield "spine", node, None
        for node, fields in self.graphs.containment.nodes(data=True):
            if fields["kind"] == "row":
                yield from (("floor", node, None), ("position", node, None))
            elif fields["kind"] == "building":
                yield "landing", node, None

    @cached_property
    def rows(self) -> tuple[str, ...]:
        """Every row of the site."""
        return tuple(row for row, fields in self.graphs.containment.nodes(data=True) if fields["kind"] == "row")

    def exists(self, row: str, quarter: str) -> bool:
        """Whether a row stands in a period (section 2)."""
        walker = self.walker
        return walker.network.index[row] not in walker.wiring(walker.epoch(quarter)).dead

    def occupied_coefficient(self, rows: Mapping[str, Mapping[str, int]], quarter: str) -> int:
        """Load of racks that stand already, in rows that exist, scaled by 2^20."""
        total = 0
        for row, standing in self.occupied.items():
            if row in rows and self.exists(row, quarter):
                draw = standing.draws.draw
                total += standing.n_racks * sum(share * draw.get(kind, 0) for kind, share in rows[row].items())
        return total

    def _less_occupied(self, rows: Mapping[str, Mapping[str, int]], capacity: int, quarter: str) -> Terms:
        return Terms(rows, capacity * ONE - self.occupied_coefficient(rows, quarter))

    def power_shares(self, element: str, contingency: str | None, quarter: str) -> Shares | None:
        """Exact shares on an element's output, or None when it or what fails does not stand."""
        walker, network = self.walker, self.walker.network
        epoch, node = walker.epoch(quarter), network.index[element]
        failed = None if contingency is None else network.failure_number(contingency)
        dead = walker.wiring(epoch).dead
        if node in dead:
            return None
        if failed is not None:
            after = walker.outage(epoch, failed).dead
            if not after or node in after:
                return None
        return walker.shares(epoch, node, failed)

    def _power(self, element: str, contingency: str | None, quarter: str) -> Terms | None:
        shares = self.power_shares(element, contingency, quarter)
        rating_w = self.walker.network.rating_w[self.walker.network.index[element]]
        if shares is None or rating_w is None:
            return None
        return self._rated(shares, rating_w, quarter)

    def _meter(self, element: str, quarter: str) -> Terms | None:
        shares = self.power_shares(element, None, quarter)
        return None if shares is None else self._rated(shares, self.service_w(quarter), quarter)

    def service_w(self, quarter: str) -> int:
        """The service step of a period, whole W; 0 before the first."""
        steps = self.graphs.power.nodes["service"]["capacity_steps"]
        now = quarter_index(quarter)
        started = [floor(watts) for start, watts in steps if quarter_index(start) <= now]
        return started[-1] if started else 0

    def _rated(self, shares: Shares, capacity_w: int, quarter: str) -> Terms:
        """Shares rounded up, once for each row and kind, and the constants rounded up together."""
        terms = self._less_occupied(shares.scaled, capacity_w, quarter)
        return Terms(terms.rows, terms.capacity - ceil(shares.constant_w * ONE))

    def _header(self, header: str, quarter: str, kinds: dict[str, str], field_name: str) -> Terms | None:
        """One header with its spares out; `kinds` gives the kind of draw of each row on it."""
        cooling = self.graphs.cooling
        fields, now = cooling.nodes[header], quarter_index(quarter)
        if quarter_index(fields["in_service"]) > now:
            return None
        units = [cooling.nodes[unit] for unit in cooling.predecessors(header)]
        standing = [unit for unit in units if quarter_index(unit["in_service"]) <= now]
        n_working = len(standing) - fields["spares"]
        rows = {row: {kind: _share(Fraction(1), n_working)} for row, kind in kinds.items()}
        capacity = min(floor(unit[field_name]) for unit in standing) if n_working > 0 else 0
        return self._less_occupied(rows, capacity, quarter)

    def _liquid(self, header: str, quarter: str) -> Terms | None:
        return self._header(header, quarter, dict.fromkeys(self._header_rows(header), "liquid_w"), "heat_w")

    def _flow(self, header: str, quarter: str) -> Terms | None:
        containment = self.graphs.containment
        rows = {row: containment.nodes[row] for row in self._header_rows(header)}
        kinds = {row: flow_kind(fields["coolant"], fields["liquid_rise_k"]) for row, fields in rows.items()}
        return self._header(header, quarter, kinds, "flow_ml_per_min")

    def _air(self, header: str, quarter: str) -> Terms | None:
        return self._header(header, quarter, dict.fromkeys(self._header_rows(header), "air_w"), "heat_w")

    def _header_rows(self, header: str) -> list[str]:
        return sorted(self.graphs.cooling.successors(header))

    def _dry(self, plant: str, quarter: str) -> Terms | None:
        return self._plant(plant, quarter, "dry_fraction", "n_dry_coolers", "dry_spares", "dry_cooler_heat_w")

    def _chiller(self, plant: str, quarter: str) -> Terms | None:
        return self._plant(plant, quarter, "chiller_fraction", "n_chillers", "chiller_spares", "chiller_heat_w")

    def _plant(
        self, plant: str, quarter: str, fraction_key: str, count_key: str, spares_key: str, heat_key: str
    ) -> Terms | None:
        """Heat of a plant's rows at the design day with spares out; fans of the handlers heat the air side."""
        fields = self.graphs.cooling.nodes[plant]
        fraction = Fraction(fields[fraction_key])
        if quarter_index(fields["in_service"]) > quarter_index(quarter) or not fraction:
            return None
        n_working = fields[count_key] - fields[spares_key]
        rows: dict[str, dict[str, int]] = {}
        for header, row, medium in self.rows_on_plant[plant]:
            share = fraction
            if medium == "air":
                share *= 1 + Fraction(self.graphs.cooling.nodes[header]["watts_per_heat_watt"])
            rows.setdefault(row, {})["liquid_w" if medium == "liquid" else "air_w"] = _share(share, n_working)
        return self._less_occupied(rows, floor(fields[heat_key]) if n_working > 0 else 0, quarter)

    @cached_property
    def rows_on_plant(self) -> dict[str, list[tuple[str, str, str]]]:
        """(header, row, medium) of everything whose heat ends in each plant."""
        cooling = self.graphs.cooling
        found: dict[str, list[tuple[str, str, str]]] = {
            node: [] for node, fields in cooling.nodes(data=True) if fields["kind"] == "plant"
        }
        for header, row, edge in cooling.edges(data=True):
            if "medium" in edge:
                plants = {plant for unit in cooling.predecessors(header) for plant in cooling.predecessors(unit)}
                for plant in plants:
                    found[plant].append((header, row, edge["medium"]))
        return found

    def _leaf(self, block: str, kind: str, quarter: str) -> Terms | None:
        fabric = self.graphs.fabric
        rows = {row: {f"ports:{kind}": ONE} for row in fabric.successors(block)}
        return self._less_occupied(rows, int(fabric.nodes[block]["ports_by_kind"][kind]), quarter)

    def _spine(self, spine: str, quarter: str) -> Terms | None:
        fabric = self.graphs.fabric
        rows = {row: {"gbps": ONE} for block in fabric.successors(spine) for row in fabric.successors(block)}
        return self._less_occupied(rows, int(fabric.nodes[spine]["ports_gbps"]), quarter)

    def _floor(self, row: str, quarter: str) -> Terms | None:
        fields = self.graphs.containment.nodes[row]
        capacity = floor(fields["floor_uniform_kg_per_m2"] * fields["floor_area_m2"])
        return self._less_occupied({row: {"kg": ONE}}, capacity, quarter)

    def _position(self, row: str, quarter: str) -> Terms | None:
        positions = int(self.graphs.containment.nodes[row]["positions"])
        return self._less_occupied({row: {"position": ONE}}, positions, quarter)

    def _landing(self, building: str, quarter: str) -> Terms | None:
        """Racks landed since the building opened; racks that stood before do not count."""
        containment = self.graphs.containment
        fields = containment.nodes[building]
        n_quarters = quarter_index(quarter) - quarter_index(fields["in_service"]) + 1
        if n_quarters <= 0:
            return None
        rows = {
            row: {"rack": ONE}
            for row, row_fields in containment.nodes(data=True)
            if row_fields["kind"] == "row" and row_fields["building_id"] == building
        }
        return Terms(rows, int(fields["landing_racks_per_quarter"]) * n_quarters * ONE)


def _share(share: Fraction, n_working: int) -> int:
    """Share of one of the working units, scaled and rounded up; 1 with none left, so that any load is too much."""
    return ceil(share * ONE / n_working) if n_working > 0 else ONE

