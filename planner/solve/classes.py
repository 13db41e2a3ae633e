"""Classes of rows, limits and blocks that no data tells apart, by colour refinement.

An equitable partition of a linear program keeps its optimum (Grohe, Kersting, Mladenov, Selman, "Dimension
Reduction via Colour Refinement", ESA 2014): like lineups shrink to one, and multipliers lift back by division.
The lifted multipliers are evaluated on the whole problem, so a bound never rests on the reduction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.side.capacity import growing_limits
from planner.solve.packing import EffectiveValues, effective_values
from planner.solve.patterns import limits_inside_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.patterns import RowPatterns

_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_EQUAL_BITS = 14
"""Leading bits in which loads of limits agree that a relaxation takes for equal; shares are rounded up one by one."""


@dataclass(frozen=True)
class Classes:
    """The coarsest partition that the data allows."""

    row: NDArray[np.int64]
    """[n_rows] class of each row."""
    limit: NDArray[np.int64]
    """[n_limits]"""
    block: NDArray[np.int64]
    """[n_blocks]"""

    @property
    def counts(self) -> tuple[int, int, int]:
        """Numbers of classes of rows, limits and blocks."""
        return tuple(int(x.max()) + 1 if x.size else 0 for x in (self.row, self.limit, self.block))  # type: ignore[return-value]


def singletons(problem: Problem) -> Classes:
    """Every row, limit and block a class of its own."""
    return Classes(np.arange(problem.n_rows), np.arange(problem.n_limits), np.arange(problem.n_blocks))


def refine(problem: Problem) -> Classes:
    """Partition rows, limits and blocks until nothing tells the members of a class apart."""
    return refine_together((problem,))


def refine_together(problems: Sequence[Problem]) -> Classes:
    """The coarsest partition whose members nothing tells apart in any of several problems of one graph.

    Parameters: problems, one at the least, that differ in capacities, first periods, values and costs only.
    """
    problem = problems[0]
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    coefficient = _identify(problem.entry_coefficient)
    row, limit, block = (_identify(data) for data in _data(problem))
    for other in problems[1:]:
        row, limit, block = (_split(*pair) for pair in zip((row, limit, block), _data(other), strict=True))
    while True:
        before = int(row.max(initial=0)) + int(limit.max(initial=0)) + int(block.max(initial=0))
        signature = _sums(limit_of_entry, _word(row[problem.entry_row_idx], coefficient), problem.n_limits)
        limit = _identify(np.column_stack((limit, signature)))
        signature = _sums(problem.entry_row_idx, _word(limit[limit_of_entry], coefficient), problem.n_rows)
        row = _identify(np.column_stack((row, signature, block[problem.block_of_row_idx])))
        signature = _sums(problem.block_of_row_idx, _word(row, row), problem.n_blocks)
        block = _identify(np.column_stack((block, signature)))
        if int(row.max(initial=0)) + int(limit.max(initial=0)) + int(block.max(initial=0)) == before:
            return Classes(row, limit, block)


def joined_rows(problems: Sequence[Problem], classes: Classes, patterns: RowPatterns) -> Classes:
    """Classes in which rows of like blocks are one when they have the same figures and hold the same racks.

    Limits may load such rows unequally (pumps that hang on this element or that), so this is no equitable partition;
    a relaxation over it takes the mean of a class's rows. Limits that are then one and the same row of the relaxation
    are one class, so that they share their multiplier evenly: where it is a matter of which of like rows they load, no
    row is charged more than another. The multipliers prove a valid bound as all do, and the relaxation is several times
    smaller.
    Parameters: problems, as for `refine_together`, whose classes these are; patterns of one of them.
    """
    problem = problems[0]
    block = classes.block[problem.block_of_row_idx]
    row = _identify(np.column_stack((block, patterns.pattern_set_idx.reshape(problem.n_rows, -1))))
    for one in problems:
        row = _split(row, _row_data(one, effective_values(one)))
    return Classes(row, _joined_limits(problems, row, classes.block), classes.block)


def _joined_limits(problems: Sequence[Problem], row: NDArray[np.int64], block: NDArray[np.int64]) -> NDArray[np.int64]:
    """Classes of limits that load like blocks and joined rows as much in sum, with the same capacities in all problems.

    The relaxation cannot tell them apart; their price has to be shared among them, or rows would pay unequally.
    """
    problem = problems[0]
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    load = np.zeros((problem.n_limits, int(row.max(initial=-1)) + 1, problem.n_configurations), np.int64)
    np.add.at(load, (limit_of_entry, row[problem.entry_row_idx]), problem.entry_coefficient)
    digits = np.int64(1) << np.maximum(np.ceil(np.log2(np.maximum(load, 1))).astype(np.int64) - _EQUAL_BITS, 0)
    load = (load + digits // 2) // digits * digits
    inside = limits_inside_blocks(problem)
    place = np.where(inside >= 0, block[inside], -1)
    parts = [load.reshape(problem.n_limits, -1), place[:, None], *(_limit_data(one) for one in problems)]
    return _identify(np.concatenate(parts, axis=1))


def equitable(graph: Problem, classes: Classes) -> bool:
    """Whether members of a class meet members of every other class alike, compared number by number.

    Refinement compares sums of mixed words; a bound that is evaluated class by class rests on this comparison.
    """
    limit_of_entry = np.repeat(np.arange(graph.n_limits), np.diff(graph.limit_ptr))
    coefficient = _identify(graph.entry_coefficient)
    row, limit = classes.row[graph.entry_row_idx], classes.limit[limit_of_entry]
    return (
        _alike(classes.limit, limit_of_entry, np.column_stack((row, coefficient)))
        and _alike(classes.row, graph.entry_row_idx, np.column_stack((limit, coefficient)))
        and _alike(classes.block, graph.block_of_row_idx, classes.row[:, None])
        and _alike(classes.row, np.arange(graph.n_rows), classes.block[graph.block_of_row_idx][:, None])
    )


def _alike(member_class: NDArray[np.int64], member: NDArray[np.integer], label: NDArray[np.int64]) -> bool:
    """Whether members of a class have the same labels equally often.

    Parameters: member_class [n_members]; member [n] whose label [n, …] each is.
    """
    order = np.lexsort((*label.T[::-1], member))
    label, count = label[order], np.bincount(member, minlength=member_class.size)
    _, first, own = np.unique(member_class, return_index=True, return_inverse=True)
    if (count != count[first][own]).any():
        return False
    begin = np.cumsum(count) - count
    shift = begin[first][own] - begin
    return bool((label == label[np.arange(member.size) + np.repeat(shift, count)]).all())


def _split(colour: NDArray[np.int64], data: NDArray[np.int64]) -> NDArray[np.int64]:
    """Colours that tell apart what these or the data tell apart."""
    _, first, own = np.unique(colour, return_index=True, return_inverse=True)
    if (data == data[first][own]).all():
        return colour
    return _identify(np.column_stack((colour, _identify(data))))


def _data(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Figures of every row, limit and block."""
    values = effective_values(problem)
    return _row_data(problem, values), _limit_data(problem), _block_data(problem, values)


