"""Racks of refreshes in the side program: each counts what a rack of its configuration counts (model, section 7a)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sites.calendar import is_quarter, quarter_index

if TYPE_CHECKING:
    from planner.lower.refresh import Refreshes
    from planner.problem import SideProgram


def with_refreshes(side: SideProgram, refreshes: Refreshes) -> SideProgram:
    """The side program with what racks of refreshes add to its rows.

    What a rack of a configuration adds in a period, a rack of its window adds while the window is open in that period
    and in the row's own quarter, or the last decision quarter where that is later: racks that have made way for others
    neither work nor come to an end after it.
    """
    if not refreshes.windows:
        return side
    added = _added(side, refreshes)
    row = np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr))
    entry = np.array([number for number, _ in added], np.int64)
    every = np.concatenate((np.arange(row.size), entry))
    order = np.argsort(row[every], kind="stable")
    configuration = np.concatenate((side.rack_configuration_idx, [k for _, k in added])).astype(np.int32)
    counts = np.bincount(row[every], minlength=side.n_rows)
    every = every[order]
    return replace(
        side,
        rack_ptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        rack_group_idx=side.rack_group_idx[every],
        rack_configuration_idx=configuration[order],
        rack_period_idx=side.rack_period_idx[every],
        rack_coefficient=side.rack_coefficient[every],
    )


def _added(side: SideProgram, refreshes: Refreshes) -> list[tuple[int, int]]:
    """Entry and configuration of the problem of everything that windows add."""
    n_offered, periods = len(refreshes.offer.configurations), refreshes.offer.periods
    windows: dict[int, list[tuple[int, int, int]]] = {}
    for number, window in enumerate(refreshes.windows, start=n_offered):
        if window.physical is not None:
            windows.setdefault(window.physical, []).append((number, window.first_period, window.end_period))
    row = np.repeat(np.arange(side.n_rows), np.diff(side.rack_ptr))
    own_period = [_period(name, periods) for name in side.row_names]
    found = []
    for entry, (k, t) in enumerate(zip(side.rack_configuration_idx, side.rack_period_idx, strict=True)):
        own = own_period[row[entry]]
        for number, first, end in windows.get(int(k), ()):
            if first <= t < end and (own is None or first <= own < end):
                found.append((entry, number))
    return found


def _period(name: str, periods: tuple[str, ...]) -> int | None:
    """Decision period of a row's quarter, the last one where it lies later; None where its name has no quarter."""
    quarter = name.rpartition(":")[2]
    if not is_quarter(quarter):
        return None
    return min(quarter_index(quarter) - quarter_index(periods[0]), len(periods) - 1)
