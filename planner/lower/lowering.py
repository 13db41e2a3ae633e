"""The whole way from a world to its problem."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InfeasibleError
from planner.lower.assemble import assemble
from planner.lower.cooling_limits import CoolingLimits
from planner.lower.dominance import drop_implied
from planner.lower.draws import draw_of
from planner.lower.eligibility import SiteEligibility, Verdict
from planner.lower.fabric_limits import fabric_limits
from planner.lower.hosts import Offer, SiteHosts
from planner.lower.joint_limits import budget_limits, envelope_limits, supply_limits
from planner.lower.lowered import ConfigurationInfo, Lowered, MeterLoad, OccupiedRow, RowInfo
from planner.lower.merging import Limit, merge
from planner.lower.money import SiteMoney, prices_of
from planner.lower.pieces import scaled_share
from planner.lower.power_limits import EpochLoads, EpochMeter, meter_of, power_limits
from planner.lower.row_figures import floor_uniform_kg_per_m2
from planner.lower.site import LoweredSite, prepare
from planner.lower.site_limits import landing_limits, meter_limit, row_limits, service_capacity_w
from planner.lower.supply_at_meter import largest_meter_draw_w, supply_at_meter
from planner.lower.swing import swing_limit
from planner.problem import Ineligible
from sites.calendar import quarters_from
from sites.expansion.values import known
from sites.faults import Fault, InputError
from sites.portfolio_checks import decision_periods, unmodelled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from planner.lower.money import Prices
    from planner.lower.pieces import Piece
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile
    from sites.world import World

Verdicts = dict[str, tuple[Verdict, ...]]
SiteEpochs = list[tuple[EpochLoads, EpochMeter]]


def lower(world: World) -> Lowered:
    """Lower a world to the packing problem of `docs/model.md`.

    Raises InfeasibleError when what stands already breaks a limit or no row can hold anything; InputError when a
    capacity falls after the last decision, a life ends before it, a figure is unknown, or integers would not fit.
    """
    portfolio, catalog = world.portfolio, world.catalog
    offer = offer_of(portfolio, catalog)
    _refuse_unmodelled(world)
    sites = [prepare(world_site, catalog, offer.periods) for world_site in world.sites]
    verdicts = [SiteEligibility(site, offer, portfolio).verdicts() for site in sites]
    hosts = number_rows(sites, verdicts, offer)
    ineligible = _ineligible(sites, verdicts, offer)
    if not any(one.row_idx for one in hosts):
        raise _no_usable_row(sites, verdicts)
    first_period = _first_periods(hosts, verdicts, offer)
    eligible: list[list[bool]] = (first_period < len(offer.periods)).tolist()

    epochs = [_epoch_loads(one, offer) for one in hosts]
    prices = prices_of(portfolio, catalog, offer.systems)
    pieces, n_implied = _pieces(world, offer, hosts, epochs)
    pieces += _joint_pieces(portfolio, offer, hosts, epochs, prices)
    limits = merge(pieces, len(offer.periods), eligible)
    dropped = drop_implied(limits, eligible)
    active: list[Limit] = [limit for limit in limits if limit.is_active]

    monies = [_money(portfolio, offer, prices, site) for site in sites]
    unit_racks = _unit_racks(catalog, offer)
    problem = assemble(portfolio, offer, hosts, monies, first_period, active, ineligible, unit_racks)
    meters = [_meter_load(one, offer, own, problem.n_rows) for one, own in zip(hosts, epochs, strict=True)]
    return Lowered(
        problem=problem,
        rows=tuple(_row_info(one.site, row) for one in hosts for row in one.row_idx),
        configurations=_configuration_infos(offer),
        occupied=tuple(info for site in sites for info in _occupied_infos(site, len(offer.periods))),
        meters=tuple(meters),
        dropped=tuple(dropped),
        n_contingencies_dropped=n_implied,
        sites={site.name: site for site in sites},
        conversions={
            (f"{one.site.name}:{row}", system): conversion
            for one in hosts
            for (row, system), conversion in one.conversions.items()
        },
    )


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
    refused = unmodelled(world.portfolio, [one.site for one in world.sites])
    faults = [Fault(where, None, ".".join(map(str, path)), message) for message, path in refused]
    if faults:
        raise InputError(faults)


def _money(portfolio: PortfolioFile, offer: Offer, prices: Prices, site: LoweredSite) -> SiteMoney:
    supply = supply_at_meter(site.graphs)
    meter_w = largest_meter_draw_w(site, offer) if supply.demand_charge_usd_per_kw_month else ()
    return SiteMoney(portfolio, offer, prices, supply, meter_w)


def number_rows(sites: Sequence[LoweredSite], verdicts: Sequence[Verdicts], offer: Offer) -> list[SiteHosts]:
    """Number through the sites every row in which some configuration may ever stand."""
    hosts: list[SiteHosts] = []
    n_rows = 0
    for site, of_row in zip(sites, verdicts, strict=True):
        usable = [row for row, found in of_row.items() if any(one.first_period is not None for one in found)]
        row_idx = {row: n_rows + offset for offset, row in enumerate(usable)}
        conversions = {
            (row, configuration.system.name): one.conversion
            for row in usable
            for configuration, one in zip(offer.configurations, of_row[row], strict=True)
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


def _ineligible(sites: Sequence[LoweredSite], verdicts: Sequence[Verdicts], offer: Offer) -> list[Ineligible]:
    return [
        Ineligible(site.name, row, configuration.name, verdict.reason)
        for site, of_row in zip(sites, verdicts, strict=True)
        for row, found in of_row.items()
        for configuration, verdict in zip(offer.configurations, found, strict=True)
        if verdict.reason is not None
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
    portfolio: PortfolioFile, offer: Offer, hosts: Sequence[SiteHosts], epochs: Sequence[SiteEpochs], prices: Prices
) -> list[Piece]:
    rows = [row for one in hosts for row in one.row_idx.values()]
    pieces = envelope_limits(portfolio, offer, epochs) + supply_limits(portfolio, offer, rows)
    return pieces + budget_limits(portfolio, offer, rows, prices)


def _unit_racks(catalog: Catalog, offer: Offer) -> dict[str, int]:
    key = "scalable_unit_racks"
    return {name: known(getattr(catalog.rack_systems[name], key), f"system '{name}'", key) for name in offer.systems}


def _row_info(site: LoweredSite, row: str) -> RowInfo:
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


def _configuration_infos(offer: Offer) -> tuple[ConfigurationInfo, ...]:
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


def _occupied_infos(site: LoweredSite, n_periods: int) -> list[OccupiedRow]:
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


def _meter_load(hosts: SiteHosts, offer: Offer, epochs: SiteEpochs, n_rows: int) -> MeterLoad:
    n_periods = len(offer.periods)
    coefficient = np.zeros((n_rows, len(offer.configurations), n_periods), np.int64)
    constant, occupied = [0] * n_periods, [0] * n_periods
    for loads, meter in epochs:
        window = range(loads.state.epoch.first_period, loads.state.epoch.end_period)
        for row, values in meter.rows.coefficients.items():
            coefficient[row, :, window.start : window.stop] = np.array(values, np.int64)[:, None]
        for t in window:
            constant[t], occupied[t] = scaled_share(meter.constant_w), meter.rows.occupied
    capacity = tuple(int(service_capacity_w(hosts, period) or 0) for period in offer.periods)
    return MeterLoad(hosts.site.name, coefficient, tuple(constant), tuple(occupied), capacity)
