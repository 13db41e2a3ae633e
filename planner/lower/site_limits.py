"""Limits of rows (floor, positions), buildings (landing) and the site's meter."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.pieces import LimitName, Piece, checked_capacity, scaled_capacity, scaled_share
from planner.problem import SHARE_BITS
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from planner.lower.hosts import Offer, SiteHosts
    from planner.lower.power_limits import EpochLoads, EpochMeter


def row_limits(hosts: SiteHosts, offer: Offer) -> list[Piece]:
    """Floor load and positions of every hosting row, in all periods."""
    pieces = []
    everything = frozenset(hosts.row_idx.values())
    n_periods = len(offer.periods)
    kg = tuple(draw.kg << SHARE_BITS for draw in offer.draws)
    positions = tuple(draw.positions << SHARE_BITS for draw in offer.draws)
    for row, row_idx in hosts.row_idx.items():
        fields = hosts.site.rows[row]
        uniform = hosts.floor_uniform_kg_per_m2.get(row, fields["floor_uniform_kg_per_m2"])
        floor_kg = uniform * fields["floor_area_m2"]
        for family, unit, needs, capacity in (
            ("floor", "kg", kg, floor_kg),
            ("position", "position", positions, fields["positions"]),
        ):
            name = LimitName(hosts.site.name, family, row)
            window = (scaled_capacity(capacity),) * n_periods
            pieces.append(Piece(name, unit, 0, {row_idx: needs}, window, everything))
    return pieces


def landing_limits(hosts: SiteHosts, offer: Offer) -> list[Piece]:
    """Racks that crews can have landed in each building since it came into service, from then on."""
    pieces = []
    one = (1 << SHARE_BITS,) * len(offer.draws)
    start = quarter_index(offer.periods[0])
    for building, fields in hosts.site.graphs.containment.nodes(data=True):
        if fields["kind"] != "building":
            continue
        rows = [i for row, i in hosts.row_idx.items() if hosts.site.rows[row]["building_id"] == building]
        opened = quarter_index(fields["in_service"]) - start
        first = max(opened, 0)
        per_quarter = int(fields["landing_racks_per_quarter"])
        window = tuple(scaled_capacity(per_quarter * (t - opened + 1)) for t in range(first, len(offer.periods)))
        if rows and window:
            name = LimitName(hosts.site.name, "landing", building)
            pieces.append(Piece(name, "rack", first, dict.fromkeys(rows, one), window, frozenset(rows)))
    return pieces


def service_capacity_w(hosts: SiteHosts, period: str) -> Fraction | None:
    """What the service and the site's own generation give in a period; None before the first step."""
    steps = hosts.site.service["capacity_steps"]
    now = quarter_index(period)
    return next((capacity for start, capacity in reversed(steps) if quarter_index(start) <= now), None)


def meter_limit(loads: EpochLoads, meter: EpochMeter) -> Piece | None:
    """Power drawn from the service in one epoch; None before the service exists."""
    epoch = loads.state.epoch
    if loads.state.flow.flow.service not in epoch.power:
        return None
    name = LimitName(loads.hosts.site.name, "meter", loads.state.flow.flow.service)
    used = meter.rows.occupied + scaled_share(meter.constant_w)
    window = []
    for period in loads.offer.periods[epoch.first_period : epoch.end_period]:
        capacity_w = service_capacity_w(loads.hosts, period) or Fraction(0)
        window.append(checked_capacity(name, "W", scaled_capacity(capacity_w) - used, period))
    return Piece(name, "W", epoch.first_period, meter.rows.coefficients, tuple(window), loads.standing_idx)
