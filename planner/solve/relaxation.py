"""The linear relaxation over classes and row patterns, solved by HiGHS: multipliers for the bound, aims for search.

Its dual is the bound of the published model at the best multipliers: rows keep their integer patterns, every block
holds one system in each period, and limits, monotony and the contract are priced.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import INACTIVE
from planner.solve.columns import BlockShape, Column, best_column
from planner.solve.packing import EffectiveValues, effective_values
from planner.solve.patterns import single_row_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns

_CENTS = 1e8
"""The relaxation counts money in millions of dollars."""
_MOST_ROUNDS = 60
_ENOUGH = 2e-4
"""Columns that could add less than this share of the optimum are not worth another round."""
_SMALLEST_WORTH = 1e-7


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
    open_share: NDArray[np.float64]
    """[n_blocks, n_systems, n_periods] share of a class's blocks that hold a system."""
    pool: tuple[PoolPattern, ...]
    """Patterns that the relaxation uses in any period, with their weight in the last."""
    status: str


@dataclass
class _Columns:
    cost: list[NDArray[np.float64]] = field(default_factory=list)
    upper: list[NDArray[np.float64]] = field(default_factory=list)
    n: int = 0

    def add(self, cost: NDArray[np.float64], upper: float) -> NDArray[np.int64]:
        """New columns with these gains; returns their numbers in the shape of `cost`."""
        numbers = np.arange(self.n, self.n + cost.size, dtype=np.int64).reshape(cost.shape)
        self.cost.append(cost.ravel())
        self.upper.append(np.full(cost.size, upper))
        self.n += cost.size
        return numbers


@dataclass
class _Rows:
    row: list[NDArray[np.int64]] = field(default_factory=list)
    column: list[NDArray[np.int64]] = field(default_factory=list)
    factor: list[NDArray[np.float64]] = field(default_factory=list)
    upper: list[NDArray[np.float64]] = field(default_factory=list)
    n: int = 0

    def add(self, upper: NDArray[np.float64]) -> NDArray[np.int64]:
        """New rows `… ≤ upper`; returns their numbers in the shape of `upper`."""
        numbers = np.arange(self.n, self.n + upper.size, dtype=np.int64).reshape(upper.shape)
        self.upper.append(upper.ravel())
        self.n += upper.size
        return numbers

    def put(self, row: NDArray[np.int64], column: NDArray[np.int64], factor: NDArray[np.float64] | float) -> None:
        """Add terms; arguments broadcast against each other."""
        row, column, spread = np.broadcast_arrays(row, column, np.asarray(factor, np.float64))
        self.row.append(row.ravel())
        self.column.append(column.ravel())
        self.factor.append(spread.ravel())


