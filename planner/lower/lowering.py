"""The whole way from a world to its problem."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InfeasibleError
from planner.lower.assemble import assemble
from planner.lower.by_site import by_site
from planner.lower.contract_terms import RACK_BUDGET, raises_rack_budget
from planner.lower.cooling_limits import CoolingLimits
from planner.lower.counted import Counting, measures_meter
from planner.lower.dominance import drop_implied
from planner.lower.draws import draw_of
from planner.lower.eligibility import SiteEligibility, Verdict
from planner.lower.fabric_limits import fabric_limits
from planner.lower.hosts import Offer, SiteHosts
from planner.lower.joint_limits import budget_limits, envelope_limits, supply_limits
from planner.lower.limit_table import limit_table
from planner.lower.lowered import Lowered
from planner.lower.merging import merge
from planner.lower.money import SiteMoney, prices_of
from planner.lower.power_limits import EpochLoads, EpochMeter, meter_of, power_limits
from planner.lower.refresh import refreshes_of
from planner.lower.row_figures import floor_uniform_kg_per_m2
from planner.lower.side import with_side
from planner.lower.side_figures import (
    configuration_infos,
    meter_load,
    meter_window,
    occupied_infos,
    row_info,
)
from planner.lower.site import prepare
from planner.lower.site_limits import landing_limits, meter_limit, row_limits
from planner.lower.supply_at_meter import charged_draw_w, largest_meter_draw_w, supply_at_meter
from planner.lower.swing import swing_limit
from planner.problem import Ineligible
from sites.calendar import quarters_from
from sites.expansion.values import known
from sites.faults import Fault, InputError
from sites.portfolio_checks import decision_periods, unmodelled
from sites.refresh_checks import refresh_findings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from planner.lower.limit_table import LimitTable
    from planner.lower.lowered import DroppedLimit
    from planner.lower.merging import Limit
    from planner.lower.money import Prices
    from planner.lower.pieces import LimitName, Piece
    from planner.lower.refresh import Refreshes
    from planner.lower.reuse import KnownSites
    from planner.lower.side_figures import MeterWindow
    from planner.lower.site import LoweredSite
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile
    from sites.world import World

Verdicts = dict[str, tuple[Verdict, ...]]
SiteEpochs = list[tuple[EpochLoads, EpochMeter]]


@dataclass(frozen=True)
class SiteTable:
    """What one site adds to the problem, its rows numbered from 0; all of it can be sent between processes."""

    verdicts: Verdicts
    limits: LimitTable
    dropped: tuple[DroppedLimit, ...]
    n_contingencies_dropped: int
    meters: tuple[MeterWindow, ...]
    meter_w: tuple[Fraction, ...]
    """Of one rack of each configuration, where the tariff charges demand."""
    counted_w: tuple[Fraction, ...]
    """The same where contract clauses count watts at the meter."""
    refused: InfeasibleError | InputError | None = None
    """Why the site has no limits; of no matter where no site of the portfolio has a row to fill."""


def lower(world: World, n_processes: int = 1, known: KnownSites | None = None) -> Lowered:
    """Lower a world to the packing problem of `docs/model.md`.

    Parameters: n_processes, among which sites are dealt out; known, sites lowered before for other portfolios, used
    and added to, in one process; the result is the same.
    Raises InfeasibleError when what stands already breaks a limit or no row can hold anything; InputError when a
    capacity falls after the last decision, a life ends before it, a figure is unknown, or integers would not fit.
    """
    portfolio, catalog = world.portfolio, world.catalog
    offer = offer_of(portfolio, catalog)
    _refuse_unmodelled(world)
    refreshes = refreshes_of(portfolio, offer)
    prepared: dict[int, LoweredSite] = {}

    def table_of(number: int) -> SiteTable:
        if known is not None:
            prepared[number], table = known.of(world, number, _alone)
            return table
        prepared[number] = prepare(world.sites[number], catalog, offer.periods)
        return _site_table(world, refreshes, prepared[number])

    tables = list(by_site(table_of, len(world.sites), 1 if known is not None else n_processes))
    # What another process has prepared stays there: it is large, and quicker made again than sent.
    sites = [prepared.get(n) or prepare(one, catalog, offer.periods) for n, one in enumerate(world.sites)]
    verdicts = [table.verdicts for table in tables]
    hosts = number_rows(sites, verdicts, refreshes)
    ineligible = _ineligible(sites, verdicts, refreshes)
    if not any(one.row_idx for one in hosts):
        raise _no_usable_row(sites, verdicts)
    refused = next((table.refused for table in tables if table.refused is not None), None)
    if refused is not None:
        raise refused
    first_period = _first_periods(hosts, verdicts, offer)
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


def _alone(world: World, number: int) -> tuple[LoweredSite, SiteTable]:
    """A site prepared, and what can be said of it alone."""
    offer = offer_of(world.portfolio, world.catalog)
    site = prepare(world.sites[number], world.catalog, offer.periods)
    return site, _site_table(world, refreshes_of(world.portfolio, offer), site)


def _site_table(world: World, refreshes: Refreshes, site: LoweredSite) -> SiteTable:
    """All that can be said of a site alone; limits that others of the site imply are left out."""
    offer = refreshes.offer
    own = SiteEligibility(site, offer, world.portfolio).verdicts()
    verdicts = {row: (*found, *refreshes.verdicts(found, world.portfolio)) for row, found in own.items()}
    (hosts,) = number_rows([site], [verdicts], refreshes)
    table = SiteTable(verdicts, limit_table([], refreshes.n_configurations, {}), (), 0, (), (), ())
    try:
        epochs = _epoch_loads(hosts, offer)
        pieces, n_implied = _pieces(world, offer, [hosts], [epochs])
        eligible: list[list[bool]] = (_first_periods([hosts], [verdicts], offer) < len(offer.periods)).tolist()
        limits = merge(map(refreshes.widened, pieces), len(offer.periods), eligible)
        dropped = drop_implied(limits, eligible)
        limited = limit_table(limits, refreshes.n_configurations, hosts.n_positions)
        meter_w = charged_draw_w(site, offer)
        counted_w = (meter_w or largest_meter_draw_w(site, offer)) if measures_meter(world.portfolio) else ()
    except (InfeasibleError, InputError) as error:
        return replace(table, refused=error)
    finally:
        if len(world.sites) > 1:
            site.forget()  # what failures change is large, and of no more use
    windows = tuple(meter_window(loads, meter) for loads, meter in epochs)
    return SiteTable(verdicts, limited, tuple(dropped), n_implied, windows, meter_w, counted_w)


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


def offer_of(portfolio: PortfolioFile, catalog: Catalog) -> Offer:
    """What the portfolio offers, over its decision quarters."""
    configurations = tuple(catalog.configuration(name) for name in portfolio.configurations)
    return Offer(
        configurations=configurations,
        draws=tuple(draw_of(one) for one in configurations),
        systems=tuple(dict.fromkeys(one.system.name for one in configurations)),
        periods=quarters_from(portfolio.start, decision_periods(portfolio)),
    )


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


def number_rows(sites: Sequence[LoweredSite], verdicts: Sequence[Verdicts], refreshes: Refreshes) -> list[SiteHosts]:
    """Number through the sites every row in which some configuration may ever stand."""
    hosts: list[SiteHosts] = []
    n_rows = 0
    for site, of_row in zip(sites, verdicts, strict=True):
        usable = [row for row, found in of_row.items() if any(one.first_period is not None for one in found)]
        row_idx = {row: n_rows + offset for offset, row in enumerate(usable)}
        conversions = {
            (row, refreshes.system_names[system]): one.conversion
            for row in usable
            for system, one in zip(refreshes.system_idx, of_row[row], strict=True)
            if one.conversion is not None
        }
        hosts.append(
            SiteHosts(
                site=site,
                row_idx=row_idx,
                n_positions={row_idx[row]: int(site.rows[row]["positions"]) for row in usable},
                floor_uniform_kg_per_m2=_converted_floors(site, {row: of_row[row] for row in usable}),
                conversions=conversions,
            )
        )
        n_rows += len(usable)
    return hosts


def _converted_floors(site: LoweredSite, verdicts: Verdicts) -> dict[str, Fraction]:
    """The floor of rows that take nothing as they stand: the weakest of those under the conversions made there."""
    floors = {}
    for row, found in verdicts.items():
        fitting = [one.conversion for one in found if one.fits]
        if fitting and None not in fitting:
            floors[row] = min(floor_uniform_kg_per_m2(site.rows[row], one) for one in fitting)
    return floors


def _first_periods(hosts: Sequence[SiteHosts], verdicts: Sequence[Verdicts], offer: Offer) -> NDArray[np.int32]:
    never = len(offer.periods)
    table = [
        [never if one.first_period is None else one.first_period for one in of_row[row]]
        for site_hosts, of_row in zip(hosts, verdicts, strict=True)
        for row in site_hosts.row_idx
    ]
    return np.array(table, np.int32)


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


def _epoch_loads(hosts: SiteHosts, offer: Offer) -> SiteEpochs:
    loads = [EpochLoads(hosts, offer, state) for state in hosts.site.states]
    return [(one, meter_of(one)) for one in loads]


def _pieces(
    world: World, offer: Offer, hosts: Sequence[SiteHosts], epochs: Sequence[SiteEpochs]
) -> tuple[list[Piece], int]:
    """Every limit of every site, and how many contingencies others imply."""
    pieces: list[Piece] = []
    n_implied = 0
    for site_hosts, site_epochs in zip(hosts, epochs, strict=True):
        pieces += row_limits(site_hosts, offer)
        occupants = {
            row: world.catalog.configuration(site_hosts.site.rows[row]["occupied_configuration"])
            for row in site_hosts.site.occupied
        }
        for loads, meter in site_epochs:
            power, n_site = power_limits(loads)
            n_implied += n_site
            own_meter = meter_limit(loads, meter)
            pieces += power + CoolingLimits(site_hosts, offer, loads.state, occupants).pieces()
            pieces += [] if own_meter is None else [own_meter]
        pieces += fabric_limits(site_hosts, offer, occupants) + landing_limits(site_hosts, offer)
        pieces += swing_limit(site_hosts, offer, world.portfolio, occupants)
    return pieces, n_implied


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
