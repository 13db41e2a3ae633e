"""The load of a plan on every limit, in exact integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS, may_stand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem

_ENTRIES_AT_ONCE = 100_000


def limit_loads(problem: Problem, n_racks: NDArray[np.int32]) -> NDArray[np.int64]:
    """Load of every limit in every period, scaled by 2^20 like the capacities.

    Parameters: problem; n_racks, standing racks, [n_rows, n_configurations, n_periods].
    Sums of section 4 of the model; running sums may wrap, their differences do not, since lowering keeps every
    limit's largest load below 2^62.
    """
    standing = np.asarray(n_racks, dtype=np.int64)
    loads = np.zeros((problem.n_limits, problem.n_periods), dtype=np.int64)
    first = 0
    while first < problem.n_limits:
        last = _chunk_end(problem.limit_ptr, first)
        entries = slice(int(problem.limit_ptr[first]), int(problem.limit_ptr[last]))
        loads[first:last] = _chunk_loads(problem, standing, entries, problem.limit_ptr[first : last + 1])
        first = last
    return loads


def _chunk_end(limit_ptr: NDArray[np.int64], first: int) -> int:
    """The limit before which a chunk that begins at `first` ends: at least one limit, else at most so many entries."""
    wanted = int(np.searchsorted(limit_ptr, limit_ptr[first] + _ENTRIES_AT_ONCE, side="right")) - 1
    return min(max(wanted, first + 1), len(limit_ptr) - 1)


def _chunk_loads(
    problem: Problem, standing: NDArray[np.int64], entries: slice, limit_ptr: NDArray[np.int64]
) -> NDArray[np.int64]:
    rows = problem.entry_row_idx[entries]
    running = np.zeros((len(rows) + 1, problem.n_periods), dtype=np.int64)
    for configuration in range(problem.n_configurations):
        coefficients = problem.entry_coefficient[entries, configuration][:, None]
        running[1:] += coefficients * standing[rows, configuration, :]
    np.cumsum(running, axis=0, out=running)
    offsets = limit_ptr - limit_ptr[0]
    difference: NDArray[np.int64] = running[offsets[1:]] - running[offsets[:-1]]
    return difference


def is_active(problem: Problem) -> NDArray[np.bool_]:
    """Whether each limit exists in each period, [n_limits, n_periods]."""
    active: NDArray[np.bool_] = problem.capacity != INACTIVE
    return active


def rounded_up(scaled: int) -> int:
    """Whole units of a quantity scaled by 2^20, rounded up."""
    return -(-scaled >> SHARE_BITS)


def rounded_down(scaled: int) -> int:
    """Whole units of a quantity scaled by 2^20, rounded down."""
    return scaled >> SHARE_BITS


def smallest_coefficients(problem: Problem) -> NDArray[np.int64]:
    """The least that growth adds to each limit, [n_limits, n_periods], scaled by 2^20; INACTIVE where nothing may grow.

    Parameters: problem. One more rack where it may stand, or a whole scalable unit in a block that forbids partial
    units and whose rows all load the limit; zero coefficients do not load it.
    """
    smallest = np.full((problem.n_limits, problem.n_periods), INACTIVE, dtype=np.int64)
    while_open = smallest.copy()
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    in_units = _entries_of_whole_units(problem, limit_of_entry)
    for configuration in range(problem.n_configurations):
        coefficients = problem.entry_coefficient[:, configuration]
        unit_racks = problem.unit_racks[problem.system_of_configuration_idx[configuration]]
        added = np.minimum(coefficients, (INACTIVE - 1) // unit_racks) * np.where(in_units, unit_racks, 1)
        first_periods = problem.first_period[problem.entry_row_idx, configuration]
        usable = (coefficients > 0) & (first_periods < problem.n_periods)
        if problem.closed is not None and problem.closed[:, configuration].any():
            able = may_stand(problem, problem.entry_row_idx)[:, configuration] & usable[:, None]
            for entry, t in np.argwhere(able):
                limit = limit_of_entry[entry]
                while_open[limit, t] = min(while_open[limit, t], added[entry])
            continue
        index = (limit_of_entry[usable], first_periods[usable])
        np.minimum.at(smallest, index, added[usable])
    np.minimum.accumulate(smallest, axis=1, out=smallest)
    return np.minimum(smallest, while_open)


def _entries_of_whole_units(problem: Problem, limit_of_entry: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Entries of blocks that forbid partial units and whose rows all load the limit, [n_entries]."""
    block = problem.block_of_row_idx[problem.entry_row_idx]
    _, which, n_loading = np.unique(limit_of_entry * problem.n_blocks + block, return_inverse=True, return_counts=True)
    n_rows = np.bincount(problem.block_of_row_idx, minlength=problem.n_blocks)
    whole: NDArray[np.bool_] = (n_loading[which] == n_rows[block]) & ~problem.partial_units[block]
    return whole


def binds(problem: Problem, loads: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each limit has less slack than one more rack, or whole unit, needs, [n_limits, n_periods].

    Parameters: problem; loads, scaled by 2^20, [n_limits, n_periods].
    """
    smallest = smallest_coefficients(problem)
    slack = problem.capacity - loads
    binding: NDArray[np.bool_] = is_active(problem) & (smallest != INACTIVE) & (slack < smallest)
    return binding
