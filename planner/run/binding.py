"""Which limits bind, in which periods, and what is stranded in the rows under each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from planner.run.loads import binds, is_active, rounded_down, rounded_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from planner.lower.lowered import DroppedLimit
    from planner.problem import LimitInfo, Problem


LevelKey: TypeAlias = tuple[str, str, str, bool, bool]
"""Site, family, kind of element, whether a failure counts, and whether before racks have shed and capped."""
CONTINGENT_FAMILIES = frozenset({"power", "liquid", "flow", "air", "dry", "chiller"})
"""Families whose limits name a failure after their element."""


@dataclass(frozen=True)
class RowRoom:
    """What a row has left in a period when the plan stands in it."""

    empty_positions: int
    feed_w: int
    """What its own feeds could still carry after the loss of any one of them."""


@dataclass(frozen=True)
class BindingLimit:
    """A limit with less slack than one more rack needs; figures hold for the last period in which it binds."""

    limit: str
    site: str
    family: str
    element: str
    contingency: str | None
    before_action: bool
    unit: str
    periods: tuple[str, ...]
    load: int
    capacity: int
    slack: int
    n_rows: int
    stranded_positions: int
    stranded_w: int


def binding_limits(
    problem: Problem, loads: NDArray[np.int64], room: Callable[[int, int], RowRoom]
) -> tuple[BindingLimit, ...]:
    """Every limit that binds in some period, in the problem's order.

    Parameters: problem; loads, scaled by 2^20, [n_limits, n_periods]; room, what row r has left in period t.
    """
    binding = binds(problem, loads)
    return tuple(
        _binding_limit(problem, loads, binding, int(index), room) for index in np.flatnonzero(binding.any(axis=1))
    )


def _binding_limit(
    problem: Problem,
    loads: NDArray[np.int64],
    binding: NDArray[np.bool_],
    index: int,
    room: Callable[[int, int], RowRoom],
) -> BindingLimit:
    info = problem.limits[index]
    periods = np.flatnonzero(binding[index])
    last = int(periods[-1])
    load, capacity = int(loads[index, last]), int(problem.capacity[index, last])
    rows = problem.entry_row_idx[problem.limit_ptr[index] : problem.limit_ptr[index + 1]]
    rooms = [room(int(row), last) for row in rows]
    return BindingLimit(
        info.name, info.site, info.family, info.element, info.contingency, info.before_action, info.unit,
        tuple(problem.periods[t] for t in periods),
        rounded_up(load), rounded_down(capacity), rounded_down(capacity - load),
        len(rows), sum(r.empty_positions for r in rooms), sum(r.feed_w for r in rooms),
    )  # fmt: skip


@dataclass(frozen=True)
class Stranding:
    """Like limits that bind, and what is stranded in the rows under them, each row counted once.

    Figures hold for the last decision period where some of them bind there, else for the last in which one does.
    """

    site: str
    family: str
    level: str
    contingency: bool
    before_action: bool
    period: str
    n_limits: int
    n_rows: int
    stranded_positions: int
    stranded_w: int


def strandings(
    problem: Problem,
    loads: NDArray[np.int64],
    room: Callable[[int, int], RowRoom],
    kind_of: Mapping[tuple[str, str], str],
) -> tuple[Stranding, ...]:
    """What is stranded under the limits of each level.

    Parameters: as for `binding_limits` and `level_use`.
    """
    binding = binds(problem, loads)
    groups: dict[LevelKey, list[int]] = {}
    for index in np.flatnonzero(binding.any(axis=1)):
        groups.setdefault(_level_key(problem.limits[index], kind_of), []).append(int(index))
    return tuple(_stranding(problem, binding, key, members, room) for key, members in groups.items())


def _stranding(
    problem: Problem,
    binding: NDArray[np.bool_],
    key: LevelKey,
    members: list[int],
    room: Callable[[int, int], RowRoom],
) -> Stranding:
    last = int(np.flatnonzero(binding[members].any(axis=0))[-1])
    at_end = [index for index in members if binding[index, last]]
    rows = {
        int(row)
        for index in at_end
        for row in problem.entry_row_idx[problem.limit_ptr[index] : problem.limit_ptr[index + 1]]
    }
    rooms = [room(row, last) for row in sorted(rows)]
    return Stranding(
        *key,
        period=problem.periods[last],
        n_limits=len(at_end),
        n_rows=len(rows),
        stranded_positions=sum(r.empty_positions for r in rooms),
        stranded_w=sum(r.feed_w for r in rooms),
    )


@dataclass(frozen=True)
class LevelUse:
    """The fullest limit of one level of a site in each period, as load over capacity."""

    site: str
    family: str
    level: str
    contingency: bool
    before_action: bool
    used: tuple[float | None, ...]
    exact: tuple[bool, ...]
    """Whether no limit that others imply could be fuller; else `used` is a lower bound."""


def level_use(
    problem: Problem,
    loads: NDArray[np.int64],
    kind_of: Mapping[tuple[str, str], str],
    dropped: Sequence[DroppedLimit],
) -> tuple[LevelUse, ...]:
    """Use of every level: limits grouped by site, family, kind of element, and whether and when a failure counts.

    Parameters: problem; loads, scaled by 2^20, [n_limits, n_periods]; kind_of, (site, element) to kind, elements
    without one forming the level named like their family; dropped, limits that lowering leaves out because others
    imply them. Where such a limit could be the fullest of its level, the use is a lower bound and not `exact`.
    """
    active = is_active(problem) & (problem.capacity > 0)
    ratio = np.where(active, loads / np.where(active, problem.capacity, 1), -1.0)
    best: dict[LevelKey, NDArray[np.float64]] = {}
    for index, limit in enumerate(problem.limits):
        key = _level_key(limit, kind_of)
        best[key] = np.maximum(best[key], ratio[index]) if key in best else ratio[index]
    by_name = {limit.name: ratio[index] for index, limit in enumerate(problem.limits)}
    hidden = {key: np.full(problem.n_periods, -1.0) for key in best}
    for one in dropped:
        key = _key_of_name(one.name, kind_of)
        if key in hidden:
            periods = list(one.periods)
            implying = by_name.get(one.implied_by)
            most = (
                np.full(len(periods), np.inf)
                if implying is None
                else np.where(implying[periods] < 0, np.inf, implying[periods])
            )
            hidden[key][periods] = np.maximum(hidden[key][periods], most)
    return tuple(
        LevelUse(
            *key,
            used=tuple(None if use < 0 else float(use) for use in best[key]),
            exact=tuple(bool(unknown <= use) for use, unknown in zip(best[key], hidden[key], strict=True)),
        )
        for key in best
    )


def _key_of_name(name: str, kind_of: Mapping[tuple[str, str], str]) -> LevelKey:
    """The level of a limit of which only the name is left: `site:family:element[:contingency[:before]]`."""
    site, family, element, *rest = name.split(":")
    failure = family in CONTINGENT_FAMILIES and bool(rest)
    return site, family, kind_of.get((site, element), family), failure, failure and len(rest) > 1


def _level_key(limit: LimitInfo, kind_of: Mapping[tuple[str, str], str]) -> LevelKey:
    level = kind_of.get((limit.site, limit.element), limit.family)
    return limit.site, limit.family, level, limit.contingency is not None, limit.before_action
