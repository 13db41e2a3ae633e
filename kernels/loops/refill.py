"""Empty a fabric block and fill it again with one system, within what every limit leaves.

The filling is a row's best pattern cut to the slack that is left: as many racks as fit at the highest profile
until a switch and at the lowest from then on, then exchanges for a profile of more value. Standing racks never fall
over time because counts are cut to the smallest room of all later periods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.constants import ALWAYS, FREELY, GUIDED, HALF, LEVEL_ONLY, LEVELS, NEVER, NO_LEVEL
from kernels.jitable import allocation_free, at
from kernels.loops.random import draw_of
from kernels.loops.rows import clear_row, raise_row, room_for, row_worth, shift_racks, standing_in, take_away

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchGuide


@allocation_free
def fill_row(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    row: int,
    system: int,
    switch: int,
    lane: int,
    most: int,
    room: NDArray[np.int64],
) -> None:
    """Fill a row: at most `most` more racks, at the system's highest configuration before a switch, then at its lowest.

    The row's total never falls and grows only where starting pays. Parameters: switch, the period from which the
    lowest is taken; room [n_periods, n_lanes], of which the lane's is written.
    """
    n_periods = n_racks.shape[2]
    base = at(model.system_configuration_idx[lowest_profile(model, row, system, n_periods)])
    lead = at(model.system_configuration_idx[at(model.system_ptr[at(system + 1)] - 1)])
    period = n_periods
    while period > 0:
        period -= 1
        most = room_for(model, slack, row, lead if period < switch else base, at(period), lane, most)
        room[at(period), lane] = most
    placed = 0
    while period < n_periods:
        placed = room[at(period), lane] if guide.may_start[row, system, at(period)] == 1 else placed
        shift_racks(model, n_racks, slack, row, lead if period < switch else base, at(period), lane, placed)
        period += 1


@allocation_free
def lowest_profile(model: PackingModel, row: int, system: int, n_periods: int) -> int:
    """Position of the lowest of a system's configurations that may ever stand in a row (the last where none may)."""
    position = at(model.system_ptr[system])
    while position + 1 < model.system_ptr[at(system + 1)]:
        if model.most_racks[row, at(model.system_configuration_idx[position]), at(n_periods - 1)] > 0:
            break
        position = at(position + 1)
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
    return at(model.block_row_idx[at(begin + turned % (model.block_ptr[at(block + 1)] - begin))])


@allocation_free
def row_switch(
    guide: SearchGuide, block: int, row: int, number: int, n_periods: int, word: np.uint64, drawn: bool
) -> int:
    """The period from which a row is filled for its lowest configuration; without draws as the guide has it.

    Parameters: row, where it stands in the guide; number, by which it draws.
    """
    if not drawn:
        return int(guide.switch_period[row])
    together = draw_of(word, 16 + block + (3 << 21)) < HALF
    own = draw_of(word, 16 + block + (1 << 21) if together else (1 << 24) + number)
    return int(drawn_switch(guide, row, n_periods, own, draw_of(word, (1 << 25) + block)))


@allocation_free
def level_of(block: int, turn: int, word: np.uint64, drawn: bool) -> int:
    """Most racks that each row of a block takes in the first and in the second turn; 0 where the turn is left out.

    Half of the draws fill every row to a drawn level first, so that rows which share a limit may share it evenly;
    some stop there.
    """
    level = draw_of(word, 16 + block + (5 << 21)) if drawn else 0
    if turn == 0:
        return 0 if level < HALF else 1 + level % LEVELS
    return 0 if level >= LEVEL_ONLY else NO_LEVEL


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
    turn: int,
    room: NDArray[np.int64],
) -> None:
    """One turn of filling an empty block's rows one after another, in an order that starts anywhere.

    Parameters: turn, 0 or 1; room [n_periods, n_lanes], of which the lane's is written.
    """
    most = level_of(block, turn, word, drawn)
    if most == 0:
        return
    place = 0
    while place < model.block_ptr[at(block + 1)] - model.block_ptr[block]:
        row = block_row(model, block, place + draw_of(word, 16 + block))
        switch = row_switch(guide, block, row, row, n_racks.shape[2], word, drawn)
        fill_row(model, guide, n_racks, slack, row, system, switch, lane, most, room)
        place += 1


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
    period = n_racks.shape[2]
    while period > 0:
        period -= 1
        total = keep_growing(model, n_racks, slack, block, system, period, lane)
        excess = max(total - most, 0)
        if model.partial_units[block] == 0:
            excess += (total - excess) % model.unit_racks[system]
        index = model.block_ptr[at(block + 1)]
        while excess > 0 and index > model.block_ptr[block]:
            index -= 1
            row = at(model.block_row_idx[at(index)])
            excess -= take_away(model, n_racks, slack, row, system, at(period), lane, excess)


