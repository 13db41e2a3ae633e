"""Configurations that close, folded away: the same problem in which every system has a lowest configuration for good.

Racks of a refresh stand in one configuration before it, in another while they are down, and in a third after it. Search
and bound want configurations that last. So those of such a system become *slots*: the lowest one that is open in a
period, the second one, and so on; what changes over time is then the coefficients of limits, which limits of the same
name for separate windows of periods carry as they do anywhere else. Plans and multipliers are the same on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import INACTIVE, Plan, SideProgram, may_stand
from planner.solve.packing import configurations_by_system

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import MinimumDemand, Problem
    from planner.solve.certificate import Certificate


@dataclass(frozen=True)
class Folded:
    """A problem, its folded form, and the way back."""

    problem: Problem
    """As lowered."""
    slots: Problem
    """The same with slots for configurations; solvers take this one."""
    source: NDArray[np.int64]
    """[n_slots, n_periods] the configuration of `problem` that a slot is."""
    is_open: NDArray[np.bool_]
    """[n_slots, n_periods] whether it is one that another slot of its system is not."""
    copy_of: NDArray[np.int64]
    """[n_limits of `problem`, n_periods] the limit of `slots` that holds then; -1 where inactive."""
    demand_of: tuple[int, ...]
    """By minimum demand of `slots`, that of `problem`."""

    def plan(self, plan: Plan) -> Plan:
        """A plan of `slots` as one of `problem`."""
        racks = np.zeros((self.problem.n_rows, self.problem.n_configurations, self.problem.n_periods), np.int32)
        for (slot, t), configuration in np.ndenumerate(self.source):
            racks[:, configuration, t] += plan.n_racks[:, slot, t]
        return replace(plan, n_racks=racks)

    def certificate(self, proof: Certificate) -> Certificate:
        """Multipliers of `slots` as those of `problem`: each limit's are those of its windows."""
        demand = [[0] * self.problem.n_periods for _ in self.problem.minimum_demands]
        for own, of_window in zip(self.demand_of, proof.demand, strict=True):
            demand[own] = [known + price for known, price in zip(demand[own], of_window, strict=True)]
        inside: dict[int, NDArray[Any]] = {}
        whole: dict[int, NDArray[Any]] = {}
        for copy, prices in proof.inside.items():
            limit = int(self._limit_of[copy])
            inside[limit] = np.add(inside[limit], prices) if limit in inside else prices
        for copy, kept in proof.whole.items():
            limit = int(self._limit_of[copy])
            whole[limit] = whole[limit] | kept if limit in whole else kept
        prices_of = np.zeros((self.problem.n_limits, self.problem.n_periods), object)
        np.add.at(prices_of, self._limit_of, proof.limit)
        return replace(proof, limit=prices_of, inside=inside, whole=whole, demand=tuple(tuple(one) for one in demand))

    def configurations(self, slots: Sequence[int], period: int) -> tuple[int, ...]:
        """What some slots are in a period; all configurations of a system whose slots are all among them."""
        system, found = self.slots.system_of_configuration_idx, set[int]()
        for own in np.unique(system[list(slots)]):
            members = np.flatnonzero(system == own)
            if set(members.tolist()) <= set(slots):
                found |= set(np.flatnonzero(self.problem.system_of_configuration_idx == own).tolist())
            else:
                found |= {int(self.source[slot, period]) for slot in members if slot in slots}
        return tuple(sorted(found))

    @cached_property
    def _limit_of(self) -> NDArray[np.int64]:
        """[n_limits of `slots`] the limit of `problem`."""
        limit, period = np.nonzero(self.copy_of >= 0)
        result = np.zeros(self.slots.n_limits, np.int64)
        result[self.copy_of[limit, period]] = limit
        return result


def folded(problem: Problem) -> Folded | None:
    """The folded form of a problem; None where every system has a configuration that never closes."""
    folding = [system for system in range(problem.n_systems) if _closes(problem, system)]
    if not folding:
        return None
    source, is_open = _slots(problem, folding)
    periods = np.arange(problem.n_periods)
    able = may_stand(problem)[:, source, periods] & is_open
    first = np.where(able.any(axis=2), able.argmax(axis=2), problem.n_periods).astype(np.int32)
    closed = ~able & (first[:, :, None] <= periods)
    limits, copy_of = _limits(problem, source)
    demands = [(n, one) for n, demand in enumerate(problem.minimum_demands) for one in _windows(demand, source)]
    system = problem.system_of_configuration_idx[source[:, 0]]
    slots = replace(
        problem,
        configuration_names=tuple(_name(problem, source, slot) for slot in range(source.shape[0])),
        system_of_configuration_idx=system,
        first_period=first,
        closed=closed if closed.any() else None,
        period_value=problem.period_value[:, source, periods],
        contract_revenue=problem.contract_revenue[:, source, periods],
        minimum_demands=tuple(one for _, one in demands),
        side=None if problem.side is None else _side(problem.side, source, is_open, copy_of),
        **limits,
    )
    return Folded(problem, slots, source, is_open, copy_of, tuple(n for n, _ in demands))


def _open_somewhere(problem: Problem) -> NDArray[np.bool_]:
    """[n_configurations, n_periods] where a configuration is not closed in every row."""
    if problem.closed is None:
        return np.ones((problem.n_configurations, problem.n_periods), np.bool_)
    return np.asarray(~problem.closed.all(axis=0))


def _closes(problem: Problem, system: int) -> bool:
    """Whether each configuration of a system closes at some time."""
    own = _open_somewhere(problem)[problem.system_of_configuration_idx == system]
    return not bool(own.all(axis=1).any())


