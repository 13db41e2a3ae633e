"""Which sum a node splits, and where."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from planner.problem import INACTIVE, may_stand
from planner.solve.proof.box import DecisionSide, Side, Total, is_kept_by_points, narrowed, tightest
from planner.solve.proof.program import MONEY_CENTS

if TYPE_CHECKING:
    from planner.problem import Problem
    from planner.solve.proof.box import Box
    from planner.solve.proof.node import Settled
    from planner.solve.proof.program import NodeProgram

_WHOLE = 1e-6
_WHOLE_OF_SCALE = 1e-8
"""Of what fills a rack up: a decision's distance from a whole number that is no more is not told from none."""
_MOST_OF_KIND = 3
_STEPS = 100
"""Of the simplex method for each side that is tried."""


class Split(NamedTuple):
    """At most so many racks below, one more above."""

    total: Total
    most: int

    def sides(self) -> tuple[Side, Side]:
        """Below and above."""
        return Side(self.total, self.most, False), Side(self.total, self.most + 1, True)


class DecisionSplit(NamedTuple):
    """At most so many units of a decision beside the racks below, one more above."""

    column: int
    most: int

    def sides(self) -> tuple[DecisionSide, DecisionSide]:
        """Below and above."""
        return DecisionSide(self.column, self.most, False), DecisionSide(self.column, self.most + 1, True)


AnySplit = Split | DecisionSplit


class Totals:
    """Sums that a problem's splits may use, from the coarse to the fine."""

    def __init__(self, problem: Problem) -> None:
        """List them by kind."""
        self._problem = problem
        self._of_system = [
            tuple(int(k) for k in np.flatnonzero(problem.system_of_configuration_idx == s))
            for s in range(problem.n_systems)
        ]
        blocks = [tuple(int(r) for r in np.flatnonzero(problem.block_of_row_idx == b)) for b in range(problem.n_blocks)]
        rows = [(r,) for r in range(problem.n_rows)]
        everything = tuple(range(problem.n_configurations))
        several = self._rows_of_limits()
        self.kinds: tuple[list[tuple[tuple[int, ...], tuple[int, ...]]], ...] = (
            [(own, ks) for own in several for ks in dict.fromkeys((*self._of_system, everything))],
            [(own, ks) for own in blocks for ks in self._of_system],
            [(own, ks) for own in rows for ks in self._of_system],
            [(own, (k,)) for own in rows for k in everything],
        )

    def _rows_of_limits(self) -> list[tuple[int, ...]]:
        """Distinct sets of rows in several blocks that some limit joins."""
        problem = self._problem
        found: dict[tuple[int, ...], None] = {}
        for limit in range(problem.n_limits):
            rows = problem.entry_row_idx[problem.limit_ptr[limit] : problem.limit_ptr[limit + 1]]
            if np.unique(problem.block_of_row_idx[rows]).size > 1 and (problem.capacity[limit] != INACTIVE).any():
                found[tuple(rows.tolist())] = None
        return list(found)


def splits(totals: Totals, program: NodeProgram, settled: Settled, box: Box, is_near: bool) -> list[AnySplit]:
    """Splits that part a node's mix, the most promising of every kind first; empty where only one plan is left.

    Switches count with the totals of racks; other decisions only where these are whole.

    Parameters: is_near, whether no more than the rounding of shortfalls keeps the node open.
    """
    problem = program.problem
    of_demand: list[AnySplit] = [*_of_demand(problem, settled, box)]
    found = of_demand if is_near else []
    found = found or [*_fractional(totals, settled), *_decisions(program, settled, switches=True)]
    found = found or [*_apart(program, settled)] or _decisions(program, settled, switches=False) or of_demand
    return found or [*_any_left(problem, settled, box)]


def _fractional(totals: Totals, settled: Settled) -> list[Split]:
    found: list[Split] = []
    for sums in totals.kinds:
        of_kind: list[tuple[float, int, Split]] = []
        for rows, configurations in sums:
            mean = settled.racks[np.ix_(rows, configurations)].sum(axis=(0, 1))
            for period in np.flatnonzero(np.abs(mean - np.round(mean)) > _WHOLE):
                count = int(np.floor(mean[period]))
                part = float(mean[period]) - count
                of_kind.append(
                    (-min(part, 1 - part), len(of_kind), Split(Total(rows, configurations, int(period)), count))
                )
        found.extend(split for _, _, split in sorted(of_kind)[:_MOST_OF_KIND])
    return found


