"""When deliveries must be ordered: for each one that the plan uses, its latest order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from planner.lower.refresh import Refreshes
    from planner.problem import Problem
    from sites.schema.portfolio import PortfolioFile, Supply

NO_LEAD = "the supply states no 'order_lead_quarters'"


@dataclass(frozen=True)
class Order:
    """One delivery of a system, of which the plan uses some racks; first delivered, first started."""

    system: str
    delivered: str
    n_delivered: int
    n_used: int
    starts: str
    """Quarter in which the first of them starts."""
    committed: bool
    order_by: str | None
    """Latest quarter of the order for this delivery."""
    late_quarters: int | None
    """By how many quarters that lies before the plan's start."""
    latest_order_by: str | None
    """Latest quarter of the order if the racks came just when the first of them starts."""
    reason: str | None
    """Why there are no such quarters."""


def orders(
    portfolio: PortfolioFile, problem: Problem, refreshes: Refreshes, n_racks: NDArray[np.int32]
) -> tuple[Order, ...]:
    """Every delivery that the plan uses, by system, in order of time.

    Parameters: n_racks, standing racks, [n_rows, n_configurations, n_periods].
    """
    taken = deliveries_taken(refreshes, n_racks)
    return tuple(
        order
        for supply in portfolio.supply
        if supply.system in taken
        for order in _of_supply(portfolio, problem, supply, taken[supply.system].tolist())
    )


def deliveries_taken(refreshes: Refreshes, n_racks: NDArray[np.int32]) -> dict[str, NDArray[np.int64]]:
    """By system on offer, [n_periods] racks that have been delivered for the plan: those of refreshes stay taken.

    Parameters: n_racks, standing racks, [n_rows, n_configurations, n_periods].
    """
    total = n_racks.sum(axis=0, dtype=np.int64)
    taken = {system: np.zeros(total.shape[1], np.int64) for system in refreshes.offer.systems}
    for k, configuration in enumerate(refreshes.offer.configurations):
        taken[configuration.system.name] += total[k]
    for k, window in enumerate(refreshes.windows, start=len(refreshes.offer.configurations)):
        taken[window.option.refresh.before] += total[k]
        if window.first_period >= window.option.begins:
            taken[window.option.refresh.after] += total[k]
    return taken


def _of_supply(portfolio: PortfolioFile, problem: Problem, supply: Supply, standing: list[int]) -> Iterator[Order]:
    """Deliveries of one system.

    Parameters: standing, racks of the system that have been taken by each decision quarter.
    """
    before = 0
    for delivery in supply.deliveries:
        used = min(delivery.racks, standing[-1] - before)
        if used <= 0:
            continue
        first = next(t for t, n in enumerate(standing) if n > before)
        yield _order(portfolio, supply, delivery.quarter, delivery.racks, used, problem.periods[first])
        before += delivery.racks


def _order(portfolio: PortfolioFile, supply: Supply, delivered: str, n: int, used: int, starts: str) -> Order:
    lead = supply.order_lead_quarters
    head = (supply.system, delivered, n, used, starts, supply.committed)
    if lead is None:
        return Order(*head, None, None, None, NO_LEAD)
    order_by = quarter_index(delivered) - lead
    late = max(0, quarter_index(portfolio.start) - order_by)
    return Order(*head, quarter_name(order_by), late, quarter_name(quarter_index(starts) - lead), None)
