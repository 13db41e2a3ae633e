"""From counts of blocks to a plan: hand starts, racks and profiles of an assignment out to the blocks of each class.

Blocks of a class fill up one after another in the order in which they start, so that few scalable units stay part
empty. Racks are spread evenly over the rows of a block, and so are those at a higher profile, as far as every limit
inside the block holds. Limits over all blocks of a class hold because the program's totals are rounded down; where one
over some of them breaks, blocks are handed out evenly, and what finds no room is taken away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, Plan, may_stand
from planner.solve.feasible import holds, limit_loads
from planner.solve.fillings import profiles_by_draw
from planner.solve.fitting import InnerLimits, raised, spread_over_rows
from planner.solve.thinning import spread_evenly, thinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.assignment import Assignment
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns

_NOISE = 1e-6
_USED = 0.5
"""Blocks below which a filling counts as unused by the mix."""


def settled_plan(
    problem: Problem, patterns: RowPatterns, classes: Classes, assignment: Assignment, *, by_period: bool = False
) -> NDArray[np.int64] | None:
    """A plan close to the assignment that keeps every rule; None where what breaks one could not be mended.

    The parameters and the result of `settle`.
    """
    racks = settle(problem, patterns, classes, assignment, by_period=by_period)
    if holds(problem, Plan(racks.astype(np.int32))):
        return racks
    racks = thinned(problem, settle(problem, patterns, classes, assignment, by_period=by_period, evenly=True))
    return racks if holds(problem, Plan(racks.astype(np.int32))) else None


def settle(
    problem: Problem, patterns: RowPatterns, classes: Classes, assignment: Assignment, *, by_period: bool = False,
    evenly: bool = False,
) -> NDArray[np.int64]:  # fmt: skip
    """A plan close to the assignment; the caller checks every limit.

    Parameters: by_period, whether blocks fill up by the fillings that the mix holds in each period, not by those that
    it keeps or ends with; that follows a mix of many fillings, as of a program without whole numbers; evenly, whether
    blocks come in an order that draws on limits over some of a class alike.
    Returns [n_rows, n_configurations, n_periods] standing racks.
    """
    plan = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int64)
    inner = InnerLimits(problem)
    for index in range(int(classes.block.max()) + 1):
        free = [int(block) for block in np.flatnonzero(classes.block == index)]
        free = spread_evenly(problem, free) if evenly else free
        for system in range(problem.n_systems):
            found = [n for n, one in enumerate(assignment.fillings) if (one.block_class, one.system) == (index, system)]
            if not found:
                continue
            starts = np.repeat(np.arange(problem.n_periods), assignment.starts[found[0]])
            blocks, free = free[: starts.size], free[starts.size :]
            if blocks:
                levels = _levels(problem, assignment, found[0], blocks[0], by_period=by_period)
                counts = (assignment.racks_of_class[index], starts, levels)
                _fill(problem, patterns, plan, system, blocks, counts, inner)
    _lower_where_broken(problem, plan)
    return plan


def _lower_where_broken(problem: Problem, plan: NDArray[np.int64]) -> None:
    """Where a limit is broken, put as many racks under it at their lowest profile as it takes."""
    broken = (problem.capacity != INACTIVE) & (limit_loads(problem, plan) > problem.capacity)
    systems = [profiles_by_draw(problem, system) for system in range(problem.n_systems)]
    for limit, t in np.argwhere(broken):
        entries = np.arange(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
        rows, coefficient = problem.entry_row_idx[entries], problem.entry_coefficient[entries]
        excess = int((coefficient * plan[rows, :, t]).sum()) - int(problem.capacity[limit, t])
        for low, high in [(own[0], k) for own in systems for k in own[:0:-1]]:
            saved = coefficient[:, high] - coefficient[:, low]
            for row, each in zip(rows[saved > 0], saved[saved > 0], strict=True):
                n = min(max(-(-excess // int(each)), 0), int(plan[row, high, t]))
                plan[row, high, t] -= n
                plan[row, low, t] += n
                excess -= n * int(each)


@dataclass(frozen=True)
class _Levels:
    """Racks up to which blocks of a class fill one after another, level by level."""

    racks: list[list[int]]
    """In each period."""
    most: NDArray[np.int64]
    """[n_periods] the fullest that the mix has used until then; -1 where blocks fill up by period."""
    unit: int
    """Racks of a scalable unit."""
    step: int
    """Of which every count is a multiple."""


def _levels(problem: Problem, assignment: Assignment, number: int, block: int, *, by_period: bool) -> _Levels:
    one, mixed = assignment.fillings[number], assignment.mixed[number]
    choices = np.array([choice.racks for choice in one.choices])
    unit = int(problem.unit_racks[one.system])
    step = 1 if problem.partial_units[block] else unit
    if by_period:
        # What the period's own mix leaves over by rounding goes to any filling that is used at all.
        ever = choices[mixed.max(axis=1) > _NOISE].tolist()
        racks = [[*choices[held > _NOISE].tolist(), *ever] for held in mixed.T]
        return _Levels(racks, np.full(mixed.shape[1], -1), unit, step)
    used = (mixed > np.minimum(_USED, mixed.max(axis=0) / 2)) & (mixed > _NOISE)
    n_held = int(np.count_nonzero(used.any(axis=0)))
    kept = used[:, -1] | (2 * np.count_nonzero(used, axis=1) >= max(n_held, 1))
    levels: list[int] = choices[kept].tolist() or choices[-1:].tolist()
    fullest = np.where(used, choices[:, None], 0).max(axis=0)
    most = np.maximum(np.maximum.accumulate(fullest), levels[0])
    return _Levels([levels] * mixed.shape[1], most, unit, step)


def _fill(problem: Problem, patterns: RowPatterns, plan: NDArray[np.int64], system: int, blocks: list[int],
          counts: tuple[NDArray[np.float64], NDArray[np.int64], _Levels], inner: InnerLimits) -> None:  # fmt: skip
    """Fill the blocks of one class that take one system.

    Parameters: counts, racks of the class [n_configurations, n_periods], start of each block, and levels.
    """
    wanted, starts, levels = counts
    own = profiles_by_draw(problem, system)
    rows_of = [np.flatnonzero(problem.block_of_row_idx == block) for block in blocks]
    total = np.floor(np.maximum.accumulate(wanted[own].sum(axis=0)) + _NOISE).astype(np.int64)
    low, *higher = own
    able = may_stand(problem)
    for rows, count in zip(rows_of, _by_block(total, starts, levels), strict=True):
        plan[rows, low] = spread_over_rows(count, patterns.most_racks[rows][:, low])
    for k in reversed(higher):
        known: dict[tuple[bytes, int], tuple[int, ...]] = {}
        for t in range(problem.n_periods):
            left = int(np.floor(wanted[k, t] + _NOISE))
            orders: list[tuple[int, ...]] = []
            for block, rows in zip(blocks, rows_of, strict=True) if left else ():
                key = (plan[rows, :, t].tobytes(), t)
                if key not in known:
                    taken = able[rows, k, t].all()
                    known[key] = inner.raising_order(block, plan[rows, :, t], (low, k), t) if taken else ()
                orders.append(known[key])
            for position, place in enumerate(np.argsort([len(order) for order in orders], kind="stable")):
                share = min(len(orders[place]), -(-left // (len(blocks) - position)))
                if share > 0:
                    rows = rows_of[place]
                    plan[rows, :, t] = raised(plan[rows, :, t], (low, k), orders[place][:share])
                    left -= share


def _by_block(total: NDArray[np.int64], starts: NDArray[np.int64], levels: _Levels) -> NDArray[np.int64]:
    """[n_blocks, n_periods] racks; blocks fill up in order of their start, level by level, and never empty.

    After the lowest level come units that are paid for already, where fillings up to the fullest are allowed.
    """
    counts = np.zeros((starts.size, total.size), np.int64)
    for t in range(total.size):
        now = counts[:, t - 1].copy() if t else counts[:, 0]
        usable, most = np.flatnonzero(starts <= t), int(levels.most[t])
        for number, level in enumerate(levels.racks[t]):
            allowed = level if most < 0 else min(level, most)
            _raise_to(now, usable, np.full(starts.size, allowed), int(total[t]), levels.step)
            if number == 0 and most >= 0:
                paid = np.minimum(-(-now // levels.unit) * levels.unit, most)
                _raise_to(now, usable, paid, int(total[t]), levels.step)
        counts[:, t] = now
    return counts


def _raise_to(
    counts: NDArray[np.int64], blocks: NDArray[np.int64], level: NDArray[np.int64], total: int, step: int
) -> None:
    """Fill blocks in order up to their level, as long as racks are left."""
    left = total - int(counts.sum())
    for block in blocks:
        more = max(min(left, int(level[block] - counts[block])), 0)
        more -= more % step
        counts[block] += more
        left -= more
