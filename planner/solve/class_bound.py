"""The certificate's bound where like rows, limits and blocks have like multipliers: each class is evaluated once.

It is the number that `certificate.bound_cents` finds on the whole problem, to the cent, as long as the members of a
class are alike in every figure, as `classes.refine_together` makes them. Numbers are residues, so that NumPy takes
some milliseconds where Python integers take a tenth of a second.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.problem import SHARE_BITS, may_stand
from planner.side.prices import bound_term, group_value
from planner.solve.block_totals import BlockTotals
from planner.solve.certificate import SCALE_BITS, bound_scaled, contract_term
from planner.solve.packing import effective_values
from planner.solve.patterns import limits_inside_blocks
from planner.solve.residues import LARGEST, NEVER, Residues, at_least, larger, largest, of_int64, of_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.certificate import Certificate
    from planner.solve.classes import Classes
    from planner.solve.packing import EffectiveValues
    from planner.solve.patterns import RowPatterns


class _Points(NamedTuple):
    """The points of several sets of one system together, and which set has which."""

    counts: NDArray[np.int64]
    """[n_points, n_configurations], ascending totals."""
    lacks: NDArray[np.bool_]
    """[n_points, n_sets + 1]; the last set is that of a row that holds nothing."""
    by_total: NDArray[np.int64]
    """[most points of a total, n_totals] numbers of points, padded with n_points."""


class ClassBound:
    """Evaluates certificates of problems that share graph and classes."""

    def __init__(self, graph: Problem, classes: Classes) -> None:
        """Find a member of every class, and the limits that a row of each class meets.

        Parameters: graph, any of the problems; classes, alike in all of them.
        """
        self._row_idx = np.unique(classes.row, return_index=True)[1]
        _, self._block_idx, self._n_blocks = np.unique(classes.block, return_index=True, return_counts=True)
        _, self._limit_idx, self._n_limits = np.unique(classes.limit, return_index=True, return_counts=True)
        limit_of_entry = np.repeat(np.arange(graph.n_limits), np.diff(graph.limit_ptr))
        entries = [np.flatnonzero(graph.entry_row_idx == row) for row in self._row_idx]
        self._entry_ptr = np.cumsum([0] + [one.size for one in entries])
        entry_idx = np.concatenate(entries)
        self._entry_limit = classes.limit[limit_of_entry[entry_idx]]
        self._coefficient = graph.entry_coefficient[entry_idx]
        rows_of = [classes.row[graph.block_of_row_idx == block] for block in self._block_idx]
        shape = (len(rows_of), max(rows.size for rows in rows_of))
        self._row_of_block = np.full(shape, self._row_idx.size, np.int64)
        for rows, places in zip(rows_of, self._row_of_block, strict=True):
            places[: rows.size] = rows
        self._block_of_limit = limits_inside_blocks(graph)
        self._points_of: dict[tuple[bytes, ...], _Points] = {}
        self._sums_of: dict[tuple[object, ...], NDArray[np.int64]] = {}

    def bound_cents(self, problem: Problem, patterns: RowPatterns, proof: Certificate) -> int:
        """The upper bound that the multipliers prove, rounded down to the cent.

        Parameters: problem and patterns, alike within classes; proof, multipliers alike within classes, of no branch.
        """
        return self.bound_scaled(problem, patterns, proof) >> SCALE_BITS

    def bound_scaled(self, problem: Problem, patterns: RowPatterns, proof: Certificate) -> int:
        """The same in 2^-50 cents, before it is rounded."""
        if problem.minimum_demands:
            return bound_scaled(problem, patterns, proof)
        values = effective_values(problem)
        beside = self._beside(problem, proof)
        reduced = self._reduced_values(problem, values, proof).plus(beside)
        unit_cost = of_int64(values.unit_cost[self._block_idx]).times(2**SCALE_BITS)
        unit_cost = unit_cost.minus(_carried(of_whole(proof.units[self._block_idx])).times(2**SHARE_BITS))
        fixed = _carried(of_whole(proof.opening[self._block_idx])).times(2**SHARE_BITS)
        fixed = fixed.minus(of_int64(values.open_cost[self._block_idx])[:, None].times(2**SCALE_BITS))
        fixed = fixed.plus(of_whole(self._inside_given(problem, proof)))
        most = float(patterns.most_racks[self._row_idx].max(initial=0) * self._row_of_block.shape[1])
        if (
            max(float(np.abs(part.near).max()) for part in (reduced, beside, unit_cost, fixed)) * max(most, 1.0)
            > LARGEST / 4
        ):
            return bound_scaled(problem, patterns, proof)
        best = of_int64(np.zeros((self._block_idx.size, problem.n_periods), np.int64))
        prices, totals = self._best_prices(problem, reduced), BlockTotals(problem, patterns, proof.whole, self._sums_of)
        for system in range(problem.n_systems):
            total = self._block_values(problem, patterns, reduced, system)
            held = _best_count(problem, total, unit_cost[:, system], system, problem.partial_units[self._block_idx])
            self._keep_whole(problem, totals, prices, unit_cost[:, system], system, held)
            best = larger(best, held.plus(fixed[:, system]))
        total_term = sum(
            int(n) * value for n, value in zip(np.repeat(self._n_blocks, problem.n_periods), best.whole(), strict=True)
        )
        joint = self._capacity_term(problem, proof) + contract_term(problem, proof)
        return total_term + joint + bound_term(problem, proof.side, proof.limit, proof.grid_bits)

    def _reduced_values(self, problem: Problem, values: EffectiveValues, proof: Certificate) -> Residues:
        """[n_row_classes, n_configurations, n_periods] in 2^-50 cents."""
        rows, system = self._row_idx, problem.system_of_configuration_idx
        reduced = of_int64(values.rack[rows]).times(2**SCALE_BITS)
        revenue = of_int64(problem.contract_revenue[rows]).times(proof.contract_period).times(2**SHARE_BITS)
        kept = _carried(of_whole(proof.monotone[rows]))[:, system].times(2**SHARE_BITS)
        price = of_whole(proof.limit[self._limit_idx])[self._entry_limit]
        charge = price[:, None, :].times(self._coefficient[:, :, None])
        begin, end = self._entry_ptr[:-1], self._entry_ptr[1:]
        shape = (rows.size, *charge.near.shape[1:])
        charged = Residues(np.zeros(shape), np.zeros(shape, np.uint64))
        for position in np.flatnonzero(end > begin):
            own = charge[begin[position] : end[position]]
            charged.near[position], charged.low[position] = own.near.sum(axis=0), own.low.sum(axis=0)
        return reduced.plus(revenue).plus(kept).minus(charged).minus(of_whole(self._inside_charge(problem, proof)))

    def _beside(self, problem: Problem, proof: Certificate) -> Residues:
        """What prices of the side program add to racks: [n_row_classes, n_configurations, n_periods] 2^-50 cents."""
        if problem.side is None:
            return of_int64(np.zeros((1, 1, 1), np.int64))
        value = group_value(problem, proof.side)[problem.side.group_of_row_idx[self._row_idx]]
        return of_whole(value).times(2**SHARE_BITS)

    def _inside_charge(self, problem: Problem, proof: Certificate) -> NDArray[np.object_]:
        """[n_row_classes, n_configurations, n_periods] what limits inside blocks charge a rack, in 2^-50 cents."""
        charge = np.zeros((self._row_idx.size, problem.n_configurations, problem.n_periods), object)
        for position, (begin, end) in enumerate(pairwise(self._entry_ptr)):
            for entry in range(begin, end):
                prices = proof.inside.get(int(self._limit_idx[self._entry_limit[entry]]))
                if prices is not None:
                    each = self._coefficient[entry].astype(object)[:, None]
                    charge[position] += each * prices[problem.system_of_configuration_idx]
        return charge

    def _inside_given(self, problem: Problem, proof: Certificate) -> NDArray[np.object_]:
        """[n_block_classes, n_systems, n_periods] what they give back to a block that holds a system."""
        given = np.zeros((self._block_idx.size, problem.n_systems, problem.n_periods), object)
        place = {int(block): position for position, block in enumerate(self._block_idx)}
        for limit, prices in proof.inside.items():
            position = place.get(int(self._block_of_limit[limit]))
            if position is not None:
                active = np.flatnonzero((prices != 0).any(axis=0))
                given[position][:, active] += prices[:, active] * problem.capacity[limit, active].astype(object)
        return given

    def _block_values(self, problem: Problem, patterns: RowPatterns, reduced: Residues, system: int) -> Residues:
        """[n_counts, n_block_classes, n_periods] best value of a block by the count of its racks."""
        by_total = self._row_values(problem, patterns, reduced, system)
        total = by_total[:, self._row_of_block[:, 0]]
        for place in range(1, self._row_of_block.shape[1]):
            total = _joined(total, by_total[:, self._row_of_block[:, place]])
        return total

    def _best_prices(self, problem: Problem, reduced: Residues) -> Residues:
        """[n_block_classes, n_configurations, n_periods] of the best row that can hold the configuration; or 0."""
        able = may_stand(problem, self._row_idx)
        none = np.zeros((1, *able.shape[1:]))
        near = np.concatenate((np.where(able, reduced.near, NEVER), none + NEVER))
        low = np.concatenate((reduced.low, none.astype(np.uint64)))
        best = largest(Residues(near, low)[self._row_of_block.T])
        held = best.near > NEVER / 2
        return Residues(np.where(held, best.near, 0.0), np.where(held, best.low, np.uint64(0)))

    def _keep_whole(
        self, problem: Problem, totals: BlockTotals, prices: Residues, unit_cost: Residues, system: int, held: Residues
    ) -> None:
        """Lower what blocks hold at most to the best of the totals that limits inside them allow in whole racks.

        Parameters: prices, of a block's best rows; unit_cost and held, changed in place, [n_block_classes, n_periods].
        """
        places: dict[int, list[tuple[int, int]]] = {}
        found: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        for index, period in np.ndindex(self._block_idx.size, problem.n_periods):
            one = totals.of(int(self._block_idx[index]), system, period)
            if one is not None:
                places.setdefault(id(one.racks), []).append((index, period))
                found[id(one.racks)] = (one.racks, one.profiles)
        for key, (racks, profiles) in found.items():
            blocks, periods = np.array(places[key]).T
            price = prices[blocks[:, None], profiles, periods[:, None]]
            counts, unit_racks = racks.sum(axis=1), int(problem.unit_racks[system])
            worth = Residues(
                np.einsum("nk,mk->nm", racks.astype(np.float64), price.near),
                np.einsum("nk,mk->nm", racks.view(np.uint64), price.low),
            ).minus(unit_cost[blocks, periods].times(-(-counts // unit_racks)[:, None]))
            split = (counts % unit_racks != 0)[:, None] & ~problem.partial_units[self._block_idx[blocks]]
            best, now = largest(Residues(np.where(split, NEVER, worth.near), worth.low)), held[blocks, periods]
            lower = at_least(now, best)
            held.near[blocks, periods] = np.where(lower, best.near, now.near)
            held.low[blocks, periods] = np.where(lower, best.low, now.low)

    def _row_values(self, problem: Problem, patterns: RowPatterns, reduced: Residues, system: int) -> Residues:
        """[n_totals, n_row_classes + 1, n_periods] best value of a row by its racks; the last row holds nothing."""
        number = patterns.pattern_set_idx[self._row_idx, system]
        used = np.unique(number[number >= 0])
        points = self._points([patterns.point_sets[one] for one in used], problem.n_configurations)
        place = np.where(number >= 0, np.searchsorted(used, number), used.size)
        place = np.concatenate((place, np.full((1, problem.n_periods), used.size)))
        shape = (points.counts.shape[0] + 1, *place.shape)
        near, low = np.full(shape, NEVER), np.zeros(shape, np.uint64)
        counts = points.counts
        near[:-1, :-1] = np.einsum("pk,rkt->prt", counts.astype(np.float64), reduced.near)
        low[:-1, :-1] = np.einsum("pk,rkt->prt", counts.view(np.uint64), reduced.low)
        near[0, -1] = 0.0
        near[:-1][points.lacks[:, place]] = NEVER
        return largest(Residues(near, low)[points.by_total])

    def _points(self, sets: list[NDArray[np.int64]], n_configurations: int) -> _Points:
        key = tuple(points.tobytes() for points in sets)
        if key not in self._points_of:
            self._points_of[key] = _together([*sets, np.zeros((1, n_configurations), np.int64)])
        return self._points_of[key]

    def _capacity_term(self, problem: Problem, proof: Certificate) -> int:
        price = proof.limit[self._limit_idx]
        limits, periods = np.nonzero(price != 0)
        capacity = problem.capacity[self._limit_idx[limits], periods]
        found = zip(self._n_limits[limits], price[limits, periods], capacity, strict=True)
        return sum(int(n) * int(each) * int(most) for n, each, most in found)


def _together(sets: list[NDArray[np.int64]]) -> _Points:
    counts = np.unique(np.concatenate(sets), axis=0)
    counts = np.ascontiguousarray(counts[np.argsort(counts.sum(axis=1), kind="stable")])
    position = {one.tobytes(): index for index, one in enumerate(counts)}
    lacks = np.ones((counts.shape[0], len(sets)), np.bool_)
    for index, points in enumerate(sets):
        lacks[[position[one.tobytes()] for one in np.ascontiguousarray(points)], index] = False
    n_points = np.bincount(counts.sum(axis=1))
    first = np.cumsum(n_points) - n_points
    rank = np.arange(n_points.max())[:, None]
    return _Points(counts, lacks, np.where(rank < n_points, first + rank, counts.shape[0]))


def _carried(multiplier: Residues) -> Residues:
    """A monotony multiplier's own less the next period's."""
    near, low = multiplier.near.copy(), multiplier.low.copy()
    near[..., :-1] -= multiplier.near[..., 1:]
    low[..., :-1] -= multiplier.low[..., 1:]
    return Residues(near, low)


def _joined(total: Residues, row: Residues) -> Residues:
    """Max-plus convolution along the first axis."""
    n_total, n_row = total.near.shape[0], row.near.shape[0]
    shape = (n_total + n_row - 1, *total.near.shape[1:])
    joined = Residues(np.full(shape, NEVER), np.zeros(shape, np.uint64))
    for count in range(n_row):
        part = joined[count : count + n_total]
        candidate = total.plus(row[count])
        better = at_least(candidate, part)
        np.copyto(part.near, candidate.near, where=better)
        np.copyto(part.low, candidate.low, where=better)
    return joined


def _best_count(
    problem: Problem, total: Residues, unit_cost: Residues, system: int, partial: NDArray[np.bool_]
) -> Residues:
    """[n_block_classes, n_periods] of the best count less whole scalable units; 0 racks is always a choice."""
    counts, unit_racks = np.arange(total.near.shape[0]), int(problem.unit_racks[system])
    units = -(-counts // unit_racks)
    worth = total.minus(unit_cost.times(units[:, None, None]))
    split = (counts % unit_racks != 0)[:, None, None] & ~partial[None, :, None]
    return largest(Residues(np.where(split, NEVER, worth.near), worth.low))
