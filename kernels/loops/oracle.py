"""Block oracles of the bound: the best integer pattern of each row, and the best system of each block.

In float64 they price candidate multipliers; the certificate's value is computed again in exact integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def row_oracle(
    pattern_ptr: NDArray[np.int64],
    pattern: NDArray[np.int64],
    reduced: NDArray[np.float64],
    best: NDArray[np.float64],
) -> None:
    """Best value of a row's patterns at reduced values, 0 for the empty one.

    Parameters: pattern_ptr [n_rows + 1]; pattern [n_patterns, n_configurations] counts; reduced
    [n_rows, n_configurations, n_lanes]; best [n_rows, n_lanes], written. Lanes are sets of multipliers or periods.
    A negative reduced value counts as 0, since every pattern may drop racks.
    """
    best[:] = 0.0
    n_rows, n_configurations, n_lanes = reduced.shape
    for row in range(n_rows):
        for index in range(pattern_ptr[row], pattern_ptr[row + 1]):
            for lane in range(n_lanes):
                value = 0.0
                for configuration in range(n_configurations):
                    value += pattern[index, configuration] * max(reduced[row, configuration, lane], 0.0)
                best[row, lane] = max(best[row, lane], value)


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
    n_rows, n_systems, n_lanes = row_best.shape
    total = fixed.copy()
    for row in range(n_rows):
        for system in range(n_systems):
            for lane in range(n_lanes):
                total[block_of_row_idx[row], system, lane] += row_best[row, system, lane]
    best[:] = 0.0
    for block in range(total.shape[0]):
        for system in range(n_systems):
            for lane in range(n_lanes):
                best[block, lane] = max(best[block, lane], total[block, system, lane])
