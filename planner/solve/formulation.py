"""Rows and columns of the relaxation over classes: what every block column shares, and the terms of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS
from planner.side.rows import side_terms
from planner.solve.block_totals import BlockTotals, stated_limits
from planner.solve.columns import BlockShape, Column
from planner.solve.demand import draws_w, prices_cents_per_w
from planner.solve.master import Columns, Rows
from planner.solve.packing import EffectiveValues, effective_values
from planner.solve.patterns import limits_inside_blocks, single_row_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.side.rows import SideTerms
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns

MONEY_CENTS = 1e8
"""The relaxation counts money in millions of dollars."""


class Formulation:
    """Columns and rows of the relaxation; every class is represented by its first member."""

    def __init__(self, problem: Problem, patterns: RowPatterns, classes: Classes) -> None:
        """Number the columns and rows of a problem."""
        self.problem, self.patterns, self.classes = problem, patterns, classes
        self.values: EffectiveValues = effective_values(problem)
        self.totals = BlockTotals(problem, patterns, stated_limits(problem))
        self.columns, self.rows = Columns(), Rows()
        self.fillings: list[tuple[int, int, int, int]] = []
        self.made: list[Column] = []
        _, self.row_first, self.row_size = np.unique(classes.row, return_index=True, return_counts=True)
        _, self.block_first, self.block_size = np.unique(classes.block, return_index=True, return_counts=True)
        _, self.limit_first, self.limit_size = np.unique(classes.limit, return_index=True, return_counts=True)
        self._racks()
        self._blocks()
        self._hull_rows()
        self._monotone_rows()
        self._limit_rows()
        self._contract()
        self._demand()
        self._side()

    def _racks(self) -> None:
        rows = self.row_first
        gain = self.values.rack[rows] * self.row_size[:, None, None] / MONEY_CENTS
        self.x = self.columns.add(gain, np.inf)

    def _blocks(self) -> None:
        cost = self.values.open_cost[self.block_first] * self.block_size[:, None] / MONEY_CENTS
        n_systems = self.problem.n_systems
        self.z = self.columns.add(np.repeat(-cost[:, None, :], n_systems, axis=1), 1.0)
        one = self.rows.add(np.ones((len(self.block_first), self.problem.n_periods)))
        self.rows.put(one[:, None, :], self.z, 1.0)
        self.opening_row = self.rows.add(np.zeros((*self.z.shape[:2], self.problem.n_periods - 1)))
        self.rows.put(self.opening_row, self.z[:, :, :-1], 1.0)
        self.rows.put(self.opening_row, self.z[:, :, 1:], -1.0)

    def _hull_rows(self) -> None:
        """Racks of a class are covered by block columns, as far as the class's blocks hold the system.

        Where more racks can help the columns themselves, since no unit may be part empty or a unit earns something by
        parts, racks are all that the columns hold: one that fills a unit must be paid for.
        """
        filling_helps = ~self.problem.partial_units | (self.values.unit_cost < 0).any(axis=(1, 2))
        equal = filling_helps[self.problem.block_of_row_idx[self.row_first]]
        self.cover_row = self.rows.add(np.zeros(self.x.shape), equal[:, None, None])
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
        return float(self.values.unit_cost[self.block_first[index], system, period]) / MONEY_CENTS

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
        """One row for each class of limits and active period, scaled by its largest coefficient.

        A limit inside one block has a row for each system instead: it holds for the share of blocks with that system.
        """
        problem = self.problem
        single, inside = single_row_limits(problem), limits_inside_blocks(problem)
        self.limit_row = np.full((len(self.limit_first), problem.n_periods), -1, np.int64)
        self.inside_row = np.full((len(self.limit_first), problem.n_systems, problem.n_periods), -1, np.int64)
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
            if inside[limit] >= 0:
                self._inside_periods(index, int(limit), int(self.classes.block[inside[limit]]), total / scale, scale)
            else:
                self._limit_periods(index, int(limit), total / scale, scale)

    def _limit_periods(self, index: int, limit: int, factor: NDArray[np.float64], scale: float) -> None:
        capacity = self.problem.capacity[limit]
        active = np.flatnonzero(capacity != INACTIVE)
        numbers = self.rows.add(capacity[active] / scale)
        self.limit_row[index, active] = numbers
        touched = np.flatnonzero(factor.any(axis=1))
        columns = self.x[touched][:, :, active]
        self.rows.put(numbers[None, None, :], columns, factor[touched][:, :, None])

    def _inside_periods(
        self, index: int, limit: int, block_class: int, factor: NDArray[np.float64], scale: float
    ) -> None:
        capacity = self.problem.capacity[limit]
        active = np.flatnonzero(capacity != INACTIVE)
        touched = np.flatnonzero(factor.any(axis=1))
        for system in range(self.problem.n_systems):
            own = np.flatnonzero(self.problem.system_of_configuration_idx == system)
            if not factor[np.ix_(touched, own)].any():
                continue
            numbers = self.rows.add(np.zeros(active.size))
            self.inside_row[index, system, active] = numbers
            columns = self.x[np.ix_(touched, own, active)]
            self.rows.put(numbers[None, None, :], columns, factor[np.ix_(touched, own)][:, :, None])
            self.rows.put(numbers, self.z[block_class, system, active], -capacity[active] / scale)

    def _contract(self) -> None:
        problem = self.problem
        rate = problem.contract_rate / 2**SHARE_BITS * (problem.contract_amount > 0)
        self.q = self.columns.add(rate.astype(np.float64), problem.contract_amount / MONEY_CENTS)
        self.revenue_row = self.rows.add(np.zeros(problem.n_periods))
        self.rows.put(self.revenue_row, self.q, 1.0)
        revenue = problem.contract_revenue[self.row_first] * self.row_size[:, None, None] / MONEY_CENTS
        self.rows.put(self.revenue_row[None, None, :], self.x, -revenue)
        self.amount_row = self.rows.add(np.array([problem.contract_amount / MONEY_CENTS]))
        self.rows.put(self.amount_row, self.q, 1.0)

    def _demand(self) -> None:
        """What falls short of a minimum demand is no less than its price less that of what racks draw."""
        demands = self.problem.minimum_demands
        self.demand_row = np.zeros((len(demands), self.problem.n_periods), np.int64)
        for index, demand in enumerate(demands):
            price = prices_cents_per_w(demand) / MONEY_CENTS
            self.demand_row[index] = self.rows.add(-price * np.array(demand.minimum_w, np.float64))
            self.rows.put(self.demand_row[index], self.columns.add(np.full(price.size, -1.0), np.inf), -1.0)
            own = np.unique(self.classes.row[np.array(demand.row_idx, np.int64)])
            drawn = self.row_size[own][:, None, None] * draws_w(demand)[None, :, None] * price
            self.rows.put(self.demand_row[index][None, None, :], self.x[own], -drawn)

    def _side(self) -> None:
        """What is decided beside the racks: its columns and rows, and what its columns add to capacities."""
        self.side_terms: SideTerms | None = None
        self.side_row = np.zeros(0, np.int64)
        side = self.problem.side
        if side is None:
            return
        terms = self.side_terms = side_terms(side)
        self.v = self.columns.add(terms.worth_cents / MONEY_CENTS, terms.most)
        self.side_row = self.rows.add(terms.right)
        self.rows.put(self.side_row[terms.term_row_idx], self.v[terms.term_column_idx], terms.term)
        group_of_class = side.group_of_row_idx[self.row_first]
        for group in range(side.n_groups):
            own, entries = np.flatnonzero(group_of_class == group), np.flatnonzero(terms.rack_group_idx == group)
            racks = self.x[own][:, terms.rack_configuration_idx[entries], terms.rack_period_idx[entries]]
            given = self.row_size[own][:, None] * terms.rack[entries]
            self.rows.put(self.side_row[terms.rack_row_idx[entries]][None, :], racks, -given)
        index = self.classes.limit[terms.capacity_limit_idx]  # such a limit is a class of its own
        numbers = self.limit_row[index, terms.capacity_period_idx]
        active = numbers >= 0
        added = terms.capacity / self.limit_scale[index]
        self.rows.put(numbers[active], self.v[terms.capacity_column_idx[active]], -added[active])
