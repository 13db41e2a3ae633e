"""Exchange profiles over a whole plan: strip racks to the lowest, or raise them wherever it pays and fits.

Counts of a system stay as they are. Stripped periods leave room for more racks, which are worth more than a higher
profile; raising the rest at the end of a round takes what room is then left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.constants import STRIP, STRIPPED
from kernels.jitable import jitable
from kernels.loops.random import draw
from kernels.loops.refill import raise_row, shift_racks
from kernels.loops.value import plan_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState


@jitable
def lower_racks(
    model: PackingModel, state: SearchState, row: int, low: int, high: int, lane: int, flagged: NDArray[np.int64]
) -> None:
    """Turn racks at `high` into racks at `low` in flagged periods, where `low` may stand and loads no limit more.

    Parameters: flagged [n_periods].
    """
    for entry in range(model.row_ptr[row], model.row_ptr[row + 1]):
        if model.entry_coefficient[entry, low] > model.entry_coefficient[entry, high]:
            return
    change = np.zeros(flagged.shape[0], np.int64)
    for period in range(flagged.shape[0]):
        if flagged[period] == 1 and model.most_racks[row, low, period] > 0:
            change[period] = -state.n_racks[row, high, period, lane]
    shift_racks(model, state.n_racks, state.slack, row, high, lane, change)
    for period in range(flagged.shape[0]):
        change[period] = -change[period]
    shift_racks(model, state.n_racks, state.slack, row, low, lane, change)


def strip(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:  # noqa: ARG001
    """In every odd lane, turn all racks of randomly drawn periods to their system's lowest profile."""
    n_rows, n_periods = state.n_racks.shape[0], state.n_racks.shape[2]
    flagged = np.zeros(n_periods, np.int64)
    for lane in range(state.objective.shape[0]):
        number = schedule.first_lane + lane
        for period in range(n_periods):
            chance = draw(schedule.seed, number, schedule.first_step, STRIP + period)
            flagged[period] = 1 if number % 2 == 1 and chance < STRIPPED else 0
        for row in range(n_rows):
            for system in range(model.unit_racks.shape[0]):
                low = model.system_configuration_idx[model.system_ptr[system]]
                for position in range(model.system_ptr[system] + 1, model.system_ptr[system + 1]):
                    lower_racks(model, state, row, low, model.system_configuration_idx[position], lane, flagged)
    plan_value(model, state.n_racks, state.block_value, state.block_revenue, state.revenue, state.objective)


def raise_profiles(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """In every lane, raise racks to profiles of more value wherever they fit, rows from a drawn one on."""
    n_rows, n_periods = state.n_racks.shape[0], state.n_racks.shape[2]
    always = np.zeros(n_periods, np.int64)
    for lane in range(state.objective.shape[0]):
        first = draw(schedule.seed, schedule.first_lane + lane, schedule.first_step, STRIP - 1)
        for offset in range(n_rows):
            row = (first + offset) % n_rows
            for system in range(model.unit_racks.shape[0]):
                raise_row(model, guide, state.n_racks, state.slack, row, system, lane, always)
    plan_value(model, state.n_racks, state.block_value, state.block_revenue, state.revenue, state.objective)
