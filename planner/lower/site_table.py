"""What one site alone adds to the problem: where racks may ever stand, and all limits over its own rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InfeasibleError
from planner.lower.cooling_limits import CoolingLimits
from planner.lower.counted import measures_meter
from planner.lower.dominance import drop_implied
from planner.lower.eligibility import SiteEligibility, Verdict, verdicts_of
from planner.lower.fabric_limits import fabric_limits
from planner.lower.hosts import Offer, SiteHosts
from planner.lower.limit_table import limit_table
from planner.lower.merging import merge
from planner.lower.power_limits import EpochLoads, EpochMeter, meter_of, power_limits
from planner.lower.row_figures import floor_uniform_kg_per_m2
from planner.lower.side_figures import meter_window
from planner.lower.site_limits import landing_limits, meter_limit, row_limits
from planner.lower.supply_at_meter import charged_draw_w, largest_meter_draw_w
from planner.lower.swing import swing_limit
from sites.faults import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from planner.lower.eligibility import Place
    from planner.lower.limit_table import LimitTable
    from planner.lower.lowered import DroppedLimit
    from planner.lower.pieces import Piece
    from planner.lower.refresh import Refreshes
    from planner.lower.side_figures import MeterWindow
    from planner.lower.site import LoweredSite
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


def site_table(world: World, refreshes: Refreshes, site: LoweredSite) -> SiteTable:
    """All that can be said of a site alone."""
    places = SiteEligibility(site, refreshes.offer, world.portfolio).places()
    verdicts = site_verdicts(places, refreshes, world.portfolio)
    table = limits_alone(world, refreshes, site, whenever(verdicts))
    if len(world.sites) > 1:
        site.forget()  # what failures change is large, and of no more use
    return replace(table, verdicts=verdicts)


def site_verdicts(places: Mapping[str, Place], refreshes: Refreshes, portfolio: PortfolioFile) -> Verdicts:
    """By row, a verdict for each configuration of the problem; like rows share theirs.

    Parameters: places of the rows of a site; portfolio, whose supply says when each system first comes.
    """
    known: dict[int, tuple[Verdict, ...]] = {}
    own = verdicts_of(places, refreshes.offer, portfolio)
    for found in own.values():
        if id(found) not in known:
            known[id(found)] = (*found, *refreshes.verdicts(found, portfolio))
    return {row: known[id(found)] for row, found in own.items()}


def whenever(verdicts: Verdicts) -> Verdicts:
    """Which racks may ever stand where, without when and without why not: all that limits of a site depend on."""
    known: dict[int, tuple[Verdict, ...]] = {}
    for found in verdicts.values():
        if id(found) not in known:
            known[id(found)] = tuple(
                replace(one, first_period=None if one.first_period is None else 0, reason=None) for one in found
            )
    return {row: known[id(found)] for row, found in verdicts.items()}


def limits_alone(world: World, refreshes: Refreshes, site: LoweredSite, ever: Verdicts) -> SiteTable:
    """The limits of a site; those that others of the site imply are left out.

    Parameters: ever, as from `whenever`. Returns a table without verdicts.
    """
    offer = refreshes.offer
    (hosts,) = number_rows([site], [ever], refreshes)
    table = SiteTable({}, limit_table([], refreshes.n_configurations, {}), (), 0, (), (), ())
    try:
        epochs = _epoch_loads(hosts, offer)
        pieces, n_implied = _pieces(world, offer, [hosts], [epochs])
        eligible: list[list[bool]] = (first_periods([hosts], [ever], offer) < len(offer.periods)).tolist()
        limits = merge(map(refreshes.widened, pieces), len(offer.periods), eligible)
        dropped = drop_implied(limits, eligible)
        limited = limit_table(limits, refreshes.n_configurations, hosts.n_positions)
        meter_w = charged_draw_w(site, offer)
        counted_w = (meter_w or largest_meter_draw_w(site, offer)) if measures_meter(world.portfolio) else ()
    except (InfeasibleError, InputError) as error:
        return replace(table, refused=error)
    windows = tuple(meter_window(loads, meter) for loads, meter in epochs)
    return SiteTable({}, limited, tuple(dropped), n_implied, windows, meter_w, counted_w)


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


def first_periods(hosts: Sequence[SiteHosts], verdicts: Sequence[Verdicts], offer: Offer) -> NDArray[np.int32]:
    """[n_rows, n_configurations] first period of each configuration in each row; their number where it has none."""
    never = len(offer.periods)
    table = [
        [never if one.first_period is None else one.first_period for one in of_row[row]]
        for site_hosts, of_row in zip(hosts, verdicts, strict=True)
        for row in site_hosts.row_idx
    ]
    return np.array(table, np.int32)


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
