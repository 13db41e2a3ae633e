"""The lowered problem: integer arrays that bound, search, export and report all read.

`docs/model.md` is the published rule that these arrays follow; `planner.lower` builds them.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """`W`, `mL/min`, `port`, `Gb/s`, `kg`, `position`, `rack` or `cent`."""
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


@dataclass(frozen=True)
class Plan:
    """Standing racks of every row, configuration and decision period."""

    n_racks: NDArray[np.int32]
    """[n_rows, n_configurations, n_periods]"""
