"""Which configuration may stand in which row, and from when (section 5 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING, Any

from planner.verify.draws import known

if TYPE_CHECKING:
    from planner.verify.limits import SiteLimits
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile


@dataclass(frozen=True)
class Eligibility:
    """The rule for the rows of one site."""

    limits: SiteLimits
    portfolio: PortfolioFile
    catalog: Catalog
    buildings: tuple[str, ...] | None
    """Buildings that are ours; None: every building marked available."""
    periods: tuple[str, ...]
    _first: dict[tuple[str, str], int | None] = field(default_factory=dict)

    def first_period(self, row: str, configuration: str) -> int | None:
        """First decision period in which one rack may stand; None when it never may."""
        key = (row, configuration)
        if key not in self._first:
            self._first[key] = self._first_period(row, configuration)
        return self._first[key]

    def _first_period(self, row: str, configuration: str) -> int | None:
        if self.refusal(row, configuration) is not None:
            return None
        system = self.catalog.configuration(configuration).system.name
        first = None
        for period, quarter in reversed(list(enumerate(self.periods))):
            if not self.limits.exists(row, quarter) or self.forbidden_drops(row, quarter):
                break
            if delivered(self.portfolio, system, quarter) >= 1:
                first = period
        return first

    def refusal(self, row: str, configuration: str) -> str | None:
        """Why a configuration can never stand in a row, dates aside; None when it can."""
        fields = self.limits.graphs.containment.nodes[row]
        if configuration not in self.portfolio.configurations:
            return "the portfolio does not offer it"
        if self.catalog.configuration(configuration).disabled_reason is not None:
            return "it is disabled in the catalogue"
        if not fields["available"] or (self.buildings is not None and fields["building_id"] not in self.buildings):
            return "the row is not ours to fill"
        for check in (self._cooled, self._tapped, self._rides_through, self._ported, self._carried):
            reason = check(fields, configuration, row)
            if reason is not None:
                return reason
        return None

    def _cooled(self, fields: dict[str, Any], configuration: str, _row: str) -> str | None:
        one = self.catalog.configuration(configuration)
        supply_degc = fields["liquid_supply_degc"]
        if supply_degc is None:
            liquid = known(one.profile.liquid_share, f"{configuration} liquid_share")
            return "the row has no liquid loop" if liquid else None
        warmest_degc = known(one.system.max_supply, f"{configuration} max_supply")
        return "the loop is too warm" if supply_degc > warmest_degc else None

    def _tapped(self, fields: dict[str, Any], configuration: str, row: str) -> str | None:
        """Each feed's whips must carry the rack's share of it after the loss of any other feed."""
        one, taps = self.catalog.configuration(configuration), fields["taps"]
        low_v = known(one.system.input_voltage_low, f"{configuration} input_voltage_low")
        high_v = known(one.system.input_voltage_high, f"{configuration} input_voltage_high")
        if not low_v <= taps.voltage <= high_v:
            return "the taps have another voltage"
        it_w = self._it_w(configuration)
        factor = taps.current * taps.voltage * taps.power_factor * taps.continuous_factor
        squared = 3 * Fraction(factor) ** 2
        tap_w = isqrt(squared.numerator // squared.denominator)
        if it_w * self._worst_share(row) > taps.count * tap_w:
            return "the taps carry too little"
        return None

    def _rides_through(self, fields: dict[str, Any], configuration: str, _row: str) -> str | None:
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
        edges = self.limits.graphs.power.in_edges(row, data=True)
        shares = [Fraction(edge["share"]) for _, _, edge in edges]
        worst = max(shares)
        for lost, gone in enumerate(shares):
            if gone < 1:
                worst = max([worst, *(kept / (1 - gone) for at, kept in enumerate(shares) if at != lost)])
        return worst

    def _ported(self, fields: dict[str, Any], configuration: str, _row: str) -> str | None:
        offered = self.limits.graphs.fabric.nodes[fields["block_id"]]["ports_by_kind"]
        needed = self.catalog.configuration(configuration).system.port_kind
        return None if needed in offered else "the block has no port of its kind"

    def _carried(self, fields: dict[str, Any], configuration: str, _row: str) -> str | None:
        system = self.catalog.configuration(configuration).system
        weight_kg = Fraction(known(system.weight, f"{configuration} weight"))
        footprint_m2 = Fraction(known(system.footprint, f"{configuration} footprint"))
        allowed = Fraction(fields["floor_point_kg_per_m2"]) * footprint_m2
        return "it is too heavy for the floor" if weight_kg > allowed else None

    def forbidden_drops(self, row: str, quarter: str) -> list[str]:
        """Failures of what is in service that drop the row against its availability class."""
        walker = self.limits.walker
        network, epoch = walker.network, walker.epoch(quarter)
        allowed = {str(kind) for kind in self.limits.graphs.containment.nodes[row]["may_drop_on"]}
        return [
            network.failure_name(failed)
            for failed in walker.dropping(epoch).get(network.index[row], ())
            if network.failure_kind(failed) not in allowed
        ]


def delivered(portfolio: PortfolioFile, system: str, quarter: str) -> int:
    """Racks of a system delivered up to a quarter."""
    return sum(
        delivery.racks
        for supply in portfolio.supply
        if supply.system == system
        for delivery in supply.deliveries
        if delivery.quarter <= quarter
    )
