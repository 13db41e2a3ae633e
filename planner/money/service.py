"""What a plan serves, as its documents state it: hours by site and configuration, and each tier's demand against it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.money.table import cents_of
from planner.money.work import hours, sales, work_quarters

if TYPE_CHECKING:
    from planner.money.scene import Scene
    from planner.money.work import Sale
    from planner.problem import SideProgram


@dataclass(frozen=True)
class Service:
    """What racks of one configuration at a site do for a workload in a quarter."""

    site: str
    configuration: str
    workload: str
    period: str
    hours: int
    """Rack-hours of work."""
    units: int
    """What they do in these hours, in the workload's units; what is not sold of it is not needed."""


@dataclass(frozen=True)
class Served:
    """One tier of a workload by quarter."""

    workload: str
    tier: str
    unit: int
    """How many of what the workload's basis counts one unit is."""
    demand_units: tuple[int, ...]
    """[n_quarters]"""
    served_units: tuple[int, ...]
    revenue_cents: tuple[int, ...]
    """At the quarter's price, charges not taken off; rounded down."""
    penalty_cents: tuple[int, ...]
    """For what is not served; rounded up."""


@dataclass(frozen=True)
class ServedLedger:
    """Demand and what is served of it, to the end of the last rack's life."""

    quarters: tuple[str, ...]
    tiers: tuple[Served, ...]


def service(scene: Scene) -> tuple[Service, ...]:
    """Hours of work that the plan decides, in the order of its decisions."""
    side, quarters = scene.problem.side, work_quarters(scene)
    units = {} if side is None else units_per_hour(side)
    return tuple(
        Service(
            one.site,
            one.configuration,
            one.workload,
            quarters[one.quarter],
            one.n_hours,
            one.n_hours * units[f"serve:{one.site}:{one.configuration}:{one.workload}:{quarters[one.quarter]}"],
        )
        for one in hours(scene)
    )


def units_per_hour(side: SideProgram) -> dict[str, int]:
    """Units that an hour of each `serve` column does, by its name."""
    found = {}
    for column, name in enumerate(side.column_names):
        if name.startswith("serve:"):
            span = slice(int(side.term_ptr[column]), int(side.term_ptr[column + 1]))
            rows, amounts = side.term_row_idx[span].tolist(), side.term_coefficient[span].tolist()
            done = (
                -amount for row, amount in zip(rows, amounts, strict=True) if side.row_names[row].startswith("work:")
            )
            found[name] = next(done)
    return found


def served(scene: Scene) -> ServedLedger:
    """Demand and what is served of it by workload, tier and quarter."""
    by_tier: dict[tuple[str, str], list[Sale]] = defaultdict(list)
    for sale in sales(scene):
        by_tier[sale.workload.name, sale.tier.name].append(sale)
    tiers = (
        Served(
            workload=workload,
            tier=tier,
            unit=own[0].unit,
            demand_units=tuple(sale.demand_units for sale in own),
            served_units=tuple(sale.served_units for sale in own),
            revenue_cents=cents_of(sale.revenue_usd for sale in own),
            penalty_cents=tuple(-cents for cents in cents_of(-sale.penalty_usd for sale in own)),
        )
        for (workload, tier), own in by_tier.items()
    )
    return ServedLedger(tuple(work_quarters(scene)) if by_tier else (), tuple(tiers))
