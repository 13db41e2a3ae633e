"""From counts of blocks to a plan: hand starts, racks and profiles of an assignment out to the blocks of each class.

Blocks of a class fill up one after another in the order in which they start, so that few scalable units stay part
empty. Racks are spread evenly over the rows of a block, and so are those at a higher profile, as far as every limit
inside the block holds. Limits over several blocks hold because the program's totals are rounded down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE
from planner.solve.fillings import profiles_by_draw
from planner.solve.fitting import InnerLimits, most_raised, raised, spread_over_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.assignment import Assignment
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns

_NOISE = 1e-6
_USED = 0.5
"""Blocks below which a filling counts as unused by the mix."""


def settle(problem: Problem, patterns: RowPatterns, classes: Classes, assignment: Assignment) -> NDArray[np.int64]:
    """A plan close to the assignment; the caller checks every limit.

    Returns [n_rows, n_configurations, n_periods] standing racks.
    """
    plan = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int64)
    inner = InnerLimits(problem)
    for index in range(int(classes.block.max()) + 1):
        free = [int(block) for block in np.flatnonzero(classes.block == index)]
        for system in range(problem.n_systems):
            found = [n for n, one in enumerate(assignment.fillings) if (one.block_class, one.system) == (index, system)]
            if not found:
                continue
            starts = np.repeat(np.arange(problem.n_periods), assignment.starts[found[0]])
            blocks, free = free[: starts.size], free[starts.size :]
            if blocks:
                levels = _levels(assignment, found[0])
                counts = (assignment.racks_of_class[index], starts, levels)
                _fill(problem, patterns, plan, system, blocks, counts, inner)
    _lower_where_broken(problem, plan)
    return plan


def _lower_where_broken(problem: Problem, plan: NDArray[np.int64]) -> None:
    """Where a limit is broken, put as many racks under it at their lowest profile as it takes."""
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    load = np.zeros((problem.n_limits, problem.n_periods), np.int64)
    np.add.at(load, limit_of_entry, np.einsum("ek,ekt->et", problem.entry_coefficient, plan[problem.entry_row_idx]))
    broken = (problem.capacity != INACTIVE) & (load > problem.capacity)
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


def _levels(assignment: Assignment, number: int) -> list[int]:
    """Racks up to which blocks fill one after another, level by level: fillings that the mix keeps, or ends with."""
    one, mixed = assignment.fillings[number], assignment.mixed[number]
    used = mixed > np.minimum(_USED, mixed.max(axis=0) / 2)
    n_held = int(np.count_nonzero(mixed.max(axis=0) > _NOISE))
    kept = used[:, -1] | (2 * np.count_nonzero(used & (mixed > _NOISE), axis=1) >= max(n_held, 1))
    return [choice.racks for choice, holds in zip(one.choices, kept, strict=True) if holds]


def _fill(problem: Problem, patterns: RowPatterns, plan: NDArray[np.int64], system: int, blocks: list[int],
          counts: tuple[NDArray[np.float64], NDArray[np.int64], list[int]], inner: InnerLimits) -> None:  # fmt: skip
    """Fill the blocks of one class that take one system.

    Parameters: counts, racks of the class [n_configurations, n_periods], start of each block, and levels.
    """
    wanted, starts, levels = counts
    own = profiles_by_draw(problem, system)
    rows_of = [np.flatnonzero(problem.block_of_row_idx == block) for block in blocks]
    total = np.floor(np.maximum.accumulate(wanted[own].sum(axis=0)) + _NOISE).astype(np.int64)
    low, *higher = own
    step = 1 if problem.partial_units[blocks].all() else int(problem.unit_racks[system])
    for rows, count in zip(rows_of, _by_block(total, starts, levels, step), strict=True):
        plan[rows, low] = spread_over_rows(count, patterns.most_racks[rows][:, low])
    for k in reversed(higher):
        known: dict[tuple[bytes, int], int] = {}
        for t in range(problem.n_periods):
            left = int(np.floor(wanted[k, t] + _NOISE))
            rooms = []
            for block, rows in zip(blocks, rows_of, strict=True) if left else ():
                if (problem.first_period[rows, k] > t).any():
                    rooms.append(0)
                    continue
                key = (plan[rows, :, t].tobytes(), t)
                if key not in known:
                    known[key] = most_raised(inner, block, plan[rows, :, t], (int(low), int(k)), t)
                rooms.append(known[key])
            for position, place in enumerate(np.argsort(rooms, kind="stable")):
                share = min(rooms[place], -(-left // (len(blocks) - position)))
                if share > 0:
                    plan[rows_of[place], :, t] = raised(plan[rows_of[place], :, t], (int(low), int(k)), share)
                    left -= share


def _by_block(total: NDArray[np.int64], starts: NDArray[np.int64], levels: list[int], step: int) -> NDArray[np.int64]:
    """[n_blocks, n_periods] racks; blocks fill up in order of their start, level by level, and never empty.

    Parameters: step, of which every count is a multiple.
    """
    counts = np.zeros((starts.size, total.size), np.int64)
    for t in range(total.size):
        if t:
            counts[:, t] = counts[:, t - 1]
        left = int(total[t] - counts[:, t].sum())
        for level in levels:
            for block in np.flatnonzero(starts <= t):
                more = max(min(left, level - int(counts[block, t])), 0)
                more -= more % step
                counts[block, t] += more
                left -= more
    return counts
