"""The lowered problem as one sparse integer program, exact, before any solver sees it.

Columns: `n` standing racks of a row, configuration and period from its first period on; `v` decisions beside
the racks; `z` 1 once the block holds a rack of the system; `u` scalable units of the block and system; `q`
contracted cents of the period (continuous); `m` cents that a site's racks fall short of its tariff's minimum
demand (continuous, so not rounded up to whole cents). The objective is to be maximised. Every row is divided
by the greatest common divisor of its coefficients, its capacity rounded down, which changes no integer point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from planner.export.decisions import terms_of
from planner.export.effective import effective_open_cost, effective_unit_cost, effective_value
from planner.problem import INACTIVE, SHARE_BITS, ColumnKind, may_stand
from planner.side.capacity import most_capacity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem, SideProgram

Terms = list[tuple[int, int]]


@dataclass(frozen=True)
class Column:
    """One variable: integer unless continuous, from 0 to `upper` (None: no bound of its own)."""

    name: str
    objective_scaled: int
    """Cents scaled by 2^20, to be maximised."""
    upper: int | None
    integer: bool


@dataclass(frozen=True)
class Row:
    """One row: the sum of coefficient · column stands in relation `sense` to `right`."""

    name: str
    sense: str
    """`L` for at most, `G` for at least, `E` for equal, as in MPS."""
    column_idx: tuple[int, ...]
    coefficient: tuple[int, ...]
    right: int


@dataclass(frozen=True)
class IntegerModel:
    """The whole integer program, maximised."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    racks_column_idx: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] column of each rack count; -1 where none may stand."""
    decision_column_idx: tuple[int, ...] = ()
    """[n_columns of the side program] column of each decision beside the racks."""
    constant_cents: int = 0
    """Of the objective."""


def integer_model(problem: Problem) -> IntegerModel:
    """Write the problem of `docs/model.md` sections 4 to 7 as one sparse integer program.

    Parameters: problem, as lowered. Raises ValueError when a rack count has no bound from any limit.
    """
    builder = _Builder(problem)
    builder.add_racks()
    builder.add_decisions()
    builder.add_limits()
    builder.add_monotone()
    builder.add_openings()
    builder.add_blocks()
    builder.add_contract()
    builder.add_minimum_demands()
    return IntegerModel(
        columns=tuple(builder.columns),
        rows=tuple(builder.rows),
        racks_column_idx=builder.racks_idx,
        decision_column_idx=tuple(builder.decision_idx),
        constant_cents=problem.constant_cents,
    )


