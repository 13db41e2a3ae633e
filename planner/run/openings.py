"""Which sites and phases a plan opens, when and at what cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.run.totals import system_counts
from planner.run.value import block_counts
from planner.solve.opened import opened_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from planner.problem import Problem
    from sites.schema.portfolio import PortfolioFile


@dataclass(frozen=True)
class OpenedPhase:
    """One opening of the portfolio and what the plan makes of it."""

    name: str
    site: str
    buildings: tuple[str, ...] | None
    """None: all of the site that are ours."""
    earliest: str | None
    cost_usd: int
    """Undiscounted, rounded down."""
    opened: str | None
    """Quarter of the first rack; None where it stays closed."""
    cost_cents: int
    """What it costs the plan, discounted; 0 where it stays closed."""
    n_racks: int
    """Racks in its blocks in the last quarter."""


def opened_phases(portfolio: PortfolioFile, problem: Problem, n_racks: NDArray[np.int32]) -> tuple[OpenedPhase, ...]:
    """Every opening of the portfolio, in its order.

    Parameters: n_racks, standing racks, [n_rows, n_configurations, n_periods].
    """
    counts = block_counts(problem, system_counts(problem, n_racks)).sum(axis=1)
    known = {one.name: one for one in problem.openings}
    found = []
    for entry in portfolio.openings:
        own = known.get(entry.name)
        period = None if own is None else opened_in(own, counts > 0)
        found.append(
            OpenedPhase(
                name=entry.name,
                site=entry.site,
                buildings=entry.buildings,
                earliest=entry.earliest,
                cost_usd=int(entry.cost),
                opened=None if period is None else problem.periods[period],
                cost_cents=0 if own is None or period is None else own.cost[period],
                n_racks=0 if own is None else int(counts[list(own.block_idx), -1].sum()),
            )
        )
    return tuple(found)
