"""Whether the arrays of a stored guide fit a problem: kernels trust every index in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from planner.problem import Problem


def why_unfit(arrays: Mapping[str, NDArray[np.int64]], problem: Problem) -> str | None:
    """What keeps a guide's arrays from steering search on this problem, or None where they fit.

    Parameters: arrays, by name of the guide's fields.
    """
    return _wrong_shape(arrays, problem) or _wrong_pools(arrays) or _wrong_index(arrays, problem)


def _wrong_shape(arrays: Mapping[str, NDArray[np.int64]], problem: Problem) -> str | None:
    n_patterns, n_aims = arrays["pattern_system_idx"].size, arrays["aim"].shape[0] if arrays["aim"].ndim else 0
    expected: dict[str, tuple[int, ...]] = {
        "pool_of_block_idx": (problem.n_blocks,),
        "pool_ptr": (arrays["pool_ptr"].size,),
        "pattern_system_idx": (n_patterns,),
        "pattern_racks": (n_patterns,),
        "pattern_weight": (n_patterns,),
        "switch_period": (problem.n_rows,),
        "upgrade_share": (problem.n_rows, problem.n_configurations, problem.n_periods),
        "contract_price": (problem.n_periods,),
        "aim": (n_aims - n_aims % problem.n_systems, problem.n_periods),
        "aim_group": (problem.n_rows,),
        "block_pattern_idx": (problem.n_blocks,),
        "block_order_idx": (problem.n_blocks,),
        "start_racks": (problem.n_rows, problem.n_configurations, problem.n_periods),
        "demand_price": (len(problem.minimum_demands), problem.n_periods),
        "side_price": (0 if problem.side is None else problem.side.n_rows,),
    }
    for name, shape in expected.items():
        if not np.issubdtype(arrays[name].dtype, np.integer):
            return f"'{name}' holds {arrays[name].dtype}; it must hold integers"
        if arrays[name].shape != shape:
            return f"'{name}' has shape {arrays[name].shape}; this problem needs {shape}"
    return None


def _wrong_pools(arrays: Mapping[str, NDArray[np.int64]]) -> str | None:
    ptr, n_patterns = arrays["pool_ptr"], arrays["pattern_system_idx"].size
    if ptr.size < 1 or ptr[0] != 0 or ptr[-1] != n_patterns or (np.diff(ptr) < 0).any():
        return f"'pool_ptr' must rise from 0 to the {n_patterns} patterns"
    return None


def _wrong_index(arrays: Mapping[str, NDArray[np.int64]], problem: Problem) -> str | None:
    n_patterns, n_groups = arrays["pattern_system_idx"].size, arrays["aim"].shape[0] // problem.n_systems
    ranges = {
        "pool_of_block_idx": (0, arrays["pool_ptr"].size - 1),
        "pattern_system_idx": (0, problem.n_systems),
        "pattern_racks": (0, 2**62),
        "pattern_weight": (0, 65536 + 1),
        "switch_period": (0, problem.n_periods + 1),
        "upgrade_share": (0, 65536 + 1),
        "contract_price": (0, 2**31),
        "aim_group": (0, n_groups),
        "aim": (0, 2**62),
        "block_pattern_idx": (-1, n_patterns),
        "block_order_idx": (0, problem.n_blocks),
        "start_racks": (0, 2**31),
        "demand_price": (0, 2**62),
        "side_price": (0, 2**62),
    }
    for name, (first, end) in ranges.items():
        wrong = arrays[name][(arrays[name] < first) | (arrays[name] >= end)]
        if wrong.size:
            return f"'{name}' holds {wrong[0]}; this problem needs {first} to {end - 1}"
    if np.unique(arrays["block_order_idx"]).size < problem.n_blocks:
        return "'block_order_idx' must name every block once"
    return None
