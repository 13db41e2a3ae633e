"""Cash of racks that make way for others: both purchases, networks of both, work on the place, resale (section 7)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import CENTS_PER_USD, conversion_cents
from planner.money.lines import Account, Line
from planner.money.purchase import buy_racks, sell_racks
from planner.run.totals import system_counts
from planner.run.value import unit_numbers
from sites.refresh import resale_share

if TYPE_CHECKING:
    from planner.money.scene import Scene
    from planner.money.table import Table
    from sites.refresh import RefreshOption

_ONE = Fraction(1)


def add_refresh(table: Table, scene: Scene) -> None:
    """Enter everything that is bought, sold and waited for because racks make way for others."""
    for site, racks in scene.racks.items():
        for number, t in np.argwhere(racks.refreshed):
            option, n_racks = scene.lowered.refreshes.options[number], int(racks.refreshed[number, t])
            _add_racks(table, scene, site, option, int(t), n_racks)
            _add_acceptance(table, scene, site, option, int(t), n_racks)
    _add_networks(table, scene)
    _add_conversions(table, scene)


def _add_racks(table: Table, scene: Scene, site: str, option: RefreshOption, start: int, n_racks: int) -> None:
    """Both purchases, and what is paid and received where one makes way for the other."""
    refresh, moves = option.refresh, max(start, option.begins)
    buy_racks(table, scene, site, refresh.before, start, n_racks)
    buy_racks(table, scene, site, refresh.after, moves, n_racks)
    sell_racks(table, scene, site, refresh.after, max(start, option.ends), n_racks)
    table.add(Account(site, Line.REMOVAL, system=refresh.before), moves, -refresh.removal_cost * n_racks)
    resale_usd = resale_share(refresh, moves - start) * scene.prices.rack_usd[refresh.before] * n_racks
    table.add(Account(site, Line.RESALE, system=refresh.before), moves, resale_usd)


def _add_acceptance(table: Table, scene: Scene, site: str, option: RefreshOption, start: int, n_racks: int) -> None:
    """Racks that stand and are not accepted yet earn nothing; those that have left were never accepted either."""
    money, stands = scene.monies[site], max(start, option.ends)
    lag = money.acceptance_lag_quarters
    waits = ((option.refresh.before, range(start, min(start + lag, option.begins))),
             (option.refresh.after, range(stands, stands + lag)))  # fmt: skip
    for system, quarters in waits:
        for quarter in quarters:
            usd = scene.market_factor * money.revenue_usd(system, _ONE, quarter) * n_racks
            table.add(Account(site, Line.ACCEPTANCE, system=system), quarter, -usd)


def _add_networks(table: Table, scene: Scene) -> None:
    """The networks of both systems for every scalable unit started."""
    problem, n_offered = scene.problem, len(scene.offer.systems)
    units = unit_numbers(problem, system_counts(problem, scene.n_racks))
    started = np.diff(units, axis=2, prepend=0)[:, n_offered:]
    for b, number, t in np.argwhere(started):
        option, site = scene.lowered.refreshes.options[number], problem.block_names[b].partition(":")[0]
        n_racks = int(started[b, number, t]) * int(problem.unit_racks[n_offered + number])
        for system, quarter in ((option.refresh.before, int(t)), (option.refresh.after, max(int(t), option.begins))):
            usd = scene.prices.network_usd[system] * n_racks
            table.buy(Account(site, Line.NETWORK, system=system), quarter, -usd)


def _add_conversions(table: Table, scene: Scene) -> None:
    """What rows cost that are converted before the old racks come."""
    problem, n_offered = scene.problem, len(scene.offer.systems)
    started = np.diff(system_counts(problem, scene.n_racks), axis=2, prepend=0)[:, n_offered:]
    for r, number, t in np.argwhere(started):
        option = scene.lowered.refreshes.options[number]
        conversion = scene.lowered.conversions.get((problem.row_names[r], option.name))
        if conversion is not None:
            cents = conversion_cents(conversion, scene.lowered.refreshes.positions(option))
            usd = Fraction(int(started[r, number, t]) * cents, CENTS_PER_USD)
            account = Account(problem.row_names[r].partition(":")[0], Line.CONVERSIONS, system=option.refresh.before)
            table.buy(account, int(t), -usd)
