"""Column generation: block fillings that the master's prices call for, until none is worth another round."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from planner.solve.columns import best_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.solve.formulation import Formulation
    from planner.solve.master import Master

_MOST_ROUNDS = 60
ENOUGH = 2e-4
"""Columns that could add less than this share of the optimum are not worth another round."""
_SMALLEST_WORTH = 1e-7


def generate(formulation: Formulation, master: Master, time_limit_s: float | None, enough: float = ENOUGH) -> None:
    """Add block columns that the prices call for until all together are worth too little, or half the time is up.

    Parameters: enough, share of the optimum below which a round ends it.
    """
    started = time.monotonic()
    add_columns(formulation, master, None)
    for _ in range(_MOST_ROUNDS):
        master.solve()
        improvement = add_columns(formulation, master, master.dual)
        if improvement <= enough * max(abs(master.objective), 1.0):
            return
        if time_limit_s is not None and time.monotonic() - started > time_limit_s / 2:
            return


def add_columns(formulation: Formulation, master: Master, dual: NDArray[np.float64] | None) -> float:
    """Add one column for each (block class, system, period) at these prices, and say how much they gain at most.

    Without prices: the fullest filling, so that the first master has something of everything.
    """
    problem, gain = formulation.problem, 0.0
    for index, shape in enumerate(formulation.shapes):
        block = int(formulation.block_first[index])
        for system, period in np.ndindex(problem.n_systems, problem.n_periods):
            price, unit_cost, fee = _prices(formulation, dual, index, system, period)
            whole = formulation.totals.of(block, system, period)
            found = best_column(problem, formulation.patterns, shape, block, system, period, price, unit_cost, whole)
            if found is None:
                continue
            worth = found[0] - fee
            if dual is None or worth > _SMALLEST_WORTH:
                gain += worth
                formulation.made.append(found[1])
                formulation.fillings.append((index, system, period, round(float(found[1].racks.sum()))))
                master.add(*formulation.column_terms(index, system, period, found[1]))
    master.flush()
    return gain


def _prices(
    formulation: Formulation, dual: NDArray[np.float64] | None, index: int, system: int, period: int
) -> tuple[NDArray[np.float64], float, float]:
    """What a rack earns in each row class, what a unit costs, and what holding the system costs, for a block class."""
    shape = formulation.shapes[index]
    if dual is None:
        return np.ones((shape.row_idx.size, formulation.problem.n_configurations)), 0.0, 0.0
    unit_cost = formulation.unit_cost(index, system, period) * float(formulation.block_size[index])
    unit_cost += _carried(dual[formulation.unit_row[index, system]], period)
    price = dual[formulation.cover_row[shape.row_class_idx, :, period]] / shape.n_rows[:, None]
    return price, unit_cost, float(dual[formulation.weight_row[index, system, period]])


def _carried(dual: NDArray[np.float64], period: int) -> float:
    """What monotony over time adds to the cost of a standing unit: the next period's multiplier less its own."""
    following = float(dual[period]) if period < dual.size else 0.0
    return following - (float(dual[period - 1]) if period > 0 else 0.0)
