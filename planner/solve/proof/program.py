"""The linear program at the nodes of a proof: each block holds a mix of whole fillings in each period.

One program serves all nodes. Fillings are columns, made where prices call for them and barred where a box leaves them
out; every sum that a split holds is a row. What couples blocks and periods may be broken at a price, so that a branch
without any plan shows in its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS
from planner.side.rows import side_terms
from planner.solve.demand import draws_w, prices_cents_per_w
from planner.solve.master import Columns, Master, Rows
from planner.solve.packing import effective_values
from planner.solve.patterns import limits_inside_blocks, single_row_limits
from planner.solve.proof.box import tightest, undecided

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.side.rows import SideTerms
    from planner.solve.proof.box import Box, Total

MONEY_CENTS = 1e6
"""The program counts money in tens of thousands of dollars, so that its tolerance is far below a cent."""
_TOLERANCE = 1e-10
_PRICE_OF_BREAKING = 10.0
"""Of a limit's largest coefficient, or of one rack, in everything that the plan could earn."""


class Prices(NamedTuple):
    """What multipliers make of racks, of holding a system and of its units, in the program's money."""

    rack: NDArray[np.float64]
    """[n_rows, n_configurations, n_periods]"""
    holding: NDArray[np.float64]
    """[n_blocks, n_systems, n_periods]"""
    unit: NDArray[np.float64]
    """[n_blocks, n_systems, n_periods]"""


@dataclass(frozen=True)
class Filling:
    """What one block holds in one period; no system when it is empty."""

    block: int
    system: int | None
    period: int
    racks: NDArray[np.int64]
    """[n_rows, n_configurations] of the whole problem."""
    n_units: int


