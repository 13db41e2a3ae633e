"""Recombine block paths that search has found: an integer program picks the best mix of them.

A path is what one fabric block holds over all periods. Blocks that meet the same joint limits in the same way share
their paths, so the program counts blocks for each (group, path) and stays small where lineups repeat (price and
branch, with search in the place of pricing). Its answer is checked in exact integers before it is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, MULTIPLIER_BITS, SHARE_BITS, Plan
from planner.side.rows import side_terms
from planner.solve.demand import draws_w, prices_cents_per_w
from planner.solve.feasible import limits_hold
from planner.solve.formulation import MONEY_CENTS
from planner.solve.patterns import limits_inside_blocks
from planner.solve.side_paths import racks_add, side_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.side.rows import SideTerms
    from planner.solve.certificate import Certificate
    from planner.solve.classes import Classes

_PATHS_PER_GROUP = 50
_MOST_PATHS = 1000
_LONGEST_S = 15.0
"""A brake on slow machines: HiGHS ends by gap or nodes long before it."""
_HIGHS_OPTIONS = {
    "output_flag": False,
    "threads": 1,
    "mip_rel_gap": 1e-3,
    "mip_max_nodes": 40,
}
"""Stops by nodes, so that the same input gives the same plan. HiGHS 1.15 corrupts memory on such programs, hence the
version bounds."""


@dataclass(frozen=True)
class Path:
    """One filling of a block over all periods."""

    n_racks: NDArray[np.int16]
    """[n_rows_of_block, n_configurations, n_periods]"""
    value: int
    """Cents without the contract's premium and any price on demand."""
    revenue: NDArray[np.int64]
    """[n_periods] contract revenue, cents."""
    load: NDArray[np.float64]
    """[n_joint_limits_of_group, n_periods] in units of the limit."""
    demand: NDArray[np.float64]
    """[n_minimum_demands, n_periods] cents of demand charge that count against the minimum."""
    side: NDArray[np.float64]
    """[n_side_rows] what the racks add to rows of the side program, in the rows' scaled units; empty without one."""
    reduced: float
    """Cents that the path is worth at the certificate's prices; the best are near the block's oracle."""


