"""What a configuration needs and a row does not offer (section 5 of `docs/model.md`)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.flow import ONE
from planner.lower.swing import swing_steps, swing_w
from sites.expansion.ratings import tap_rating_w
from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.lower.hosts import Offer
    from planner.lower.row_figures import RowFigures
    from planner.lower.site import LoweredSite
    from sites.schema.lineup import Taps
    from sites.schema.portfolio import PortfolioFile


class Mismatch:
    """Whether the rows of one site offer what configurations need."""

    def __init__(self, site: LoweredSite, offer: Offer, portfolio: PortfolioFile) -> None:
        """Prepare; the portfolio says whether its racks move together, and so whether their swing is asked."""
        self._site, self._offer = site, offer
        self._asks_swing = swing_steps(site, portfolio) is not None
        self._known: dict[tuple[object, ...], str | None] = {}

    def reason(self, row: str, k: int, figures: RowFigures) -> str | None:
        """What configuration k needs and the row does not offer; None when it fits. Equal questions are asked once.

        Parameters: row id; k; figures of the row as it stands or converted.
        """
        fields = self._site.rows[row]
        needed_share = self._largest_feed_share(row)
        loop, pressure_kpa = fields["liquid_supply_degc"], fields["pressure_kpa"]
        key = (k, loop, pressure_kpa, figures.key, needed_share, fields["ride_through"])
        if key not in self._known:
            checks: tuple[Callable[[], str | None], ...] = (
                lambda: self._loop(loop, k),
                lambda: self._pressure(pressure_kpa, k),
                lambda: self._taps(figures.taps, needed_share, k),
                lambda: self._ride_through(fields["ride_through"], k),
                lambda: self._ports(tuple(sorted(figures.port_kinds)), k),
                lambda: self._point_load(figures.floor_point_kg_per_m2, k),
                lambda: self._weight(figures.floor_kg, k),
                lambda: self._swing(k),
            )
            self._known[key] = next((reason for check in checks if (reason := check()) is not None), None)
        return self._known[key]

    def _largest_feed_share(self, row: str) -> Fraction:
        """Largest share on any feed once any other one feed is lost."""
        shares = [edge["share"] for _, _, edge in self._site.graphs.power.in_edges(row, data=True)]
        after = [
            share / (ONE - lost)
            for i, lost in enumerate(shares)
            for j, share in enumerate(shares)
            if i != j and lost < 1
        ]
        return Fraction(max([*shares, *after]))

    def _loop(self, supply_degc: Fraction | None, k: int) -> str | None:
        configuration = self._offer.configurations[k]
        system = configuration.system
        where = f"configuration '{configuration.name}'"
        liquid_share = known(configuration.profile.liquid_share, where, "liquid_share")
        if supply_degc is None:
            if liquid_share == 0:
                return None
            return f"the row has no liquid loop, and the rack gives {float(liquid_share):.0%} of its heat to liquid"
        most_degc = known(system.max_supply, f"system '{system.name}'", "max_supply")
        if most_degc >= supply_degc:
            return None
        return f"the loop supplies {float(supply_degc):g} degC, and the rack takes {float(most_degc):g} degC at most"

    def _taps(self, taps: Taps, share: Fraction, k: int) -> str | None:
        system = self._offer.configurations[k].system
        where = f"system '{system.name}'"
        low_v = known(system.input_voltage_low, where, "input_voltage_low")
        high_v = known(system.input_voltage_high, where, "input_voltage_high")
        voltage_v = taps.voltage
        if not low_v <= voltage_v <= high_v:
            return f"the taps give {float(voltage_v):g} V, and the rack takes {float(low_v):g} to {float(high_v):g} V"
        offered_w = tap_rating_w(taps) * taps.count
        needed_w = self._offer.draws[k].it_w * share
        if needed_w <= offered_w:
            return None
        return (
            f"the taps of one feed carry {offered_w / 1000:,.1f} kW, and the rack draws "
            f"{float(needed_w) / 1000:,.1f} kW from it once another feed is lost"
        )

    def _ride_through(self, rule: str | None, k: int) -> str | None:
        """Whether the shelves on one feed carry the rack once the other feed of two is lost."""
        if rule is None or rule == "ignore":
            return None
        configuration, it_w = self._offer.configurations[k], self._offer.draws[k].it_w
        system = configuration.system
        if configuration.profile.capped_to_ride_through and rule == "refuse":
            return "a power cap would hold the rack at what its shelves on one feed carry, which the row does not trust"
        where = f"system '{system.name}'"
        n_shelves: int = known(system.power_shelves_per_feed, where, "power_shelves_per_feed")
        carried_w = known(system.power_shelf_rating, where, "power_shelf_rating") * n_shelves
        if it_w <= carried_w:
            return None
        return (
            f"the rack draws {it_w / 1000:,.1f} kW, and once a feed is lost its {n_shelves} power shelves on the other "
            f"carry {float(carried_w) / 1000:,.1f} kW"
        )

    def _ports(self, offered: tuple[str, ...], k: int) -> str | None:
        needed = self._offer.draws[k].port_kind
        if needed in offered:
            return None
        return f"the leaf group offers ports {', '.join(offered)}, and the rack needs {needed}"

    def _point_load(self, most_kg_per_m2: Fraction, k: int) -> str | None:
        system = self._offer.configurations[k].system
        where = f"system '{system.name}'"
        weight_kg = known(system.weight, where, "weight")
        load = weight_kg / known(system.footprint, where, "footprint")
        if load <= most_kg_per_m2:
            return None
        return f"the floor takes {float(most_kg_per_m2):,.0f} kg/m² at a point, and the rack needs {float(load):,.0f}"

    def _weight(self, most_kg: int | None, k: int) -> str | None:
        rack_kg = self._offer.draws[k].kg
        if most_kg is None or rack_kg <= most_kg:
            return None
        return f"the floor of the whole row takes {most_kg:,} kg, and one rack weighs {rack_kg:,} kg"

    def _pressure(self, offered_kpa: Fraction | None, k: int) -> str | None:
        """Whether the loop drives the flow through the rack, where the row states what pressure it leaves."""
        if offered_kpa is None:
            return None
        drop = self._offer.configurations[k].system.pressure_drop
        if drop.value is None:
            return f"the row asks for the rack's pressure drop, which is not known: {drop.reason}"
        if drop.value <= offered_kpa:
            return None
        return (
            f"the loop leaves {float(offered_kpa):,.1f} kPa for the rack, and the rack takes "
            f"{float(drop.value):,.1f} kPa at its design flow"
        )

    def _swing(self, k: int) -> str | None:
        """Whether the swing of the rack is known, where the site limits it."""
        if not self._asks_swing or swing_w(self._offer.configurations[k]) is not None:
            return None
        reason = self._offer.configurations[k].system.swing_smoothing.reason
        return f"the site limits how far its load swings, and what the rack smooths itself is not known: {reason}"
