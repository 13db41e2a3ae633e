"""Cash of whoever owns the racks, their price aside: to connect, to house and to run them (model, section 7)."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import CENTS_PER_USD, conversion_cents
from planner.money.lines import Account, Line
from planner.problem import SHARE_BITS
from planner.run.totals import system_counts
from planner.run.value import block_counts, unit_numbers
from planner.solve.demand import drawn_scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from planner.lower.money import SiteMoney
    from planner.money.scene import Scene
    from planner.money.standing import SiteRacks
    from planner.money.table import Table


def add_owner(table: Table, scene: Scene) -> None:
    """Enter everything that an owner pays for the plan's racks beside their price."""
    for site, racks in scene.racks.items():
        _add_running(table, scene, site, racks)
    counts = system_counts(scene.problem, scene.n_racks)
    _add_units(table, scene, counts)
    _add_conversions(table, scene, counts)
    _add_shells(table, scene, counts)
    _add_minimum_demand(table, scene)


def _add_running(table: Table, scene: Scene, site: str, racks: SiteRacks) -> None:
    money = scene.monies[site]
    for k, t in np.argwhere(racks.standing):
        n_standing, quarter, system = int(racks.standing[k, t]), int(t), scene.system_of(int(k))
        for line, usd in (
            (Line.ENERGY, _energy_usd(scene, money, int(k), quarter)),
            (Line.DEMAND, money.demand_usd(int(k))),
            (Line.OPERATIONS, money.operations_usd(int(k))),
        ):
            table.add(Account(site, line, system=system), quarter, -usd * n_standing)


def _energy_usd(scene: Scene, money: SiteMoney, k: int, t: int) -> Fraction:
    """Energy of a rack in a quarter: on average, or of an idle one where its hours of work are entered on their own."""
    return money.idle_energy_usd(k, t) if scene.portfolio.workloads else money.energy_usd(k, t)


def _add_units(table: Table, scene: Scene, counts: NDArray[np.int64]) -> None:
    """The network of every scalable unit started."""
    problem = scene.problem
    started = np.diff(unit_numbers(problem, counts), axis=2, prepend=0)
    for b, s, t in np.argwhere(started[:, : len(scene.offer.systems)]):
        site, system = problem.block_names[b].partition(":")[0], problem.system_names[s]
        usd = int(started[b, s, t]) * int(problem.unit_racks[s]) * scene.prices.network_usd[system]
        table.buy(Account(site, Line.NETWORK, system=system), int(t), -usd)


def _add_conversions(table: Table, scene: Scene, counts: NDArray[np.int64]) -> None:
    """What rows that are converted for a system cost with each of its racks."""
    problem = scene.problem
    started = np.diff(counts, axis=2, prepend=0)
    for r, s, t in np.argwhere(started[:, : len(scene.offer.systems)]):
        system = problem.system_names[s]
        conversion = scene.lowered.conversions.get((problem.row_names[r], system))
        if conversion is not None:
            positions = scene.catalog.rack_systems[system].positions.value or 0
            usd = Fraction(int(started[r, s, t]) * conversion_cents(conversion, positions), CENTS_PER_USD)
            site = problem.row_names[r].partition(":")[0]
            table.buy(Account(site, Line.CONVERSIONS, system=system), int(t), -usd)


def _add_shells(table: Table, scene: Scene, counts: NDArray[np.int64]) -> None:
    """Avoidable capex of the lineups of every block that opens, and what sites and phases cost to open."""
    problem = scene.problem
    held = block_counts(problem, counts).sum(axis=1) > 0
    capex_usd = _capex_usd(scene)
    for b in np.flatnonzero(held.any(axis=1)):
        name = problem.block_names[b]
        opens = int(np.flatnonzero(held[b])[0])
        table.buy(Account(name.partition(":")[0], Line.SHELL), opens, -capex_usd[name])
    for opening in scene.portfolio.openings:
        idx = next((one.block_idx for one in problem.openings if one.name == opening.name), ())
        standing = np.flatnonzero(held[list(idx)].any(axis=0)) if idx else idx
        if len(standing):
            table.buy(Account(opening.site, Line.SHELL), int(standing[0]), -Fraction(opening.cost))


def _capex_usd(scene: Scene) -> Mapping[str, Fraction]:
    capex_usd: dict[str, Fraction] = defaultdict(Fraction)
    for site, graphs in scene.lowered.graphs.items():
        for _, fields in graphs.containment.nodes(data=True):
            if fields["kind"] == "lineup":
                capex_usd[f"{site}:{fields['block_id']}"] += fields["avoidable_capex_usd"]
    return capex_usd


def _add_minimum_demand(table: Table, scene: Scene) -> None:
    """What tariffs charge for demand that the plan's racks do not draw."""
    site_of_row = np.array([name.partition(":")[0] for name in scene.problem.row_names])
    standing = scene.lowered.refreshes.as_they_are(scene.n_racks)[:, : len(scene.offer.configurations)]
    for site, money in scene.monies.items():
        demand = money.minimum_demand(site, np.flatnonzero(site_of_row == site).tolist())
        if demand is None:
            continue
        watt_usd = money.minimum_watt_usd
        drawn = drawn_scaled(demand, standing)
        for t, (least_w, drawn_w) in enumerate(zip(demand.minimum_w, drawn, strict=True)):
            short_w = max(Fraction(0), least_w - Fraction(drawn_w, 1 << SHARE_BITS))
            table.add(Account(demand.site, Line.MINIMUM_DEMAND), t, -short_w * watt_usd)
