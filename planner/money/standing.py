"""Which racks of a plan stand in every quarter, after the last decision too: they rest and leave at the end of life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import resting_configuration
from planner.run.totals import system_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.lower.hosts import Offer
    from planner.problem import Problem


@dataclass(frozen=True)
class SiteRacks:
    """Racks of one site over all quarters from the plan's start to the last end of life."""

    standing: NDArray[np.int64]
    """[n_configurations, n_quarters]"""
    started: NDArray[np.int64]
    """[n_systems, n_quarters]; nothing starts after the last decision."""


def site_racks(problem: Problem, offer: Offer, n_racks: NDArray[np.int32], life_quarters: int) -> dict[str, SiteRacks]:
    """Racks of every site of the problem.

    Parameters: offer, in the problem's order; n_racks, [n_rows, n_configurations, n_periods]; life_quarters, no less
    than the decision periods.
    """
    site_of_row = np.array([name.partition(":")[0] for name in problem.row_names])
    starts = np.diff(system_counts(problem, n_racks), axis=2, prepend=0)
    result = {}
    for site in dict.fromkeys(site_of_row.tolist()):
        rows = site_of_row == site
        started = starts[rows].sum(axis=0)
        decided = np.asarray(n_racks[rows], np.int64).sum(axis=0)
        result[site] = _to_the_end(problem, offer, decided, started, life_quarters)
    return result


def _to_the_end(
    problem: Problem, offer: Offer, decided: NDArray[np.int64], started: NDArray[np.int64], life_quarters: int
) -> SiteRacks:
    n_decided = problem.n_periods
    n_quarters = n_decided - 1 + life_quarters
    standing = np.zeros((problem.n_configurations, n_quarters), np.int64)
    standing[:, :n_decided] = decided
    for s, system in enumerate(problem.system_names):
        resting = resting_configuration(offer, system)
        for t in range(n_decided):
            standing[resting, n_decided : t + life_quarters] += started[s, t]
    padded = np.zeros((problem.n_systems, n_quarters), np.int64)
    padded[:, :n_decided] = started
    return SiteRacks(standing, padded)
