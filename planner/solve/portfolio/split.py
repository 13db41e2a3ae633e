"""A problem of many sites taken apart: one problem for each site, and the limits that all sites share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import INACTIVE, MinimumDemand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Opening, Problem

FEWEST_ROWS = 1500
"""Sites with fewer rows in all are planned as one problem."""
JOINT = "*"
"""Site of a limit over all sites."""


@dataclass(frozen=True)
class SitePart:
    """One site's rows, blocks and limits; the limits that it shares come last, with their whole capacity."""

    site: str
    problem: Problem
    """Without the contract's amount, whose worth comes as a price on revenue, and without the constant."""
    row_idx: NDArray[np.int64]
    """[n_rows of the site] rows of the whole problem, ascending."""
    block_idx: NDArray[np.int64]
    """[n_blocks of the site]"""
    limit_idx: NDArray[np.int64]
    """[n_own + n_joint] limits of the whole problem."""
    demand_idx: tuple[int, ...]
    """Minimum demands of the whole problem."""
    n_joint: int

    @property
    def n_own(self) -> int:
        """Limits that no other site shares."""
        return self.limit_idx.size - self.n_joint

    def with_capacity(self, capacity: NDArray[np.int64]) -> Problem:
        """The site's problem with other capacities of the shared limits.

        Parameters: capacity, [n_joint, n_periods] scaled by 2^20.
        """
        return replace(self.problem, capacity=np.concatenate((self.problem.capacity[: self.n_own], capacity)))


@dataclass(frozen=True)
class Split:
    """All parts, and what they share."""

    problem: Problem
    parts: tuple[SitePart, ...]
    joint_idx: NDArray[np.int64]
    """[n_joint] limits that sites share."""

    @property
    def capacity(self) -> NDArray[np.int64]:
        """[n_joint, n_periods] of the shared limits, scaled by 2^20."""
        return self.problem.capacity[self.joint_idx]

    def joined(self, of_site: list[NDArray[np.int32]]) -> NDArray[np.int32]:
        """Racks of the whole problem from those of each site, [n_rows, n_configurations, n_periods]."""
        problem = self.problem
        n_racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int32)
        for part, own in zip(self.parts, of_site, strict=True):
            n_racks[part.row_idx] = own
        return n_racks


def takes_apart(problem: Problem) -> bool:
    """Whether a problem is planned site by site: many rows at several sites, which no side program joins."""
    if problem.side is not None:
        return False
    return problem.n_rows >= FEWEST_ROWS and len({_site(name) for name in problem.row_names}) > 1


def _site(name: str) -> str:
    return name.split(":", 1)[0]


def split_sites(problem: Problem) -> Split:
    """Take a problem apart by the sites of its rows, in the order in which they come.

    Raises ValueError where a side program joins them.
    """
    if problem.side is not None:
        msg = "found workloads or terms of a contract, which join all sites: such a problem is not taken apart"
        raise ValueError(msg)
    numbers: dict[str, int] = {}
    site_of_row = np.array([numbers.setdefault(_site(name), len(numbers)) for name in problem.row_names], np.int64)
    site_of_limit = np.array([numbers.get(info.site, -1) for info in problem.limits], np.int64)
    joint_idx = np.flatnonzero(np.array([info.site == JOINT for info in problem.limits], np.bool_))
    limit_of_entry = np.repeat(np.arange(problem.n_limits), np.diff(problem.limit_ptr))
    site_of_entry = site_of_row[problem.entry_row_idx]
    order = np.argsort(site_of_entry, kind="stable")
    ptr = np.searchsorted(site_of_entry[order], np.arange(len(numbers) + 1))
    parts = tuple(
        _part(
            problem, site, np.flatnonzero(site_of_row == number),
            np.concatenate((np.flatnonzero(site_of_limit == number), joint_idx)),
            (order[ptr[number] : ptr[number + 1]], limit_of_entry), joint_idx.size,
        )
        for site, number in numbers.items()
    )  # fmt: skip
    return Split(problem, parts, joint_idx)


def _part(
    problem: Problem, site: str, rows: NDArray[np.int64], limits: NDArray[np.int64],
    entries_and_limits: tuple[NDArray[np.int64], NDArray[np.int64]], n_joint: int,
) -> SitePart:  # fmt: skip
    """The problem of one site.

    Parameters: rows and limits of the whole problem; entries_and_limits, entries of the site's rows, and the limit of
    every entry.
    """
    entries, limit_of_entry = entries_and_limits
    place = np.full(problem.n_limits, -1, np.int64)
    place[limits] = np.arange(limits.size)
    position = place[limit_of_entry[entries]]
    entries = entries[np.argsort(position, kind="stable")]
    blocks, block_of_row = np.unique(problem.block_of_row_idx[rows], return_inverse=True)
    demands = tuple(n for n, one in enumerate(problem.minimum_demands) if one.site == site)
    own = replace(
        problem,
        row_names=tuple(problem.row_names[row] for row in rows),
        block_names=tuple(problem.block_names[block] for block in blocks),
        block_of_row_idx=block_of_row.astype(np.int32),
        first_period=problem.first_period[rows],
        closed=None if problem.closed is None else problem.closed[rows],
        limits=tuple(problem.limits[limit] for limit in limits),
        limit_ptr=np.concatenate(([0], np.cumsum(np.bincount(position, minlength=limits.size)))).astype(np.int64),
        entry_row_idx=np.searchsorted(rows, problem.entry_row_idx[entries]).astype(np.int32),
        entry_coefficient=problem.entry_coefficient[entries],
        capacity=problem.capacity[limits],
        period_value=problem.period_value[rows],
        contract_revenue=problem.contract_revenue[rows],
        start_value=problem.start_value[rows],
        open_cost=problem.open_cost[blocks],
        unit_cost=problem.unit_cost[blocks],
        partial_units=problem.partial_units[blocks],
        contract_amount=0,
        constant_cents=0,
        ineligible=(),
        minimum_demands=tuple(_renumbered(problem.minimum_demands[n], rows) for n in demands),
        openings=_openings(problem, blocks),
    )
    return SitePart(site, own, rows, blocks.astype(np.int64), limits, demands, n_joint)


def _renumbered(demand: MinimumDemand, rows: NDArray[np.int64]) -> MinimumDemand:
    return replace(demand, row_idx=tuple(np.searchsorted(rows, np.array(demand.row_idx, np.int64)).tolist()))


def _openings(problem: Problem, blocks: NDArray[np.integer[Any]]) -> tuple[Opening, ...]:
    """Those of a site; each opens blocks of one site only."""
    number = {int(block): own for own, block in enumerate(blocks)}
    return tuple(
        replace(one, block_idx=tuple(number[block] for block in one.block_idx))
        for one in problem.openings
        if one.block_idx[0] in number
    )


def active(capacity: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where limits exist."""
    result: NDArray[np.bool_] = capacity != INACTIVE
    return result
