"""Racks of one row in one period of one lane: place, exchange and clear them, keeping slack true.

Periods share nothing here, so a device runs them side by side; no function needs an array of its own. Indices are
unsigned (`at`) and loops are `while` loops: on a device both save the registers that decide how many threads run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.jitable import allocation_free, at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchGuide


@allocation_free
def shift_racks(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    configuration: int,
    period: int,
    lane: int,
    change: int,
) -> None:
    """Add racks (take them where change is negative)."""
    if change == 0:
        return
    n_racks[row, configuration, period, lane] += change
    entry = at(model.row_ptr[row])
    while entry < model.row_ptr[at(row + 1)]:
        limit = at(model.entry_limit_idx[entry])
        slack[limit, period, lane] -= change * model.entry_coefficient[entry, configuration]
        entry = at(entry + 1)


@allocation_free
def exchange_racks(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    low: int,
    high: int,
    period: int,
    lane: int,
    count: int,
) -> None:
    """Turn `count` racks at configuration `low` into racks at `high` (back where count is negative)."""
    if count == 0:
        return
    n_racks[row, low, period, lane] -= count
    n_racks[row, high, period, lane] += count
    entry = at(model.row_ptr[row])
    while entry < model.row_ptr[at(row + 1)]:
        extra = model.entry_coefficient[entry, high] - model.entry_coefficient[entry, low]
        slack[at(model.entry_limit_idx[entry]), period, lane] -= count * extra
        entry = at(entry + 1)


@allocation_free
def room_for(
    model: PackingModel,
    slack: NDArray[np.int64],
    row: int,
    configuration: int,
    period: int,
    lane: int,
    most: int,
) -> int:
    """How many more racks of a configuration the slack leaves room for, up to `most`."""
    room = min(most, model.most_racks[row, configuration, period])
    entry = at(model.row_ptr[row])
    while entry < model.row_ptr[at(row + 1)]:
        coefficient = model.entry_coefficient[entry, configuration]
        left = slack[at(model.entry_limit_idx[entry]), period, lane]
        if coefficient > 0 and left < coefficient * room:
            room = max(left // coefficient, 0)
        entry = at(entry + 1)
    return int(room)


@allocation_free
def upgrade(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    low: int,
    high: int,
    period: int,
    lane: int,
    chance: int,
) -> None:
    """Exchange racks at `low` for `high` where it is worth more, fits, and the period's draw allows it."""
    count = n_racks[row, low, period, lane]
    if count == 0 or chance >= guide.upgrade_share[row, high, period]:
        return
    gain = guide.guided_value[row, high, period] - guide.guided_value[row, low, period]
    if gain <= 0 or model.most_racks[row, high, period] <= 0:
        return
    entry = at(model.row_ptr[row])
    while entry < model.row_ptr[at(row + 1)]:
        extra = model.entry_coefficient[entry, high] - model.entry_coefficient[entry, low]
        left = slack[at(model.entry_limit_idx[entry]), period, lane]
        if extra > 0 and left < extra * count:
            count = max(left // extra, 0)
        entry = at(entry + 1)
    exchange_racks(model, n_racks, slack, row, low, high, period, lane, count)


@allocation_free
def raise_row(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    system: int,
    period: int,
    lane: int,
    chance: int,
) -> None:
    """Exchange a row's racks for profiles of more value, highest first."""
    position = at(model.system_ptr[system])
    while position + 1 < model.system_ptr[at(system + 1)]:
        higher = at(model.system_ptr[at(system + 1)] - 1)
        while higher > position:
            low, high = at(model.system_configuration_idx[position]), at(model.system_configuration_idx[higher])
            upgrade(model, guide, n_racks, slack, row, low, high, period, lane, chance)
            higher = at(higher - 1)
        position = at(position + 1)


@allocation_free
def clear_row(
    model: PackingModel, n_racks: NDArray[np.int64], slack: NDArray[np.int64], row: int, period: int, lane: int
) -> None:
    """Take all of a row's racks out of a period."""
    configuration = at(0)
    while configuration < n_racks.shape[1]:
        count = n_racks[row, configuration, period, lane]
        shift_racks(model, n_racks, slack, row, configuration, period, lane, -count)
        configuration = at(configuration + 1)


@allocation_free
def row_worth(guide: SearchGuide, n_racks: NDArray[np.int64], row: int, period: int, lane: int) -> int:
    """Guided value of a row's racks in a period."""
    worth = 0
    configuration = at(0)
    while configuration < n_racks.shape[1]:
        worth += n_racks[row, configuration, period, lane] * guide.guided_value[row, configuration, period]
        configuration = at(configuration + 1)
    return worth


@allocation_free
def standing_in(model: PackingModel, n_racks: NDArray[np.int64], row: int, system: int, period: int, lane: int) -> int:
    """Racks of a system in a row."""
    standing = 0
    position = at(model.system_ptr[system])
    while position < model.system_ptr[at(system + 1)]:
        standing += n_racks[row, at(model.system_configuration_idx[position]), period, lane]
        position = at(position + 1)
    return standing


@allocation_free
def take_away(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    system: int,
    period: int,
    lane: int,
    count: int,
) -> int:
    """Take up to `count` racks of a system out of a row, lowest configuration first; returns how many it took."""
    left = count
    position = at(model.system_ptr[system])
    while left > 0 and position < model.system_ptr[at(system + 1)]:
        configuration = at(model.system_configuration_idx[position])
        part = min(n_racks[row, configuration, period, lane], left)
        shift_racks(model, n_racks, slack, row, configuration, period, lane, -part)
        left -= part
        position = at(position + 1)
    return int(count - left)
