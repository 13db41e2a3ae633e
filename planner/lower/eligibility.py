"""From which period on a configuration may stand in a row, or why it never may (section 5 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.flow import ONE
from planner.lower.joint_limits import delivered_racks
from sites.expansion.ratings import tap_rating_w
from sites.expansion.values import known
from sites.schema.site import COMMON_MODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.lower.hosts import Offer
    from planner.lower.site import LoweredSite
    from sites.schema.portfolio import PortfolioFile


@dataclass(frozen=True)
class Verdict:
    """First decision period of a configuration in a row, or the reason why there is none."""

    first_period: int | None
    reason: str | None


class SiteEligibility:
    """Eligibility of every configuration in every row of one site."""

    def __init__(self, site: LoweredSite, offer: Offer, portfolio: PortfolioFile) -> None:
        """Prepare; supply is that of the portfolio."""
        self._site, self._offer, self._portfolio = site, offer, portfolio
        self._supplied = [self._first_supplied(one.system.name) for one in offer.configurations]
        self._known: dict[tuple[object, ...], str | None] = {}

    def verdicts(self) -> dict[str, tuple[Verdict, ...]]:
        """By row id, one verdict for each configuration."""
        return {row: self._row_verdicts(row) for row in self._site.rows}

    def _row_verdicts(self, row: str) -> tuple[Verdict, ...]:
        reason = self._not_ours(row)
        first, why = (None, reason) if reason else self._first_standing(row)
        if first is None:
            return (Verdict(None, why),) * len(self._offer.configurations)
        return tuple(self._verdict(row, k, first) for k in range(len(self._offer.configurations)))

    def _verdict(self, row: str, k: int, first: int) -> Verdict:
        reason = self._mismatch(row, k)
        if reason is not None:
            return Verdict(None, reason)
        supplied = self._supplied[k]
        if supplied is None:
            system = self._offer.configurations[k].system.name
            return Verdict(None, f"no rack of {system} is delivered by the last decision period")
        return Verdict(max(first, supplied), None)

    def _first_supplied(self, system: str) -> int | None:
        for t, period in enumerate(self._offer.periods):
            if delivered_racks(self._portfolio, system, period) > 0:
                return t
        return None

    def _not_ours(self, row: str) -> str | None:
        fields = self._site.rows[row]
        building = fields["building_id"]
        if fields["occupied_racks"]:
            return f"the row is occupied by {fields['occupied_owner']}"
        if self._site.buildings is not None and building not in self._site.buildings:
            return f"building '{building}' is not among those that the portfolio may fill"
        if not fields["available"]:
            return f"building '{building}' is not available"
        return None

    def _first_standing(self, row: str) -> tuple[int | None, str]:
        """First epoch in which the row exists and from which on no failure drops it outside its class."""
        fields = self._site.rows[row]
        allowed = {str(kind) for kind in fields["may_drop_on"]}
        reason = "the row comes into service after the last decision period, or something that it needs does"
        first: int | None = None
        for state in self._site.states:
            if row not in state.epoch.power:
                continue
            dropping = {failed: state.kind_of(failed) for failed in state.dropped_by.get(row, ())}
            forbidden = {failed: kind for failed, kind in dropping.items() if kind not in allowed}
            if forbidden:
                first = None
                reason = (
                    f"{_failures(forbidden)} would drop the row, which its class "
                    f"'{fields['availability_class']}' does not allow"
                )
            elif first is None:
                first = state.epoch.first_period
        return first, reason

    def _mismatch(self, row: str, k: int) -> str | None:
        """What the configuration needs and the row does not offer; equal questions are asked once."""
        fields = self._site.rows[row]
        ports = self._site.graphs.fabric.nodes[fields["block_id"]]["ports_by_kind"]
        needed_share = self._largest_feed_share(row)
        loop, floor = fields["liquid_supply_degc"], fields["floor_point_kg_per_m2"]
        key = (k, loop, floor, id(fields["taps"]), needed_share, tuple(sorted(ports)), fields["ride_through"])
        if key not in self._known:
            checks: tuple[Callable[[], str | None], ...] = (
                lambda: self._loop(fields["liquid_supply_degc"], k),
                lambda: self._taps(fields["taps"], needed_share, k),
                lambda: self._ride_through(fields["ride_through"], k),
                lambda: self._ports(tuple(sorted(ports)), k),
                lambda: self._point_load(fields["floor_point_kg_per_m2"], k),
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

    def _taps(self, taps: object, share: Fraction, k: int) -> str | None:
        system = self._offer.configurations[k].system
        where = f"system '{system.name}'"
        low_v = known(system.input_voltage_low, where, "input_voltage_low")
        high_v = known(system.input_voltage_high, where, "input_voltage_high")
        voltage_v: Fraction = taps.voltage  # type: ignore[attr-defined]
        if not low_v <= voltage_v <= high_v:
            return f"the taps give {float(voltage_v):g} V, and the rack takes {float(low_v):g} to {float(high_v):g} V"
        offered_w = tap_rating_w(taps) * taps.count  # type: ignore[arg-type,attr-defined]
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


def _failures(kinds: dict[str, str]) -> str:
    """The failures in words: kinds of single elements, and common-mode groups by name."""
    alone = sorted({kind for kind in kinds.values() if kind != COMMON_MODE})
    groups = sorted(failed for failed, kind in kinds.items() if kind == COMMON_MODE)
    words = [f"the failure of a single {' or '.join(alone)}"] if alone else []
    return " and ".join(words + [f"the common-mode failure of '{name}'" for name in groups])
