"""A whole assignment by diving: the program without its whole numbers, starts rounded, then scalable units.

Each step holds what was rounded and solves again from where the linear program stood, which takes milliseconds. How
long is looked depends on what is found: most problems are done after one dive.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.solve.assignment import Assignment, ClassProgram, assignment_of
from planner.solve.formulation import MONEY_CENTS
from planner.solve.program import Relaxed
from planner.solve.rounding import BALANCES, flips, nearest_ends, whole_ends, whole_starts, whole_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.fillings import Fillings
    from planner.solve.patterns import RowPatterns
    from planner.solve.program import Answer

_LOSS = 3e-4
"""Share of the value that rounding one more end may cost before the other side is tried."""
_STEP = 0.1
"""Part of the ends still open that is rounded at once."""
_MOST_FLIPS = 60
"""Ends rounded to the other side, alone or in pairs, that are tried at the most."""


def rounded_assignment(
    problem: Problem, patterns: RowPatterns, classes: Classes, fillings: tuple[Fillings, ...], enough: float
) -> Assignment | None:
    """The program over classes of blocks without its whole numbers, starts rounded, and racks again for these starts.

    Parameters: fillings, made for a problem of the same graph; enough, cents at which no other rounding is tried. None
    where nothing can stand or HiGHS finds nothing.
    """
    program = ClassProgram(problem, patterns, classes, lambda blocks: usable(patterns, problem, fillings, blocks))
    program.build()
    if not program.program.gain:
        return None
    relaxed = Relaxed(program.program)
    answer = relaxed.solve()
    if answer is None:
        return None
    best = _Dive(program, relaxed, answer).best(enough / MONEY_CENTS)
    return None if best is None else assignment_of(program, best)


def usable(
    patterns: RowPatterns, problem: Problem, fillings: tuple[Fillings, ...], blocks: NDArray[np.int64]
) -> tuple[Fillings, ...]:
    """The fillings from the first period on in which some row of their block can hold the system here."""
    result = []
    for one in fillings:
        rows = np.flatnonzero(problem.block_of_row_idx == blocks[one.block_class])
        there = np.flatnonzero((patterns.pattern_set_idx[rows, one.system] >= 0).any(axis=0))
        if there.size:
            result.append(replace(one, first_period=int(there[0])))
    return tuple(result)


class _Dive:
    """Rounds one program, and keeps the best that it finds."""

    def __init__(self, program: ClassProgram, relaxed: Relaxed, first: Answer) -> None:
        self._program, self._relaxed, self._first = program, relaxed, first
        self._there = program.start >= 0
        self._size = program.block_size
        self._class_of = np.array([one.block_class for one in program.fillings], np.int64)
        self._blocks = self._standing(first)
        self._known: set[bytes] = set()
        self._best: Answer | None = None
        self._ends = np.zeros(self._class_of.size, np.int64)

    def best(self, enough: float) -> Answer | None:
        """The best whole answer found: one dive, then several ways of rounding at once, then single ends flipped.

        Parameters: enough, value at which the search ends.
        """
        self._down()
        for balance in BALANCES:
            if self._is_enough(enough):
                break
            self._try(whole_ends(self._program.fillings, self._size, self._blocks[:, -1], balance))
        n_left = _MOST_FLIPS
        while n_left > 0 and not self._is_enough(enough):
            before = n_left
            for other in flips(self._blocks[:, -1], self._ends, self._class_of, self._size):
                if n_left > 0 and other.tobytes() not in self._known:
                    n_left -= 1
                    if self._try(other):
                        break
            else:
                break
            if n_left == before:
                break
        return None if self._best is None else self._in_whole_units(self._best)

    def _is_enough(self, enough: float) -> bool:
        return self._best is not None and self._best.objective >= enough

    def _standing(self, answer: Answer) -> NDArray[np.float64]:
        """[n_fillings, n_periods] blocks that hold a system."""
        return np.cumsum(np.append(answer.values, 0.0)[self._program.start], axis=1)

    def _try(self, ends: NDArray[np.int64]) -> bool:
        """Solve for these ends, each started as the first answer says; whether that is the best so far."""
        if ends.tobytes() in self._known:
            return False
        found = self._solve(self._blocks, ends, np.ones(ends.size, np.bool_))
        return self._keep(found, ends)

    def _keep(self, found: Answer | None, ends: NDArray[np.int64]) -> bool:
        self._known.add(ends.tobytes())
        if found is None or (self._best is not None and found.objective <= self._best.objective):
            return False
        self._best, self._ends = found, ends
        return True

    def _solve(self, blocks: NDArray[np.float64], ends: NDArray[np.int64], held: NDArray[np.bool_]) -> Answer | None:
        """The best answer with some ends held."""
        self._hold(blocks, ends, held)
        return self._relaxed.solve()

    def _hold(self, blocks: NDArray[np.float64], ends: NDArray[np.int64], held: NDArray[np.bool_]) -> None:
        starts, there = whole_starts(blocks, ends), self._there & held[:, None]
        self._relaxed.fix(self._program.start[there], starts[there].astype(np.float64))

    def _down(self) -> None:
        """Hold the ends nearest to whole numbers, solve again, and so on until all are held."""
        answer: Answer | None = self._first
        ends, held = np.zeros(self._class_of.size, np.int64), np.zeros(self._class_of.size, np.bool_)
        while answer is not None and not held.all():
            blocks = self._standing(answer)
            ends, now = nearest_ends(blocks[:, -1], ends, held, (self._class_of, self._size), _STEP)
            found = self._solve(blocks, ends, now)
            if found is None or found.objective < answer.objective - _LOSS * abs(answer.objective):
                found, ends = self._other_side(blocks, (ends, held, now), found)
            answer, held = found, now
        if answer is not None:
            self._keep(answer, ends)

    def _other_side(
        self,
        blocks: NDArray[np.float64],
        step: tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]],
        found: Answer | None,
    ) -> tuple[Answer | None, NDArray[np.int64]]:
        """The better of an answer and that with the least certain of its new ends on its other side.

        Parameters: step, the ends, which were held before it, and which are now.
        """
        ends, before, now = step
        new = np.flatnonzero(now & ~before)
        worst = int(new[np.argmax(np.abs(blocks[new, -1] - ends[new]))])
        other = ends.copy()
        other[worst] += 1 if blocks[worst, -1] > ends[worst] else -1
        own = now & (self._class_of == self._class_of[worst])
        if other[worst] < 0 or other[own].sum() > self._size[self._class_of[worst]]:
            return found, ends
        second = self._solve(blocks, other, now)
        if second is not None and (found is None or second.objective > found.objective):
            return second, other
        self._hold(blocks, ends, now)
        return found, ends

    def _in_whole_units(self, answer: Answer) -> Answer:
        """The best racks for these starts where every class of blocks ends with whole units of each system."""
        start, last = self._program.start[self._there], self._program.unit[:, :, -1]
        self._relaxed.fix(start, np.round(answer.values[start]))
        there = last >= 0
        wanted = np.where(there, np.append(answer.values, 0.0)[last], 0.0)
        self._relaxed.limit(last[there], whole_units(wanted)[there])
        return self._switched(self._relaxed.solve() or answer)

    def _switched(self, answer: Answer) -> Answer:
        """The best answer with instalments whole, each in turn at 1 where that is possible and worth more than 0."""
        for number in self._program.beside.switches[:, None]:
            found: list[tuple[float, float, Answer]] = []
            for value in (1.0, 0.0):
                self._relaxed.fix(number, np.array([value]))
                tried = self._relaxed.solve()
                found += [] if tried is None else [(tried.objective, value, tried)]
            if found:
                _, value, answer = max(found, key=lambda one: one[:2])
                self._relaxed.fix(number, np.array([value]))
        return answer
