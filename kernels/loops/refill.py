"""Empty a fabric block and fill it again with one system, within what every limit leaves.

The filling is a row's best pattern cut to the slack that is left: as many racks as fit at the highest profile
until a switch and at the lowest from then on, then exchanges for a profile of more value. Standing racks never fall
over time because counts are cut to the smallest room of all later periods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.constants import ALWAYS, FREELY, GUIDED, HALF, LEVEL_ONLY, LEVELS, NEVER, NO_LEVEL
from kernels.jitable import allocation_free
from kernels.loops.random import draw_of
from kernels.loops.rows import clear_row, raise_row, room_for, row_worth, shift_racks, standing_in, take_away

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchGuide


@allocation_free
def fill_row(
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
    room: NDArray[np.int64],
) -> None:
    """Fill a row: with at most `most` more racks at `lead` before period `switch` and at `base` from then on.

    The row's total never falls and grows only where starting pays. Parameters: may_start [n_periods]; room
    [n_periods, n_lanes], of which the lane's is written.
    """
    n_periods = n_racks.shape[2]
    for period in range(n_periods - 1, -1, -1):
        most = room_for(model, slack, row, lead if period < switch else base, period, lane, most)
        room[period, lane] = most
    placed = 0
    for period in range(n_periods):
        placed = room[period, lane] if may_start[period] == 1 else placed
        shift_racks(model, n_racks, slack, row, lead if period < switch else base, period, lane, placed)


@allocation_free
def lowest_profile(model: PackingModel, row: int, system: int, n_periods: int) -> int:
    """Position of the lowest of a system's configurations that may ever stand in a row (the last where none may)."""
    position: int = model.system_ptr[system]
    while position < model.system_ptr[system + 1] - 1:
        if model.most_racks[row, model.system_configuration_idx[position], n_periods - 1] > 0:
            break
        position += 1
    return position


@allocation_free
def drawn_switch(guide: SearchGuide, row: int, n_periods: int, chance: int, other: int) -> int:
    """Period from which a row is filled for its lowest configuration: the guide's, never, always, or anywhere."""
    if chance < GUIDED:
        return int(guide.switch_period[row])
    if chance < NEVER:
        return n_periods
    if chance < ALWAYS:
        return 0
    return other % (n_periods + 1)


@allocation_free
def block_row(model: PackingModel, block: int, turned: int) -> int:
    """A block's row at a place of its order after it was turned by an offset; `turned` is their sum."""
    begin = model.block_ptr[block]
    return int(model.block_row_idx[begin + turned % (model.block_ptr[block + 1] - begin)])


@allocation_free
def row_switch(guide: SearchGuide, block: int, row: int, n_periods: int, word: np.uint64, drawn: bool) -> int:
    """The period from which a row is filled for its lowest configuration; without draws as the guide has it."""
    if not drawn:
        return int(guide.switch_period[row])
    together = draw_of(word, 16 + block + (3 << 21)) < HALF
    own = draw_of(word, 16 + block + (1 << 21)) if together else draw_of(word, (1 << 24) + row)
    return int(drawn_switch(guide, row, n_periods, own, draw_of(word, (1 << 25) + block)))


@allocation_free
def fill_block(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    system: int,
    lane: int,
    word: np.uint64,
    drawn: bool,
    room: NDArray[np.int64],
) -> None:
    """Fill an empty block's rows one after another, in an order that starts anywhere.

    Half of the draws fill every row to a drawn level first, so that rows which share a limit may share it evenly;
    some stop there. Parameters: room [n_periods, n_lanes], of which the lane's is written.
    """
    n_periods = n_racks.shape[2]
    n_rows = model.block_ptr[block + 1] - model.block_ptr[block]
    offset = draw_of(word, 16 + block)
    level = draw_of(word, 16 + block + (5 << 21)) if drawn else 0
    lead = model.system_configuration_idx[model.system_ptr[system + 1] - 1]
    for turn in range(2):
        if (turn == 0 and level < HALF) or (turn == 1 and level >= LEVEL_ONLY):
            continue
        most = 1 + level % LEVELS if turn == 0 else NO_LEVEL
        for place in range(n_rows):
            row = block_row(model, block, place + offset)
            switch = row_switch(guide, block, row, n_periods, word, drawn)
            base = model.system_configuration_idx[lowest_profile(model, row, system, n_periods)]
            fill_row(model, n_racks, slack, row, base, lead, switch, lane, most, guide.may_start[row, system], room)


