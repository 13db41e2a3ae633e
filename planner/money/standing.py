"""Which racks of a plan stand in every quarter, after the last decision too: they rest and leave at the end of life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import resting_configuration
from planner.run.totals import system_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.lower.refresh import Refreshes
    from planner.problem import Problem


@dataclass(frozen=True)
class SiteRacks:
    """Racks of one site over all quarters from the plan's start to the last end of life."""

    standing: NDArray[np.int64]
    """[n_configurations on offer, n_quarters]; racks of refreshes are counted as what they are."""
    started: NDArray[np.int64]
    """[n_systems on offer, n_quarters] that stay to the end of their lives; nothing starts after the last decision."""
    refreshed: NDArray[np.int64]
    """[n_refreshes, n_quarters] that start in a quarter and make way for others."""


def site_racks(
    problem: Problem, refreshes: Refreshes, n_racks: NDArray[np.int32], life_quarters: int
) -> dict[str, SiteRacks]:
    """Racks of every site of the problem.

    Parameters: refreshes, and n_racks, [n_rows, n_configurations, n_periods], in the problem's order; life_quarters, no
    less than the decision periods.
    """
    site_of_row = np.array([name.partition(":")[0] for name in problem.row_names])
    starts = np.diff(system_counts(problem, n_racks), axis=2, prepend=0)
    shown = refreshes.as_they_are(n_racks)
    result = {}
    for site in dict.fromkeys(site_of_row.tolist()):
        rows = site_of_row == site
        started = starts[rows].sum(axis=0)
        decided = np.asarray(shown[rows], np.int64).sum(axis=0)
        result[site] = _to_the_end(refreshes, decided, started, life_quarters)
    return result


def _to_the_end(
    refreshes: Refreshes, decided: NDArray[np.int64], started: NDArray[np.int64], life_quarters: int
) -> SiteRacks:
    offer, n_decided = refreshes.offer, decided.shape[1]
    n_offered, n_quarters = len(offer.systems), n_decided - 1 + life_quarters
    standing = np.zeros((len(offer.configurations), n_quarters), np.int64)
    standing[:, :n_decided] = decided[: standing.shape[0]]
    for s, system in enumerate(offer.systems):
        resting = resting_configuration(offer, system)
        for t in range(n_decided):
            standing[resting, n_decided : t + life_quarters] += started[s, t]
    for number, option in enumerate(refreshes.options, start=n_offered):
        resting = resting_configuration(offer, option.refresh.after)
        for t in range(n_decided):
            standing[resting, n_decided : max(t, option.ends) + life_quarters] += started[number, t]
    padded = np.zeros((started.shape[0], n_quarters), np.int64)
    padded[:, :n_decided] = started
    return SiteRacks(standing, padded[:n_offered], padded[n_offered:])