def _decisions(program: NodeProgram, settled: Settled, *, switches: bool) -> list[AnySplit]:
    """Decisions that are not whole, those first whose parts are worth most."""
    side, terms = program.problem.side, program.side_terms
    if side is None or terms is None:
        return []
    part = np.abs(settled.decisions - np.round(settled.decisions))
    open_ = (part > _WHOLE + _WHOLE_OF_SCALE * terms.column_scale) & (terms.is_whole == switches)
    stake = part / terms.column_scale * np.abs(terms.worth_cents)
    order = sorted(np.flatnonzero(open_).tolist(), key=lambda column: (-stake[column], column))
    return [DecisionSplit(column, int(np.floor(settled.decisions[column]))) for column in order[:_MOST_OF_KIND]]


def _apart(program: NodeProgram, settled: Settled) -> list[Split]:
    """Where sums are whole: counts in which the fillings of one block and period differ."""
    problem, found = program.problem, []
    for index in np.flatnonzero(settled.mix > _WHOLE):
        filling = program.fillings[index]
        rows = np.flatnonzero(problem.block_of_row_idx == filling.block)
        mean = np.round(settled.racks[rows, :, filling.period])
        for row, configuration in np.argwhere(filling.racks[rows] < mean - 0.5):
            total = Total((int(rows[row]),), (int(configuration),), filling.period)
            found.append(Split(total, int(mean[row, configuration]) - 1))
    return list(dict.fromkeys(found))[:_MOST_OF_KIND]


def _of_demand(problem: Problem, settled: Settled, box: Box) -> list[Split]:
    """A site's total of one configuration: where all are held, a shortfall that is rounded up is known to the cent."""
    least, most = tightest(box)
    for demand in problem.minimum_demands:
        charged = np.flatnonzero(demand.minimum_w).tolist()
        for period, configuration in product(charged, range(problem.n_configurations)):
            total = Total(demand.row_idx, (configuration,), period)
            standing = int(np.floor(settled.racks[list(demand.row_idx), configuration, period].sum() + _WHOLE))
            if not may_stand(problem, np.array(demand.row_idx))[:, configuration, period].any():
                continue
            if total not in most or most[total] > standing:
                return [Split(total, standing)]
            if least.get(total, 0) < standing:
                return [Split(total, standing - 1)]
    return []


def _any_left(problem: Problem, settled: Settled, box: Box) -> list[Split]:
    """A count that the box leaves open, split beside where it stands."""
    least, most = box.count
    for place in np.argwhere(least < most):
        row, configuration, period = (int(x) for x in place)
        own = (row, configuration, period)
        system = int(problem.system_of_configuration_idx[configuration])
        block = int(problem.block_of_row_idx[row])
        top = min(int(most[own]), int(box.row[1][row, system, period]), int(box.block[1][block, system, period]))
        if box.barred[block, system] or top <= least[own]:
            continue
        standing = int(np.round(settled.racks[own]))
        return [Split(Total((row,), (configuration,), period), min(max(standing, int(least[own])), top - 1))]
    return []


def best_split(program: NodeProgram, box: Box, found: list[AnySplit], bound: float, closed: float) -> AnySplit:
    """The split whose sides both lose most in some steps of the simplex method.

    Parameters: bound of the node and value below which a side is closed, in cents.
    """
    for split in found:
        if isinstance(split, Split) and not is_kept_by_points(program.problem, split.total):
            program.hold(split.total)
    if len(found) == 1:
        return found[0]
    best, best_score = found[0], -1.0
    most = max(bound - closed, 1.0)
    for split in found:
        boxes = [narrowed(program.problem, box, side) for side in split.sides()]
        losses = [(bound - program.score(one, _STEPS) * MONEY_CENTS) / most for one in boxes]
        first, second = (min(max(loss, 1e-3), 1.0) for loss in losses)
        score = first * second
        if score > best_score + 1e-9:
            best, best_score = split, score
    return best
