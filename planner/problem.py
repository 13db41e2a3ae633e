"""The lowered problem: integer arrays that bound, search, export and report all read.

`docs/model.md` is the published rule that these arrays follow; `planner.lower` builds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

SHARE_BITS = 20
"""Shares and capacities are scaled by 2^20."""
MULTIPLIER_BITS = 30
"""Multipliers lie on the grid 2^-30."""
INACTIVE = np.int64(2**62)
"""Capacity of a limit in a period in which it does not exist (its elements are not in service)."""


@dataclass(frozen=True)
class LimitInfo:
    """Where one limit comes from, for reports and explanations."""

    name: str
    """`site:family:element[:contingency[:before]]`; joint limits have site `*`."""
    site: str
    family: str
    element: str
    contingency: str | None
    """The failed element, the common-mode group, or the pair `m+f` of a planned outage and a failure."""
    unit: str
    """`W`, `mL/min`, `port`, `Gb/s`, `kg`, `position`, `rack` or `USD`."""
    before_action: bool = False
    """Whether it holds right after the failure, before racks have shed and capped."""


@dataclass(frozen=True)
class Ineligible:
    """Why a configuration can never stand in a row."""

    site: str
    row: str
    configuration: str
    reason: str


@dataclass(frozen=True)
class MinimumDemand:
    """Demand at a site's meter that the tariff charges even where the plan's racks draw less (model, section 7)."""

    site: str
    row_idx: tuple[int, ...]
    """Rows of the problem that stand at the site."""
    draw_scaled: tuple[int, ...]
    """[n_configurations] watts at the meter for which one rack pays the demand charge, scaled by 2^20."""
    minimum_w: tuple[int, ...]
    """[n_periods] whole watts; 0 where nothing is asked."""
    price_cents_per_w: tuple[Fraction, ...]
    """[n_periods] of the quarter's demand charge, discounted, exact."""


class ColumnKind(StrEnum):
    """How a plan's value of a column is found; each value is judged in whole numbers whatever found it."""

    CHOSEN = "chosen"
    """By a linear program, rounded down, then filled up where that earns more: hours of work."""
    SWITCH = "switch"
    """0 or 1, tried both ways: instalments."""
    FILLED = "filled"
    """As much as the rows still allow, columns in their order: work sold."""
    NEEDED = "needed"
    """As little as the rows still ask, columns in their order: shortfalls that are paid for."""


@dataclass(frozen=True)
class SideProgram:
    """What is decided beside the racks: work, shortfalls, instalments (model, section 7a).

    Whole numbers v with 0 ≤ v ≤ most earn worth·v; for every row Σ coefficient·v ≤ right + Σ rack_coefficient·n, n the
    standing racks of a group, configuration and period.
    """

    group_names: tuple[str, ...]
    """Sites, in order of the portfolio."""
    group_of_row_idx: NDArray[np.int32]
    """[n_rows] rows of the problem."""
    row_names: tuple[str, ...]
    row_right: tuple[int, ...]
    """[n_side_rows]"""
    rack_ptr: NDArray[np.int64]
    """[n_side_rows + 1] offsets into the four arrays that follow."""
    rack_group_idx: NDArray[np.int32]
    rack_configuration_idx: NDArray[np.int32]
    rack_period_idx: NDArray[np.int32]
    rack_coefficient: NDArray[np.int64]
    """What each standing rack adds to the right-hand side; of either sign."""
    column_names: tuple[str, ...]
    column_worth: tuple[int, ...]
    """[n_columns] cents for each unit, discounted, scaled by 2^20; costs are negative."""
    column_most: tuple[int, ...]
    """[n_columns]"""
    column_kind: tuple[ColumnKind, ...]
    """[n_columns] how a plan's value is found."""
    term_ptr: NDArray[np.int64]
    """[n_columns + 1] offsets into the two arrays that follow."""
    term_row_idx: NDArray[np.int32]
    term_coefficient: NDArray[np.int64]
    capacity_ptr: NDArray[np.int64]
    """[n_columns + 1] offsets into the three arrays that follow; only joint limits (over several blocks) occur."""
    capacity_limit_idx: NDArray[np.int32]
    capacity_period_idx: NDArray[np.int32]
    capacity_amount: NDArray[np.int64]
    """What one unit of the column adds to the capacity of a limit in a period, scaled by 2^20."""

    @property
    def n_rows(self) -> int:
        """Rows of the side program."""
        return len(self.row_names)

    @property
    def n_columns(self) -> int:
        """Decisions beside the racks."""
        return len(self.column_names)

    @property
    def n_groups(self) -> int:
        """Groups of rows of the problem: sites."""
        return len(self.group_names)


