"""From limits and money to the arrays of the problem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import SiteMoney, contract_amount_cents, conversion_cents
from planner.lower.openings import openings_of
from planner.lower.refresh import of_windows
from planner.lower.refresh_money import RefreshMoney, unit_racks_of
from planner.problem import Ineligible, MinimumDemand, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from planner.lower.hosts import SiteHosts
    from planner.lower.limit_table import LimitTable
    from planner.lower.refresh import Refreshes
    from sites.schema.portfolio import PortfolioFile


@dataclass(frozen=True)
class Blocks:
    """Fabric blocks that hold a hosting row, over all sites."""

    names: tuple[str, ...]
    of_row_idx: NDArray[np.int32]
    partial_units: NDArray[np.bool_]
    site_idx: tuple[int, ...]
    avoidable_capex_usd: tuple[Fraction, ...]


def assemble(
    portfolio: PortfolioFile,
    refreshes: Refreshes,
    hosts: Sequence[SiteHosts],
    monies: Sequence[SiteMoney],
    first_period: NDArray[np.int32],
    limits: Sequence[LimitTable],
    ineligible: Sequence[Ineligible],
    unit_racks: dict[str, int],
) -> Problem:
    """Build the arrays.

    Parameters: hosts and monies, by site in the order of the portfolio; first_period, [n_rows, n_configurations];
    limits, active ones, rows numbered through the sites.
    """
    blocks, offer = blocks_of(hosts), refreshes.offer
    refreshed = [RefreshMoney(money, refreshes) for money in monies]
    pairs = list(zip(monies, refreshed, strict=True))
    period_value, start_value = rack_values(refreshes, hosts, monies)
    site_of_row = np.repeat(np.arange(len(hosts)), [len(one.row_idx) for one in hosts])
    return Problem(
        row_names=tuple(f"{one.site.name}:{row}" for one in hosts for row in one.row_idx),
        configuration_names=refreshes.configuration_names,
        system_names=refreshes.system_names,
        block_names=blocks.names,
        periods=offer.periods,
        system_of_configuration_idx=np.array(refreshes.system_idx, np.int32),
        block_of_row_idx=blocks.of_row_idx,
        first_period=first_period,
        limits=tuple(info for table in limits for info in table.infos()),
        limit_ptr=np.cumsum(np.concatenate([[0], *(table.n_entries for table in limits)]), dtype=np.int64),
        entry_row_idx=np.concatenate([table.row_idx for table in limits]),
        entry_coefficient=np.concatenate([table.coefficient for table in limits]),
        capacity=np.concatenate([table.capacity for table in limits if table.names]),
        period_value=period_value,
        contract_revenue=of_windows(np.stack([money.contract_revenue() for money in monies]), refreshes)[site_of_row],
        start_value=start_value,
        open_cost=_open_costs(blocks, monies),
        unit_cost=np.stack([_joined(money.unit_cost(unit_racks), own.unit_cost(unit_racks)) for money, own in pairs])[
            list(blocks.site_idx)
        ],
        unit_racks=np.array(
            [unit_racks[system] for system in offer.systems]
            + [unit_racks_of(option, unit_racks) for option in refreshes.options],
            np.int64,
        ),
        partial_units=blocks.partial_units,
        contract_amount=contract_amount_cents(portfolio),
        contract_rate=monies[0].contract_rate(),
        ineligible=tuple(ineligible),
        minimum_demands=_minimum_demands(hosts, monies, refreshes),
        openings=openings_of(portfolio, hosts, monies, blocks),
        closed=refreshes.closed(len(site_of_row)),
    )


def rack_values(
    refreshes: Refreshes, hosts: Sequence[SiteHosts], monies: Sequence[SiteMoney]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cents of racks standing, [n_rows, n_configurations, n_periods], and started, [n_rows, n_systems, n_periods].

    Parameters: hosts and monies, by site in the order of the portfolio.
    """
    refreshed = [RefreshMoney(money, refreshes) for money in monies]
    site_of_row = np.repeat(np.arange(len(hosts)), [len(one.row_idx) for one in hosts])
    pairs = zip(monies, refreshed, strict=True)
    standing = np.stack([_joined(money.period_value(), own.period_value()) for money, own in pairs])[site_of_row]
    return standing, _start_values(refreshes, hosts, monies, refreshed)


