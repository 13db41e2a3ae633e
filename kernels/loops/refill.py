"""Empty a fabric block and fill it again with one system, within what every limit leaves.

The filling is a row's best pattern cut to the slack that is left: as many racks as fit at the highest profile
until a switch and at the lowest from then on, then exchanges for a profile of more value. Standing racks never fall
over time because counts are cut to the smallest room of all later periods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.constants import ALWAYS, FREELY, GUIDED, HALF, LEVEL_ONLY, LEVELS, NEVER, NO_LEVEL
from kernels.jitable import jitable
from kernels.loops.random import draw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchGuide


@jitable
def shift_racks(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    configuration: int,
    lane: int,
    change: NDArray[np.int64],
) -> None:
    """Add change [n_periods] racks (fewer where negative) to a row and keep slack true."""
    moved = False
    for period in range(change.shape[0]):
        if change[period] != 0:
            moved = True
            n_racks[row, configuration, period, lane] += change[period]
    if not moved:
        return
    for entry in range(model.row_ptr[row], model.row_ptr[row + 1]):
        coefficient = model.entry_coefficient[entry, configuration]
        if coefficient != 0:
            limit = model.entry_limit_idx[entry]
            for period in range(change.shape[0]):
                slack[limit, period, lane] -= change[period] * coefficient


@jitable
def empty_block(
    model: PackingModel, n_racks: NDArray[np.int64], slack: NDArray[np.int64], block: int, lane: int
) -> None:
    """Take every rack out of a block."""
    for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
        clear_before(model, n_racks, slack, model.block_row_idx[index], n_racks.shape[2], lane)


@jitable
def room_for(
    model: PackingModel, slack: NDArray[np.int64], row: int, configuration: int, lane: int, room: NDArray[np.int64]
) -> None:
    """How many more racks of a configuration the slack leaves room for; room [n_periods] is written."""
    for period in range(room.shape[0]):
        room[period] = model.most_racks[row, configuration, period]
    for entry in range(model.row_ptr[row], model.row_ptr[row + 1]):
        coefficient = model.entry_coefficient[entry, configuration]
        if coefficient > 0:
            limit = model.entry_limit_idx[entry]
            for period in range(room.shape[0]):
                if slack[limit, period, lane] < coefficient * room[period]:
                    room[period] = max(slack[limit, period, lane] // coefficient, 0)


@jitable
def fill_base(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    base: int,
    lead: int,
    switch: int,
    lane: int,
    most: int,
    may_start: NDArray[np.int64],
) -> None:
    """Fill a row: with at most `most` more racks at `lead` before period `switch` and at `base` from then on.

    The row's total never falls and grows only where starting pays. Parameters: may_start [n_periods].
    """
    n_periods = n_racks.shape[2]
    room = np.zeros(n_periods, np.int64)
    early = np.zeros(n_periods, np.int64)
    room_for(model, slack, row, base, lane, room)
    room_for(model, slack, row, lead, lane, early)
    for period in range(min(switch, n_periods)):
        room[period] = early[period]
    room[n_periods - 1] = min(room[n_periods - 1], most)
    for period in range(n_periods - 2, -1, -1):
        room[period] = min(room[period], room[period + 1])
    before = 0
    for period in range(n_periods):
        before = room[period] if may_start[period] == 1 else before
        early[period] = before if period < switch else 0
        room[period] = 0 if period < switch else before
    shift_racks(model, n_racks, slack, row, lead, lane, early)
    shift_racks(model, n_racks, slack, row, base, lane, room)


@jitable
def upgrade(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    low: int,
    high: int,
    lane: int,
    chance: NDArray[np.int64],
) -> None:
    """Exchange racks at `low` for `high` where it is worth more, fits, and the period's draw allows it."""
    n_periods = n_racks.shape[2]
    count = np.zeros(n_periods, np.int64)
    for period in range(n_periods):
        gain = guide.guided_value[row, high, period] - guide.guided_value[row, low, period]
        fits = gain > 0 and model.most_racks[row, high, period] > 0
        if fits and chance[period] < guide.upgrade_share[row, high, period]:
            count[period] = n_racks[row, low, period, lane]
    for entry in range(model.row_ptr[row], model.row_ptr[row + 1]):
        extra = model.entry_coefficient[entry, high] - model.entry_coefficient[entry, low]
        if extra > 0:
            limit = model.entry_limit_idx[entry]
            for period in range(n_periods):
                left = slack[limit, period, lane]
                if left < extra * count[period]:
                    count[period] = max(left // extra, 0)
    shift_racks(model, n_racks, slack, row, high, lane, count)
    for period in range(n_periods):
        count[period] = -count[period]
    shift_racks(model, n_racks, slack, row, low, lane, count)


@jitable
def clear_before(
    model: PackingModel, n_racks: NDArray[np.int64], slack: NDArray[np.int64], row: int, period_end: int, lane: int
) -> None:
    """Take a row's racks out of every period before `period_end`."""
    change = np.zeros(n_racks.shape[2], np.int64)
    for configuration in range(n_racks.shape[1]):
        for period in range(period_end):
            change[period] = -n_racks[row, configuration, period, lane]
        shift_racks(model, n_racks, slack, row, configuration, lane, change)


@jitable
def best_start(worth: NDArray[np.int64]) -> int:
    """The earliest period from which the sum to the end is largest; the number of periods where no sum is positive."""
    start: int = worth.shape[0]
    best, total = 0, 0
    for period in range(worth.shape[0] - 1, -1, -1):
        total += worth[period]
        if total > 0 and total >= best:
            best, start = total, period
    return start


@jitable
def row_worth(guide: SearchGuide, n_racks: NDArray[np.int64], row: int, lane: int, worth: NDArray[np.int64]) -> None:
    """Adds the guided value of a row's racks to worth [n_periods]."""
    for configuration in range(n_racks.shape[1]):
        for period in range(n_racks.shape[2]):
            count = n_racks[row, configuration, period, lane]
            if count != 0:
                worth[period] += count * guide.guided_value[row, configuration, period]


@jitable
def lowest_profile(model: PackingModel, row: int, system: int, n_periods: int) -> int:
    """Position of the lowest of a system's configurations that may ever stand in a row (the last where none may)."""
    position: int = model.system_ptr[system]
    while position < model.system_ptr[system + 1] - 1:
        if model.most_racks[row, model.system_configuration_idx[position], n_periods - 1] > 0:
            break
        position += 1
    return position


@jitable
def raise_row(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    system: int,
    lane: int,
    chance: NDArray[np.int64],
) -> None:
    """Exchange a row's racks for profiles of more value, highest first."""
    for position in range(model.system_ptr[system], model.system_ptr[system + 1] - 1):
        for higher in range(model.system_ptr[system + 1] - 1, position, -1):
            low, high = model.system_configuration_idx[position], model.system_configuration_idx[higher]
            upgrade(model, guide, n_racks, slack, row, low, high, lane, chance)


@jitable
def trim(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    system: int,
    most: int,
    lane: int,
) -> None:
    """Cut a block to at most `most` racks, and to whole units where it must, latest period and last row first."""
    begin, end = model.block_ptr[block], model.block_ptr[block + 1]
    n_periods = n_racks.shape[2]
    for period in range(n_periods - 1, -1, -1):
        total = 0
        for index in range(begin, end):
            row = model.block_row_idx[index]
            standing = standing_in(model, n_racks, row, system, period, lane)
            if period + 1 < n_periods:
                later = standing_in(model, n_racks, row, system, period + 1, lane)
                standing -= take_away(model, n_racks, slack, row, system, period, lane, max(standing - later, 0))
            total += standing
        excess = max(total - most, 0)
        if model.partial_units[block] == 0:
            excess += (total - excess) % model.unit_racks[system]
        for index in range(end - 1, begin - 1, -1):
            excess -= take_away(model, n_racks, slack, model.block_row_idx[index], system, period, lane, excess)


@jitable
def standing_in(model: PackingModel, n_racks: NDArray[np.int64], row: int, system: int, period: int, lane: int) -> int:
    """Racks of a system in a row."""
    standing = 0
    for position in range(model.system_ptr[system], model.system_ptr[system + 1]):
        standing += n_racks[row, model.system_configuration_idx[position], period, lane]
    return standing


@jitable
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
    """Take up to `count` racks of a system out of a row in one period; returns how many it took."""
    taken = 0
    for position in range(model.system_ptr[system], model.system_ptr[system + 1]):
        configuration = model.system_configuration_idx[position]
        part = min(n_racks[row, configuration, period, lane], count - taken)
        if part > 0:
            n_racks[row, configuration, period, lane] -= part
            for entry in range(model.row_ptr[row], model.row_ptr[row + 1]):
                freed = part * model.entry_coefficient[entry, configuration]
                slack[model.entry_limit_idx[entry], period, lane] += freed
            taken += part
    return taken


@jitable
def drawn_switch(guide: SearchGuide, row: int, n_periods: int, chance: int, other: int) -> int:
    """Period from which a row is filled for its lowest configuration: the guide's, never, always, or anywhere."""
    if chance < GUIDED:
        return int(guide.switch_period[row])
    if chance < NEVER:
        return n_periods
    if chance < ALWAYS:
        return 0
    return other % (n_periods + 1)


@jitable
def refill_block(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    pattern: int,
    lane: int,
    seed: int,
    global_lane: int,
    step: int,
) -> None:
    """Fill an empty block after a pattern of its pool; leaves it empty where that is worth nothing.

    Half of the draws fill every row to a drawn level first, so that rows which share a limit may share it evenly;
    some stop there. Parameters: seed, global_lane and step number the draws that decide from when on rows are filled
    for their lowest configuration (step 0: as the guide has it) and in which periods racks are upgraded.
    """
    n_periods = n_racks.shape[2]
    system = guide.pattern_system_idx[pattern]
    begin, end = model.block_ptr[block], model.block_ptr[block + 1]
    offset = draw(seed, global_lane, step, 16 + block)
    common = draw(seed, global_lane, step, 16 + block + (1 << 21))
    together = draw(seed, global_lane, step, 16 + block + (3 << 21)) < HALF
    level = draw(seed, global_lane, step, 16 + block + (5 << 21)) if step > 0 else 0
    for turn in range(2):
        if (turn == 0 and level < HALF) or (turn == 1 and level >= LEVEL_ONLY):
            continue
        most = 1 + level % LEVELS if turn == 0 else NO_LEVEL
        for index in range(end - begin):
            row = model.block_row_idx[begin + (index + offset) % (end - begin)]
            switch = guide.switch_period[row]
            if step > 0:
                own = common if together else draw(seed, global_lane, step, (1 << 24) + row)
                switch = drawn_switch(guide, row, n_periods, own, draw(seed, global_lane, step, (1 << 25) + block))
            base = model.system_configuration_idx[lowest_profile(model, row, system, n_periods)]
            lead = model.system_configuration_idx[model.system_ptr[system + 1] - 1]
            fill_base(model, n_racks, slack, row, base, lead, switch, lane, most, guide.may_start[row, system])
    trim(model, n_racks, slack, block, system, guide.pattern_racks[pattern], lane)
    freely = draw(seed, global_lane, step, 16 + block + (1 << 22)) < FREELY
    chance = np.zeros(n_periods, np.int64)
    for index in range(end - begin):
        row = model.block_row_idx[begin + (index + offset) % (end - begin)]
        for period in range(n_periods):
            chance[period] = 0 if freely else draw(seed, global_lane, step, (1 << 23) + row * n_periods + period)
        raise_row(model, guide, n_racks, slack, row, system, lane, chance)
    start_where_worth(model, guide, n_racks, slack, block, system, lane)


@jitable
def start_where_worth(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    system: int,
    lane: int,
) -> None:
    """Clear each row, then the block, before the period from which what stands is worth most to the end.

    Where units must be whole, rows are left as they are: one that starts later would leave a unit part empty.
    """
    n_periods = n_racks.shape[2]
    worth = np.zeros(n_periods, np.int64)
    for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
        if model.partial_units[block] == 1:
            row = model.block_row_idx[index]
            worth[:] = 0
            row_worth(guide, n_racks, row, lane, worth)
            clear_before(model, n_racks, slack, row, best_start(worth), lane)
    for period in range(n_periods):
        worth[period] = block_costs(model, n_racks, block, system, period, lane)
    for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
        row_worth(guide, n_racks, model.block_row_idx[index], lane, worth)
    start = best_start(worth)
    for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
        clear_before(model, n_racks, slack, model.block_row_idx[index], start, lane)


@jitable
def block_costs(
    model: PackingModel, n_racks: NDArray[np.int64], block: int, system: int, period: int, lane: int
) -> int:
    """Minus the opening and unit costs of a block in one period, by parts."""
    standing = 0
    for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
        for position in range(model.system_ptr[system], model.system_ptr[system + 1]):
            standing += n_racks[model.block_row_idx[index], model.system_configuration_idx[position], period, lane]
    if standing == 0:
        return 0
    units = (standing + model.unit_racks[system] - 1) // model.unit_racks[system]
    return int(-model.open_cost[block, period] - units * model.unit_cost[block, system, period])
