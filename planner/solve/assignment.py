"""Which block takes which system from when on: an integer program over classes of blocks.

Like blocks are counted, not named. For every class and system there is a whole number of blocks that start in each
period, and these hold a mix of the fillings that fit into a block. Limits over several blocks hold for the racks of all
classes, limits inside a block are in its fillings. So the program stays small, and its answer differs from a plan by
little but the rounding within blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS
from planner.solve.demand import draws_w, prices_cents_per_w
from planner.solve.fillings import Fillings, block_fillings
from planner.solve.formulation import MONEY_CENTS
from planner.solve.packing import effective_values
from planner.solve.patterns import limits_inside_blocks
from planner.solve.program import Answer, Program, solve_program
from planner.solve.side_columns import SideColumns

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.patterns import RowPatterns
    from planner.solve.relaxation import Relaxation

_LEVELS = ((1e-3, 60), (4e-4, 300), (2e-4, 1500), (1e-4, 6000))
"""Relative gap and nodes at which HiGHS stops counting blocks, level by level, so that the same input gives the same
answer; deeper levels stay with the last."""
_UNITS = (1e-4, 200)
"""The same once blocks are counted and units are to be whole."""
_LONGEST_S = (20.0, 60.0, 120.0, 240.0)
"""A brake on slow machines, by level."""
_MOST_WHOLE = 40_000
"""Whole numbers beyond which the program is not worth its time."""


@dataclass(frozen=True)
class Assignment:
    """What the integer program settles on."""

    fillings: tuple[Fillings, ...]
    starts: NDArray[np.int64]
    """[n_fillings, n_periods] blocks of a class that start with a system."""
    mixed: tuple[NDArray[np.float64], ...]
    """Of each of `fillings`: [n_choices, n_periods] blocks that hold the choice."""
    racks_of_class: NDArray[np.float64]
    """[n_block_classes, n_configurations, n_periods] standing racks."""
    racks: NDArray[np.float64]
    """[n_rows, n_configurations, n_periods] standing racks, averaged over the rows of a class of blocks."""
    value: float
    """Of the program, cents."""


def assign(
    problem: Problem, patterns: RowPatterns, classes: Classes, relaxation: Relaxation, level: int,
    time_limit_s: float | None, known: Assignment | None = None,
) -> Assignment | None:  # fmt: skip
    """Assign systems and starts to counts of like blocks; None where HiGHS finds nothing or the program is too large.

    Parameters: problem; patterns; classes; relaxation, whose prices say how full a block of each system should be;
    level, how long to look, from 0; time_limit_s, a brake beside the limits by gap and nodes; known, an assignment of
    these classes to begin with, whose fillings are mixed then.
    """

    def fillings(blocks: NDArray[np.int64]) -> tuple[Fillings, ...]:
        return block_fillings(problem, patterns, relaxation, blocks) if known is None else known.fillings

    builder = ClassProgram(problem, patterns, classes, fillings)
    builder.build()
    if not 0 < sum(builder.program.whole) <= _MOST_WHOLE:
        return None
    level = min(level, len(_LEVELS) - 1)
    longest = _LONGEST_S[level] if time_limit_s is None else min(time_limit_s, _LONGEST_S[level])
    answer = _in_two_steps(builder, _LEVELS[level], longest, known)
    return None if answer is None else assignment_of(builder, answer)


def _in_two_steps(
    builder: ClassProgram, stop: tuple[float, int], time_limit_s: float, known: Assignment | None
) -> Answer | None:
    """Count blocks with part units first; then hold these counts and find whole units in the time that is left."""
    until_s = monotonic() + time_limit_s
    there = builder.start >= 0
    hint = None if known is None else (builder.start[there], known.starts[there].astype(np.float64))
    first = solve_program(builder.program, stop, time_limit_s, hint)
    if first is None:
        return None
    for number in builder.start[builder.start >= 0]:
        builder.program.fix(int(number), round(float(first.values[number])))
    for number in builder.unit[builder.unit >= 0]:
        builder.program.whole[int(number)] = True
    left_s = until_s - monotonic()
    return (solve_program(builder.program, _UNITS, left_s) if left_s > 0 else None) or first


def assignment_of(builder: ClassProgram, answer: Answer) -> Assignment:
    """What an answer says of blocks and racks; starts are rounded to whole blocks."""
    problem = builder.problem
    padded = np.append(answer.values, 0.0)
    racks_of_class = padded[builder.rack]
    racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods))
    class_of_row = builder.classes.block[problem.block_of_row_idx]
    for index, rows in enumerate(builder.rows_of):
        racks[class_of_row == index] = racks_of_class[index] / (rows.size * builder.block_size[index])
    starts = np.round(padded[builder.start]).astype(np.int64)
    mixed = tuple(padded[numbers] for numbers in builder.mix)
    return Assignment(builder.fillings, starts, mixed, racks_of_class, racks, answer.objective * MONEY_CENTS)


class ClassProgram:
    """The program of one problem; numbers of variables are -1 where there is none."""

    def __init__(
        self,
        problem: Problem,
        patterns: RowPatterns,
        classes: Classes,
        fillings: Callable[[NDArray[np.int64]], tuple[Fillings, ...]],
    ) -> None:
        """Number nothing yet.

        Parameters: fillings, what to mix in the blocks that are the first of each class.
        """
        self.problem, self.classes = problem, classes
        self.values = effective_values(problem)
        _, self.block_first, self.block_size = np.unique(classes.block, return_index=True, return_counts=True)
        self.rows_of = [np.flatnonzero(problem.block_of_row_idx == block) for block in self.block_first]
        self.fillings = fillings(self.block_first)
        self.room = [patterns.most_racks[rows].sum(axis=0) for rows in self.rows_of]
        self.program = Program()
        n_classes, n_periods = len(self.block_first), problem.n_periods
        self.start = np.full((len(self.fillings), n_periods), -1, np.int64)
        self.mix = [np.full((len(one.choices), n_periods), -1, np.int64) for one in self.fillings]
        self.unit = np.full((n_classes, problem.n_systems, n_periods), -1, np.int64)
        self.rack = np.full((n_classes, problem.n_configurations, n_periods), -1, np.int64)

    def build(self) -> None:
        """All variables, then all rows."""
        for number, one in enumerate(self.fillings):
            self._variables(number, one)
            for t in range(one.first_period, self.problem.n_periods):
                self._racks(number, one, t)
                self._units(number, one, t)
        for index, size in enumerate(self.block_size):
            own = [number for number, one in enumerate(self.fillings) if one.block_class == index]
            started = self.start[own]
            self.program.at_most({int(number): 1.0 for number in started[started >= 0]}, float(size))
        self.beside = SideColumns(self.problem, self.program)
        self._limits()
        self._contract()
        self._demand()
        if self.problem.side is not None:
            of_class = [self.problem.side.group_of_row_idx[rows[0]] for rows in self.rows_of]
            self.beside.rows(self.rack, np.array(of_class, np.int64))

    def _configurations(self, one: Fillings) -> NDArray[np.int64]:
        return np.flatnonzero(self.problem.system_of_configuration_idx == one.system)

    def _variables(self, number: int, one: Fillings) -> None:
        index = one.block_class
        block, rows, size = self.block_first[index], self.rows_of[index], float(self.block_size[index])
        opening = np.cumsum(self.values.open_cost[block][::-1])[::-1] / MONEY_CENTS
        for t in range(one.first_period, self.problem.n_periods):
            self.start[number, t] = self.program.variable(-float(opening[t]), size, whole=True)
            for choice in range(len(one.choices)):
                self.mix[number][choice, t] = self.program.variable(0.0, size)
            cost = float(self.values.unit_cost[block, one.system, t]) / MONEY_CENTS
            most = size * max(choice.units for choice in one.choices)
            self.unit[index, one.system, t] = self.program.variable(-cost, most)
            for k in self._configurations(one):
                gain = float(self.values.rack[rows, k, t].mean()) / MONEY_CENTS
                self.rack[index, k, t] = self.program.variable(gain, size * float(self.room[index][k, t]))

    def _racks(self, number: int, one: Fillings, t: int) -> None:
        """Started blocks hold a mix of fillings; racks are no more than these, in all and at each higher profile."""
        mix = self.mix[number][:, t]
        started = self.start[number, : t + 1]
        self.program.at_most({int(n): 1.0 for n in mix} | {int(n): -1.0 for n in started[started >= 0]}, 0.0)
        racks = {int(self.rack[one.block_class, k, t]): 1.0 for k in self._configurations(one)}
        held = {int(n): -float(choice.racks) for n, choice in zip(mix, one.choices, strict=True)}
        self.program.at_most(racks | held, 0.0)
        for position, (k, _) in enumerate(one.choices[0].raised):
            raised = {int(n): -float(choice.raised[position][1]) for n, choice in zip(mix, one.choices, strict=True)}
            self.program.at_most({int(self.rack[one.block_class, k, t]): 1.0} | raised, 0.0)
        if t > one.first_period:
            before = {int(self.rack[one.block_class, k, t - 1]): 1.0 for k in self._configurations(one)}
            self.program.at_most(before | dict.fromkeys(racks, -1.0), 0.0)

    def _units(self, number: int, one: Fillings, t: int) -> None:
        """Fillings stand in paid units; where part units are forbidden racks fill them."""
        unit, size = int(self.unit[one.block_class, one.system, t]), float(self.problem.unit_racks[one.system])
        mix = zip(self.mix[number][:, t], one.choices, strict=True)
        self.program.at_most({int(n): float(choice.units) for n, choice in mix} | {unit: -1.0}, 0.0)
        if not self.problem.partial_units[self.block_first[one.block_class]]:
            racks = {int(self.rack[one.block_class, k, t]): -1.0 / size for k in self._configurations(one)}
            self.program.at_most(racks | {unit: 1.0}, 0.0)
        if t > one.first_period:
            self.program.at_most({int(self.unit[one.block_class, one.system, t - 1]): 1.0, unit: -1.0}, 0.0)
            self._blocks_stay_full(number, one, t)

    def _blocks_stay_full(self, number: int, one: Fillings, t: int) -> None:
        """Blocks that hold so many units or more never become fewer, since a block's racks stay."""
        units = np.array([choice.units for choice in one.choices])
        for least in np.unique(units):
            before, now = (self.mix[number][units >= least, period] for period in (t - 1, t))
            self.program.at_most({int(n): 1.0 for n in before} | {int(n): -1.0 for n in now}, 0.0)

    def _limits(self) -> None:
        """Limits over several blocks, each class of them once; racks of a class spread evenly over its rows."""
        problem, classes = self.problem, self.classes
        _, firsts = np.unique(classes.limit, return_index=True)
        n_classes = len(self.block_first)
        n_rows = np.array([rows.size for rows in self.rows_of]) * self.block_size
        inside = limits_inside_blocks(problem)
        for limit in firsts[inside[firsts] < 0]:
            entries = slice(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
            blocks = problem.block_of_row_idx[problem.entry_row_idx[entries]]
            per_rack = np.zeros((n_classes, problem.n_configurations))
            np.add.at(per_rack, classes.block[blocks], problem.entry_coefficient[entries].astype(np.float64))
            per_rack /= n_rows[:, None]
            for t in np.flatnonzero(problem.capacity[limit] != INACTIVE):
                capacity = float(problem.capacity[limit, t])
                places = np.argwhere((per_rack > 0) & (self.rack[:, :, t] >= 0))
                terms = {int(self.rack[c, k, t]): float(per_rack[c, k]) / max(capacity, 1.0) for c, k in places}
                added = self.beside.added(int(limit), int(t)) if terms else {}
                terms |= {number: -amount / max(capacity, 1.0) for number, amount in added.items()}
                self.program.at_most(terms, min(capacity, 1.0))

    def _contract(self) -> None:
        problem = self.problem
        if not problem.contract_amount:
            return
        amount = problem.contract_amount / MONEY_CENTS
        premium = [self.program.variable(float(rate) / 2.0**SHARE_BITS, amount) for rate in problem.contract_rate]
        self.program.at_most(dict.fromkeys(premium, 1.0), amount)
        revenue = [problem.contract_revenue[rows].mean(axis=0) / MONEY_CENTS for rows in self.rows_of]
        for t, number in enumerate(premium):
            places = np.argwhere(self.rack[:, :, t] >= 0)
            terms = {int(self.rack[c, k, t]): -float(revenue[c][k, t]) for c, k in places}
            self.program.at_most(terms | {number: 1.0}, 0.0)

    def _demand(self) -> None:
        """What falls short of a minimum demand costs no less than its price less that of what racks draw."""
        for demand in self.problem.minimum_demands:
            blocks = self.problem.block_of_row_idx[np.array(demand.row_idx, np.int64)]
            own, drawn_w = np.unique(self.classes.block[blocks]), draws_w(demand)
            for t, cents in enumerate(prices_cents_per_w(demand)):
                price = float(cents) / MONEY_CENTS
                places = [(c, k) for c, k in np.argwhere(self.rack[:, :, t] >= 0) if c in own]
                terms = {int(self.rack[c, k, t]): -price * float(drawn_w[k]) for c, k in places}
                short = {self.program.variable(-1.0): -1.0}
                self.program.at_most(terms | short, -price * demand.minimum_w[t])
