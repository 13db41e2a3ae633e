"""Block oracles of the bound: the best integer pattern of each row, and the best system of each block.

Sums run in index order, as in the loops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def row_oracle(
    pattern_ptr: NDArray[np.int64],
    pattern: NDArray[np.int64],
    reduced: NDArray[np.float64],
    best: NDArray[np.float64],
) -> None:
    """Best value of a row's patterns at reduced values, 0 for the empty one.

    Parameters: pattern_ptr [n_rows + 1]; pattern [n_patterns, n_configurations] counts; reduced
    [n_rows, n_configurations, n_lanes]; best [n_rows, n_lanes], written.
    """
    best[:] = 0.0
    n_patterns = np.diff(pattern_ptr)
    filled = np.flatnonzero(n_patterns)
    if not filled.size:
        return
    of_pattern = np.repeat(np.arange(n_patterns.size), n_patterns)
    paying = np.maximum(reduced, 0.0)
    value = np.zeros((of_pattern.size, reduced.shape[2]))
    for configuration in range(reduced.shape[1]):
        counts = pattern[pattern_ptr[0] : pattern_ptr[-1], configuration, None]
        value += counts * paying[of_pattern, configuration]
    first = pattern_ptr[filled] - pattern_ptr[0]
    best[filled] = np.maximum.reduceat(value, first, axis=0)


def block_oracle(
    block_of_row_idx: NDArray[np.int64],
    row_best: NDArray[np.float64],
    fixed: NDArray[np.float64],
    best: NDArray[np.float64],
) -> None:
    """Best system of each block: its rows' values plus the block's fixed part, or 0 for leaving it empty.

    Parameters: block_of_row_idx [n_rows]; row_best [n_rows, n_systems, n_lanes]; fixed [n_blocks, n_systems, n_lanes];
    best [n_blocks, n_lanes], written.
    """
    total = fixed.copy()
    for rows in _one_row_of_each_block(block_of_row_idx):
        total[block_of_row_idx[rows]] += row_best[rows]
    np.maximum(total.max(axis=1), 0.0, out=best)


def _one_row_of_each_block(block_of_row_idx: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The first rows of all blocks, then the second rows, and so on."""
    order = np.argsort(block_of_row_idx, kind="stable")
    blocks = block_of_row_idx[order]
    rank = np.arange(order.size) - np.searchsorted(blocks, blocks)
    return [order[rank == place] for place in range(int(rank.max(initial=-1)) + 1)]
