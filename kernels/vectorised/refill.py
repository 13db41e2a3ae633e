"""Fill an empty fabric block with one system in every lane at once, within what every limit leaves.

`kernels.loops.refill` says what is done; here rows are visited in each lane's own order, so that one place in that
order is another row in each lane, and tables are gathered lane by lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.constants import ALWAYS, FREELY, GUIDED, HALF, LEVEL_ONLY, LEVELS, NEVER, NO_LEVEL
from kernels.vectorised.random import draw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.vectorised.tables import BlockTable, Tables


@dataclass(frozen=True)
class Visit:
    """What fills one block in every lane; n_visits counts its rows in the order in which a lane visits them."""

    tables: Tables
    table: BlockTable
    block: int
    system: NDArray[np.int64]
    """[n_lanes]"""
    order: NDArray[np.int64]
    """[n_visits, n_lanes] place in the block of the row that is visited."""
    row: NDArray[np.int64]
    """[n_visits, n_lanes]"""
    configuration: NDArray[np.int64]
    """[n_positions, n_lanes] the system's configurations, lowest first."""
    early: NDArray[np.bool_]
    """[n_visits, n_periods, n_lanes] whether the row is packed for its highest configuration."""
    most_by_turn: tuple[NDArray[np.int64], ...]
    """Each [n_lanes]: most racks that one turn over the rows adds to a row; 0 where a lane leaves the turn out."""
    freely: NDArray[np.bool_]
    """[n_lanes] whether racks are raised wherever they fit."""
    words: NDArray[np.uint64]
    """[n_lanes] state of the generator."""

    def periodic(self, values: NDArray[Any], position: NDArray[np.int64]) -> NDArray[Any]:
        """Values [n_rows, n_configurations, n_periods] at a position [… n_lanes] as [n_visits, n_periods, n_lanes]."""
        configuration = np.take_along_axis(self.configuration, np.atleast_2d(position), axis=0)
        return np.ascontiguousarray(np.swapaxes(values[self.row, configuration], 1, 2))

    def coefficients(self, position: NDArray[np.int64]) -> NDArray[Any]:
        """Coefficients of the configuration at a position [… n_lanes] as [n_visits, n_block_limits, 1, n_lanes]."""
        configuration = np.take_along_axis(self.configuration, np.atleast_2d(position), axis=0)
        found = self.table.coefficient[self.order, configuration]
        return np.ascontiguousarray(np.swapaxes(found, 1, 2))[:, :, None, :]


def make_visit(tables: Tables, block: int, pattern: NDArray[np.int64], words: NDArray[np.uint64], step: int) -> Visit:
    """Draw in which order and after which switch each lane fills a block.

    Parameters: pattern [n_lanes]; words [n_lanes] state of the generator after the step.
    """
    table, guide = tables.block(block), tables.guide
    n_rows, n_periods = table.row_idx.size, guide.may_start.shape[2]
    order = (np.arange(n_rows)[:, None] + draw(words, 16 + block)) % n_rows
    row = table.row_idx[order]
    system = guide.pattern_system_idx[pattern]
    switch = guide.switch_period[row]
    if step > 0:
        together = draw(words, 16 + block + (3 << 21)) < HALF
        chance = np.where(together, draw(words, 16 + block + (1 << 21)), draw(words, (1 << 24) + row))
        switch = drawn_switch(switch, n_periods, chance, draw(words, (1 << 25) + block))
    return Visit(
        tables=tables, table=table, block=block, system=system, order=order, row=row,
        configuration=tables.configuration_idx[:, system],
        early=np.arange(n_periods)[:, None] < switch[:, None, :],
        most_by_turn=_turns(draw(words, 16 + block + (5 << 21)) if step > 0 else np.zeros(words.size, np.int64)),
        freely=draw(words, 16 + block + (1 << 22)) < FREELY,
        words=words,
    )  # fmt: skip