def _slots(problem: Problem, folding: list[int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """[n_slots, n_periods] the configuration that each slot is, and whether it is one of its own.

    Where fewer are open than a system has slots, the rest stand for the highest: its draw, but closed.
    """
    ptr, order = configurations_by_system(problem)
    is_open, periods = _open_somewhere(problem), range(problem.n_periods)
    source: list[list[int]] = []
    own: list[list[bool]] = []
    for system in dict.fromkeys(problem.system_of_configuration_idx.tolist()):
        members = order[ptr[system] : ptr[system + 1]]
        if system not in folding:
            source += [[k] * problem.n_periods for k in sorted(members.tolist())]
            own += [[True] * problem.n_periods for _ in members]
            continue
        standing = [[int(k) for k in members if is_open[k, t]] or [int(members[0])] for t in periods]
        for slot in range(max(len(one) for one in standing)):
            source.append([one[min(slot, len(one) - 1)] for one in standing])
            own.append([slot < len(one) for one in standing])
    return np.array(source, np.int64), np.array(own, np.bool_)


def _name(problem: Problem, source: NDArray[np.int64], slot: int) -> str:
    names = dict.fromkeys(problem.configuration_names[k] for k in source[slot])
    return next(iter(names)) if len(names) == 1 else "|".join([*names, f"slot {slot}"])


def _limits(problem: Problem, source: NDArray[np.int64]) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Limits over slots, one for each set of coefficients that a limit has over time, and which holds when."""
    begins = [0, *(t for t in range(1, source.shape[1]) if (source[:, t] != source[:, t - 1]).any())]
    tables = [problem.entry_coefficient[:, source[:, t]] for t in begins]
    like = _alike(problem, tables)
    window = np.repeat(np.arange(len(begins)), [b - a for a, b in pairwise([*begins, source.shape[1]])])
    used = like[:, window]
    copy_of = np.full(used.shape, -1, np.int64)
    parent: list[int] = []
    table: list[int] = []
    capacity: list[NDArray[np.int64]] = []
    for limit in range(problem.n_limits):
        for number in dict.fromkeys(used[limit].tolist()):
            active = (used[limit] == number) & (problem.capacity[limit] != INACTIVE)
            if active.any():
                copy_of[limit, active] = len(parent)
                parent.append(limit)
                table.append(number)
                capacity.append(np.where(active, problem.capacity[limit], INACTIVE))
    sizes = np.diff(problem.limit_ptr)[parent]
    ptr = _ptr(sizes)
    entry = np.arange(ptr[-1]) - np.repeat(ptr[:-1], sizes) + np.repeat(problem.limit_ptr[parent], sizes)
    of_table = np.repeat(table, sizes)
    coefficient = np.zeros((entry.size, source.shape[0]), np.int64)
    for number, values in enumerate(tables):
        coefficient[of_table == number] = values[entry[of_table == number]]
    return {
        "limits": tuple(problem.limits[limit] for limit in parent),
        "limit_ptr": ptr,
        "entry_row_idx": problem.entry_row_idx[entry],
        "entry_coefficient": coefficient,
        "capacity": np.array(capacity, np.int64).reshape(-1, problem.n_periods),
    }, copy_of


def _alike(problem: Problem, tables: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """[n_limits, n_windows] the first window in which a limit has the same coefficients."""
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    result = np.tile(np.arange(len(tables)), (problem.n_limits, 1))
    for later in range(1, len(tables)):
        for earlier in range(later - 1, -1, -1):
            differs = (tables[later] != tables[earlier]).any(axis=1)
            same = np.bincount(limit_of_entry[differs], minlength=problem.n_limits) == 0
            result[same, later] = result[same, earlier]
    return result


def _windows(demand: MinimumDemand, source: NDArray[np.int64]) -> list[MinimumDemand]:
    """A minimum demand, asked and charged in each period of the slots that are what they are then."""
    draws = [tuple(demand.draw_scaled[k] for k in column) for column in source.T.tolist()]
    found = []
    for draw in dict.fromkeys(draws):
        minimum_w = tuple(watts * (own == draw) for watts, own in zip(demand.minimum_w, draws, strict=True))
        price = tuple(cents * (own == draw) for cents, own in zip(demand.price_cents_per_w, draws, strict=True))
        found.append(replace(demand, draw_scaled=draw, minimum_w=minimum_w, price_cents_per_w=price))
    return found


def _side(
    side: SideProgram, source: NDArray[np.int64], is_open: NDArray[np.bool_], copy_of: NDArray[np.int64]
) -> SideProgram:
    """The side program over slots: what racks add to a row, and the limits that columns add to."""
    row = np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr))
    entry: list[int] = []
    slot: list[int] = []
    for number, (k, t) in enumerate(zip(side.rack_configuration_idx, side.rack_period_idx, strict=True)):
        found = np.flatnonzero((source[:, t] == k) & is_open[:, t])
        entry += [number] * found.size
        slot += found.tolist()
    column = np.repeat(np.arange(side.n_columns), np.diff(side.capacity_ptr))
    limit = copy_of[side.capacity_limit_idx, side.capacity_period_idx]
    held = limit >= 0
    return replace(
        side,
        rack_ptr=_ptr(np.bincount(row[entry], minlength=side.n_rows)),
        rack_group_idx=side.rack_group_idx[entry],
        rack_configuration_idx=np.array(slot, np.int32),
        rack_period_idx=side.rack_period_idx[entry],
        rack_coefficient=side.rack_coefficient[entry],
        capacity_ptr=_ptr(np.bincount(column[held], minlength=side.n_columns)),
        capacity_limit_idx=limit[held].astype(np.int32),
        capacity_period_idx=side.capacity_period_idx[held],
        capacity_amount=side.capacity_amount[held],
    )


def _ptr(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