def _limit_data(problem: Problem) -> NDArray[np.int64]:
    """Capacities; a limit to whose capacity the side program may add is like no other."""
    grows = growing_limits(problem)
    if not grows.any():
        return problem.capacity
    return np.column_stack((problem.capacity, np.where(grows, np.arange(problem.n_limits), -1)))


def _row_data(problem: Problem, values: EffectiveValues) -> NDArray[np.int64]:
    n_rows = problem.n_rows
    closed = () if problem.closed is None else (problem.closed,)
    at_minimum = [np.isin(np.arange(n_rows), demand.row_idx) for demand in problem.minimum_demands]
    site = [] if problem.side is None else [problem.side.group_of_row_idx]
    parts: tuple[NDArray[np.generic], ...] = (
        values.rack, problem.contract_revenue, problem.first_period, *closed, *at_minimum, *site
    )  # fmt: skip
    return np.concatenate([part.reshape(n_rows, -1).astype(np.int64) for part in parts], axis=1)


def _block_data(problem: Problem, values: EffectiveValues) -> NDArray[np.int64]:
    n_blocks = problem.n_blocks
    parts = (values.open_cost, values.unit_cost, problem.partial_units)
    return np.concatenate([part.reshape(n_blocks, -1).astype(np.int64) for part in parts], axis=1)


def _identify(data: NDArray[np.generic]) -> NDArray[np.int64]:
    """Number equal rows of a table alike, in order of first appearance (so that names and order do not matter)."""
    flat = np.ascontiguousarray(data).view(np.dtype((np.void, data.dtype.itemsize * int(np.prod(data.shape[1:])))))
    _, first, inverse = np.unique(flat.ravel(), return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    result: NDArray[np.int64] = rank[inverse]
    return result


def _word(colour: NDArray[np.int64], label: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A well-mixed 64-bit word for each (colour, label); sums of such words stand for multisets."""
    word = colour.astype(np.uint64) * _GOLDEN + label.astype(np.uint64) + _GOLDEN
    word = (word ^ (word >> np.uint64(30))) * _MIX_A
    word = (word ^ (word >> np.uint64(27))) * _MIX_B
    result: NDArray[np.uint64] = word ^ (word >> np.uint64(31))
    return result


def _sums(group: NDArray[np.integer], word: NDArray[np.uint64], n_groups: int) -> NDArray[np.int64]:
    total = np.zeros(n_groups, np.uint64)
    np.add.at(total, group, word)
    return total.view(np.int64)