class _Builder:
    """Columns and rows of the relaxation; every class is represented by its first member."""

    def __init__(self, problem: Problem, patterns: RowPatterns, classes: Classes) -> None:
        self.problem, self.patterns, self.classes = problem, patterns, classes
        self.values: EffectiveValues = effective_values(problem)
        self.columns, self.rows = _Columns(), _Rows()
        self.fillings: list[tuple[int, int, int, int]] = []
        _, self.row_first, self.row_size = np.unique(classes.row, return_index=True, return_counts=True)
        _, self.block_first, self.block_size = np.unique(classes.block, return_index=True, return_counts=True)
        _, self.limit_first, self.limit_size = np.unique(classes.limit, return_index=True, return_counts=True)

    def build(self) -> None:
        self._racks()
        self._blocks()
        self._hull_rows()
        self._monotone_rows()
        self._limit_rows()
        self._contract()

    def _racks(self) -> None:
        problem = self.problem
        rows = self.row_first
        gain = self.values.rack[rows] * self.row_size[:, None, None] / _CENTS
        self.x = self.columns.add(gain, np.inf)

    def _blocks(self) -> None:
        cost = self.values.open_cost[self.block_first] * self.block_size[:, None] / _CENTS
        n_systems = self.problem.n_systems
        self.z = self.columns.add(np.repeat(-cost[:, None, :], n_systems, axis=1), 1.0)
        one = self.rows.add(np.ones((len(self.block_first), self.problem.n_periods)))
        self.rows.put(one[:, None, :], self.z, 1.0)
        self.opening_row = self.rows.add(np.zeros((*self.z.shape[:2], self.problem.n_periods - 1)))
        self.rows.put(self.opening_row, self.z[:, :, :-1], 1.0)
        self.rows.put(self.opening_row, self.z[:, :, 1:], -1.0)

    def _hull_rows(self) -> None:
        """Racks of a class are covered by block columns, as far as the class's blocks hold the system."""
        problem = self.problem
        self.cover_row = self.rows.add(np.zeros(self.x.shape))
        self.rows.put(self.cover_row, self.x, 1.0)
        self.weight_row = self.rows.add(np.zeros(self.z.shape))
        self.rows.put(self.weight_row, self.z, -1.0)
        self.unit_row = self.rows.add(np.zeros((*self.z.shape[:2], self.problem.n_periods - 1)))
        self.shapes = [self._shape(int(block)) for block in self.block_first]

    def _shape(self, block: int) -> BlockShape:
        rows = np.flatnonzero(self.problem.block_of_row_idx == block)
        classes, first, counts = np.unique(self.classes.row[rows], return_index=True, return_counts=True)
        return BlockShape(classes, rows[first], counts)

    def unit_cost(self, index: int, system: int, period: int) -> float:
        """Of one block of a class, in the relaxation's money."""
        return float(self.values.unit_cost[self.block_first[index], system, period]) / _CENTS

    def column_terms(
        self, index: int, system: int, period: int, column: Column
    ) -> tuple[float, NDArray[np.int64], NDArray[np.float64]]:
        """Gain, rows and factors of one block column: racks are averages over the rows of a class."""
        shape = self.shapes[index]
        position, configuration = np.nonzero(column.racks)
        rows = self.cover_row[shape.row_class_idx[position], configuration, period]
        factors = -column.racks[position, configuration] / shape.n_rows[position]
        gain = -self.unit_cost(index, system, period) * column.n_units * float(self.block_size[index])
        extra = [(self.weight_row[index, system, period], 1.0)]
        if column.n_units and period > 0:
            extra.append((self.unit_row[index, system, period - 1], -float(column.n_units)))
        if column.n_units and period + 1 < self.problem.n_periods:
            extra.append((self.unit_row[index, system, period], float(column.n_units)))
        numbers, amounts = zip(*extra, strict=True)
        return gain, np.append(rows, numbers), np.append(factors, amounts)

    def _monotone_rows(self) -> None:
        problem = self.problem
        n_systems = problem.n_systems
        self.monotone_row = self.rows.add(np.zeros((len(self.row_first), n_systems, problem.n_periods - 1)))
        for configuration, system in enumerate(problem.system_of_configuration_idx):
            self.rows.put(self.monotone_row[:, system], self.x[:, configuration, :-1], 1.0)
            self.rows.put(self.monotone_row[:, system], self.x[:, configuration, 1:], -1.0)

    def _limit_rows(self) -> None:
        """One row for each class of limits and active period, scaled by its largest coefficient."""
        problem = self.problem
        single = single_row_limits(problem)
        self.limit_row = np.full((len(self.limit_first), problem.n_periods), -1, np.int64)
        self.limit_scale = np.ones(len(self.limit_first))
        for index, limit in enumerate(self.limit_first):
            if single[limit]:
                continue
            entries = slice(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
            coefficient = problem.entry_coefficient[entries].astype(np.float64)
            classes = self.classes.row[problem.entry_row_idx[entries]]
            total = np.zeros((len(self.row_first), problem.n_configurations))
            np.add.at(total, classes, coefficient)
            scale = max(float(total.max()), 1.0)
            self.limit_scale[index] = scale
            self._limit_periods(index, int(limit), total / scale, scale)

    def _limit_periods(self, index: int, limit: int, factor: NDArray[np.float64], scale: float) -> None:
        capacity = self.problem.capacity[limit]
        active = np.flatnonzero(capacity != INACTIVE)
        numbers = self.rows.add(capacity[active] / scale)
        self.limit_row[index, active] = numbers
        touched = np.flatnonzero(factor.any(axis=1))
        columns = self.x[touched][:, :, active]
        self.rows.put(numbers[None, None, :], columns, factor[touched][:, :, None])

    def _contract(self) -> None:
        problem = self.problem
        rate = problem.contract_rate / 2**20 * (problem.contract_amount > 0)
        self.q = self.columns.add(rate.astype(np.float64), problem.contract_amount / _CENTS)
        self.revenue_row = self.rows.add(np.zeros(problem.n_periods))
        self.rows.put(self.revenue_row, self.q, 1.0)
        revenue = problem.contract_revenue[self.row_first] * self.row_size[:, None, None] / _CENTS
        self.rows.put(self.revenue_row[None, None, :], self.x, -revenue)
        self.amount_row = self.rows.add(np.array([problem.contract_amount / _CENTS]))
        self.rows.put(self.amount_row, self.q, 1.0)


def relax(problem: Problem, patterns: RowPatterns, classes: Classes, time_limit_s: float | None = None) -> Relaxation:
    """Solve the relaxation over classes and lift its multipliers and aims to the whole problem.

    Parameters: time_limit_s, after which no further columns are sought; what is held then still gives a valid,
    weaker bound.
    """
    builder = _Builder(problem, patterns, classes)
    builder.build()
    master = Master(builder.columns, builder.rows)
    generate(builder, master, time_limit_s)
    return _lift(builder, master)


def _pool(builder: _Builder, primal: NDArray[np.float64]) -> tuple[PoolPattern, ...]:
    """Distinct fillings in use, with the blocks that hold them in the last period."""
    last = builder.problem.n_periods - 1
    weights: dict[tuple[int, int, int], float] = {}
    for (index, system, period, n_racks), weight in zip(builder.fillings, primal[builder.columns.n :], strict=False):
        if weight > _SMALLEST_WORTH and n_racks > 0:
            key = (index, system, n_racks)
            share = float(weight) * float(builder.block_size[index])
            weights[key] = weights.get(key, 0.0) + (share if period == last else 0.0)
    return tuple(PoolPattern(*key, weight=weights[key]) for key in sorted(weights))


def generate(builder: _Builder, master: Master, time_limit_s: float | None) -> None:
    """Add block columns that the prices call for until none is worth anything, or time is up."""
    started = time.monotonic()
    _add_columns(builder, master, None)
    for _ in range(_MOST_ROUNDS):
        master.solve()
        improvement = _add_columns(builder, master, master.dual)
        if improvement <= _ENOUGH * max(abs(master.objective), 1.0):
            return
        if time_limit_s is not None and time.monotonic() - started > time_limit_s / 4:
            return


def _add_columns(builder: _Builder, master: Master, dual: NDArray[np.float64] | None) -> float:
    """One column for each (block class, system, period) at these prices; returns how much they could gain at most.

    Without prices: the fullest filling, so that the first master has something of everything.
    """
    problem, gain = builder.problem, 0.0
    for index, shape in enumerate(builder.shapes):
        size = float(builder.block_size[index])
        block = int(builder.block_first[index])
        for system, period in np.ndindex(problem.n_systems, problem.n_periods):
            price = np.ones((shape.row_idx.size, problem.n_configurations))
            unit_cost = 0.0
            if dual is not None:
                unit_cost = builder.unit_cost(index, system, period) * size
                unit_cost += _carried(dual[builder.unit_row[index, system]], period)
                price = dual[builder.cover_row[shape.row_class_idx, :, period]] / shape.n_rows[:, None]
            found = best_column(
                problem, builder.patterns, shape, block, system, period, price, unit_cost
            )
            if found is None:
                continue
            worth = found[0] - (float(dual[builder.weight_row[index, system, period]]) if dual is not None else 0.0)
            if dual is None or worth > _SMALLEST_WORTH:
                gain += worth
                builder.fillings.append((index, system, period, round(float(found[1].racks.sum()))))
                master.add(*builder.column_terms(index, system, period, found[1]))
    master.flush()
    return gain


def _carried(dual: NDArray[np.float64], period: int) -> float:
    """What monotony over time adds to the cost of a standing unit: the next period's multiplier less its own."""
    following = float(dual[period]) if period < dual.size else 0.0
    return following - (float(dual[period - 1]) if period > 0 else 0.0)


class Master:
    """The restricted master problem, grown column by column and solved again from where it stood."""

    def __init__(self, columns: _Columns, rows: _Rows) -> None:
        """Pass the columns and rows that every block column shares."""
        import highspy

        self._solver = highspy.Highs()
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)
        self._solver.passModel(_lp(columns, rows))
        self._pending: list[tuple[float, NDArray[np.int64], NDArray[np.float64]]] = []
        self.primal, self.dual = np.zeros(columns.n), np.zeros(rows.n)
        self.status, self.objective = "not solved", 0.0

    def add(self, gain: float, rows: NDArray[np.int64], factors: NDArray[np.float64]) -> None:
        """Remember one column with bounds [0, ∞)."""
        self._pending.append((gain, rows, factors))

    def flush(self) -> None:
        """Hand the remembered columns to the solver."""
        if not self._pending:
            return
        n_new = len(self._pending)
        starts = np.cumsum([0] + [rows.size for _, rows, _ in self._pending[:-1]]).astype(np.int32)
        index = np.concatenate([rows for _, rows, _ in self._pending]).astype(np.int32)
        value = np.concatenate([factors for _, _, factors in self._pending])
        cost = -np.array([gain for gain, _, _ in self._pending])
        upper = np.full(n_new, np.inf)
        self._solver.addCols(n_new, cost, np.zeros(n_new), upper, index.size, starts, index, value)
        self._pending.clear()

    def solve(self) -> None:
        """Maximise; keeps column values and multipliers ≥ 0 of the rows."""
        self._solver.run()
        solution = self._solver.getSolution()
        self.status = self._solver.modelStatusToString(self._solver.getModelStatus())
        if solution.dual_valid:
            self.primal = np.array(solution.col_value)
            self.dual = np.maximum(-np.array(solution.row_dual), 0.0)
            self.objective = -self._solver.getInfo().objective_function_value


