"""What the customer pays the provider for racks: rental, the contract's premium, less what waits for acceptance.

Contract revenue is taken at the problem's whole cents, rack by rack, so that what the contract takes is what the
objective counts.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import CENTS_PER_USD
from planner.money.lines import JOINT, Account, Line

if TYPE_CHECKING:
    from planner.money.scene import Scene
    from planner.money.standing import SiteRacks
    from planner.money.table import Table

_ONE = Fraction(1)


def add_rental(table: Table, scene: Scene) -> None:
    """Enter everything that the customer pays the provider."""
    for site, racks in scene.racks.items():
        _add_market(table, scene, site, racks)
        _add_acceptance(table, scene, site, racks)
    for t, cents in enumerate(contract_used_cents(scene)):
        usd = Fraction(cents, CENTS_PER_USD) * (1 - scene.market_factor)
        table.add(Account(JOINT, Line.PREMIUM), t, usd)


def _revenue_usd(scene: Scene, site: str, k: int, t: int) -> Fraction:
    """What a rack of configuration k earns in quarter t at the contract's price."""
    performance = scene.offer.configurations[k].profile.performance.value or 0
    return scene.monies[site].revenue_usd(scene.system_of(k), Fraction(performance), t)


def _add_market(table: Table, scene: Scene, site: str, racks: SiteRacks) -> None:
    for k, t in np.argwhere(racks.standing):
        usd = scene.market_factor * _revenue_usd(scene, site, int(k), int(t)) * int(racks.standing[k, t])
        table.add(Account(site, Line.MARKET, system=scene.system_of(int(k))), int(t), usd)


def _add_acceptance(table: Table, scene: Scene, site: str, racks: SiteRacks) -> None:
    """Racks that stand and are not accepted yet earn nothing; they count at performance 1."""
    money = scene.monies[site]
    for s, t in np.argwhere(racks.started):
        system = scene.offer.systems[s]
        for quarter in range(int(t), int(t) + money.acceptance_lag_quarters):
            usd = scene.market_factor * money.revenue_usd(system, _ONE, quarter) * int(racks.started[s, t])
            table.add(Account(site, Line.ACCEPTANCE, system=system), quarter, -usd)


def contract_used_cents(scene: Scene) -> list[int]:
    """What the contract takes of each decision quarter's revenue at its price, earliest first.

    It moves between the two parties' books also where the plan was chosen for both together.
    """
    contract = scene.portfolio.contract
    left, used = 0 if contract is None else floor(contract.amount * CENTS_PER_USD), []
    for t in range(scene.problem.n_periods):
        cents = sum(
            int(racks.standing[k, t]) * floor(_revenue_usd(scene, site, int(k), t) * CENTS_PER_USD)
            for site, racks in scene.racks.items()
            for k in np.flatnonzero(racks.standing[:, t])
        )
        used.append(min(cents, left))
        left -= used[-1]
    return used