def drawn_switch(
    guided: NDArray[np.int64], n_periods: int, chance: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Period from which a row is filled for its lowest configuration: the guide's, never, always, or anywhere.

    Parameters: chance and other, draws that broadcast with guided.
    """
    drawn = np.where(chance < NEVER, n_periods, np.where(chance < ALWAYS, 0, other % (n_periods + 1)))
    return np.where(chance < GUIDED, guided, drawn)


def _turns(level: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """First to a drawn level in half of the lanes, then as far as it goes in most; level [n_lanes] is a draw."""
    to_level = np.where(level >= HALF, 1 + level % LEVELS, 0)
    to_the_end = np.where(level < LEVEL_ONLY, NO_LEVEL, 0)
    return tuple(most for most in (to_level, to_the_end) if most.any())


def working_slack(visit: Visit, slack: NDArray[np.int64]) -> NDArray[Any]:
    """The block's slack [n_block_limits, n_periods, n_lanes] in the type of its coefficients.

    Negative slack leaves room for nothing and in an empty block does not change, so it counts as 0. In float64 half a
    unit is added: quotients round down to the same whole numbers, and no slack over no coefficient is infinite.
    """
    local = np.clip(slack[visit.table.limit_idx], 0, visit.table.most_slack)
    return local + 0.5 if visit.table.in_floats else local


def room_for(local: NDArray[Any], coefficient: NDArray[Any], most: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many racks, at most `most`, the slack leaves room for.

    Parameters: local as `working_slack` gives it; coefficient broadcasts with it, not positive where a limit does not
    matter; most and result [n_periods, n_lanes].
    """
    if coefficient.dtype == np.float64:
        # Whole numbers below 2^52 over whole numbers: the rounded quotient lies on the right side of every integer.
        narrowest = np.divide(local, coefficient).min(axis=0, initial=np.inf)
        fitting: NDArray[np.int64] = np.minimum(narrowest, most).astype(np.int64)
        return fitting
    room = np.where(coefficient > 0, local // np.maximum(coefficient, 1), np.iinfo(np.int64).max)
    return np.asarray(np.minimum(room.min(axis=0, initial=np.iinfo(np.int64).max), most))


def fill_rows(visit: Visit, local: NDArray[Any]) -> NDArray[np.int64]:
    """Fill every row for its highest configuration early and its lowest later; `local` is kept up to date.

    Returns racks [n_visits, n_periods, n_lanes]. A row's racks never fall and grow only where starting pays.
    """
    lowest, highest = _lowest(visit), visit.tables.n_profiles[visit.system] - 1
    low, high = visit.coefficients(lowest), visit.coefficients(highest)
    packing = visit.tables.model.most_racks
    most = np.where(visit.early, visit.periodic(packing, highest), visit.periodic(packing, lowest))
    start = np.swapaxes(visit.tables.last_start[visit.row, visit.system], 1, 2)
    starts, source = start >= 0, np.maximum(start, 0) * visit.system.size + np.arange(visit.system.size)
    racks = np.zeros(most.shape, np.int64)
    for most_in_turn, index in product(visit.most_by_turn, range(most.shape[0])):
        coefficient = np.where(visit.early[index], high[index], low[index])
        room = room_for(local, coefficient, np.minimum(most[index], most_in_turn))
        room = np.minimum.accumulate(room[::-1], axis=0)[::-1]
        added = room.ravel().take(source[index]) * starts[index]
        racks[index] += added
        coefficient *= added
        local -= coefficient
    return racks


def _lowest(visit: Visit) -> NDArray[np.int64]:
    """[n_visits, n_lanes] position of the lowest configuration that may ever stand in the row."""
    return visit.tables.lowest[visit.row, visit.system]


def by_position(visit: Visit, racks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Racks of filled rows as [n_positions, n_visits, n_periods, n_lanes]."""
    highest = visit.tables.n_profiles[visit.system] - 1
    position = np.where(visit.early, highest, _lowest(visit)[:, None, :])
    return np.stack([np.where(position == place, racks, 0) for place in range(visit.configuration.shape[0])])


def trim(visit: Visit, racks: NDArray[np.int64], most: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut a block to at most `most` racks [n_lanes], and to whole scalable units where it must.

    Latest period and last row first; a row never holds more than later.
    Parameters: racks and result [n_visits, n_periods, n_lanes].
    """
    n_periods = racks.shape[1]
    standing = np.empty_like(racks)
    np.put_along_axis(standing, visit.order[:, None, :], racks, axis=0)
    model = visit.tables.model
    units = model.unit_racks[visit.system]
    for period in range(n_periods - 1, -1, -1):
        if period + 1 < n_periods:
            np.minimum(standing[:, period], standing[:, period + 1], out=standing[:, period])
        total = standing[:, period].sum(axis=0)
        excess = np.maximum(total - most, 0)
        if model.partial_units[visit.block] == 0:
            excess += (total - excess) % units
        if excess.any():
            behind = np.cumsum(standing[::-1, period], axis=0)[::-1] - standing[:, period]
            standing[:, period] -= np.clip(excess - behind, 0, standing[:, period])
    return np.take_along_axis(standing, visit.order[:, None, :], axis=0)


def raise_rows(visit: Visit, racks: NDArray[np.int64], local: NDArray[Any]) -> None:
    """Exchange racks for profiles of more value, highest first, row after row; racks and `local` are changed.

    Parameters: racks [n_positions, n_visits, n_periods, n_lanes].
    """
    n_positions = racks.shape[0]
    pairs = [(low, high) for low in range(n_positions - 1) for high in range(n_positions - 1, low, -1)]
    if not pairs:
        return
    allowed = _allowed(visit, pairs)
    coefficient = [visit.coefficients(np.array([position])) for position in range(n_positions)]
    for index in range(racks.shape[1]):
        for pair, (low, high) in enumerate(pairs):
            wanted = racks[low, index] * allowed[pair][index]
            if not wanted.any():
                continue
            extra = coefficient[high][index] - coefficient[low][index]
            count = room_for(local, np.maximum(extra, 0), wanted)
            local -= extra * count
            racks[low, index] -= count
            racks[high, index] += count


def _allowed(visit: Visit, pairs: list[tuple[int, int]]) -> list[NDArray[np.bool_]]:
    """For each pair of positions, whether it is worth more, may stand, and is drawn; [n_visits, n_periods, n_lanes]."""
    guide, n_periods = visit.tables.guide, visit.early.shape[1]
    number = visit.row[:, None, :] * n_periods + np.arange(n_periods)[:, None]
    chance = np.where(visit.freely, 0, draw(visit.words, (1 << 23) + number))
    n_profiles = visit.tables.n_profiles[visit.system]
    result = []
    for low, high in pairs:
        lower, higher = np.array([low]), np.array([high])
        gain = visit.periodic(guide.guided_value, higher) > visit.periodic(guide.guided_value, lower)
        fits = visit.periodic(visit.tables.model.most_racks, higher) > 0
        result.append(gain & fits & (chance < visit.periodic(guide.upgrade_share, higher)) & (high < n_profiles))
    return result


def start_where_worth(visit: Visit, racks: NDArray[np.int64]) -> None:
    """Clear each row, then the block, before the period from which what stands is worth most to the end.

    Where units must be whole, rows are left as they are: one that starts later would leave a unit part empty.
    Parameters: racks [n_positions, n_visits, n_periods, n_lanes], changed.
    """
    model = visit.tables.model
    value = [visit.periodic(visit.tables.guide.guided_value, np.array([place])) for place in range(racks.shape[0])]
    if model.partial_units[visit.block] == 1:
        racks *= _from_best_start(sum(count * each for count, each in zip(racks, value, strict=True)))
    standing = racks.sum(axis=(0, 1))
    units = -(-standing // model.unit_racks[visit.system])
    worth = np.where(standing > 0, -model.open_cost[visit.block][:, None], 0)
    worth -= units * model.unit_cost[visit.block, visit.system].T
    worth += sum((count * each).sum(axis=0) for count, each in zip(racks, value, strict=True))
    racks *= _from_best_start(worth)


def _from_best_start(worth: NDArray[np.int64]) -> NDArray[np.bool_]:
    """From the earliest period whose sum of worth [… n_periods, n_lanes] to the end is largest, if any is positive."""
    to_the_end = np.cumsum(worth[..., ::-1, :], axis=-2)[..., ::-1, :]
    most = to_the_end.max(axis=-2, keepdims=True)
    return np.logical_or.accumulate((to_the_end == most) & (most > 0), axis=-2)


def refill_block(
    tables: Tables,
    slack: NDArray[np.int64],
    block: int,
    pattern: NDArray[np.int64],
    words: NDArray[np.uint64],
    step: int,
) -> NDArray[np.int64]:
    """Racks [n_block_rows, n_configurations, n_periods, n_lanes] that fill an empty block; `slack` is left as it is.

    Parameters: slack [n_limits, n_periods, n_lanes]; pattern [n_lanes], -1 leaves the block empty; words [n_lanes]
    state of the generator after the step.
    """
    seen = make_visit(tables, block, np.maximum(pattern, 0), words, step)
    local = working_slack(seen, slack)
    racks = fill_rows(seen, local)
    kept = trim(seen, racks, tables.guide.pattern_racks[np.maximum(pattern, 0)])
    placed = by_position(seen, kept)
    if not np.array_equal(kept, racks):
        local += seen.table.load(in_block(seen, by_position(seen, racks - kept)))
    raise_rows(seen, placed, local)
    start_where_worth(seen, placed)
    placed *= pattern >= 0
    return in_block(seen, placed)


def in_block(visit: Visit, racks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Racks [n_positions, n_visits, n_periods, n_lanes] by the block's rows and all configurations."""
    n_configurations = visit.table.coefficient.shape[1]
    result = np.zeros((racks.shape[1], n_configurations, *racks.shape[2:]), np.int64)
    lanes = np.arange(racks.shape[3])
    for position, count in enumerate(racks):
        result[visit.order, visit.configuration[position], :, lanes] += np.swapaxes(count, 1, 2)
    return result
