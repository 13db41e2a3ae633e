"""Exchange profiles over a whole plan: strip racks to the lowest, or raise them wherever it pays and fits.

Counts of a system stay as they are. Stripped periods leave room for more racks, which are worth more than a higher
profile; raising the rest at the end of a round takes what room is then left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.constants import STRIP, STRIPPED
from kernels.jitable import allocation_free, at, jitable
from kernels.loops.random import draw
from kernels.loops.rows import exchange_racks, raise_row
from kernels.loops.value import plan_value

if TYPE_CHECKING:
    from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState


@allocation_free
def lower_racks(model: PackingModel, state: SearchState, row: int, low: int, high: int, period: int, lane: int) -> None:
    """Turn racks at `high` into racks at `low`, where `low` may stand and loads no limit more."""
    count = state.n_racks[row, high, period, lane]
    if count == 0 or model.most_racks[row, low, period] <= 0:
        return
    entry = at(model.row_ptr[row])
    while entry < model.row_ptr[at(row + 1)]:
        if model.entry_coefficient[entry, low] > model.entry_coefficient[entry, high]:
            return
        entry = at(entry + 1)
    exchange_racks(model, state.n_racks, state.slack, row, low, high, period, lane, -count)


@allocation_free
def strip_period(model: PackingModel, state: SearchState, schedule: Schedule, period: int, lane: int) -> None:
    """In an odd lane, and where a draw says so, turn all racks of a period to their system's lowest profile."""
    number = schedule.first_lane + lane
    if number % 2 == 0 or draw(schedule.seed, number, schedule.first_step, STRIP + period) >= STRIPPED:
        return
    row = at(0)
    while row < state.n_racks.shape[0]:
        system = at(0)
        while system < model.unit_racks.shape[0]:
            strip_row(model, state, row, system, period, lane)
            system = at(system + 1)
        row = at(row + 1)


@allocation_free
def strip_row(model: PackingModel, state: SearchState, row: int, system: int, period: int, lane: int) -> None:
    """Turn a row's racks of a system to its lowest profile."""
    low = at(model.system_configuration_idx[at(model.system_ptr[system])])
    position = at(model.system_ptr[system] + 1)
    while position < model.system_ptr[at(system + 1)]:
        lower_racks(model, state, row, low, at(model.system_configuration_idx[position]), period, lane)
        position = at(position + 1)


@allocation_free
def raise_period(
    model: PackingModel, guide: SearchGuide, state: SearchState, first: int, period: int, lane: int
) -> None:
    """Raise racks of a period to profiles of more value wherever they fit, rows from `first` on, then those before."""
    place = 0
    while place < state.n_racks.shape[0]:
        row = at((first + place) % state.n_racks.shape[0])
        system = at(0)
        while system < model.unit_racks.shape[0]:
            raise_row(model, guide, state.n_racks, state.slack, row, system, period, lane, 0)
            system = at(system + 1)
        place += 1


@allocation_free
def first_raised(schedule: Schedule, lane: int) -> int:
    """The number from which a lane raises rows, by a draw."""
    return int(draw(schedule.seed, schedule.first_lane + lane, schedule.first_step, STRIP - 1))


def strip(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:  # noqa: ARG001
    """In every odd lane, turn all racks of randomly drawn periods to their system's lowest profile."""
    for lane in range(state.objective.shape[0]):
        for period in range(state.n_racks.shape[2]):
            strip_period(model, state, schedule, at(period), at(lane))
    plan_value(model, state.n_racks, state.block_value, state.block_revenue, state.revenue, state.objective)


@jitable
def raise_profiles(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """In every lane, raise racks to profiles of more value wherever they fit, rows from a drawn one on."""
    for lane in range(state.objective.shape[0]):
        for period in range(state.n_racks.shape[2]):
            raise_period(model, guide, state, first_raised(schedule, lane), at(period), at(lane))
    plan_value(model, state.n_racks, state.block_value, state.block_revenue, state.revenue, state.objective)
