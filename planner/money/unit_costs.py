"""What a million of each workload costs: racks by the hours that they work for it, idle hours by the same share.

Costs of the racks of one system - price, network, conversions, idle energy, demand, operations, less residual value -
are shared by the discounted rack-hours that its racks work. What belongs to no system (avoidable capex, minimum demand)
is first shared among a site's racks by their sustained power over time. Energy of work and charges are each workload's
own. Everything is discounted, so that a million at its cost pays for all of it; the shares sum to the whole.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import CENTS_PER_USD
from planner.money.lines import JOINT, OWNED
from planner.money.work import hours, sales, work_energy_usd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planner.money.flows import CashFlow
    from planner.money.scene import Scene

_ZERO = Fraction(0)


@dataclass(frozen=True)
class WorkloadCost:
    """What one workload costs whoever owns the racks and serves it, discounted."""

    workload: str
    rack_hours: int
    shared_cents: int
    """Its share of racks and their running."""
    energy_cents: int
    """Of its hours of work, beyond that of idle racks."""
    charges_cents: int
    cost_cents: int
    """Sum of the three."""
    present_millions: float
    """Millions served, each discounted like cash."""
    usd_per_million: float | None
    """Cost over millions; None where nothing is served."""


@dataclass(frozen=True)
class UnitCosts:
    """Cost of the work of a plan."""

    total_cents: int
    """Everything paid for racks and their work, discounted: what workloads cost and what is left."""
    workloads: tuple[WorkloadCost, ...]
    unworked_cents: int
    """Of racks that never work, and of sites without racks."""


def unit_costs(scene: Scene, flow: CashFlow) -> UnitCosts:
    """Share a plan's costs among its workloads.

    Parameters: flow, of the same plan.
    """
    names = [workload.name for workload in scene.portfolio.workloads]
    energy = _work_energy_usd(scene, flow)
    by_system, alone_usd = _system_costs_usd(scene, flow, energy)
    worked = _worked_hours(scene, flow)
    shared, unworked_usd = dict.fromkeys(names, _ZERO), alone_usd
    for system, usd in by_system.items():
        of_workload = {name: worked[system, name] for name in names}
        total_hours = sum(of_workload.values(), start=_ZERO)
        if not total_hours:
            unworked_usd += usd
        for name in names if total_hours else ():
            shared[name] += usd * of_workload[name] / total_hours
    own_energy = [sum((usd for (_, _, name), usd in energy.items() if name == own), start=_ZERO) for own in names]
    charges, millions = _sold(scene, flow, names)
    *shared_cents, unworked_cents = _whole_cents([*shared.values(), unworked_usd])
    energy_cents, charges_cents = _whole_cents(own_energy), _whole_cents(charges)
    n_hours: dict[str, int] = defaultdict(int)
    for one in hours(scene):
        n_hours[one.workload] += one.n_hours
    workloads = tuple(
        WorkloadCost(
            workload=name,
            rack_hours=n_hours[name],
            shared_cents=shared_cents[i],
            energy_cents=energy_cents[i],
            charges_cents=charges_cents[i],
            cost_cents=shared_cents[i] + energy_cents[i] + charges_cents[i],
            present_millions=float(millions[i]),
            usd_per_million=float((shared[name] + own_energy[i] + charges[i]) / millions[i]) if millions[i] else None,
        )
        for i, name in enumerate(names)
    )
    return UnitCosts(sum(one.cost_cents for one in workloads) + unworked_cents, workloads, unworked_cents)


def _work_energy_usd(scene: Scene, flow: CashFlow) -> dict[tuple[str, str, str], Fraction]:
    """Discounted energy of work by site, system and workload."""
    found: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for one in hours(scene):
        system = scene.system_of(scene.configuration_idx[one.configuration])
        found[one.site, system, one.workload] += work_energy_usd(scene, one) * flow.discount[one.quarter]
    return found


def _worked_hours(scene: Scene, flow: CashFlow) -> dict[tuple[str, str], Fraction]:
    """Discounted rack-hours by system and workload."""
    found: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for one in hours(scene):
        system = scene.system_of(scene.configuration_idx[one.configuration])
        found[system, one.workload] += one.n_hours * flow.discount[one.quarter]
    return found


def _system_costs_usd(
    scene: Scene, flow: CashFlow, energy: dict[tuple[str, str, str], Fraction]
) -> tuple[dict[str, Fraction], Fraction]:
    """Discounted costs of the racks of each system, energy of work aside, and what no system can be charged with."""
    by_system: dict[str, Fraction] = defaultdict(Fraction)
    of_site: dict[str, Fraction] = defaultdict(Fraction)
    for account, values in flow.exact_usd.items():
        if account.line in OWNED:
            usd = -sum((cash * factor for cash, factor in zip(values, flow.discount, strict=True)), start=_ZERO)
            if account.system:
                by_system[account.system] += usd
            else:
                of_site[account.site] += usd
    for (_, system, _), usd in energy.items():
        by_system[system] -= usd
    alone = _ZERO
    for site, usd in of_site.items():
        watts = _present_watts(scene, flow, site)
        total = sum(watts.values(), start=_ZERO)
        alone += _ZERO if total else usd
        for system, own in watts.items() if total else ():
            by_system[system] += usd * own / total
    return by_system, alone


def _present_watts(scene: Scene, flow: CashFlow, site: str) -> dict[str, Fraction]:
    """Discounted watt-quarters of sustained power by system, of racks at a site or at all of them."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for racks in flow.racks.values() if site == JOINT else [flow.racks[site]]:
        for k, t in np.argwhere(racks.standing):
            watts = int(racks.standing[k, t]) * scene.lowered.configurations[int(k)].it_w
            found[scene.system_of(int(k))] += watts * flow.discount[int(t)]
    return found


def _sold(scene: Scene, flow: CashFlow, names: Sequence[str]) -> tuple[list[Fraction], list[Fraction]]:
    """Discounted charges and millions served of each workload."""
    charges, millions = dict.fromkeys(names, _ZERO), dict.fromkeys(names, _ZERO)
    for sale in sales(scene):
        present = sale.millions * flow.discount[sale.quarter]
        millions[sale.workload.name] += present
        charges[sale.workload.name] += present * sum((one.cost for one in sale.workload.charges), start=_ZERO)
    return list(charges.values()), list(millions.values())


def _whole_cents(usd: Iterable[Fraction]) -> list[int]:
    """Amounts in whole cents whose every running sum is the exact one rounded down, so that they sum to the whole."""
    so_far, edges = _ZERO, [0]
    for amount in usd:
        so_far += amount
        edges.append(floor(so_far * CENTS_PER_USD))
    return [after - before for before, after in pairwise(edges)]