@allocation_free
def keep_growing(
    model: PackingModel,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    system: int,
    period: int,
    lane: int,
) -> int:
    """Cut each row of a block to what stands there in the next period; returns what then stands in the block."""
    total = 0
    index = at(model.block_ptr[block])
    while index < model.block_ptr[at(block + 1)]:
        row = at(model.block_row_idx[index])
        standing = standing_in(model, n_racks, row, system, at(period), lane)
        if period + 1 < n_racks.shape[2]:
            later = standing_in(model, n_racks, row, system, at(period + 1), lane)
            if standing > later:
                take_away(model, n_racks, slack, row, system, at(period), lane, standing - later)
                standing = later
        total += standing
        index = at(index + 1)
    return total


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
    place = 0
    while place < model.block_ptr[at(block + 1)] - model.block_ptr[block]:
        row = block_row(model, block, place + draw_of(word, 16 + block))
        chance = 0 if freely else draw_of(word, (1 << 23) + row * n_racks.shape[2] + period)
        raise_row(model, guide, n_racks, slack, row, system, period, lane, chance)
        place += 1


@allocation_free
def best_row_start(guide: SearchGuide, n_racks: NDArray[np.int64], row: int, lane: int) -> int:
    """The period from which a row's racks are worth most to the end, the earliest of equals.

    The number of periods where no sum to the end is positive.
    """
    period = n_racks.shape[2]
    start, best, total = period, 0, 0
    while period > 0:
        period -= 1
        total += row_worth(guide, n_racks, row, at(period), lane)
        if total > 0 and total >= best:
            best, start = total, period
    return int(start)


@allocation_free
def best_block_start(
    model: PackingModel, guide: SearchGuide, n_racks: NDArray[np.int64], block: int, system: int, lane: int
) -> int:
    """The period from which a block is worth most to the end, as `best_row_start` for a row."""
    period = n_racks.shape[2]
    start, best, total = period, 0, 0
    while period > 0:
        period -= 1
        total += guided_worth(model, guide, n_racks, block, system, at(period), lane)
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
    index = at(model.block_ptr[block])
    while index < model.block_ptr[at(block + 1)]:
        row = at(model.block_row_idx[index])
        standing += standing_in(model, n_racks, row, system, period, lane)
        worth += row_worth(guide, n_racks, row, period, lane)
        index = at(index + 1)
    if standing == 0:
        return worth
    units = (standing + model.unit_racks[system] - 1) // model.unit_racks[system]
    return int(worth - model.open_cost[block, period] - units * model.unit_cost[block, system, period])


@allocation_free
def start_rows(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    lane: int,
) -> None:
    """Clear each row of a block before the period from which what stands in it is worth most to the end.

    Where units must be whole, rows are left as they are: one that starts later would leave a unit part empty.
    """
    if model.partial_units[block] == 0:
        return
    index = at(model.block_ptr[block])
    while index < model.block_ptr[at(block + 1)]:
        row = at(model.block_row_idx[index])
        period = best_row_start(guide, n_racks, row, lane)
        while period > 0:
            period -= 1
            clear_row(model, n_racks, slack, row, at(period), lane)
        index = at(index + 1)


@allocation_free
def start_block(
    model: PackingModel,
    guide: SearchGuide,
    n_racks: NDArray[np.int64],
    slack: NDArray[np.int64],
    block: int,
    system: int,
    lane: int,
) -> None:
    """Clear a block before the period from which what stands in it is worth most to the end."""
    period = best_block_start(model, guide, n_racks, block, system, lane)
    while period > 0:
        period -= 1
        clear_block(model, n_racks, slack, block, at(period), lane)


@allocation_free
def clear_block(
    model: PackingModel, n_racks: NDArray[np.int64], slack: NDArray[np.int64], block: int, period: int, lane: int
) -> None:
    """Take every rack out of a block in a period."""
    index = at(model.block_ptr[block])
    while index < model.block_ptr[at(block + 1)]:
        clear_row(model, n_racks, slack, at(model.block_row_idx[index]), period, lane)
        index = at(index + 1)


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
    system = at(guide.pattern_system_idx[pattern])
    for turn in range(2):
        fill_block(model, guide, n_racks, slack, block, system, lane, word, drawn, turn, room)
    trim(model, n_racks, slack, block, system, guide.pattern_racks[pattern], lane)
    for period in range(n_racks.shape[2]):
        raise_block(model, guide, n_racks, slack, block, system, at(period), lane, word)
    start_rows(model, guide, n_racks, slack, block, lane)
    start_block(model, guide, n_racks, slack, block, system, lane)
