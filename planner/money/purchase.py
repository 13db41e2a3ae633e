"""Cash for racks themselves: price by payment terms, residual value, and deliveries that are paid for placed or not.

Model, section 7a: payments and committed deliveries.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from planner.money.lines import JOINT, Account, Line
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from planner.money.scene import Scene
    from planner.money.table import Table
    from sites.schema.portfolio import Supply

_AT_THE_START = ((Fraction(1), 0),)


def add_purchases(table: Table, scene: Scene) -> None:
    """Enter what racks cost to buy and to keep unplaced, and what they bring in the end."""
    for site, racks in scene.racks.items():
        for s, t in np.argwhere(racks.started):
            system, n_racks = scene.offer.systems[s], int(racks.started[s, t])
            buy_racks(table, scene, site, system, int(t), n_racks)
            sell_racks(table, scene, site, system, int(t), n_racks)
    for supply in scene.committed:
        _add_committed(table, scene, supply)


def last_payment_quarter(scene: Scene) -> int:
    """The last quarter in which a rack is paid for or sold, counted from the plan's start."""
    latest = max((offset for _, offset in _terms(scene)), default=0)
    ends = scene.n_decided - 1 + scene.life_quarters if scene.portfolio.money.residual else 0
    return max(scene.n_decided - 1 + latest, ends)


def _terms(scene: Scene) -> tuple[tuple[Fraction, int], ...]:
    """Shares of the price and their quarters from the start."""
    return tuple((one.share, one.offset_quarters) for one in scene.portfolio.money.payment_terms) or _AT_THE_START


def _buy(table: Table, scene: Scene, account: Account, start: int, price_usd: Fraction) -> None:
    """Pay for racks by the terms, nothing before the plan's start; they are assets from their start on."""
    for share, offset in _terms(scene):
        table.add(account, max(0, start + offset), -share * price_usd)
    table.invest(account, max(0, start), -price_usd)


def buy_racks(table: Table, scene: Scene, site: str, system: str, start: int, n_racks: int) -> None:
    """Pay for racks delivered to a site in a quarter; committed ones are paid for anyway."""
    if all(supply.system != system for supply in scene.committed):
        _buy(table, scene, Account(site, Line.RACKS, system=system), start, scene.price_usd[system] * n_racks)


def sell_racks(table: Table, scene: Scene, site: str, system: str, start: int, n_racks: int) -> None:
    """Receive what racks that stand from a quarter on bring at the end of their lives."""
    share = scene.portfolio.money.residual
    if share:
        account = Account(site, Line.RESIDUAL, system=system)
        table.add(account, start + scene.life_quarters, share * scene.price_usd[system] * n_racks)


def _add_committed(table: Table, scene: Scene, supply: Supply) -> None:
    """Pay for every delivery up to the last decision quarter as it comes, and keep what is not placed."""
    first, price_usd = quarter_index(scene.portfolio.start), scene.price_usd[supply.system]
    delivered = [0] * scene.n_decided
    for delivery in supply.deliveries:
        came = quarter_index(delivery.quarter) - first
        if came < scene.n_decided:
            account = Account(JOINT, Line.RACKS, system=supply.system)
            _buy(table, scene, account, came, price_usd * delivery.racks)
            for t in range(max(0, came), scene.n_decided):
                delivered[t] += delivery.racks
    share = scene.portfolio.money.storage_share_per_quarter or Fraction(0)
    for t, (n_delivered, n_placed) in enumerate(zip(delivered, _placed(scene, supply.system), strict=True)):
        account = Account(JOINT, Line.STORAGE, system=supply.system)
        table.add(account, t, -share * price_usd * (n_delivered - n_placed))


def _placed(scene: Scene, system: str) -> list[int]:
    """Racks of a system that have been placed by each decision quarter, over all sites, whether they still stand."""
    n_placed = np.zeros(scene.n_decided, np.int64)
    for racks in scene.racks.values():
        if system in scene.offer.systems:
            n_placed += np.cumsum(racks.started[scene.offer.systems.index(system)])[: scene.n_decided]
        for number, t in np.argwhere(racks.refreshed):
            option = scene.lowered.refreshes.options[number]
            came = {option.refresh.before: int(t), option.refresh.after: max(int(t), option.begins)}
            if system in came:
                n_placed[came[system] :] += racks.refreshed[number, t]
    return [int(n) for n in n_placed]
