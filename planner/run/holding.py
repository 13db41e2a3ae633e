"""Which limits hold a lineup back in a quarter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.run.loads import binds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.problem import Problem


class Holding:
    """The limits that bind, and the lineups whose racks load them."""

    def __init__(self, problem: Problem, loads: NDArray[np.int64], lineup_of_row: Sequence[tuple[str, str]]) -> None:
        """Find out which limits bind when.

        Parameters: problem; loads, scaled by 2^20, [n_limits, n_periods]; lineup_of_row, site and lineup of each row.
        """
        self._problem, self._binding = problem, binds(problem, loads)
        names = list(dict.fromkeys(lineup_of_row))
        index = {name: number for number, name in enumerate(names)}
        lineup_of_entry = np.array([index[name] for name in lineup_of_row])[problem.entry_row_idx]
        order = np.argsort(lineup_of_entry, kind="stable")
        ends = np.searchsorted(lineup_of_entry[order], np.arange(len(names) + 1))
        self._entries = {name: order[ends[number] : ends[number + 1]] for name, number in index.items()}
        self._limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))

    def families(self, site: str, lineup: str, system: int | None, period: int) -> tuple[str, ...]:
        """Families of the limits that bind in a period and that racks in a lineup load, in the order of the limits.

        Parameters: site and lineup; system, its number, or None for any; period, its number.
        """
        entries = self._entries[site, lineup]
        coefficients = self._problem.entry_coefficient[entries]
        if system is not None:
            coefficients = coefficients[:, self._problem.system_of_configuration_idx == system]
        limits = np.unique(self._limit_of_entry[entries[(coefficients > 0).any(axis=1)]])
        bound = limits[self._binding[limits, period]]
        return tuple(dict.fromkeys(self._problem.limits[index].family for index in bound))
