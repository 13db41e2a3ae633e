"""Figures beside the problem, in the words of the site: rows, configurations, meters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.lowered import ConfigurationInfo, MeterLoad, OccupiedRow, RowInfo
from planner.lower.pieces import Coefficients, scaled_share
from planner.lower.site_limits import service_capacity_w
from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.lower.hosts import Offer, SiteHosts
    from planner.lower.power_limits import EpochLoads, EpochMeter
    from planner.lower.site import LoweredSite


@dataclass(frozen=True)
class MeterWindow:
    """What a site draws from its service in normal operation over one epoch, scaled by 2^20 (watts)."""

    first_period: int
    end_period: int
    coefficients: dict[int, Coefficients]
    """By row, for one rack of each configuration."""
    standing_rows: frozenset[int]
    """Rows that exist and may be filled."""
    constant: int
    occupied: int

    def shifted(self, n_rows: int) -> MeterWindow:
        """The same with rows numbered from `n_rows` on."""
        return MeterWindow(
            self.first_period, self.end_period, {row + n_rows: values for row, values in self.coefficients.items()},
            frozenset(row + n_rows for row in self.standing_rows), self.constant, self.occupied,
        )  # fmt: skip


def meter_window(loads: EpochLoads, meter: EpochMeter) -> MeterWindow:
    """The meter of one epoch without the graphs behind it."""
    epoch = loads.state.epoch
    return MeterWindow(
        epoch.first_period, epoch.end_period, meter.rows.coefficients, loads.standing_idx,
        scaled_share(meter.constant_w), meter.rows.occupied,
    )  # fmt: skip


def row_info(site: LoweredSite, row: str) -> RowInfo:
    """Where a row stands."""
    fields = site.rows[row]
    return RowInfo(
        site=site.name,
        row=row,
        building=fields["building_id"],
        hall=fields["hall_id"],
        lineup=fields["lineup_id"],
        block=fields["block_id"],
        positions=int(fields["positions"]),
        in_service=fields["in_service"],
    )


def configuration_infos(offer: Offer) -> tuple[ConfigurationInfo, ...]:
    """What one rack of each configuration is and draws."""
    return tuple(
        ConfigurationInfo(
            name=one.name,
            system=one.system.name,
            profile=one.profile.name,
            generation=one.system.generation,
            gpu_packages=known(one.system.gpu_packages, f"system '{one.system.name}'", "gpu_packages"),
            it_w=draw.it_w,
            liquid_w=draw.liquid_w,
            air_w=draw.air_w,
            support_w=draw.support_w,
        )
        for one, draw in zip(offer.configurations, offer.draws, strict=True)
    )


def occupied_infos(site: LoweredSite, n_periods: int) -> list[OccupiedRow]:
    """Rows that someone else's racks stand in already."""
    return [
        OccupiedRow(
            site=site.name,
            row=row,
            building=site.rows[row]["building_id"],
            hall=site.rows[row]["hall_id"],
            lineup=site.rows[row]["lineup_id"],
            configuration=site.rows[row]["occupied_configuration"],
            n_racks=n_racks,
            owner=site.rows[row]["occupied_owner"],
            first_period=site.first_period_of_row(row, n_periods),
        )
        for row, (_, n_racks) in site.occupied.items()
    ]


def meter_load(hosts: SiteHosts, offer: Offer, windows: Sequence[MeterWindow], n_configurations: int) -> MeterLoad:
    """What a site draws from its service in every period."""
    n_periods, first_row = len(offer.periods), min(hosts.row_idx.values(), default=0)
    coefficient = np.zeros((len(hosts.row_idx), n_configurations, n_periods), np.int64)
    constant, occupied = [0] * n_periods, [0] * n_periods
    for window in windows:
        periods = slice(window.first_period, window.end_period)
        for row, values in window.coefficients.items():
            coefficient[row - first_row, :, periods] = np.array(values, np.int64)[:, None]
        for t in range(window.first_period, window.end_period):
            constant[t], occupied[t] = window.constant, window.occupied
    capacity = tuple(int(service_capacity_w(hosts, period) or 0) for period in offer.periods)
    return MeterLoad(hosts.site.name, first_row, coefficient, tuple(constant), tuple(occupied), capacity)
