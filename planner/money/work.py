"""Cash of work: what is sold, what was promised and is not served, charges, and energy beyond that of idle racks.

Model, section 7a: work. Entries follow the plan's decisions, not the rounded worth of their columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.work import MILLION, demanded_units, unit_of
from planner.money.lines import JOINT, Account, Line
from sites.calendar import quarter_index, quarter_name
from sites.workloads import penalty_usd_per_million, price_usd_per_million

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.money.scene import Scene
    from planner.money.table import Table
    from sites.schema.workload import Tier, Workload

_ZERO = Fraction(0)


@dataclass(frozen=True)
class ServedHours:
    """Hours that racks work for a workload in a quarter."""

    site: str
    configuration: str
    workload: str
    quarter: int
    """From the plan's start."""
    n_hours: int


@dataclass(frozen=True)
class Sale:
    """What one tier of a workload asks and gets in a quarter."""

    workload: Workload
    tier: Tier
    quarter: int
    demand_units: int
    served_units: int
    unit: int
    """How many of what the workload's basis counts one unit is."""

    @property
    def millions(self) -> Fraction:
        """Millions served of what the basis counts."""
        return Fraction(self.served_units * self.unit, MILLION)

    @property
    def revenue_usd(self) -> Fraction:
        """At the quarter's price, charges not taken off."""
        return self.millions * price_usd_per_million(self.tier, self.quarter)

    @property
    def penalty_usd(self) -> Fraction:
        """Paid for what is not served."""
        short = Fraction((self.demand_units - self.served_units) * self.unit, MILLION)
        return short * penalty_usd_per_million(self.tier)


def add_work(table: Table, scene: Scene) -> None:
    """Enter everything that work earns and costs beside the racks."""
    for sale in sales(scene):
        item = f"{sale.workload.name}, {sale.tier.name}"
        table.add(Account(JOINT, Line.SERVICE, item), sale.quarter, sale.revenue_usd)
        table.add(Account(JOINT, Line.PENALTIES, item), sale.quarter, -sale.penalty_usd)
        for charge in sale.workload.charges:
            charged = Account(JOINT, Line.CHARGES, f"{sale.workload.name}, {charge.name}")
            table.add(charged, sale.quarter, -sale.millions * charge.cost)
    for served in hours(scene):
        system = scene.system_of(scene.configuration_idx[served.configuration])
        usd = work_energy_usd(scene, served)
        table.add(Account(served.site, Line.ENERGY, system=system), served.quarter, -usd)


def work_quarters(scene: Scene) -> list[str]:
    """Quarters in which racks may work: from the plan's start to the end of the last rack's life."""
    first = quarter_index(scene.portfolio.start)
    return [quarter_name(first + t) for t in range(scene.n_decided + scene.life_quarters - 1)]


def sales(scene: Scene) -> Iterator[Sale]:
    """Every tier of every workload in every quarter in which racks may work."""
    for workload in scene.portfolio.workloads:
        unit = unit_of(workload, scene.catalog)
        for t, quarter in enumerate(work_quarters(scene)):
            for tier in workload.tiers:
                served = scene.decisions.get(f"sold:{workload.name}:{tier.name}:{quarter}", 0)
                yield Sale(workload, tier, t, demanded_units(tier, quarter, unit), served, unit)


def hours(scene: Scene) -> Iterator[ServedHours]:
    """Hours of work that the plan decides, wherever above 0."""
    first = quarter_index(scene.portfolio.start)
    for name, n_hours in scene.decisions.items():
        kind, *parts = name.split(":")
        if kind == "serve" and n_hours:
            site, configuration, workload, quarter = parts
            yield ServedHours(site, configuration, workload, quarter_index(quarter) - first, n_hours)


def work_energy_usd(scene: Scene, served: ServedHours) -> Fraction:
    """Energy of hours of work beyond that of idle racks."""
    money, k = scene.monies[served.site], scene.configuration_idx[served.configuration]
    beyond = money.drawn_share(k, f"average_{scene.workload(served.workload).kind}") - money.drawn_share(k, "idle")
    return money.hourly_energy_usd(k, max(beyond, _ZERO), served.quarter) * served.n_hours
