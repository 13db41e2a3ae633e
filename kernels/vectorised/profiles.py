"""Exchange profiles over a whole plan: strip racks to the lowest, or raise them wherever it pays and fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.constants import STRIP, STRIPPED
from kernels.vectorised.loads import add_loads
from kernels.vectorised.random import draw, lane_words, step_words
from kernels.vectorised.value import plan_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState


def strip(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:  # noqa: ARG001
    """In every odd lane, turn all racks of randomly drawn periods to their system's lowest profile."""
    n_periods = state.n_racks.shape[2]
    lanes, words = _lanes(state, schedule)
    flagged = (draw(words, STRIP + np.arange(n_periods)[:, None]) < STRIPPED) & (lanes % 2 == 1)
    change = np.zeros_like(state.n_racks)
    for system in range(model.unit_racks.size):
        members = model.system_configuration_idx[model.system_ptr[system] : model.system_ptr[system + 1]]
        may_lower = flagged & (model.most_racks[:, members[0], :, None] > 0)
        for high in members[1:]:
            lowered = state.n_racks[:, high] * (may_lower & _eases(model, members[0], high)[:, None, None])
            change[:, high] -= lowered
            change[:, members[0]] += lowered
    state.n_racks[:] += change
    used = np.zeros_like(state.slack)
    add_loads(model, change, used)
    state.slack[:] -= used
    _value(model, state)


def _eases(model: PackingModel, low: int, high: int) -> NDArray[np.bool_]:
    """[n_rows] where `low` loads no limit more than `high`."""
    row = np.repeat(np.arange(model.row_ptr.size - 1), np.diff(model.row_ptr))
    result = np.ones(model.row_ptr.size - 1, np.bool_)
    result[row[model.entry_coefficient[:, low] > model.entry_coefficient[:, high]]] = False
    return result


def raise_profiles(model: PackingModel, guide: SearchGuide, state: SearchState, schedule: Schedule) -> None:
    """In every lane, raise racks to profiles of more value wherever they fit, rows from a drawn one on."""
    n_rows = state.n_racks.shape[0]
    _, words = _lanes(state, schedule)
    first = draw(words, STRIP - 1)
    pays = [(low, high, _pays(model, guide, low, high)) for low, high in _pairs(model)]
    for offset in range(n_rows):
        row = (first + offset) % n_rows
        for low, high, paying in pays:
            _upgrade(model, state, row, low, high, paying)
    _value(model, state)


def _lanes(state: SearchState, schedule: Schedule) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Numbers of the lanes, and their generators' states after the first step."""
    lanes = schedule.first_lane + np.arange(state.objective.size)
    return lanes, step_words(lane_words(schedule.seed, lanes), schedule.first_step)


def _value(model: PackingModel, state: SearchState) -> None:
    plan_value(model, state.n_racks, state.block_value, state.block_revenue, state.revenue, state.objective)


def _pairs(model: PackingModel) -> list[tuple[int, int]]:
    """Pairs of configurations of one system in the order in which racks are exchanged."""
    result = []
    for system in range(model.unit_racks.size):
        members = model.system_configuration_idx[model.system_ptr[system] : model.system_ptr[system + 1]].tolist()
        for position, low in enumerate(members):
            result += [(low, high) for high in reversed(members[position + 1 :])]
    return result


def _pays(model: PackingModel, guide: SearchGuide, low: int, high: int) -> NDArray[np.bool_]:
    """[n_rows, n_periods] where an exchange is worth more, may stand and is no more barred than by a draw of 0."""
    gains: NDArray[np.bool_] = guide.guided_value[:, high] > guide.guided_value[:, low]
    return gains & (model.most_racks[:, high] > 0) & (guide.upgrade_share[:, high] > 0)


def _upgrade(
    model: PackingModel, state: SearchState, row: NDArray[np.int64], low: int, high: int, pays: NDArray[np.bool_]
) -> None:
    """Exchange racks of one row of each lane [n_lanes] as far as they fit."""
    lanes = np.arange(row.size)
    wanted = state.n_racks[row, low, :, lanes] * pays[row]
    lanes = np.flatnonzero(wanted.any(axis=1))
    if not lanes.size:
        return
    row, wanted = row[lanes], wanted[lanes]
    first, n_entries = model.row_ptr[row], model.row_ptr[row + 1] - model.row_ptr[row]
    begin = np.cumsum(n_entries) - n_entries
    entry = np.arange(n_entries.sum()) + np.repeat(first - begin, n_entries)
    limit, lane_of_entry = model.entry_limit_idx[entry], np.repeat(lanes, n_entries)
    extra = (model.entry_coefficient[entry, high] - model.entry_coefficient[entry, low])[:, None]
    left = state.slack[limit, :, lane_of_entry]
    room = np.where(extra > 0, left // np.maximum(extra, 1), np.iinfo(np.int64).max)
    count = wanted.copy()
    bound = n_entries > 0
    if bound.any():
        count[bound] = np.clip(np.minimum.reduceat(room, begin[bound], axis=0), 0, wanted[bound])
    left -= extra * np.repeat(count, n_entries, axis=0)
    state.slack[limit, :, lane_of_entry] = left
    state.n_racks[row, low, :, lanes] -= count
    state.n_racks[row, high, :, lanes] += count
