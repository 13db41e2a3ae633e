"""What every block is worth at a certificate's prices, in whole numbers of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.solve.block_totals import BlockTotals, Totals
    from planner.solve.patterns import RowPatterns


def block_worths(
    totals: BlockTotals, reduced: NDArray[np.object_], held: NDArray[np.object_], unit_cost: NDArray[np.object_]
) -> list[list[int]]:
    """Worth of each block's best system in each period, or 0 for leaving it empty, in the unit of the prices.

    A block of which every number is another's has its worth, which is found once.
    Parameters: totals, of the problem's blocks; reduced [n_rows, n_configurations, n_periods], what prices leave of a
    rack's value; held and unit_cost [n_blocks, n_systems, n_periods], what a block gains by holding a system and what
    each of its units costs.
    """
    problem, by_total = totals.problem, _row_values(totals.patterns, reduced)
    known: dict[tuple[object, ...], int] = {}
    of_block: dict[tuple[object, ...], list[int]] = {}
    result = []
    for block in range(problem.n_blocks):
        rows = np.flatnonzero(problem.block_of_row_idx == block)
        partial = bool(problem.partial_units[block])
        numbers = (tuple(each.ravel()) for each in (reduced[rows], held[block], unit_cost[block]))
        key = (*totals.origin(block), *numbers, partial)
        if key not in of_block:
            own = _Priced(totals, reduced, by_total[rows], held[block], unit_cost[block], partial)
            of_block[key] = [own.worth(block, period, known) for period in range(problem.n_periods)]
        result.append(of_block[key])
    return result


class _Priced(NamedTuple):
    """A block at its prices."""

    totals: BlockTotals
    reduced: NDArray[np.object_]
    """[n_rows, n_configurations, n_periods] of all rows."""
    by_total: NDArray[np.object_]
    """[n_rows_of_block, n_systems, n_periods] best value of a row for each total of its racks."""
    held: NDArray[np.object_]
    """[n_systems, n_periods]"""
    unit_cost: NDArray[np.object_]
    """[n_systems, n_periods]"""
    partial: bool

    def worth(self, block: int, period: int, known: dict[tuple[object, ...], int]) -> int:
        """Of the best system in a period, or 0. Parameters: known, worths found before, added to."""
        best, problem = 0, self.totals.problem
        for system in range(problem.n_systems):
            rows = tuple(sorted(self.by_total[:, system, period]))
            unit = (int(self.unit_cost[system, period]), self.partial)
            key = (rows, unit, system)
            if key not in known:
                known[key] = _best_block(rows, int(problem.unit_racks[system]), *unit)
            value, whole = known[key], self.totals.of(block, system, period)
            if whole is not None:
                prices = _best_prices(whole, self.reduced[whole.rows, :, period])
                asked = (id(whole.racks), prices, unit, system)
                if asked not in known:
                    known[asked] = _best_total(whole.racks, prices, int(problem.unit_racks[system]), *unit)
                value = min(value, known[asked])
            best = max(best, int(self.held[system, period]) + value)
        return best


def _best_prices(whole: Totals, reduced: NDArray[np.object_]) -> tuple[int, ...]:
    """What a rack of each configuration is worth in the best row that can hold it.

    Parameters: reduced [n_rows, n_configurations] of the rows that can hold the system.
    """
    of_profile = zip(reduced[:, whole.profiles].T, whole.holds.T, strict=True)
    return tuple(int(max(prices[able], default=0)) for prices, able in of_profile)


def _best_total(
    racks: NDArray[np.int64], prices: tuple[int, ...], unit_racks: int, unit_cost: int, partial: bool
) -> int:
    """Best value of a block's totals less whole scalable units; 0 racks is always a choice.

    Parameters: racks [n_totals, n_profiles]; prices of each profile and unit_cost, in 2^-50 cents; partial, whether a
    unit may be part empty.
    """
    counts = racks.sum(axis=1)
    if not partial:
        racks, counts = racks[counts % unit_racks == 0], counts[counts % unit_racks == 0]
    worth = racks.astype(object) @ np.array(prices, object) - -(-counts // unit_racks).astype(object) * unit_cost
    return max(0, int(worth.max()))


def _row_values(patterns: RowPatterns, reduced: NDArray[np.object_]) -> NDArray[np.object_]:
    """Best value of a row for each total of its racks, as tuples [n_rows, n_systems, n_periods]."""
    result = np.empty(patterns.pattern_set_idx.shape, object)
    result.fill((0,))
    known: dict[tuple[object, ...], tuple[int, ...]] = {}
    for number, points in enumerate(patterns.point_sets):
        totals = points.sum(axis=1)
        first = np.searchsorted(totals, np.arange(totals[-1] + 1))
        counts = points.astype(object)
        for row, system, period in np.argwhere(patterns.pattern_set_idx == number):
            prices = reduced[row, :, period]
            key = (number, *prices)
            if key not in known:
                known[key] = tuple(np.maximum.reduceat(counts @ prices, first))
            result[row, system, period] = known[key]
    return result


def _best_block(rows: tuple[tuple[int, ...], ...], unit_racks: int, unit_cost: int, partial: bool) -> int:
    """Best total value of rows (value by count each) less whole scalable units; 0 racks is always a choice.

    Parameters: rows in 2^-50 cents; unit_cost for each unit; partial, whether a unit may be part empty.
    """
    total = np.zeros(1, object)
    for row in rows:
        spread = [total + value for value in row]
        joined = np.full(total.size + len(row) - 1, None, object)
        for count, values in enumerate(spread):
            part = joined[count : count + values.size]
            best_of = zip(part, values, strict=True)
            joined[count : count + values.size] = [new if old is None or new > old else old for old, new in best_of]
        total = joined
    best = 0
    for count, value in enumerate(total):
        if partial or count % unit_racks == 0:
            best = max(best, int(value) - -(-count // unit_racks) * unit_cost)
    return best
