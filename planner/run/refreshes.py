"""Rows whose racks make way for others, and rows that stay empty at first: what for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import may_stand
from planner.run.draws import split_name
from planner.run.holding import Holding
from planner.run.totals import system_counts
from sites.schema.portfolio import Perspective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from planner.lower.lowered import Lowered
    from sites.refresh import RefreshOption
    from sites.schema.portfolio import PortfolioFile

DELIVERY, LIMIT, WORTH = "delivery", "limit", "worth"
"""What a row waits for: racks, a limit that holds it back, or nothing but better racks or a better time."""


@dataclass(frozen=True)
class RefreshedRow:
    """A row whose racks make way for others once."""

    site: str
    block: str
    row: str
    before: str
    after: str
    quarter: str
    """In which the old racks leave and the new ones are delivered."""
    stands: str
    """From which on the new ones stand."""
    n_racks: int
    """That stand in the last decision quarter."""
    exchanged: dict[str, int]
    """Racks that are exchanged, by quarter in which no rack is at work."""
    worth_cents: int | None
    """Of one rack from its first quarter on: what it earns and costs, its network, limits and premium aside."""
    worth_if_kept_cents: int | None
    """Of one rack of the old system to the end of its life."""
    worth_if_waited_cents: int | None
    """Of one rack of the new system, from the best quarter in which it may start; None where it never may."""
    reason: str


@dataclass(frozen=True)
class WaitingRows:
    """Rows of a lineup that stay empty after some rack on offer could have stood there."""

    site: str
    lineup: str
    n_rows: int
    could_stand: str
    """First quarter in which some rack on offer may stand in them."""
    starts: str
    """Quarter in which the first rack starts."""
    system: str
    waits_for: str
    """`delivery`, `limit` or `worth`."""
    held_by: tuple[str, ...]
    """Families of limits that bind there in the quarter before."""


def refreshed_rows(portfolio: PortfolioFile, lowered: Lowered, n_racks: NDArray[np.int32]) -> Iterator[RefreshedRow]:
    """Every row in which a refresh happens, in the problem's order.

    Parameters: portfolio; lowered; n_racks, [n_rows, n_configurations, n_periods].
    """
    problem, refreshes = lowered.problem, lowered.refreshes
    counts, n_offered = system_counts(problem, n_racks), len(refreshes.offer.systems)
    worths = _Worths(lowered)
    is_provider = portfolio.perspective is Perspective.PROVIDER
    for r, s in np.argwhere(counts[:, n_offered:, -1]):
        option, name = refreshes.options[s], problem.row_names[r]
        racks = counts[r, n_offered + s]
        found = worths.of(int(r), option, int(np.flatnonzero(racks)[0])) if is_provider else (None, None, None)
        yield RefreshedRow(
            site=split_name(name)[0],
            block=split_name(problem.block_names[problem.block_of_row_idx[r]])[1],
            row=split_name(name)[1],
            before=option.refresh.before,
            after=option.refresh.after,
            quarter=option.quarter,
            stands=problem.periods[option.ends],
            n_racks=int(racks[-1]),
            exchanged={problem.periods[t]: int(racks[t]) for t in range(option.begins, option.ends)},
            worth_cents=found[0],
            worth_if_kept_cents=found[1],
            worth_if_waited_cents=found[2],
            reason=_reason(*found),
        )


def _reason(worth: int | None, kept: int | None, waited: int | None) -> str:
    if worth is None or kept is None:
        return "what racks are worth depends on what they do beside standing, so that no row has a worth of its own"
    others = [kept] if waited is None else [kept, waited]
    if worth >= max(others):
        return "a rack that makes way is worth more than one that stays, and than waiting"
    return "a rack would be worth more otherwise; limits that the rows share decide"


class _Worths:
    """What one rack of a row is worth on its own, in the best configuration of each quarter."""

    def __init__(self, lowered: Lowered) -> None:
        self._problem, self._refreshes = lowered.problem, lowered.refreshes
        able = may_stand(self._problem)
        system = self._problem.system_of_configuration_idx
        shape = (self._problem.n_rows, self._problem.n_systems, self._problem.n_periods)
        self._able = np.zeros(shape, np.bool_)
        self._best = np.full(shape, np.iinfo(np.int64).min // 2**8)
        for k, own in enumerate(system):
            self._able[:, own] |= able[:, k]
            value = np.where(able[:, k], self._problem.period_value[:, k], self._best[:, own])
            self._best[:, own] = np.maximum(self._best[:, own], value)

    def of(self, row: int, option: RefreshOption, first: int) -> tuple[int | None, int | None, int | None]:
        """Of a rack that starts in a period: refreshed, kept, and one of the new system that is waited for."""
        systems = self._problem.system_names
        later = systems.index(option.refresh.after)
        starts = np.flatnonzero(self._able[row, later])
        return (
            self._worth(row, systems.index(option.name), first),
            self._worth(row, systems.index(option.refresh.before), first),
            max((self._worth(row, later, int(t)) for t in starts), default=None),
        )

    def _worth(self, row: int, system: int, first: int) -> int:
        return int(self._problem.start_value[row, system, first] + self._best[row, system, first:].sum())


def waiting_rows(lowered: Lowered, n_racks: NDArray[np.int32], loads: NDArray[np.int64]) -> Iterator[WaitingRows]:
    """Rows whose first rack starts later than some rack could, by lineup, system and quarter.

    Parameters: lowered; n_racks, [n_rows, n_configurations, n_periods]; loads, scaled by 2^20, [n_limits, n_periods].
    """
    problem = lowered.problem
    counts = system_counts(problem, n_racks)
    lineup_of_row = [(one.site, one.lineup) for one in lowered.rows]
    holding = Holding(problem, loads, lineup_of_row)
    system_of, first_possible = problem.system_of_configuration_idx, problem.first_period.min(axis=1)
    found: dict[tuple[str, str, int, int, int, bool], int] = defaultdict(int)
    for r, s in np.argwhere(counts[:, :, -1]):
        starts = int(np.flatnonzero(counts[r, s])[0])
        if first_possible[r] < starts:
            is_first = int(problem.first_period[r, system_of == s].min()) == starts
            found[(*lineup_of_row[r], int(s), int(first_possible[r]), starts, is_first)] += 1
    for (site, lineup, s, could, starts, is_first), n_rows in found.items():
        held_by = holding.families(site, lineup, s, starts - 1)
        yield WaitingRows(
            site=site,
            lineup=lineup,
            n_rows=n_rows,
            could_stand=problem.periods[could],
            starts=problem.periods[starts],
            system=lowered.refreshes.shown_system(s),
            waits_for=DELIVERY if is_first else LIMIT if held_by else WORTH,
            held_by=held_by,
        )
