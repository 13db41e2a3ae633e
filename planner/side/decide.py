"""The best decisions beside given racks: the same racks always have the same decisions (model, section 7a)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS
from planner.side.filling import Filling, Raising
from planner.side.parts import parts_of
from planner.side.relaxed import RelaxedPart
from planner.side.rows import side_terms
from planner.side.switches import Choice, choices
from planner.side.worth import rack_rights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem, SideProgram
    from planner.side.parts import Part
    from planner.side.rows import SideTerms

_PLANS_KEPT, _SIDES_KEPT = 32, 64
_DECIDERS_KEPT = 4
_USUAL_RACKS = 20
"""Standing racks everywhere at which a linear program is solved first, to begin later solves there."""
_MOST_TRIED = 1024
"""Combinations of what parts choose, tried against capacities."""


@dataclass(frozen=True)
class Decisions:
    """What is decided beside racks that stand where they stand."""

    side: SideProgram
    chosen: tuple[tuple[Part, Choice], ...]
    holds: bool
    """Whether every row of the side program holds, and every limit whose capacity it may widen."""

    @cached_property
    def values(self) -> tuple[int, ...]:
        """The v of every column."""
        found = [0] * self.side.n_columns
        for part, choice in self.chosen:
            for column, value in zip(part.column_idx.tolist(), choice.values, strict=True):
                found[column] = value
        return tuple(found)

    @cached_property
    def worth_cents(self) -> int:
        """What they earn, rounded down once."""
        return sum(choice.score[1] for _, choice in self.chosen) >> SHARE_BITS

    @property
    def named(self) -> dict[str, int]:
        """Values by name of column; those of 0 are left out."""
        pairs = zip(self.side.column_names, self.values, strict=True)
        return {name: value for name, value in pairs if value}


def best_decisions(problem: Problem, n_racks: NDArray[np.integer[Any]]) -> Decisions | None:
    """What to decide beside these racks; None for a problem without a side program.

    Work is within a unit of each row of the linear program's optimum; instalments are tried on and off, those that
    capacities need are on. Depends on nothing but problem and racks.
    Parameters: n_racks, [n_rows, n_configurations, n_periods].
    """
    return None if problem.side is None else _decider(problem, problem.side).best(n_racks)


_deciders: OrderedDict[int, _Decider] = OrderedDict()
_deciders_lock = Lock()


def _decider(problem: Problem, side: SideProgram) -> _Decider:
    """The problem's own; the last few are kept, with their problems, so that a number never stands for another."""
    with _deciders_lock:
        found = _deciders.pop(id(problem), None) or _Decider(problem, side)
        _deciders[id(problem)] = found
        while len(_deciders) > _DECIDERS_KEPT:
            _deciders.popitem(last=False)
    return found


class _Decider:
    """Decides for one problem, and remembers what it decided last."""

    def __init__(self, problem: Problem, side: SideProgram) -> None:
        self._problem, self._side, self._lock = problem, side, Lock()
        self._plans: OrderedDict[bytes, Decisions] = OrderedDict()
        shape = (problem.n_rows, problem.n_configurations, problem.n_periods)
        scaled, usual = side_terms(side), rack_rights(side, np.full(shape, _USUAL_RACKS))
        self._parts = [_PartDecider(part, scaled, usual) for part in parts_of(side)]
        self._capacity = _Capacity(problem, side, [one.part for one in self._parts])
        in_part = np.zeros(side.n_rows, np.bool_)
        in_part[side.term_row_idx] = True
        self._free_rows = np.flatnonzero(~in_part).tolist()

    def best(self, n_racks: NDArray[np.integer[Any]]) -> Decisions:
        key = np.ascontiguousarray(n_racks, np.int32).tobytes()
        with self._lock:
            found = self._plans.pop(key, None) or self._decided(n_racks)
            self._plans[key] = found
            while len(self._plans) > _PLANS_KEPT:
                self._plans.popitem(last=False)
        return found

    def _decided(self, n_racks: NDArray[np.integer[Any]]) -> Decisions:
        rights = rack_rights(self._side, n_racks)
        found = [one.choices(rights) for one in self._parts]
        chosen, has_room = self._capacity.best(n_racks, found)
        holds = (
            has_room and all(one.score[0] == 0 for one in chosen) and all(rights[row] >= 0 for row in self._free_rows)
        )
        return Decisions(self._side, tuple(zip((one.part for one in self._parts), chosen, strict=True)), holds)


