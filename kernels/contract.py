"""The contract of arrays that every backend shares.

Arrays are `[n, n_periods, n_lanes]` with the last two contiguous; lanes are independent search chains in lock step.
Search decides on integers only, so every backend gives the same integers for the same guide, seed and work limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PackingModel(NamedTuple):
    """The packing problem as the kernels see it: rows in block order, limits row by row."""

    row_ptr: NDArray[np.int64]
    """[n_rows + 1] offsets of each row's entries."""
    entry_limit_idx: NDArray[np.int64]
    """[n_entries] limit of the entry."""
    entry_coefficient: NDArray[np.int64]
    """[n_entries, n_configurations] load of one rack on the limit, scaled by 2^20."""
    capacity: NDArray[np.int64]
    """[n_limits, n_periods] scaled by 2^20; 2^62 where inactive."""
    block_ptr: NDArray[np.int64]
    """[n_blocks + 1] offsets into `block_row_idx`."""
    block_row_idx: NDArray[np.int64]
    """[n_rows] rows of each block."""
    system_ptr: NDArray[np.int64]
    """[n_systems + 1] offsets into `system_configuration_idx`."""
    system_configuration_idx: NDArray[np.int64]
    """[n_configurations] configurations of each system, lowest draw first."""
    most_racks: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] racks that fit the empty row; 0 before its first period."""
    value: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] effective cents of a standing rack (start values by parts)."""
    revenue: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] contract revenue of a standing rack, cents."""
    open_cost: NDArray[np.int64]
    """[n_blocks, n_periods] by parts, for each period in which the block holds a rack."""
    unit_cost: NDArray[np.int64]
    """[n_blocks, n_systems, n_periods] by parts, for each scalable unit standing."""
    unit_racks: NDArray[np.int64]
    """[n_systems]"""
    partial_units: NDArray[np.int64]
    """[n_blocks] 1 where a unit may be part empty."""
    contract_amount: NDArray[np.int64]
    """[1] cents."""
    contract_rate: NDArray[np.int64]
    """[n_periods] scaled by 2^20."""


class SearchGuide(NamedTuple):
    """What the bound stage hands to search: integers only, stored with the run."""

    guided_value: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] value with the contract's price, for choosing when to start."""
    may_start: NDArray[np.int64]
    """[n_rows, n_systems, n_periods] 1 where a rack started in that period is worth something by the end."""
    pool_of_block_idx: NDArray[np.int64]
    """[n_blocks] pool of each block."""
    pool_ptr: NDArray[np.int64]
    """[n_pools + 1] offsets of each pool's patterns."""
    pattern_system_idx: NDArray[np.int64]
    """[n_patterns] system that a pattern fills a block with."""
    pattern_racks: NDArray[np.int64]
    """[n_patterns] most racks of the pattern, over the block's rows."""
    pattern_weight: NDArray[np.int64]
    """[n_patterns] chances of each pattern, cumulative within its pool, out of 65536."""
    switch_period: NDArray[np.int64]
    """[n_rows] period from which the guide packs a row for its lowest profile; before, for its highest."""
    upgrade_share: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] share of a system's racks at this configuration, out of 65536."""


class SearchState(NamedTuple):
    """One plan for each lane, with everything that moves keep up to date."""

    n_racks: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods, n_lanes]"""
    slack: NDArray[np.int64]
    """[n_limits, n_periods, n_lanes] capacity less load."""
    block_value: NDArray[np.int64]
    """[n_blocks, n_lanes] cents without the contract's premium."""
    block_revenue: NDArray[np.int64]
    """[n_blocks, n_periods, n_lanes] contract revenue in cents."""
    revenue: NDArray[np.int64]
    """[n_periods, n_lanes] over all blocks."""
    objective: NDArray[np.int64]
    """[n_lanes] cents."""


class Room(NamedTuple):
    """Where search works within a call, so that no step asks for memory."""

    counts: NDArray[np.int64]
    """[n_periods, n_lanes] racks for which a row has room."""
    kept: NDArray[np.int64]
    """[n_kept_rows, n_configurations, n_periods, n_lanes] racks of the blocks that a step empties, as they were."""


class Schedule(NamedTuple):
    """Which moves a call of search makes."""

    seed: int
    first_lane: int
    """Number of the state's first lane among all lanes, so that lanes split over threads draw the same."""
    first_step: int
    threshold: NDArray[np.int64]
    """[n_steps] cents by which a step may worsen a plan."""


class FirstOrderModel(NamedTuple):
    """A linear program in every lane: gain · x at its most where factor · x − gate · x ≤ right side in each period.

    Variables keep a value for each period; isotone ones never fall over time, others are free of each other. The last
    variable is the contract's premium and the last constraint its revenue. Floats are all of one kind, 64 or 32 bits.
    """

    constraint_ptr: NDArray[np.int64]
    """[n_constraints] offsets of the entries of each constraint but the last."""
    constraint_variable_idx: NDArray[np.int64]
    """[n_entries]"""
    constraint_factor: NDArray[np.floating]
    """[n_entries]"""
    variable_ptr: NDArray[np.int64]
    """[n_variables] offsets of the same entries by variable, the last left out."""
    variable_constraint_idx: NDArray[np.int64]
    """[n_entries]"""
    variable_factor: NDArray[np.floating]
    """[n_entries]"""
    gate_variable_idx: NDArray[np.int64]
    """[n_constraints] the variable that opens each constraint; -1 where there is none."""
    gate_ptr: NDArray[np.int64]
    """[n_variables] offsets of the constraints that each variable opens, the last left out."""
    gate_constraint_idx: NDArray[np.int64]
    """[n_gated]"""
    gate: NDArray[np.floating]
    """[n_constraints, n_periods, n_lanes] what the constraint's variable gives it; 0 without one."""
    right_side: NDArray[np.floating]
    """[n_constraints, n_periods, n_lanes] infinite where the constraint does not exist."""
    gain: NDArray[np.floating]
    """[n_variables, n_periods, n_lanes]"""
    upper: NDArray[np.floating]
    """[n_variables, n_periods, n_lanes] never falling over time for isotone variables; values are at least 0."""
    revenue: NDArray[np.floating]
    """[n_variables, n_periods, n_lanes] that the premium may draw on; [0, …] without a contract."""
    n_isotone: int
    """The first so many variables are isotone."""
    amount: NDArray[np.floating]
    """[n_lanes] that the premium may reach over all periods."""


class FirstOrderState(NamedTuple):
    """Where the iteration stands: the point, the step's image of it, and where averaging began."""

    primal: NDArray[np.floating]
    """[n_variables, n_periods, n_lanes]"""
    dual: NDArray[np.floating]
    """[n_constraints, n_periods, n_lanes]"""
    primal_image: NDArray[np.floating]
    dual_image: NDArray[np.floating]
    primal_anchor: NDArray[np.floating]
    dual_anchor: NDArray[np.floating]
    n_steps: NDArray[np.int64]
    """[n_lanes] steps since the anchor."""
    primal_step: NDArray[np.floating]
    """[n_lanes]"""
    dual_step: NDArray[np.floating]
    """[n_lanes]"""