class NodeProgram(Master):
    """The program over all fillings so far."""

    def __init__(self, problem: Problem) -> None:
        """Number the rows and the columns that are no fillings."""
        self.problem, self.values = problem, effective_values(problem)
        self.fillings: list[Filling] = []
        self._sums: dict[Total, int] = {}
        self._bounds: dict[Total, tuple[float, float]] = {}
        columns, rows = Columns(), Rows()
        self._coefficients()
        self._number_rows(columns, rows)
        super().__init__(columns, rows)
        self._n_columns = columns.n
        self._columns: list[int] = []
        for option in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            self._solver.setOptionValue(option, _TOLERANCE)
        self._solver.setOptionValue("presolve", "off")
        self._solver.changeObjectiveOffset(-problem.constant_cents / MONEY_CENTS)

    def _coefficients(self) -> None:
        """Limits of several rows by what one rack loads them with, each in its largest coefficient."""
        problem = self.problem
        table = np.zeros((problem.n_limits, problem.n_rows, problem.n_configurations))
        for limit in np.flatnonzero(~single_row_limits(problem)):
            entries = slice(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
            table[limit, problem.entry_row_idx[entries]] = problem.entry_coefficient[entries]
        self.scale = np.maximum(table.max(axis=(1, 2), initial=0.0), 1.0)
        self._load = table / self.scale[:, None, None]
        self.block_of_limit = limits_inside_blocks(problem)
        loads: NDArray[np.bool_] = np.asarray(table.any(axis=(1, 2)))
        self._is_active = (problem.capacity != INACTIVE) & loads[:, None]
        self._capacity = np.where(self._is_active, problem.capacity, 0) / self.scale[:, None]

    def _number_rows(self, columns: Columns, rows: Rows) -> None:
        problem = self.problem
        n_systems, n_later = problem.n_systems, problem.n_periods - 1
        self.convex_row = rows.add(
            np.ones((problem.n_blocks, problem.n_periods)), np.ones((problem.n_blocks, problem.n_periods), np.bool_)
        )
        self.limit_row = np.full((problem.n_limits, problem.n_periods), -1, np.int64)
        joint: NDArray[np.bool_] = self._is_active & (self.block_of_limit < 0)[:, None]
        self.limit_row[joint] = rows.add(self._capacity[joint])
        inside: NDArray[np.bool_] = self._is_active & (self.block_of_limit >= 0)[:, None]
        self.inside_row = np.full((problem.n_limits, n_systems, problem.n_periods), -1, np.int64)
        for system in range(n_systems):
            self.inside_row[:, system][inside] = rows.add(np.zeros(int(inside.sum())))
        self.monotone_row = rows.add(np.zeros((problem.n_rows, n_systems, n_later)))
        self.opening_row = rows.add(np.zeros((problem.n_blocks, n_systems, n_later)))
        self.unit_row = rows.add(np.zeros((problem.n_blocks, n_systems, n_later)))
        self._side(columns, rows)
        breakable = np.concatenate(
            [self.limit_row[joint], self.inside_row[self.inside_row >= 0], self.monotone_row.ravel(),
             self.opening_row.ravel(), self.unit_row.ravel(), self.side_row]
        )  # fmt: skip
        self.penalty = _PRICE_OF_BREAKING * (1.0 + self._at_stake_cents() / MONEY_CENTS)
        rows.put(breakable, columns.add(np.full(breakable.size, -self.penalty), np.inf), -1.0)
        rows.put(self.convex_row, columns.add(np.full(self.convex_row.shape, -self.penalty), np.inf), 1.0)
        self._contract(columns, rows)
        self._demand(columns, rows)

    def _at_stake_cents(self) -> float:
        """What one rack of everything, all shortfalls and decisions of the size of a rack add up to."""
        shortfalls = sum(
            float(price) * watts
            for demand in self.problem.minimum_demands
            for price, watts in zip(demand.price_cents_per_w, demand.minimum_w, strict=True)
        )
        decided = 0.0 if self.side_terms is None else float(np.abs(self.side_terms.worth_cents).sum())
        return float(np.abs(self.values.rack).sum()) + shortfalls + decided

    def _contract(self, columns: Columns, rows: Rows) -> None:
        problem = self.problem
        rate = problem.contract_rate / 2**SHARE_BITS * (problem.contract_amount > 0)
        used = columns.add(rate.astype(np.float64), problem.contract_amount / MONEY_CENTS)
        self.revenue_row = rows.add(np.zeros(problem.n_periods))
        rows.put(self.revenue_row, used, 1.0)
        self.amount_row = rows.add(np.array([problem.contract_amount / MONEY_CENTS]))
        rows.put(self.amount_row, used, 1.0)

    def _demand(self, columns: Columns, rows: Rows) -> None:
        problem = self.problem
        self.demand_row = np.zeros((len(problem.minimum_demands), problem.n_periods), np.int64)
        self._drawn = np.zeros(
            (len(problem.minimum_demands), problem.n_rows, problem.n_configurations, problem.n_periods)
        )
        for index, demand in enumerate(problem.minimum_demands):
            price = prices_cents_per_w(demand) / MONEY_CENTS
            self.demand_row[index] = rows.add(-price * np.array(demand.minimum_w, np.float64))
            rows.put(self.demand_row[index], columns.add(np.full(price.size, -1.0), np.inf), -1.0)
            self._drawn[index, list(demand.row_idx)] = draws_w(demand)[:, None] * price

    def _side(self, columns: Columns, rows: Rows) -> None:
        """What is decided beside the racks, and what a rack gives to its rows."""
        self.side_terms: SideTerms | None = None
        self.side_row, self.decided = np.zeros(0, np.int64), np.zeros(0, np.int64)
        problem, side = self.problem, self.problem.side
        if side is None:
            return
        terms = self.side_terms = side_terms(side)
        self.decided = columns.add(terms.worth_cents / MONEY_CENTS, terms.most)
        self.side_row = rows.add(terms.right)
        rows.put(self.side_row[terms.term_row_idx], self.decided[terms.term_column_idx], terms.term)
        numbers = self.limit_row[terms.capacity_limit_idx, terms.capacity_period_idx]
        active, added = numbers >= 0, terms.capacity / self.scale[terms.capacity_limit_idx]
        rows.put(numbers[active], self.decided[terms.capacity_column_idx[active]], -added[active])
        self._given = np.zeros((side.n_rows, side.n_groups, problem.n_configurations, problem.n_periods))
        place = (terms.rack_row_idx, terms.rack_group_idx, terms.rack_configuration_idx, terms.rack_period_idx)
        np.add.at(self._given, place, terms.rack)

    def _given_by(self, filling: Filling) -> NDArray[np.float64]:
        """[n_side_rows] what a filling's racks give to the rows of the side program."""
        side = self.problem.side
        if side is None:
            return np.zeros(0)
        group = side.group_of_row_idx[self.problem.block_of_row_idx == filling.block][0]
        given: NDArray[np.float64] = self._given[:, group, :, filling.period] @ filling.racks.sum(axis=0)
        return given

    def add_filling(self, filling: Filling) -> None:
        """Make a column of a filling."""
        block, system, t, racks = filling.block, filling.system, filling.period, filling.racks
        factor = np.zeros(self.dual.size)
        factor[self.convex_row[block, t]] = 1.0
        gain = float((self.values.rack[:, :, t] * racks).sum())
        if system is not None:
            load = np.tensordot(self._load, racks, 2)
            self._put(factor, self.limit_row[:, t], load)
            own = np.where(self.block_of_limit == block, self.inside_row[:, system, t], -1)
            self._put(factor, own, load - self._capacity[:, t])
            of_system = self.problem.system_of_configuration_idx == system
            for rows, amount in (
                (self.monotone_row[:, system], racks[:, of_system].sum(axis=1)),
                (self.opening_row[block, system][None], np.ones(1)),
                (self.unit_row[block, system][None], np.array([filling.n_units])),
            ):
                if t > 0:
                    factor[rows[:, t - 1]] -= amount
                if t < self.problem.n_periods - 1:
                    factor[rows[:, t]] += amount
            revenue = float((self.problem.contract_revenue[:, :, t] * racks).sum())
            factor[self.revenue_row[t]] = -revenue / MONEY_CENTS
            factor[self.demand_row[:, t]] = -np.tensordot(self._drawn[:, :, :, t], racks, 2)
            factor[self.side_row] = -self._given_by(filling)
            gain -= float(self.values.open_cost[block, t])
            gain -= float(self.values.unit_cost[block, system, t]) * filling.n_units
            for total, row in self._sums.items():
                if total.period == t:
                    factor[row] = racks[np.ix_(total.row_idx, total.configuration_idx)].sum()
        touched = np.flatnonzero(factor)
        self.add(gain / MONEY_CENTS, touched, factor[touched])
        self.fillings.append(filling)

    @staticmethod
    def _put(factor: NDArray[np.float64], rows: NDArray[np.int64], amount: NDArray[np.float64]) -> None:
        factor[rows[rows >= 0]] += amount[rows >= 0]

    def flush(self) -> None:
        """Hand new fillings to the solver, and keep what boxes ask of them."""
        self._columns.extend(range(self._n_columns, self._n_columns + len(self._pending)))
        self._n_columns += len(self._pending)
        super().flush()
        problem, fillings = self.problem, self.fillings
        racks = np.array([one.racks for one in fillings])
        by_system = [
            racks[:, :, problem.system_of_configuration_idx == s].sum(axis=2) for s in range(problem.n_systems)
        ]
        self._racks = racks
        self._by_row = np.stack(by_system, axis=2)
        self._place = np.array([(one.block, -1 if one.system is None else one.system, one.period) for one in fillings])
        blocks = [self._by_row[:, problem.block_of_row_idx == block].sum(axis=1) for block in range(problem.n_blocks)]
        self._by_block = np.stack(blocks, axis=1)

    def within(self, box: Box) -> NDArray[np.bool_]:
        """[n_fillings] which fillings a box leaves."""
        block, system, period = self._place.T
        own_rows = self.problem.block_of_row_idx[None, :] == block[:, None]
        own_block = np.arange(self.problem.n_blocks)[None, :] == block[:, None]
        good = np.ones(block.size, np.bool_)
        of_rows, of_block = (self._racks, box.count, own_rows), (self._by_row, box.row, own_rows)
        for found, (least, most), own in (of_rows, of_block, (self._by_block, box.block, own_block)):
            fits = (found >= np.moveaxis(least, 2, 0)[period]) & (found <= np.moveaxis(most, 2, 0)[period])
            good &= (fits.all(axis=2) | ~own).all(axis=1)
        good &= ~((system < 0) & box.filled[block, period])
        result: NDArray[np.bool_] = good & ~((system >= 0) & box.barred[block, system])
        return result

    def enter(self, box: Box) -> None:
        """Bar the fillings that a box leaves out, and hold its sums."""
        numbers = np.array(self._columns, np.int32)
        upper = np.where(self.within(box), np.inf, 0.0)
        self._solver.changeColsBounds(numbers.size, numbers, np.zeros(numbers.size), upper)
        self._enter_decisions(box)
        least, most = tightest(box)
        for total, row in self._sums.items():
            bounds = (least.get(total, -np.inf), most.get(total, np.inf))
            if self._bounds[total] != bounds:
                self._solver.changeRowBounds(row, *bounds)
                self._bounds[total] = bounds

    def _enter_decisions(self, box: Box) -> None:
        if self.side_terms is None:
            return
        least, most = (bound.astype(np.float64) / self.side_terms.column_scale for bound in box.decided)
        most = np.where(undecided(self.problem, box), self.side_terms.most, most)
        self._solver.changeColsBounds(self.decided.size, self.decided.astype(np.int32), least, most)

    def decisions(self) -> NDArray[np.float64]:
        """[n_columns] units of each decision beside the racks in the last solution."""
        return np.zeros(0) if self.side_terms is None else self.side_terms.value(self.primal[self.decided])

    def hold(self, total: Total) -> None:
        """Make a row of a sum, which boxes may bound from now on."""
        if total in self._sums:
            return
        inside = np.ix_(total.row_idx, total.configuration_idx)
        counts = [int(one.racks[inside].sum()) if one.period == total.period else 0 for one in self.fillings]
        used = np.flatnonzero(counts)
        row, columns = self.dual.size, np.array(self._columns, np.int32)[used]
        self._solver.addRow(-np.inf, np.inf, used.size, columns, np.array(counts, np.float64)[used])
        for sign in (1.0, -1.0):
            self._solver.addCol(self.penalty, 0.0, np.inf, 1, np.array([row], np.int32), np.array([sign]))
            self._n_columns += 1
        self._sums[total], self._bounds[total] = row, (-np.inf, np.inf)
        self._equal = np.append(self._equal, np.bool_(True))
        self.dual = np.append(self.dual, 0.0)

    def price_of(self, total: Total) -> float:
        """The multiplier of a sum: above 0 where it may not rise, below where it may not fall."""
        return float(self.dual[self._sums[total]]) if total in self._sums else 0.0

    def prices(self) -> Prices:
        """What the last multipliers make of racks, systems and units."""
        problem, dual, system = self.problem, self.dual, self.problem.system_of_configuration_idx
        rack = self.values.rack / MONEY_CENTS + self._carried(self.monotone_row)[:, system]
        joint = np.where(self.limit_row >= 0, dual[self.limit_row], 0.0)
        inside = np.where(self.inside_row >= 0, dual[self.inside_row], 0.0)
        charged = joint[:, None, :] + inside[:, system]
        rack -= np.einsum("lkt,lrk->rkt", charged, self._load)
        rack += problem.contract_revenue * (dual[self.revenue_row] / MONEY_CENTS)
        rack += np.einsum("dt,drkt->rkt", dual[self.demand_row], self._drawn)
        if problem.side is not None:
            rack += np.einsum("i,igkt->gkt", dual[self.side_row], self._given)[problem.side.group_of_row_idx]
        for total, row in self._sums.items():
            if dual[row] == 0.0:
                continue
            rack[np.ix_(total.row_idx, total.configuration_idx, (total.period,))] -= dual[row]
        holding = self._carried(self.opening_row) - self.values.open_cost[:, None] / MONEY_CENTS
        given = inside * self._capacity[:, None, :]
        lies_in_block = self.block_of_limit >= 0
        np.add.at(holding, self.block_of_limit[lies_in_block], given[lies_in_block])
        return Prices(rack, holding, self.values.unit_cost / MONEY_CENTS - self._carried(self.unit_row))

    def _carried(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """By period: a multiplier of growth over time, own less the next period's."""
        own = self.dual[rows]
        nothing = np.zeros((*own.shape[:2], 1))
        carried: NDArray[np.float64] = np.concatenate((nothing, own), axis=2) - np.concatenate((own, nothing), axis=2)
        return carried

    def mix(self) -> NDArray[np.float64]:
        """[n_fillings] how much of each filling the last solution takes."""
        numbers = np.array(self._columns)
        solved = numbers < self.primal.size
        weights: NDArray[np.float64] = np.where(solved, self.primal[np.where(solved, numbers, 0)], 0.0)
        return weights

    def score(self, box: Box, most_steps: int) -> float:
        """What the fillings so far are worth within a box, after so many steps of the simplex method."""
        self.enter(box)
        self._solver.setOptionValue("simplex_iteration_limit", most_steps)
        self._solver.run()
        self._solver.setOptionValue("simplex_iteration_limit", 2**31 - 1)
        return -float(self._solver.getInfo().objective_function_value)