class _PartDecider:
    """Decides for one part."""

    def __init__(self, part: Part, scaled: SideTerms, usual_rights: Sequence[int]) -> None:
        self._scaled = scaled
        self.part, self._rows = part, part.row_idx.tolist()
        self._known: OrderedDict[tuple[int, ...], tuple[Choice, ...]] = OrderedDict()
        self._usual = [usual_rights[row] for row in self._rows]

    @cached_property
    def _program(self) -> RelaxedPart | None:
        binds = any(self.part.terms[column] for column in self.part.chosen)
        return RelaxedPart(self.part, self._scaled, self._usual) if binds else None

    @cached_property
    def _unbound(self) -> tuple[int, ...]:
        """Chosen columns in no row that earn something."""
        part = self.part
        return tuple(column for column in part.chosen if not part.terms[column] and part.worth[column] > 0)

    def choices(self, rights: Sequence[int]) -> tuple[Choice, ...]:
        """What can be chosen at these right-hand sides, one for each setting of switches that holds.

        Parameters: rights, [n_side_rows] of the whole.
        """
        key = tuple([rights[row] for row in self._rows])
        found = self._known.pop(key, None) or choices(self.part, lambda on: self._decide(key, on))
        self._known[key] = found
        while len(self._known) > _SIDES_KEPT:
            self._known.popitem(last=False)
        return found

    def _decide(self, right: tuple[int, ...], on: frozenset[int]) -> Choice | None:
        part, filling = self.part, Filling(self.part, right)
        for column in on:
            filling.put(column, 1)
        open_columns: tuple[int, ...] = ()
        # Most parts of a plan's first quarters hold no racks, and so nothing to choose.
        may_choose = any(right) or any(filling.room(column) for column in part.chosen)
        if self._program is not None and may_choose:
            relaxed = self._program.solve(filling.slack)
            if relaxed is None and on:
                return None
            chosen, open_columns = relaxed or ({}, ())
            for column, value in chosen.items():
                filling.put(column, min(value, filling.room(column)))
        for column in self._unbound:
            filling.put(column, part.most[column])
        filling.finish(part.filled, part.needed)
        if open_columns:
            Raising(filling, open_columns).run()
        return Choice(on, tuple(filling.values), filling.score)


class _Capacity:
    """Limits to whose capacity columns add: what is chosen has to leave room for the racks."""

    def __init__(self, problem: Problem, side: SideProgram, parts: Sequence[Part]) -> None:
        self._problem = problem
        column_idx = np.repeat(np.arange(side.n_columns), np.diff(side.capacity_ptr)).tolist()
        place = {int(column): (p, n) for p, part in enumerate(parts) for n, column in enumerate(part.column_idx)}
        self._added: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        """By (limit, period): part, column of the part, amount."""
        entries = zip(column_idx, side.capacity_limit_idx, side.capacity_period_idx, side.capacity_amount, strict=True)
        for column, limit, period, amount in entries:
            if problem.capacity[limit, period] != INACTIVE:
                self._added.setdefault((int(limit), int(period)), []).append((*place[column], int(amount)))
        self._parts = sorted({part for added in self._added.values() for part, _, _ in added})

    def best(self, n_racks: NDArray[np.integer[Any]], found: Sequence[tuple[Choice, ...]]) -> tuple[list[Choice], bool]:
        """The choice of each part that is worth most together, with room for the racks where any has; and whether."""
        best = [max(own, key=lambda choice: choice.score) for own in found]
        if not self._added:
            return best, True
        loads = {place: self._load(n_racks, *place) for place in self._added}
        if self._has_room(loads, best):
            return best, True
        options = [found[part] for part in self._parts]
        if prod(len(own) for own in options) > _MOST_TRIED:
            options = [tuple(sorted(own, key=lambda choice: (len(choice.on), choice.score))[-1:]) for own in options]
        tried = []
        for combined in product(*options):
            candidate = best.copy()
            for part, choice in zip(self._parts, combined, strict=True):
                candidate[part] = choice
            if self._has_room(loads, candidate):
                tried.append(candidate)
        if not tried:
            return best, False
        return max(tried, key=lambda one: sum(one[part].score[1] for part in self._parts)), True

    def _load(self, n_racks: NDArray[np.integer[Any]], limit: int, period: int) -> int:
        problem = self._problem
        entries = slice(problem.limit_ptr[limit], problem.limit_ptr[limit + 1])
        standing = n_racks[problem.entry_row_idx[entries], :, period].astype(np.int64)
        return int((problem.entry_coefficient[entries] * standing).sum())

    def _has_room(self, loads: dict[tuple[int, int], int], chosen: Sequence[Choice]) -> bool:
        for place, load in loads.items():
            added = sum(amount * chosen[part].values[column] for part, column, amount in self._added[place])
            if load > int(self._problem.capacity[place]) + added:
                return False
        return True
