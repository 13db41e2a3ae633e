"""Pools of block patterns: what the relaxation fills a class's blocks with, and how often search tries it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from planner.solve.relaxation import PoolPattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.assignment import Assignment

ONE = 65536
_EXPLORE = 0.1
"""Share of draws that pick any pattern of the pool without regard to its weight."""
_SMALLEST_DEBT = 0.05
"""A class owes a pattern less than this: its block stays empty in the first plan."""
_SMALLEST_WEIGHT = 1e-3
"""Blocks below which a filling counts as unused by an assignment."""
_ALL = 1 << 40
"""Racks of a pattern that fills a block as far as it goes."""


@dataclass(frozen=True)
class Pools:
    """Patterns of every block class."""

    ptr: NDArray[np.int64]
    """[n_classes + 1]"""
    system_idx: NDArray[np.int64]
    """[n_patterns]"""
    racks: NDArray[np.int64]
    """[n_patterns]"""
    weight: NDArray[np.float64]
    """[n_patterns] blocks of the class that the relaxation fills so in the last period."""
    cumulative: NDArray[np.int64]
    """[n_patterns] chances out of 65536."""


def make_pools(problem: Problem, used: tuple[PoolPattern, ...], block_class: NDArray[np.int64]) -> Pools:
    """Patterns in use, and one without a cap for each system, class by class.

    Parameters: used, patterns of the relaxation; block_class [n_blocks].
    """
    n_classes = int(block_class.max()) + 1 if block_class.size else 0
    rows: list[tuple[int, int, int, float]] = [
        (pattern.block_class, pattern.system, pattern.n_racks, pattern.weight) for pattern in used
    ]
    rows += [(group, system, _ALL, 0.0) for group in range(n_classes) for system in range(problem.n_systems)]
    rows.sort()
    group = np.array([row[0] for row in rows], np.int64)
    weight = np.array([row[3] for row in rows], np.float64)
    ptr = np.searchsorted(group, np.arange(n_classes + 1)).astype(np.int64)
    return Pools(
        ptr=ptr,
        system_idx=np.array([row[1] for row in rows], np.int64),
        racks=np.array([row[2] for row in rows], np.int64),
        weight=weight,
        cumulative=_cumulative(np.round(weight, 6), ptr),
    )


def _cumulative(weight: NDArray[np.float64], ptr: NDArray[np.int64]) -> NDArray[np.int64]:
    result = np.zeros(weight.size, np.int64)
    for begin, end in pairwise(ptr):
        own = weight[begin:end] + 1e-9
        mixed = (1.0 - _EXPLORE) * own / own.sum() + _EXPLORE / own.size
        result[begin:end] = np.floor(np.cumsum(mixed) * ONE + 0.5).astype(np.int64)
    return result


def deal(pools: Pools, block_class: NDArray[np.int64]) -> NDArray[np.int64]:
    """Deal patterns to the blocks of each class so that their counts follow the weights (largest debt first).

    Returns [n_blocks] patterns, -1 for blocks that stay empty.
    """
    chosen = np.full(block_class.size, -1, np.int64)
    n_systems = int(pools.system_idx.max(initial=-1)) + 1
    owed = np.zeros(n_systems)
    for group in range(pools.ptr.size - 1):
        begin, end = int(pools.ptr[group]), int(pools.ptr[group + 1])
        members = np.flatnonzero(block_class == group)
        share = pools.weight[begin:end] / max(members.size, 1)
        debt = _inherited(pools, begin, end, owed)
        for block in members:
            debt += share
            best = int(np.argmax(np.round(debt, 6)))
            if debt[best] > _SMALLEST_DEBT:
                debt[best] -= 1.0
                chosen[block] = begin + best
        owed[:] = 0.0
        np.add.at(owed, pools.system_idx[begin:end], debt)
    return chosen


def _inherited(pools: Pools, begin: int, end: int, owed: NDArray[np.float64]) -> NDArray[np.float64]:
    """What earlier classes still owe each system, entered on this class's likeliest pattern of it."""
    debt = np.zeros(end - begin)
    for system, amount in enumerate(owed):
        own = np.flatnonzero(pools.system_idx[begin:end] == system)
        if own.size and pools.weight[begin + own].max() > 0:
            debt[own[int(np.argmax(pools.weight[begin + own]))]] += amount
    return debt


def dealt_share(
    pools: Pools, chosen: NDArray[np.int64], block_class: NDArray[np.int64], n_systems: int
) -> NDArray[np.float64]:
    """Blocks dealt for each block of the relaxation's, at least 1: [n_classes, n_systems]."""
    n_classes = pools.ptr.size - 1
    wanted, dealt = np.zeros((n_classes, n_systems)), np.zeros((n_classes, n_systems))
    group = np.repeat(np.arange(n_classes), np.diff(pools.ptr))
    np.add.at(wanted, (group, pools.system_idx), pools.weight)
    held = chosen >= 0
    np.add.at(dealt, (block_class[held], pools.system_idx[chosen[held]]), 1.0)
    return np.maximum(np.divide(dealt, wanted, out=np.ones_like(dealt), where=wanted > _SMALLEST_DEBT), 1.0)


def mixed_pool(assignment: Assignment, pool: tuple[PoolPattern, ...]) -> tuple[PoolPattern, ...]:
    """The fillings that an assignment ends with by their number of blocks, and others for trying out.

    Parameters: pool, of the relaxation.
    """
    weights: dict[tuple[int, int, int], float] = {(one.block_class, one.system, one.n_racks): 0.0 for one in pool}
    for one, mixed in zip(assignment.fillings, assignment.mixed, strict=True):
        for choice, weight in zip(one.choices, mixed[:, -1], strict=True):
            if weight > _SMALLEST_WEIGHT:
                weights[one.block_class, one.system, choice.racks] = float(weight)
    return tuple(PoolPattern(*key, weight=weights[key]) for key in sorted(weights))