def _lp(columns: _Columns, rows: _Rows) -> Any:
    import highspy

    row, column = np.concatenate(rows.row), np.concatenate(rows.column)
    factor = np.concatenate(rows.factor)
    kept = factor != 0.0
    order = np.lexsort((row[kept], column[kept]))
    row, column, factor = row[kept][order], column[kept][order], factor[kept][order]
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns.n, rows.n
    lp.col_cost_ = -np.concatenate(columns.cost)
    lp.col_lower_, lp.col_upper_ = np.zeros(columns.n), np.concatenate(columns.upper)
    lp.row_lower_ = np.full(rows.n, -highspy.kHighsInf)
    lp.row_upper_ = np.concatenate(rows.upper)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate(([0], np.cumsum(np.bincount(column, minlength=columns.n)))).astype(np.int32)
    lp.a_matrix_.index_, lp.a_matrix_.value_ = row.astype(np.int32), factor
    return lp


def _lift(builder: _Builder, master: Master) -> Relaxation:
    problem, classes = builder.problem, builder.classes
    primal, dual = master.primal, master.dual
    limit = np.where(builder.limit_row >= 0, dual[builder.limit_row], 0.0)
    limit *= _CENTS / (builder.limit_scale * builder.limit_size)[:, None]
    monotone = np.zeros((len(builder.row_first), problem.n_systems, problem.n_periods))
    monotone[:, :, 1:] = dual[builder.monotone_row] * _CENTS / builder.row_size[:, None, None]
    opening = np.zeros((len(builder.block_first), problem.n_systems, problem.n_periods))
    opening[:, :, 1:] = dual[builder.opening_row] * _CENTS / builder.block_size[:, None, None]
    units = np.zeros_like(opening)
    units[:, :, 1:] = dual[builder.unit_row] * _CENTS / builder.block_size[:, None, None]
    return Relaxation(
        limit=limit[classes.limit],
        monotone=monotone[classes.row],
        opening=opening[classes.block],
        units=units[classes.block],
        contract_period=dual[builder.revenue_row],
        contract_amount=float(dual[builder.amount_row][0]),
        racks=primal[builder.x][classes.row],
        open_share=primal[builder.z][classes.block],
        pool=_pool(builder, primal),
        status=master.status,
    )
