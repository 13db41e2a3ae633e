"""One node of a proof: column generation within its box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.solve.proof.program import MONEY_CENTS, Filling, NodeProgram, Prices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.solve.proof.box import Box
    from planner.solve.proof.oracle import Choices, Within

_MOST_ROUNDS = 100
_NOTHING = 1e-9
"""A filling that gains less, in the program's money, is not worth a column: a thousandth of a cent."""


@dataclass(frozen=True)
class Settled:
    """Where column generation ended."""

    bound: float
    """Cents, in floating point; -inf where the box leaves some block nothing."""
    racks: NDArray[np.float64]
    """[n_rows, n_configurations, n_periods]"""
    mix: NDArray[np.float64]
    """[n_fillings]"""
    decisions: NDArray[np.float64]
    """[n_columns] of the side program."""


def settle(program: NodeProgram, choices: Choices, box: Box, enough: float) -> Settled | None:
    """Solve a node's program; None where the box leaves a block nothing.

    Parameters: enough, cents below which the node is closed, so that no further column is sought.
    """
    if (box.decided[0] > box.decided[1]).any():
        return None
    program.enter(box)
    within = choices.within(box)
    for _ in range(_MOST_ROUNDS):
        program.solve()
        gain = _add_fillings(program, within, box)
        if gain is None:
            return None
        bound = (program.objective + gain) * MONEY_CENTS
        if gain < _NOTHING or bound < enough:
            break
    mix = program.mix()
    problem = program.problem
    racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods))
    for index in np.flatnonzero(mix > _NOTHING):
        filling = program.fillings[index]
        racks[:, :, filling.period] += mix[index] * filling.racks
    return Settled(bound, racks, mix, program.decisions())


def _add_fillings(program: NodeProgram, within: Within, box: Box) -> float | None:
    """Add the best filling of every system, block and period that gains; returns what they gain at the most."""
    problem, prices, gain = program.problem, program.prices(), 0.0
    convex = program.dual[program.convex_row]
    for block, period in np.ndindex(problem.n_blocks, problem.n_periods):
        best = -np.inf if box.filled[block, period] else -float(convex[block, period])
        for system in range(problem.n_systems):
            worth = _best_filling(program, within, (block, system, period), prices, float(convex[block, period]))
            best = max(best, worth)
        if best == -np.inf:
            return None
        gain += max(best, 0.0)
    program.flush()
    return gain


def _best_filling(
    program: NodeProgram, within: Within, place: tuple[int, int, int], prices: Prices, convex: float
) -> float:
    block, system, period = place
    choice = within.get(place)
    if choice is None:
        return -np.inf
    price = prices.rack[:, :, period]
    value, before = choice.values(price, float(prices.unit[place]))
    count = int(np.argmax(value))
    worth = float(value[count] + prices.holding[place]) - convex
    if worth > _NOTHING:
        racks = np.zeros(price.shape, np.int64)
        for row, counts in choice.filling(price, before, count):
            racks[row, choice.configuration_idx] = counts
        program.add_filling(Filling(block, system, period, racks, int(choice.n_units[count])))
    return worth


def empty_fillings(program: NodeProgram) -> None:
    """The columns of blocks that hold nothing."""
    problem = program.problem
    nothing = np.zeros((problem.n_rows, problem.n_configurations), np.int64)
    for block, period in np.ndindex(problem.n_blocks, problem.n_periods):
        program.add_filling(Filling(block, None, period, nothing, 0))
    program.flush()