def upper_bounds(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Most racks of a configuration, and of a system over its profiles, that any single limit allows.

    Limits count with all that decisions may add to them.
    Returns [n_rows, n_configurations, n_periods], 0 where not eligible, and [n_rows, n_systems, n_periods].
    Raises ValueError when a rack count has no bound from any limit.
    """
    shape = (problem.n_rows, problem.n_configurations, problem.n_periods)
    eligible = may_stand(problem)
    single = np.full(shape, INACTIVE, dtype=np.int64)
    joint = np.full((problem.n_rows, problem.n_systems, problem.n_periods), INACTIVE, dtype=np.int64)
    capacities = most_capacity(problem)
    for limit_idx in range(problem.n_limits):
        entries = slice(int(problem.limit_ptr[limit_idx]), int(problem.limit_ptr[limit_idx + 1]))
        rows, coefficient = problem.entry_row_idx[entries], problem.entry_coefficient[entries]
        capacity = capacities[limit_idx]
        most = np.maximum(capacity, 0)[None, None, :] // np.maximum(coefficient, 1)[:, :, None]
        bounds = (coefficient > 0)[:, :, None] & (capacity != INACTIVE)[None, None, :]
        most = np.where(eligible[rows], np.where(bounds, most, INACTIVE), 0)
        single[rows] = np.minimum(single[rows], most)
        for system in range(problem.n_systems):
            of_system = most[:, problem.system_of_configuration_idx == system]
            joint[rows, system] = np.minimum(joint[rows, system], of_system.max(axis=1, initial=0))
    single[~eligible] = 0
    _refuse_unbounded(problem, single)
    return single, joint


def _refuse_unbounded(problem: Problem, upper: NDArray[np.int64]) -> None:
    for row, configuration, period in np.argwhere(upper == INACTIVE)[:1]:
        msg = (
            f"row '{problem.row_names[row]}' has no limit on '{problem.configuration_names[configuration]}' "
            f"in {problem.periods[period]}; every row needs at least its positions"
        )
        raise ValueError(msg)


class _Builder:
    """Collects columns and rows in a fixed order."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.columns: list[Column] = []
        self.rows: list[Row] = []
        self.upper, self.most = upper_bounds(problem)
        self.decision_idx: list[int] = []
        self.opened: dict[tuple[int, int], int] = {}
        """By block and period, the column that says whether its opening has happened."""
        self.added: dict[tuple[int, int], Terms] = {}
        """By limit and period, decisions that add to the capacity, negated."""
        self.racks_idx = np.full(self.upper.shape, -1, dtype=np.int64)
        self.configurations_of = [
            [int(k) for k in np.flatnonzero(problem.system_of_configuration_idx == system)]
            for system in range(problem.n_systems)
        ]

    def add_column(self, name: str, objective_scaled: int, upper: int | None, *, integer: bool = True) -> int:
        self.columns.append(Column(name, objective_scaled, upper, integer))
        return len(self.columns) - 1

    def add_row(self, name: str, sense: str, terms: Terms, right: int) -> None:
        """Divide by the common divisor; an at-most row of integers keeps its points when its capacity is floored."""
        terms = [(column, coefficient) for column, coefficient in terms if coefficient]
        if not terms and ((sense == "L" and right >= 0) or (sense in "GE" and right == 0)):
            return
        divisor = math.gcd(*(coefficient for _, coefficient in terms)) or 1
        if sense != "L" and right % divisor:
            divisor = 1
        columns, coefficients = zip(*terms, strict=True) if terms else ((), ())
        self.rows.append(Row(name, sense, columns, tuple(c // divisor for c in coefficients), right // divisor))

    def add_racks(self) -> None:
        problem, value, able = self.problem, effective_value(self.problem), may_stand(self.problem)
        for r in range(problem.n_rows):
            for k in range(problem.n_configurations):
                for t in np.flatnonzero(able[r, k]).tolist():
                    self.racks_idx[r, k, t] = self.add_column(
                        f"n_r{r}_k{k}_t{t}", int(value[r, k, t]) << SHARE_BITS, int(self.upper[r, k, t])
                    )

    def add_decisions(self) -> None:
        """Columns and rows of the side program."""
        side = self.problem.side
        if side is None:
            return
        rows = self._decision_columns(side)
        racks = self._racks_of_groups()
        for row, decided in enumerate(rows):
            given: dict[int, int] = {}
            for entry in range(int(side.rack_ptr[row]), int(side.rack_ptr[row + 1])):
                place = (side.rack_group_idx[entry], side.rack_configuration_idx[entry], side.rack_period_idx[entry])
                for column in racks[place]:
                    given[column] = given.get(column, 0) - int(side.rack_coefficient[entry])
            self.add_row(f"side_{row}", "L", [*decided, *given.items()], side.row_right[row])

    def _decision_columns(self, side: SideProgram) -> list[Terms]:
        """The terms of each side row; what a row asks of a column of its own alone is whole by itself."""
        rows: list[Terms] = [[] for _ in side.row_names]
        figures = zip(side.column_worth, side.column_most, side.column_kind, strict=True)
        for index, (worth, most, kind) in enumerate(figures):
            terms, own = terms_of(side, index), slice(int(side.capacity_ptr[index]), int(side.capacity_ptr[index + 1]))
            by_itself = kind is ColumnKind.NEEDED and all(each == -1 for _, each in terms) and own.start == own.stop
            column = self.add_column(f"v{index}", worth, most, integer=not by_itself)
            self.decision_idx.append(column)
            for row, each in terms:
                rows[row].append((column, each))
            grown = zip(
                side.capacity_limit_idx[own], side.capacity_period_idx[own], side.capacity_amount[own], strict=True
            )
            for limit, period, amount in grown:
                self.added.setdefault((int(limit), int(period)), []).append((column, -int(amount)))
        return rows

    def _racks_of_groups(self) -> dict[tuple[int, int, int], list[int]]:
        """Columns of racks by group, configuration and period."""
        side = self.problem.side
        found: dict[tuple[int, int, int], list[int]] = {}
        if side is None:
            return found
        for group, configuration, period in product(
            range(side.n_groups), range(self.problem.n_configurations), range(self.problem.n_periods)
        ):
            columns = self.racks_idx[side.group_of_row_idx == group, configuration, period]
            found[group, configuration, period] = columns[columns >= 0].tolist()
        return found

    def add_limits(self) -> None:
        problem = self.problem
        for limit in range(problem.n_limits):
            entries = slice(int(problem.limit_ptr[limit]), int(problem.limit_ptr[limit + 1]))
            rows = problem.entry_row_idx[entries]
            coefficient = problem.entry_coefficient[entries]
            for t in np.flatnonzero(problem.capacity[limit] != INACTIVE):
                columns = self.racks_idx[rows, :, t]
                used = (columns >= 0) & (coefficient > 0)
                terms = list(zip(columns[used].tolist(), coefficient[used].tolist(), strict=True))
                terms += self.added.get((limit, int(t)), [])
                self.add_row(f"limit_{limit}_t{t}", "L", terms, int(problem.capacity[limit, t]))

    def racks_of(self, row: int, system: int, period: int) -> list[int]:
        columns = (int(self.racks_idx[row, k, period]) for k in self.configurations_of[system])
        return [column for column in columns if column >= 0]

    def add_monotone(self) -> None:
        problem = self.problem
        for r in range(problem.n_rows):
            for s in range(problem.n_systems):
                for t in range(1, problem.n_periods):
                    before = [(column, -1) for column in self.racks_of(r, s, t - 1)]
                    if before:
                        now = [(column, 1) for column in self.racks_of(r, s, t)]
                        self.add_row(f"monotone_r{r}_s{s}_t{t}", "G", now + before, 0)

    def add_openings(self) -> None:
        """Columns that say whether each opening has happened, before the blocks that wait for it."""
        for index, opening in enumerate(self.problem.openings):
            later = [*opening.cost[1:], 0]
            for t, (now, next_) in enumerate(zip(opening.cost, later, strict=True)):
                y = self.add_column(f"y_g{index}_t{t}", -(now - next_) << SHARE_BITS, 1)
                if t:
                    self.add_row(f"open_g{index}_t{t}", "G", [(y, 1), (y - 1, -1)], 0)
                self.opened.update({(block, t): y for block in opening.block_idx})

    def add_blocks(self) -> None:
        for block in range(self.problem.n_blocks):
            last = [z for s in range(self.problem.n_systems) if (z := self._add_block_system(block, s)) is not None]
            if len(last) > 1:
                self.add_row(f"one_system_b{block}", "L", [(z, 1) for z in last], 1)

    def _add_block_system(self, block: int, system: int) -> int | None:
        """Columns and rows of one system in one block; the column that says whether it is ever used."""
        problem = self.problem
        rows = [int(r) for r in np.flatnonzero(problem.block_of_row_idx == block)]
        open_cost = effective_open_cost(problem)[block]
        unit_cost = effective_unit_cost(problem)[block, system]
        previous: int | None = None
        for t in range(problem.n_periods):
            racks = {r: columns for r in rows if (columns := self.racks_of(r, system, t))}
            if not racks:
                continue
            tag = f"b{block}_s{system}_t{t}"
            z = self.add_column(f"z_{tag}", -int(open_cost[t]) << SHARE_BITS, 1)
            if (block, t) in self.opened:
                self.add_row(f"waits_{tag}", "L", [(z, 1), (self.opened[block, t], -1)], 0)
            everything = [(column, 1) for columns in racks.values() for column in columns]
            for r, columns in racks.items():
                most = int(self.most[r, system, t])
                self.add_row(f"opens_r{r}_s{system}_t{t}", "L", [*((c, 1) for c in columns), (z, -most)], 0)
            if previous is not None:
                self.add_row(f"stays_{tag}", "G", [(z, 1), (previous, -1)], 0)
            if open_cost[t] < 0:
                self.add_row(f"holds_{tag}", "G", [*everything, (z, -1)], 0)
            self._add_units(tag, block, system, everything, int(unit_cost[t]))
            previous = z
        return previous

    def _add_units(self, tag: str, block: int, system: int, racks: Terms, unit_cost: int) -> None:
        """Units are racks / unit rounded up, exactly racks / unit where no unit may be part empty."""
        unit = int(self.problem.unit_racks[system])
        most = -(-sum(self.columns[column].upper or 0 for column, _ in racks) // unit)
        u = self.add_column(f"u_{tag}", -unit_cost << SHARE_BITS, most)
        negated = [(column, -1) for column, _ in racks]
        if not self.problem.partial_units[block]:
            self.add_row(f"units_{tag}", "E", [(u, unit), *negated], 0)
            return
        self.add_row(f"units_{tag}", "G", [(u, unit), *negated], 0)
        if unit_cost < 0:
            self.add_row(f"units_tight_{tag}", "L", [(u, unit), *negated], unit - 1)

    def add_contract(self) -> None:
        problem = self.problem
        if problem.contract_amount <= 0:
            return
        contracted = []
        for t in range(problem.n_periods):
            q = self.add_column(f"q_t{t}", int(problem.contract_rate[t]), problem.contract_amount, integer=False)
            contracted.append((q, 1))
            columns = self.racks_idx[:, :, t]
            standing = columns >= 0
            revenue = problem.contract_revenue[:, :, t][standing].tolist()
            earned = [(int(c), -v) for c, v in zip(columns[standing], revenue, strict=True)]
            self.rows.append(_plain_row(f"earned_t{t}", [(q, 1), *earned], 0))
        self.rows.append(_plain_row("contract", contracted, problem.contract_amount))

    def add_minimum_demands(self) -> None:
        """Cents short are no fewer than the price of the minimum less that of what racks draw, multiplied out."""
        for index, demand in enumerate(self.problem.minimum_demands):
            for t, price in enumerate(demand.price_cents_per_w):
                m = self.add_column(f"m_d{index}_t{t}", -1 << SHARE_BITS, None, integer=False)
                columns = self.racks_idx[list(demand.row_idx), :, t].reshape(-1, len(demand.draw_scaled))
                drawn = [
                    (int(column), watts * price.numerator)
                    for of_row in columns
                    for column, watts in zip(of_row, demand.draw_scaled, strict=True)
                    if column >= 0
                ]
                terms = [(m, price.denominator << SHARE_BITS), *drawn]
                self.add_row(f"demand_d{index}_t{t}", "G", terms, (demand.minimum_w[t] * price.numerator) << SHARE_BITS)


def _plain_row(name: str, terms: Terms, right: int) -> Row:
    kept = [(column, coefficient) for column, coefficient in terms if coefficient]
    return Row(name, "L", tuple(c for c, _ in kept), tuple(v for _, v in kept), right)