@dataclass
class PathPool:
    """Paths of every group of like blocks, the most promising kept."""

    problem: Problem
    proof: Certificate
    group_of_block: NDArray[np.int64]
    """[n_blocks]"""
    rows_of_block: list[NDArray[np.int64]]
    joint: list[NDArray[np.int64]]
    """Joint limits of each group."""
    coefficient: list[NDArray[np.float64]]
    """Of each group: [n_joint_limits, n_rows_of_block, n_configurations] in units of the limit."""
    priced: NDArray[np.int64] | None
    """[n_rows, n_configurations, n_periods] cents that search adds to a rack for its demand and its work."""
    side: SideTerms | None
    paths: list[dict[bytes, Path]] = field(default_factory=list)

    def collect(self, n_racks: NDArray[np.integer], block_value: NDArray[np.int64]) -> None:
        """Take in the paths of one plan.

        Parameters: n_racks [n_rows, n_configurations, n_periods]; block_value [n_blocks] cents.
        """
        for block, rows in enumerate(self.rows_of_block):
            counts = n_racks[rows].astype(np.int16)
            group = int(self.group_of_block[block])
            key = counts.tobytes()
            if key not in self.paths[group] and counts.any():
                self.paths[group][key] = self._path(group, rows, counts, int(block_value[block]))

    def _path(self, group: int, rows: NDArray[np.int64], counts: NDArray[np.int16], value: int) -> Path:
        load = np.einsum("lrk,rkt->lt", self.coefficient[group], counts.astype(np.float64))
        revenue = (self.problem.contract_revenue[rows] * counts).sum(axis=(0, 1))
        price = self.proof.limit[self.joint[group]].astype(np.float64) / 2.0**MULTIPLIER_BITS
        gain = float((revenue * (self.proof.contract_period / 2.0**MULTIPLIER_BITS)).sum())
        priced = 0 if self.priced is None else int((self.priced[rows] * counts).sum())
        reduced = value + gain - float((load * price).sum())
        demand, side = self._demand(rows, counts), self._side(rows, counts)
        return Path(counts, value - priced, revenue, load, demand, side, reduced)

    def _side(self, rows: NDArray[np.int64], counts: NDArray[np.int16]) -> NDArray[np.float64]:
        terms, program = self.side, self.problem.side
        if terms is None or program is None:
            return np.zeros(0)
        return racks_add(program, terms, int(program.group_of_row_idx[rows[0]]), counts.sum(axis=0, dtype=np.int64))

    def _demand(self, rows: NDArray[np.int64], counts: NDArray[np.int16]) -> NDArray[np.float64]:
        demands = self.problem.minimum_demands
        cents = np.zeros((len(demands), self.problem.n_periods))
        for index, demand in enumerate(demands):
            if rows[0] in demand.row_idx:
                cents[index] = prices_cents_per_w(demand) * (draws_w(demand) @ counts.sum(axis=0))
        return cents

    def trim(self) -> None:
        """Keep the paths of greatest worth at the certificate's prices, ties by content."""
        most = max(min(_PATHS_PER_GROUP, _MOST_PATHS // max(len(self.paths), 1)), 8)
        for group, paths in enumerate(self.paths):
            best = sorted(paths.items(), key=lambda item: (-round(item[1].reduced), item[0]))[:most]
            self.paths[group] = dict(best)


def path_pool(
    problem: Problem, proof: Certificate, classes: Classes, priced: NDArray[np.int64] | None = None
) -> PathPool:
    """An empty pool over groups of blocks with the same rows that meet the same joint limits row by row.

    Parameters: priced, [n_rows, n_configurations, n_periods] cents that search adds to a rack for its demand and work.
    """
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    rows_of_block = [np.flatnonzero(problem.block_of_row_idx == block) for block in range(problem.n_blocks)]
    order = np.lexsort((limit_of_entry, problem.entry_row_idx))
    ptr = np.searchsorted(problem.entry_row_idx[order], np.arange(problem.n_rows + 1))
    crossing = limits_inside_blocks(problem) < 0  # a path keeps the others by itself
    groups: dict[tuple[object, ...], int] = {}
    side = None if problem.side is None else side_terms(problem.side)
    pool = PathPool(problem, proof, np.zeros(problem.n_blocks, np.int64), rows_of_block, [], [], priced, side)
    for block, rows in enumerate(rows_of_block):
        own = [order[ptr[row] : ptr[row + 1]] for row in rows]
        own = [entries[crossing[limit_of_entry[entries]]] for entries in own]
        signature = tuple(
            (int(classes.row[row]), limit_of_entry[entries].tobytes(), problem.entry_coefficient[entries].tobytes())
            for row, entries in zip(rows, own, strict=True)
        )
        key = (int(classes.block[block]), signature)
        if key not in groups:
            groups[key] = len(groups)
            limits, coefficient = _table(problem, limit_of_entry, own)
            pool.joint.append(limits)
            pool.coefficient.append(coefficient)
            pool.paths.append({})
        pool.group_of_block[block] = groups[key]
    return pool


def _table(
    problem: Problem, limit_of_entry: NDArray[np.int64], own: list[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    limits = np.unique(np.concatenate([limit_of_entry[entries] for entries in own]))
    coefficient = np.zeros((limits.size, len(own), problem.n_configurations))
    for position, entries in enumerate(own):
        index = np.searchsorted(limits, limit_of_entry[entries])
        coefficient[index, position] = problem.entry_coefficient[entries] / 2.0**SHARE_BITS
    return limits, coefficient


def recombine(pool: PathPool, time_limit_s: float | None) -> NDArray[np.int64] | None:
    """The best plan of the pool's paths as HiGHS finds it; None where it finds none that holds in exact integers.

    Parameters: pool; time_limit_s for HiGHS, which otherwise stops at a number of nodes so that the same input gives
    the same plan. Returns [n_rows, n_configurations, n_periods].
    """
    chosen = [(group, path) for group, paths in enumerate(pool.paths) for path in paths.values()]
    if not chosen:
        return None
    counts = _solve(pool, chosen, time_limit_s)
    if counts is None:
        return None
    plan = _assign(pool, chosen, counts)
    return plan if limits_hold(pool.problem, Plan(plan.astype(np.int32))) else None


def _solve(pool: PathPool, chosen: list[tuple[int, Path]], time_limit_s: float | None) -> NDArray[np.int64] | None:
    import highspy

    problem = pool.problem
    n_paths, n_periods = len(chosen), problem.n_periods
    n_short = len(problem.minimum_demands) * n_periods
    of_limits, *of_paths = _rows(pool, chosen)
    matrix, upper = _with_shortfalls(pool, chosen, *of_paths)
    beside = side_block(pool.side, np.array([path.side for _, path in chosen]), matrix.shape, of_limits)
    sizes = np.bincount(pool.group_of_block, minlength=len(pool.paths)).astype(np.float64)
    lp = highspy.HighsLp()
    upper = np.concatenate((upper, beside.upper))
    lp.num_col_, lp.num_row_ = n_paths + n_periods + n_short + beside.gain.size, upper.size
    rate = problem.contract_rate / 2.0**SHARE_BITS
    values = np.array([path.value for _, path in chosen]) / MONEY_CENTS
    lp.col_cost_ = -np.concatenate((values, rate, np.full(n_short, -1.0), beside.gain))
    lp.col_lower_ = np.zeros(lp.num_col_)
    lp.col_upper_ = np.concatenate(
        (
            sizes[[group for group, _ in chosen]],
            np.full(n_periods, problem.contract_amount / MONEY_CENTS),
            np.full(n_short, np.inf),
            beside.most,
        )
    )
    lp.row_lower_, lp.row_upper_ = np.full(upper.size, -highspy.kHighsInf), upper
    row, column = np.nonzero(matrix)
    factor = np.concatenate((matrix[row, column], beside.triples[2]))
    row, column = np.concatenate((row, beside.triples[0])), np.concatenate((column, beside.triples[1]))
    order = np.lexsort((row, column))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    starts = np.concatenate(([0], np.cumsum(np.bincount(column, minlength=lp.num_col_))))
    lp.a_matrix_.start_ = starts.astype(np.int32)
    lp.a_matrix_.index_ = row[order].astype(np.int32)
    lp.a_matrix_.value_ = factor[order]
    continuous = [highspy.HighsVarType.kContinuous] * (n_periods + n_short)
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[1]] * n_paths + continuous + [kinds[int(whole)] for whole in beside.is_whole]
    solver = highspy.Highs()
    for option, value in _HIGHS_OPTIONS.items():
        solver.setOptionValue(option, value)
    longest = _LONGEST_S if time_limit_s is None else min(max(time_limit_s, 0.1), _LONGEST_S)
    solver.setOptionValue("time_limit", longest)
    solver.passModel(lp)
    solver.run()
    values = np.array(solver.getSolution().col_value)
    if values.size != lp.num_col_ or not np.isfinite(solver.getInfo().objective_function_value):
        return None
    return np.round(values[:n_paths]).astype(np.int64)


def _rows(
    pool: PathPool, chosen: list[tuple[int, Path]]
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64], NDArray[np.float64]]:
    """Dense rows of the program, scaled: joint limits that all paths together could break, groups, contract.

    Before them, (limit, period, scale) of the first rows.
    """
    problem, n_periods = pool.problem, pool.problem.n_periods
    n_columns = len(chosen) + n_periods
    load = np.zeros((problem.n_limits, n_periods, len(chosen)))
    for column, (group, path) in enumerate(chosen):
        load[pool.joint[group], :, column] = path.load
    used = np.unique(np.concatenate(pool.joint))
    capacity = problem.capacity[used] / 2.0**SHARE_BITS
    group_of_path = np.array([group for group, _ in chosen])
    most = np.zeros((used.size, n_periods))
    for number, size in enumerate(np.bincount(pool.group_of_block, minlength=len(pool.paths))):
        most += size * load[used][:, :, group_of_path == number].max(axis=2, initial=0.0)
    active = (problem.capacity[used] != INACTIVE) & (most > capacity)
    limits, periods = np.nonzero(active)
    scale = np.maximum(capacity[limits, periods], 1.0)
    rows = [load[used[limits], periods] / scale[:, None]]
    bounds = [capacity[limits, periods] / scale * (1.0 - 1e-9)]
    group_rows = np.zeros((len(pool.paths), len(chosen)))
    group_rows[group_of_path, np.arange(len(chosen))] = 1.0
    rows.append(group_rows)
    bounds.append(np.bincount(pool.group_of_block, minlength=len(pool.paths)).astype(np.float64))
    matrix = np.zeros((sum(part.shape[0] for part in rows) + n_periods + 1, n_columns))
    matrix[: -n_periods - 1, : len(chosen)] = np.concatenate(rows)
    revenue = np.array([path.revenue for _, path in chosen], np.float64).T / MONEY_CENTS
    matrix[-n_periods - 1 : -1, : len(chosen)] = -revenue
    matrix[-n_periods - 1 : -1, len(chosen) :] = np.eye(n_periods)
    matrix[-1, len(chosen) :] = 1.0
    bounds += [np.zeros(n_periods), np.array([problem.contract_amount / MONEY_CENTS])]
    return (used[limits], periods, scale), matrix, np.concatenate(bounds)


def _with_shortfalls(
    pool: PathPool, chosen: list[tuple[int, Path]], matrix: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rows with one more column and row for each minimum demand and period: what its price is short of."""
    demands = pool.problem.minimum_demands
    if not demands:
        return matrix, upper
    drawn = np.array([path.demand.ravel() for _, path in chosen]).T / MONEY_CENTS
    n_short, n_columns = drawn.shape[0], matrix.shape[1]
    wider = np.zeros((matrix.shape[0] + n_short, n_columns + n_short))
    wider[: matrix.shape[0], :n_columns] = matrix
    wider[matrix.shape[0] :, : len(chosen)] = -drawn
    wider[matrix.shape[0] :, n_columns:] = -np.eye(n_short)
    due = [prices_cents_per_w(demand) * np.array(demand.minimum_w, np.float64) for demand in demands]
    return wider, np.concatenate((upper, -np.concatenate(due) / MONEY_CENTS))


def _assign(pool: PathPool, chosen: list[tuple[int, Path]], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Hand the paths out to the blocks of each group, in order of block."""
    problem = pool.problem
    plan = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int64)
    waiting = {group: list(np.flatnonzero(pool.group_of_block == group)) for group in range(len(pool.paths))}
    for (group, path), count in zip(chosen, counts, strict=True):
        for _ in range(int(count)):
            plan[pool.rows_of_block[waiting[group].pop(0)]] = path.n_racks
    return plan
