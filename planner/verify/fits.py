"""Which configuration a row can take, dates and failures aside: as it stands, or converted (section 5 of the model)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import isqrt
from typing import TYPE_CHECKING, Any

from planner.verify.draws import known
from planner.verify.refresh import changes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.refresh import Change
    from sites.catalog.loader import Catalog
    from sites.expansion import SiteGraphs
    from sites.schema.lineup import Conversion, Taps
    from sites.schema.portfolio import PortfolioFile


@dataclass(frozen=True)
class Figures:
    """What a row offers to a rack, as it stands or after a conversion."""

    taps: Taps
    port_kinds: frozenset[str]
    floor_uniform: Fraction
    """kg/m²"""
    floor_point: Fraction
    """kg/m²"""


@dataclass
class Fits:
    """The rule for the rows of one site."""

    graphs: SiteGraphs
    portfolio: PortfolioFile
    catalog: Catalog
    buildings: tuple[str, ...] | None
    """Buildings that are ours; None: every building marked available."""
    _conversions: dict[tuple[str, str], int | None] = field(default_factory=dict)
    _refused: dict[tuple[str, str, int | None], str | None] = field(default_factory=dict)
    _offered: dict[tuple[str, int | None], Figures] = field(default_factory=dict)
    _worst_shares: dict[str, Fraction] = field(default_factory=dict)
    _system_of: dict[str, str] = field(default_factory=dict)

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """Systems on offer, in order."""
        return tuple(dict.fromkeys(self._system(name) for name in self.portfolio.configurations))

    @cached_property
    def changes(self) -> dict[str, Change]:
        """Refreshes by the name of the system that each is to the plan."""
        return changes_of(self.portfolio)

    @cached_property
    def limits_swing(self) -> bool:
        """Whether the site limits how far the load of a synchronous job may change at once."""
        limited = self.graphs.power.nodes["service"]["swing_steps"] is not None
        kinds = {self.portfolio.money.workload, *(str(workload.kind) for workload in self.portfolio.workloads)}
        return limited and "training" in kinds

    def _system(self, configuration: str) -> str:
        if configuration not in self._system_of:
            self._system_of[configuration] = self.catalog.configuration(configuration).system.name
        return self._system_of[configuration]

    def _row(self, row: str) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = self.graphs.containment.nodes[row]
        return fields

    def refusal(self, row: str, configuration: str) -> str | None:
        """Why a configuration can never stand in a row, dates and failures aside; None when it can."""
        if configuration not in self.portfolio.configurations:
            return "the portfolio does not offer it"
        number = self._conversion_number(row, self._system(configuration))
        return self._refusal_at(row, configuration, number)

    def conversion(self, row: str, system: str) -> Conversion | None:
        """What is converted in a row for a system; None where it fits as the row stands, or nothing helps."""
        number = self._conversion_number(row, system)
        conversions: tuple[Conversion, ...] = self._row(row)["conversions"]
        return None if number is None else conversions[number]

    def conversion_cents(self, row: str, system: str) -> int:
        """What converting the places of one rack costs, in whole cents, rounded up; 0 without conversion."""
        change = self.changes.get(system)
        systems = (system,) if change is None else (change.refresh.before, change.refresh.after)
        conversion = self.conversion(row, systems[0])
        if conversion is None:
            return 0
        n_positions = max(known(self.catalog.rack_systems[one].positions, f"{one} positions") for one in systems)
        cost = Fraction(conversion.cost_per_position) * n_positions * 100
        return -(-cost.numerator // cost.denominator)

    def floor_uniform(self, row: str) -> Fraction:
        """Rating of a row's floor, kg/m²: the converted one only if no system fits the row as it stands."""
        own, fields = Fraction(self._row(row)["floor_uniform_kg_per_m2"]), self._row(row)
        if not fields["conversions"]:
            return own
        numbers = {system: self._conversion_number(row, system) for system in self.systems}
        fitting = [n for system, n in numbers.items() if self._fits(row, system, n)]
        if not fitting or None in fitting:
            return own
        return min(self._figures(row, n).floor_uniform for n in fitting)

    def _conversion_number(self, row: str, system: str) -> int | None:
        """The first conversion that admits a system which the row does not take as it stands."""
        key = (row, system)
        if key not in self._conversions:
            n_conversions = len(self._row(row)["conversions"])
            tried = [None, *range(n_conversions)]
            self._conversions[key] = next((n for n in tried if self._fits(row, system, n)), None)
        return self._conversions[key]

    def _fits(self, row: str, system: str, number: int | None) -> bool:
        offered = [name for name in self.portfolio.configurations if self._system(name) == system]
        return any(self._refusal_at(row, name, number) is None for name in offered)

    def _refusal_at(self, row: str, configuration: str, number: int | None) -> str | None:
        """Why a row refuses a configuration as it stands, or after one of its conversions."""
        key = (row, configuration, number)
        if key not in self._refused:
            self._refused[key] = self._refusal(row, configuration, self._figures(row, number))
        return self._refused[key]

    def _figures(self, row: str, number: int | None) -> Figures:
        if (row, number) not in self._offered:
            self._offered[row, number] = self._figures_of(row, number)
        return self._offered[row, number]

    def _figures_of(self, row: str, number: int | None) -> Figures:
        fields = self._row(row)
        own = Figures(
            taps=fields["taps"],
            port_kinds=frozenset(fields["port_kinds"]),
            floor_uniform=Fraction(fields["floor_uniform_kg_per_m2"]),
            floor_point=Fraction(fields["floor_point_kg_per_m2"]),
        )
        if number is None:
            return own
        conversion: Conversion = fields["conversions"][number]
        uniform, point = conversion.floor_uniform, conversion.floor_point
        return Figures(
            taps=own.taps if conversion.taps is None else conversion.taps,
            port_kinds=frozenset(fields["conversion_port_kinds"][number]),
            floor_uniform=own.floor_uniform if uniform is None else Fraction(uniform),
            floor_point=own.floor_point if point is None else Fraction(point),
        )

    def _refusal(self, row: str, configuration: str, figures: Figures) -> str | None:
        fields = self._row(row)
        if self.catalog.configuration(configuration).disabled_reason is not None:
            return "it is disabled in the catalogue"
        if not fields["available"] or (self.buildings is not None and fields["building_id"] not in self.buildings):
            return "the row is not ours to fill"
        return (
            self._cooled(fields, configuration)
            or self._pressed(fields, configuration)
            or self._tapped(row, figures.taps, configuration)
            or self._rides_through(fields, configuration)
            or self._ported(figures, configuration)
            or self._carried(fields, figures, configuration)
            or self._swings(configuration)
        )

    def _cooled(self, fields: Mapping[str, Any], configuration: str) -> str | None:
        one = self.catalog.configuration(configuration)
        supply_degc = fields["liquid_supply_degc"]
        if supply_degc is None:
            liquid = known(one.profile.liquid_share, f"{configuration} liquid_share")
            return "the row has no liquid loop" if liquid else None
        warmest_degc = known(one.system.max_supply, f"{configuration} max_supply")
        return "the loop is too warm" if supply_degc > warmest_degc else None

    def _pressed(self, fields: Mapping[str, Any], configuration: str) -> str | None:
        """Where the row states what its loop has to give, the rack's drop must be known and no larger."""
        left_kpa = fields["pressure_kpa"]
        if left_kpa is None:
            return None
        drop_kpa = self.catalog.configuration(configuration).system.pressure_drop.value
        if drop_kpa is None:
            return "the row states its pressure, but the rack's pressure drop is unknown"
        return "its pressure drop is more than the loop has to give" if drop_kpa > left_kpa else None

    def _tapped(self, row: str, taps: Taps, configuration: str) -> str | None:
        """Each feed's whips must carry the rack's share of it after the loss of any other feed."""
        one = self.catalog.configuration(configuration)
        low_v = known(one.system.input_voltage_low, f"{configuration} input_voltage_low")
        high_v = known(one.system.input_voltage_high, f"{configuration} input_voltage_high")
        if not low_v <= taps.voltage <= high_v:
            return "the taps have another voltage"
        factor = taps.current * taps.voltage * taps.power_factor * taps.continuous_factor
        squared = 3 * Fraction(factor) ** 2
        tap_w = isqrt(squared.numerator // squared.denominator)
        if row not in self._worst_shares:
            self._worst_shares[row] = self._worst_share(row)
        too_little = self._it_w(configuration) * self._worst_shares[row] > taps.count * tap_w
        return "the taps carry too little" if too_little else None

    def _rides_through(self, fields: Mapping[str, Any], configuration: str) -> str | None:
        """With one of two feeds lost, the shelves on the other must carry the rack where the row asks for it."""
        if fields["ride_through"] not in {"cap", "refuse"}:
            return None
        one = self.catalog.configuration(configuration)
        if fields["ride_through"] == "refuse" and one.profile.capped_to_ride_through:
            return "the row trusts no power cap"
        per_feed = known(one.system.power_shelves_per_feed, f"{configuration} power_shelves_per_feed")
        shelf_w = Fraction(known(one.system.power_shelf_rating, f"{configuration} power_shelf_rating"))
        return "its shelves on one feed carry too little" if self._it_w(configuration) > per_feed * shelf_w else None

    def _it_w(self, configuration: str) -> int:
        watts = Fraction(known(self.catalog.configuration(configuration).profile.sustained_max, configuration))
        return -(-watts.numerator // watts.denominator)

    def _worst_share(self, row: str) -> Fraction:
        """The largest share of any feed, in normal operation or after the loss of one other."""
        if self._row(row)["single_feed_until"] is not None:
            return Fraction(1)
        edges = self.graphs.power.in_edges(row, data=True)
        shares = [Fraction(edge["share"]) for _, _, edge in edges]
        worst = max(shares)
        for lost, gone in enumerate(shares):
            if gone < 1:
                worst = max([worst, *(kept / (1 - gone) for at, kept in enumerate(shares) if at != lost)])
        return worst

    def _ported(self, figures: Figures, configuration: str) -> str | None:
        needed = self.catalog.configuration(configuration).system.port_kind
        return None if needed in figures.port_kinds else "the block has no port of its kind"

    def _carried(self, fields: Mapping[str, Any], figures: Figures, configuration: str) -> str | None:
        """Point load; and in rows that could be converted, one rack on the uniform rating."""
        system = self.catalog.configuration(configuration).system
        weight_kg = Fraction(known(system.weight, f"{configuration} weight"))
        footprint_m2 = Fraction(known(system.footprint, f"{configuration} footprint"))
        if weight_kg > figures.floor_point * footprint_m2:
            return "it is too heavy for the floor"
        area_m2 = Fraction(fields["floor_area_m2"])
        if fields["conversions"] and weight_kg > figures.floor_uniform * area_m2:
            return "one rack is more than the floor of the row carries"
        return None

    def _swings(self, configuration: str) -> str | None:
        """Where the site limits swings, what the rack's own storage keeps from the supply must be known."""
        if not self.limits_swing:
            return None
        one = self.catalog.configuration(configuration)
        missing = [
            key
            for key, figure in (("swing_smoothing", one.system.swing_smoothing), ("idle", one.profile.idle))
            if figure.value is None
        ]
        return f"the site limits swings, but the rack's '{missing[0]}' is unknown" if missing else None
