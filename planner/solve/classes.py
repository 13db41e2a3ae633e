"""Classes of rows, limits and blocks that no data tells apart, by colour refinement.

An equitable partition of a linear program keeps its optimum (Grohe, Kersting, Mladenov, Selman, "Dimension
Reduction via Colour Refinement", ESA 2014): like lineups shrink to one, and multipliers lift back by division.
The lifted multipliers are evaluated on the whole problem, so a bound never rests on the reduction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.solve.packing import EffectiveValues, effective_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem

_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


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
    values = effective_values(problem)
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    coefficient = _identify(problem.entry_coefficient)
    row = _identify(_row_data(problem, values))
    limit = _identify(problem.capacity)
    block = _identify(_block_data(problem, values))
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


def _row_data(problem: Problem, values: EffectiveValues) -> NDArray[np.int64]:
    n_rows = problem.n_rows
    parts = (values.rack, problem.contract_revenue, problem.first_period)
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