@allocation_free
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
                if standing > later:
                    standing -= take_away(model, n_racks, slack, row, system, period, lane, standing - later)
            total += standing
        excess = max(total - most, 0)
        if model.partial_units[block] == 0:
            excess += (total - excess) % model.unit_racks[system]
        index = end - 1
        while excess > 0 and index >= begin:
            excess -= take_away(model, n_racks, slack, model.block_row_idx[index], system, period, lane, excess)
            index -= 1


@allocation_free
def raise_block(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    system: int,
    period: int,
    lane: int,
    word: np.uint64,
) -> None:
    """Exchange a block's racks in a period for profiles of more value, wherever they fit or where draws allow it."""
    freely = draw_of(word, 16 + block + (1 << 22)) < FREELY
    offset = draw_of(word, 16 + block)
    for place in range(model.block_ptr[block + 1] - model.block_ptr[block]):
        row = block_row(model, block, place + offset)
        chance = 0 if freely else draw_of(word, (1 << 23) + row * n_racks.shape[2] + period)
        raise_row(model, guide, n_racks, slack, row, system, period, lane, chance)


@allocation_free
def best_row_start(guide: SearchGuide, n_racks: NDArray[np.int64], row: int, lane: int) -> int:
    """The period from which a row's racks are worth most to the end, the earliest of equals.

    The number of periods where no sum to the end is positive.
    """
    n_periods = n_racks.shape[2]
    start, best, total = n_periods, 0, 0
    for period in range(n_periods - 1, -1, -1):
        total += row_worth(guide, n_racks, row, period, lane)
        if total > 0 and total >= best:
            best, start = total, period
    return int(start)


@allocation_free
def best_block_start(
    model: PackingModel, guide: SearchGuide, n_racks: NDArray[np.int64], block: int, system: int, lane: int
) -> int:
    """The period from which a block is worth most to the end, as `best_row_start` for a row."""
    n_periods = n_racks.shape[2]
    start, best, total = n_periods, 0, 0
    for period in range(n_periods - 1, -1, -1):
        total += guided_worth(model, guide, n_racks, block, system, period, lane)
        if total > 0 and total >= best:
            best, start = total, period
    return int(start)


@allocation_free
def guided_worth(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    block: int,
    system: int,
    period: int,
    lane: int,
) -> int:
    """Guided value of a block's racks in a period less its opening and unit costs, by parts."""
    standing, worth = 0, 0
    for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
        row = model.block_row_idx[index]
        standing += standing_in(model, n_racks, row, system, period, lane)
        worth += row_worth(guide, n_racks, row, period, lane)
    if standing == 0:
        return worth
    units = (standing + model.unit_racks[system] - 1) // model.unit_racks[system]
    return int(worth - model.open_cost[block, period] - units * model.unit_cost[block, system, period])


@allocation_free
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
    for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
        if model.partial_units[block] == 1:
            row = model.block_row_idx[index]
            for period in range(best_row_start(guide, n_racks, row, lane)):
                clear_row(model, n_racks, slack, row, period, lane)
    for period in range(best_block_start(model, guide, n_racks, block, system, lane)):
        clear_block(model, n_racks, slack, block, period, lane)


@allocation_free
def clear_block(
    model: PackingModel, n_racks: NDArray[np.int64], slack: NDArray[np.int64], block: int, period: int, lane: int
) -> None:
    """Take every rack out of a block in a period."""
    for index in range(model.block_ptr[block], model.block_ptr[block + 1]):
        clear_row(model, n_racks, slack, model.block_row_idx[index], period, lane)


@allocation_free
def refill_block(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    pattern: int,
    lane: int,
    word: np.uint64,
    drawn: bool,
    room: NDArray[np.int64],
) -> None:
    """Fill an empty block after a pattern of its pool; leaves it empty where that is worth nothing.

    Parameters: word of seed, lane and step, from which every draw follows; drawn, whether draws decide from when on
    rows are filled for their lowest configuration (the guide does where not); room [n_periods, n_lanes], written.
    """
    system = guide.pattern_system_idx[pattern]
    fill_block(model, guide, n_racks, slack, block, system, lane, word, drawn, room)
    trim(model, n_racks, slack, block, system, guide.pattern_racks[pattern], lane)
    for period in range(n_racks.shape[2]):
        raise_block(model, guide, n_racks, slack, block, system, period, lane, word)
    start_where_worth(model, guide, n_racks, slack, block, system, lane)