def _joined(on_offer: NDArray[np.int64], refreshed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Figures of what is on offer, then those of refreshes."""
    return np.concatenate((on_offer, refreshed))


def _minimum_demands(
    hosts: Sequence[SiteHosts], monies: Sequence[SiteMoney], refreshes: Refreshes
) -> tuple[MinimumDemand, ...]:
    pairs = zip(hosts, monies, strict=True)
    found = (money.minimum_demand(one.site.name, one.row_idx.values()) for one, money in pairs)
    return tuple(
        replace(one, draw_scaled=tuple(0 if k is None else one.draw_scaled[k] for k in refreshes.physical_idx))
        for one in found
        if one is not None
    )


def _start_values(
    refreshes: Refreshes, hosts: Sequence[SiteHosts], monies: Sequence[SiteMoney], refreshed: Sequence[RefreshMoney]
) -> NDArray[np.int64]:
    """[n_rows, n_systems, n_periods]; rows that are converted for a system pay for it with each of its racks."""
    offer, options = refreshes.offer, {option.name: option for option in refreshes.options}
    positions = {one.system.name: draw.positions for one, draw in zip(offer.configurations, offer.draws, strict=True)}
    positions |= {name: refreshes.positions(option) for name, option in options.items()}
    values = []
    for site, money, own_money in zip(hosts, monies, refreshed, strict=True):
        own = np.repeat(_joined(money.start_value(), own_money.start_values())[None], len(site.row_idx), axis=0)
        known: dict[tuple[str, int], NDArray[np.int64]] = {}
        for number, row in enumerate(site.row_idx):
            for s, system in enumerate(refreshes.system_names):
                conversion = site.conversions.get((row, system))
                if conversion is not None:
                    key = (system, conversion_cents(conversion, positions[system]))
                    if key not in known:
                        is_option = system in options
                        known[key] = (
                            own_money.start_value(options[system], key[1])
                            if is_option
                            else money.converted_start_value(*key)
                        )
                    own[number, s] = known[key]
        values.append(own)
    return np.concatenate(values)


def _open_costs(blocks: Blocks, monies: Sequence[SiteMoney]) -> NDArray[np.int64]:
    pairs = zip(blocks.site_idx, blocks.avoidable_capex_usd, strict=True)
    return np.array([monies[site].open_cost(usd) for site, usd in pairs], np.int64)


def blocks_of(hosts: Sequence[SiteHosts]) -> Blocks:
    """Fabric blocks in the order of their first hosting row."""
    number: dict[tuple[int, str], int] = {}
    keys = [(s, one.site.rows[row]["block_id"]) for s, one in enumerate(hosts) for row in one.row_idx]
    of_row = [number.setdefault(key, len(number)) for key in keys]
    partial = [hosts[s].site.graphs.fabric.nodes[block]["partial_units"] for s, block in number]
    capex = {
        (s, block): sum(
            fields["avoidable_capex_usd"]
            for _, fields in hosts[s].site.graphs.containment.nodes(data=True)
            if fields["kind"] == "lineup" and fields["block_id"] == block
        )
        for s, block in number
    }
    return Blocks(
        names=tuple(f"{hosts[s].site.name}:{block}" for s, block in number),
        of_row_idx=np.array(of_row, np.int32),
        partial_units=np.array(partial, np.bool_),
        site_idx=tuple(s for s, _ in number),
        avoidable_capex_usd=tuple(capex[key] for key in number),
    )
