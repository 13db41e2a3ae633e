"""The linear relaxation over classes and row patterns, solved by HiGHS: multipliers for the bound, aims for search.

Its dual is the bound of the published model at the best multipliers: rows keep their integer patterns, every block
holds one system in each period, and limits, monotony and the contract are priced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from planner.solve.formulation import MONEY_CENTS, Formulation
from planner.solve.generation import ENOUGH, generate
from planner.solve.master import Master

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns

_SMALLEST_WEIGHT = 1e-7


@dataclass(frozen=True)
class PoolPattern:
    """A whole filling of the blocks of a class that the relaxation uses."""

    block_class: int
    system: int
    n_racks: int
    weight: float
    """Blocks of the class that hold it in the last period."""


@dataclass(frozen=True)
class Relaxation:
    """Multipliers and aims in floating point; rounding them keeps every bound valid."""

    limit: NDArray[np.float64]
    """[n_limits, n_periods] cents for one unit of 2^-20 of the limit."""
    inside: NDArray[np.float64]
    """[n_limits, n_systems, n_periods] the same for limits inside one block, for blocks that hold the system."""
    monotone: NDArray[np.float64]
    """[n_rows, n_systems, n_periods] cents; 0 in period 0."""
    opening: NDArray[np.float64]
    """[n_blocks, n_systems, n_periods] cents; 0 in period 0."""
    units: NDArray[np.float64]
    """[n_blocks, n_systems, n_periods] cents for each scalable unit; 0 in period 0."""
    contract_period: NDArray[np.float64]
    """[n_periods] cents for each contracted cent."""
    contract_amount: float
    racks: NDArray[np.float64]
    """[n_rows, n_configurations, n_periods] aimed standing racks, averaged over a class."""
    pool: tuple[PoolPattern, ...]
    """Patterns that the relaxation uses in any period, with their weight in the last."""
    status: str
    demand: NDArray[np.float64]
    """[n_minimum_demands, n_periods] part of the price at which demand is counted against the minimum, 0 to 1."""
    value: float = float("nan")
    """Cents, of the linear program over the columns that it has; not a number where none was solved."""
    side: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """[n_side_rows] cents for each unit of a row of the side program; empty without one."""


def relax(
    problem: Problem,
    patterns: RowPatterns,
    classes: Classes,
    time_limit_s: float | None = None,
    enough: float = ENOUGH,
) -> Relaxation:
    """Solve the relaxation over classes and lift its multipliers and aims to the whole problem.

    Parameters: time_limit_s, after which no further columns are sought; what is held then still gives a valid,
    weaker bound; enough, share of the optimum that a round of columns has to be worth.
    """
    formulation = Formulation(problem, patterns, classes)
    master = Master(formulation.columns, formulation.rows)
    generate(formulation, master, time_limit_s, enough)
    return lift(formulation, master)


def lift(formulation: Formulation, master: Master) -> Relaxation:
    """Divide the multipliers of a class among its members, and give each member the class's average racks."""
    problem, classes = formulation.problem, formulation.classes
    primal, dual = master.primal, master.dual
    limit = np.where(formulation.limit_row >= 0, dual[formulation.limit_row], 0.0)
    limit *= MONEY_CENTS / (formulation.limit_scale * formulation.limit_size)[:, None]
    inside = np.where(formulation.inside_row >= 0, dual[formulation.inside_row], 0.0)
    inside *= MONEY_CENTS / (formulation.limit_scale * formulation.limit_size)[:, None, None]
    monotone = np.zeros((len(formulation.row_first), problem.n_systems, problem.n_periods))
    monotone[:, :, 1:] = dual[formulation.monotone_row] * MONEY_CENTS / formulation.row_size[:, None, None]
    opening = np.zeros((len(formulation.block_first), problem.n_systems, problem.n_periods))
    opening[:, :, 1:] = dual[formulation.opening_row] * MONEY_CENTS / formulation.block_size[:, None, None]
    units = np.zeros_like(opening)
    units[:, :, 1:] = dual[formulation.unit_row] * MONEY_CENTS / formulation.block_size[:, None, None]
    return Relaxation(
        limit=limit[classes.limit],
        inside=inside[classes.limit],
        monotone=monotone[classes.row],
        opening=opening[classes.block],
        units=units[classes.block],
        contract_period=dual[formulation.revenue_row],
        contract_amount=float(dual[formulation.amount_row][0]),
        racks=primal[formulation.x][classes.row],
        pool=_pool(formulation, primal),
        status=master.status,
        demand=dual[formulation.demand_row],
        value=master.objective * MONEY_CENTS + problem.constant_cents,
        side=_side_prices(formulation, dual),
    )


def _side_prices(formulation: Formulation, dual: NDArray[np.float64]) -> NDArray[np.float64]:
    terms = formulation.side_terms
    return np.zeros(0) if terms is None else terms.price_cents(dual[formulation.side_row] * MONEY_CENTS)


def _pool(formulation: Formulation, primal: NDArray[np.float64]) -> tuple[PoolPattern, ...]:
    """Distinct fillings in use, with the blocks that hold them in the last period."""
    last = formulation.problem.n_periods - 1
    weights: dict[tuple[int, int, int], float] = {}
    weight_of_column = primal[formulation.columns.n :]
    for (index, system, period, n_racks), weight in zip(formulation.fillings, weight_of_column, strict=False):
        if weight > _SMALLEST_WEIGHT and n_racks > 0:
            key = (index, system, n_racks)
            share = float(weight) * float(formulation.block_size[index])
            weights[key] = weights.get(key, 0.0) + (share if period == last else 0.0)
    return tuple(PoolPattern(*key, weight=weights[key]) for key in sorted(weights))
