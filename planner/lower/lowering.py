"""The whole way from a world to its problem."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InfeasibleError
from planner.lower.assemble import assemble
from planner.lower.by_site import by_site
from planner.lower.contract_terms import RACK_BUDGET, raises_rack_budget
from planner.lower.counted import Counting
from planner.lower.dominance import drop_implied
from planner.lower.hosts import offer_of
from planner.lower.joint_limits import budget_limits, envelope_limits, supply_limits
from planner.lower.limit_table import limit_table
from planner.lower.lowered import Lowered
from planner.lower.merging import merge
from planner.lower.money import SiteMoney, prices_of
from planner.lower.refresh import refreshes_of
from planner.lower.side import with_side
from planner.lower.side_figures import (
    configuration_infos,
    meter_load,
    occupied_infos,
    row_info,
)
from planner.lower.site import prepare
from planner.lower.site_table import first_periods, number_rows, site_table
from planner.lower.supply_at_meter import supply_at_meter
from planner.problem import Ineligible
from sites.collection import uncollected
from sites.expansion.values import known
from sites.faults import Fault, InputError
from sites.portfolio_checks import decision_periods, unmodelled
from sites.refresh_checks import refresh_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.lower.hosts import Offer, SiteHosts
    from planner.lower.limit_table import LimitTable
    from planner.lower.lowered import DroppedLimit
    from planner.lower.merging import Limit
    from planner.lower.money import Prices
    from planner.lower.pieces import LimitName, Piece
    from planner.lower.refresh import Refreshes
    from planner.lower.reuse import KnownSites
    from planner.lower.side_figures import MeterWindow
    from planner.lower.site import LoweredSite
    from planner.lower.site_table import SiteTable, Verdicts
    from sites.catalog.loader import Catalog
    from sites.expansion.graphs import SiteGraphs
    from sites.schema.portfolio import PortfolioFile
    from sites.world import World


@uncollected()
def lower(
    world: World, n_processes: int = 1, known: KnownSites | None = None, graphs: Sequence[SiteGraphs] | None = None
) -> Lowered:
    """Lower a world to the packing problem of `docs/model.md`.

    Parameters: n_processes, among which sites are dealt out; known, sites lowered before for other portfolios, used
    and added to, in one process; graphs of the sites, where they have been expanded already. The result is the same.
    Raises InfeasibleError when what stands already breaks a limit or no row can hold anything; InputError when a
    capacity falls after the last decision, a life ends before it, a figure is unknown, or integers would not fit.
    """
    portfolio, catalog = world.portfolio, world.catalog
    offer = offer_of(portfolio, catalog)
    _refuse_unmodelled(world)
    refreshes = refreshes_of(portfolio, offer)
    prepared: dict[int, LoweredSite] = {}

    def prepared_anew(number: int) -> LoweredSite:
        return prepare(world.sites[number], catalog, offer.periods, None if graphs is None else graphs[number])

    def table_of(number: int) -> SiteTable:
        if known is not None:
            prepared[number], table = known.of(world, number)
            return table
        prepared[number] = prepared_anew(number)
        return site_table(world, refreshes, prepared[number])

    tables = list(by_site(table_of, len(world.sites), 1 if known is not None else n_processes))
    # What another process has prepared stays there: it is large, and quicker made again than sent.
    sites = [prepared.get(number) or prepared_anew(number) for number in range(len(world.sites))]
    verdicts = [table.verdicts for table in tables]
    hosts = number_rows(sites, verdicts, refreshes)
    ineligible = _ineligible(sites, verdicts, refreshes)
    if not any(one.row_idx for one in hosts):
        raise _no_usable_row(sites, verdicts)
    refused = next((table.refused for table in tables if table.refused is not None), None)
    if refused is not None:
        raise refused
    first_period = first_periods(hosts, verdicts, offer)
    eligible: list[list[bool]] = (first_period < len(offer.periods)).tolist()
    first_rows = np.cumsum([0] + [len(one.row_idx) for one in hosts]).tolist()
    prices = prices_of(portfolio, catalog, offer.systems)
    meters = [
        [window.shifted(first) for window in table.meters] for table, first in zip(tables, first_rows[:-1], strict=True)
    ]
    pieces = [refreshes.widened(one, prices) for one in _joint_pieces(portfolio, offer, hosts, meters, prices)]
    joint = merge(pieces, len(offer.periods), eligible)
    apart = frozenset({RACK_BUDGET} if raises_rack_budget(portfolio) else ())
    limits, dropped = _with_joint([table.limits for table in tables], first_rows, joint, hosts, eligible, apart)

    pairs = zip(sites, tables, strict=True)
    monies = [SiteMoney(portfolio, offer, prices, supply_at_meter(site.graphs), table.meter_w) for site, table in pairs]
    unit_racks = _unit_racks(catalog, offer)
    racks = assemble(portfolio, refreshes, hosts, monies, first_period, limits, ineligible, unit_racks)
    names, counted_w = tuple(site.name for site in sites), tuple(table.counted_w for table in tables)
    counting = Counting(portfolio, offer, prices, names, monies, counted_w, refreshes.windows)
    problem = with_side(racks, catalog, hosts, counting, refreshes)
    return Lowered(
        problem=problem,
        rows=tuple(row_info(one.site, row) for one in hosts for row in one.row_idx),
        configurations=configuration_infos(offer),
        occupied=tuple(info for site in sites for info in occupied_infos(site, len(offer.periods))),
        meters=tuple(
            meter_load(one, offer, [refreshes.widened_meter(window) for window in own], refreshes.n_configurations)
            for one, own in zip(hosts, meters, strict=True)
        ),
        dropped=(*(one for table in tables for one in table.dropped), *dropped),
        n_contingencies_dropped=sum(table.n_contingencies_dropped for table in tables),
        sites={site.name: site for site in sites},
        conversions={
            (f"{one.site.name}:{row}", system): conversion
            for one in hosts
            for (row, system), conversion in one.conversions.items()
        },
        counting=counting,
        refreshes=refreshes,
    )


def _with_joint(
    tables: list[LimitTable],
    first_rows: list[int],
    joint: list[Limit],
    hosts: Sequence[SiteHosts],
    eligible: list[list[bool]],
    apart: frozenset[LimitName],
) -> tuple[list[LimitTable], list[DroppedLimit]]:
    """All limits, rows numbered through the sites, and those that are implied once joint limits are there.

    Only limits over the same rows are compared: those of a site meet joint limits that touch no other site.
    Parameters: first_rows, of each site, and the number of rows; joint limits, changed in place; apart, limits whose
    capacity is decided, so that they imply none and none implies them.
    """
    n_configurations = tables[0].coefficient.shape[1]
    n_positions = {row: n for one in hosts for row, n in one.n_positions.items()}
    compared = [limit for limit in joint if limit.name not in apart]
    ends = [np.searchsorted(first_rows, (limit.rows[0], limit.rows[-1]), "right").tolist() for limit in compared]
    place = [first - 1 if first == last else None for first, last in ends]
    dropped = drop_implied([limit for limit, site in zip(compared, place, strict=True) if site is None], eligible)
    result = []
    for site, (table, first) in enumerate(zip(tables, first_rows, strict=False)):
        beside = [limit for limit, own in zip(compared, place, strict=True) if own == site]
        numbered = replace(table, row_idx=(table.row_idx + first).astype(np.int32))
        if beside:
            own = table.limits(first)
            dropped += drop_implied([*own, *beside], eligible)
            numbered = limit_table(own, n_configurations, n_positions)
        result.append(numbered)
    return [*result, limit_table(joint, n_configurations, n_positions)], dropped


def _refuse_unmodelled(world: World) -> None:
    """Loading refuses these too, with file and line; here for worlds that no file describes."""
    where = f"portfolio {world.portfolio.name}"
    refused = [
        *unmodelled(world.portfolio, [one.site for one in world.sites]),
        *refresh_findings(world.portfolio, world.catalog, decision_periods(world.portfolio)),
    ]
    faults = [Fault(where, None, ".".join(map(str, path)), message) for message, path in refused]
    if faults:
        raise InputError(faults)


def _ineligible(sites: Sequence[LoweredSite], verdicts: Sequence[Verdicts], refreshes: Refreshes) -> list[Ineligible]:
    return [
        Ineligible(site.name, row, name, reason)
        for site, of_row in zip(sites, verdicts, strict=True)
        for row, found in of_row.items()
        for name, reason in refreshes.refused(found)
    ]


def _no_usable_row(sites: Sequence[LoweredSite], verdicts: Sequence[Verdicts]) -> InfeasibleError:
    counts = Counter(
        (site.name, reason)
        for site, of_row in zip(sites, verdicts, strict=True)
        for found in of_row.values()
        for reason in sorted({verdict.reason for verdict in found if verdict.reason is not None})
    )
    lines = [f"{site}: {n} {'row' if n == 1 else 'rows'}: {reason}" for (site, reason), n in counts.most_common()]
    return InfeasibleError("no row can hold any configuration that the portfolio offers:\n" + "\n".join(lines))


def _joint_pieces(
    portfolio: PortfolioFile,
    offer: Offer,
    hosts: Sequence[SiteHosts],
    meters: Sequence[Sequence[MeterWindow]],
    prices: Prices,
) -> list[Piece]:
    rows = [row for one in hosts for row in one.row_idx.values()]
    pieces = envelope_limits(portfolio, offer, meters) + supply_limits(portfolio, offer, rows)
    return pieces + budget_limits(portfolio, offer, rows, prices)


def _unit_racks(catalog: Catalog, offer: Offer) -> dict[str, int]:
    key = "scalable_unit_racks"
    return {name: known(getattr(catalog.rack_systems[name], key), f"system '{name}'", key) for name in offer.systems}
