"""What another solver decided beside the racks, judged in exact integers (model, section 7a)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS, ColumnKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem, SideProgram


def decisions_cents(problem: Problem, decisions: Sequence[int]) -> int:
    """What decisions are worth, floored to the cent.

    Parameters: decisions, [n_columns] of the side program. Raises ValueError where there are not as many.
    """
    if problem.side is None:
        return 0
    if len(decisions) != problem.side.n_columns:
        msg = f"found {len(decisions)} decisions for the {problem.side.n_columns} columns of the side program"
        raise ValueError(msg)
    worth = zip(problem.side.column_worth, decisions, strict=True)
    return sum(each * value for each, value in worth) >> SHARE_BITS


def capacity_with(problem: Problem, decisions: Sequence[int]) -> NDArray[np.object_]:
    """[n_limits, n_periods] capacities, scaled by 2^20, that decisions leave."""
    capacity = problem.capacity.astype(object)
    side = problem.side
    if side is None or not any(decisions):
        return capacity
    column = np.repeat(np.arange(side.n_columns), np.diff(side.capacity_ptr))
    places = zip(column, side.capacity_limit_idx, side.capacity_period_idx, side.capacity_amount, strict=True)
    for one, limit, period, amount in places:
        if problem.capacity[limit, period] != INACTIVE:
            capacity[limit, period] += decisions[int(one)] * int(amount)
    return capacity


def room_left(problem: Problem, n_racks: NDArray[np.integer[Any]], decisions: Sequence[int]) -> list[int]:
    """[n_side_rows] what a plan leaves of each row's right-hand side; below 0 where it is broken."""
    side = problem.side
    if side is None:
        return []
    racks = np.zeros((side.n_groups, *n_racks.shape[1:]), object)
    np.add.at(racks, side.group_of_row_idx, n_racks.astype(object))
    given = racks[side.rack_group_idx, side.rack_configuration_idx, side.rack_period_idx]
    room = np.array(side.row_right, object)
    np.add.at(room, np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr)), given * side.rack_coefficient)
    values = np.array(list(decisions), object)[np.repeat(np.arange(side.n_columns), np.diff(side.term_ptr))]
    np.subtract.at(room, side.term_row_idx, values * side.term_coefficient)
    return [int(one) for one in room]


def settled(problem: Problem, n_racks: NDArray[np.integer[Any]], value: NDArray[np.float64]) -> tuple[int, ...]:
    """Decisions of a solver's answer: rounded to whole numbers, what is needed as little as rows then ask.

    Parameters: value, [n_columns] as found within tolerances.
    """
    side = problem.side
    if side is None:
        return ()
    pairs = zip(value, side.column_most, side.column_kind, strict=True)
    found = [0 if kind is ColumnKind.NEEDED else min(max(round(one), 0), most) for one, most, kind in pairs]
    room = room_left(problem, n_racks, found)
    for column, kind in enumerate(side.column_kind):
        if kind is ColumnKind.NEEDED:
            terms = terms_of(side, column)
            asked = [-(room[row] // -each) for row, each in terms if each < 0 and room[row] < 0]
            found[column] = min(max([0, *asked]), side.column_most[column])
            for row, each in terms:
                room[row] -= each * found[column]
    return tuple(found)


def terms_of(side: SideProgram, column: int) -> list[tuple[int, int]]:
    """(row, coefficient) of a column."""
    own = slice(int(side.term_ptr[column]), int(side.term_ptr[column + 1]))
    return list(zip(side.term_row_idx[own].tolist(), side.term_coefficient[own].tolist(), strict=True))