@dataclass(frozen=True)
class Opening:
    """Blocks that are opened together, at a cost that falls due with their first rack."""

    name: str
    block_idx: tuple[int, ...]
    cost: tuple[int, ...]
    """[n_periods] cents when the first rack of all of them stands in that period."""


@dataclass(frozen=True)
class Problem:
    """Sections 4 to 7 of the model as arrays, over rows r, configurations k, systems s, blocks b and periods t."""

    row_names: tuple[str, ...]
    """`site:row` of every row in which some configuration may ever stand."""
    configuration_names: tuple[str, ...]
    system_names: tuple[str, ...]
    block_names: tuple[str, ...]
    """`site:block` of every fabric block with such a row."""
    periods: tuple[str, ...]
    """Decision quarters."""
    system_of_configuration_idx: NDArray[np.int32]
    """[n_configurations]"""
    block_of_row_idx: NDArray[np.int32]
    """[n_rows]"""
    first_period: NDArray[np.int32]
    """[n_rows, n_configurations]; n_periods where the configuration is never eligible."""
    limits: tuple[LimitInfo, ...]
    limit_ptr: NDArray[np.int64]
    """[n_limits + 1] offsets into the entries."""
    entry_row_idx: NDArray[np.int32]
    """[n_entries] ascending within a limit."""
    entry_coefficient: NDArray[np.int64]
    """[n_entries, n_configurations], scaled by 2^20."""
    capacity: NDArray[np.int64]
    """[n_limits, n_periods], scaled by 2^20; `INACTIVE` where the limit does not exist."""
    period_value: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] cents for each standing rack."""
    contract_revenue: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] undiscounted cents for each standing rack."""
    start_value: NDArray[np.int64]
    """[n_rows, n_systems, n_periods] cents for each rack started."""
    open_cost: NDArray[np.int64]
    """[n_blocks, n_periods] cents when the block opens in that period."""
    unit_cost: NDArray[np.int64]
    """[n_blocks, n_systems, n_periods] cents for each scalable unit started."""
    unit_racks: NDArray[np.int64]
    """[n_systems] racks of a scalable unit."""
    partial_units: NDArray[np.bool_]
    """[n_blocks] whether a unit may be part empty."""
    contract_amount: int
    """Cents; 0 without a contract."""
    contract_rate: NDArray[np.int64]
    """[n_periods] worth of one contracted cent, scaled by 2^20."""
    ineligible: tuple[Ineligible, ...]
    """Every (row, configuration) that can never be, with its reason, rows without any eligible one included."""
    minimum_demands: tuple[MinimumDemand, ...] = ()
    """One for each site whose tariff has such a term."""
    side: SideProgram | None = None
    """None where nothing but racks is decided."""
    constant_cents: int = 0
    """What every plan earns or pays alike, discounted: racks that are paid for, placed or not."""
    openings: tuple[Opening, ...] = ()
    """Of sites and phases; a block is in one at the most."""
    closed: NDArray[np.bool_] | None = None
    """[n_rows, n_configurations, n_periods] where a configuration may not stand although its first period has come:
    outside its window of a refresh. None where nothing ever closes; what counts is `may_stand`."""

    @property
    def n_rows(self) -> int:
        """Rows in which something may stand."""
        return len(self.row_names)

    @property
    def n_configurations(self) -> int:
        """Configurations on offer."""
        return len(self.configuration_names)

    @property
    def n_systems(self) -> int:
        """Rack systems on offer."""
        return len(self.system_names)

    @property
    def n_blocks(self) -> int:
        """Fabric blocks."""
        return len(self.block_names)

    @property
    def n_periods(self) -> int:
        """Decision quarters."""
        return len(self.periods)

    @property
    def n_limits(self) -> int:
        """Limits, before any reduction."""
        return len(self.limits)


def may_stand(problem: Problem, row_idx: NDArray[np.integer] | slice = slice(None)) -> NDArray[np.bool_]:
    """Where racks of a configuration may stand: from its first period on, while it is not closed.

    Parameters: row_idx, rows to answer for. Returns [n_rows asked, n_configurations, n_periods].
    """
    able = problem.first_period[row_idx][:, :, None] <= np.arange(problem.n_periods)
    return able if problem.closed is None else able & ~problem.closed[row_idx]


@dataclass(frozen=True)
class Plan:
    """Standing racks of every row, configuration and decision period."""

    n_racks: NDArray[np.int32]
    """[n_rows, n_configurations, n_periods]"""
    decisions: tuple[int, ...] | None = None
    """[n_columns] of the side program; None for the best that can be decided beside the racks."""
