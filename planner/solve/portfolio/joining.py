"""From certificates and guides of sites to those of the whole problem, in its own order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.solve.certificate import Certificate
from planner.solve.guide import Guide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.solve.portfolio.bound import PortfolioBound
    from planner.solve.portfolio.split import Split


def joined_certificate(split: Split, bound: PortfolioBound) -> Certificate:
    """One certificate of the whole problem: shared limits at their prices, all else as the sites proved it."""
    problem = split.problem
    limit = np.zeros((problem.n_limits, problem.n_periods), object)
    monotone = np.zeros((problem.n_rows, problem.n_systems, problem.n_periods), object)
    opening = np.zeros((problem.n_blocks, problem.n_systems, problem.n_periods), object)
    units = np.zeros_like(opening)
    inside: dict[int, NDArray[np.object_]] = {}
    whole: dict[int, NDArray[np.bool_]] = {}
    demand: list[tuple[int, ...]] = [()] * len(problem.minimum_demands)
    for part, proof in zip(split.parts, bound.proofs, strict=True):
        limit[part.limit_idx] = proof.limit
        monotone[part.row_idx], opening[part.block_idx] = proof.monotone, proof.opening
        units[part.block_idx] = proof.units
        inside |= {int(part.limit_idx[own]): prices for own, prices in proof.inside.items()}
        whole |= {int(part.limit_idx[own]): kept for own, kept in proof.whole.items()}
        for number, prices_of_site in zip(part.demand_idx, proof.demand, strict=True):
            demand[number] = prices_of_site
    prices = bound.prices
    return Certificate(
        limit, inside, monotone, opening, units, prices.revenue, prices.amount, demand=tuple(demand), whole=whole
    )


def joined_guide(split: Split, guides: Sequence[Guide], bound: PortfolioBound) -> Guide:
    """One guide of the whole problem: what steered each site, numbered through."""
    problem, parts = split.problem, split.parts
    n_pools = _before([guide.pool_ptr.size - 1 for guide in guides])
    n_patterns = _before([guide.pattern_system_idx.size for guide in guides])
    n_groups = _before([guide.aim.shape[0] // problem.n_systems for guide in guides])
    ends = [guide.pool_ptr[1:] + first for guide, first in zip(guides, n_patterns, strict=True)]
    first_patterns = [
        np.where(guide.block_pattern_idx >= 0, guide.block_pattern_idx + first, -1)
        for guide, first in zip(guides, n_patterns, strict=True)
    ]
    orders = [part.block_idx[guide.block_order_idx] for guide, part in zip(guides, parts, strict=True)]
    demand_price = np.zeros((len(problem.minimum_demands), problem.n_periods), np.int64)
    for part, guide in zip(parts, guides, strict=True):
        demand_price[list(part.demand_idx)] = guide.demand_price
    rows, blocks = [part.row_idx for part in parts], [part.block_idx for part in parts]
    return Guide(
        pool_of_block_idx=_placed(blocks, [one.pool_of_block_idx + n for one, n in zip(guides, n_pools, strict=True)]),
        pool_ptr=np.concatenate([np.zeros(1, np.int64), *ends]),
        pattern_system_idx=np.concatenate([guide.pattern_system_idx for guide in guides]),
        pattern_racks=np.concatenate([guide.pattern_racks for guide in guides]),
        pattern_weight=np.concatenate([guide.pattern_weight for guide in guides]),
        switch_period=_placed(rows, [guide.switch_period for guide in guides]),
        upgrade_share=_placed(rows, [guide.upgrade_share for guide in guides]),
        contract_price=bound.prices.revenue,
        aim=np.concatenate([guide.aim for guide in guides]),
        aim_group=_placed(rows, [guide.aim_group + n for guide, n in zip(guides, n_groups, strict=True)]),
        block_pattern_idx=_placed(blocks, first_patterns),
        block_order_idx=np.concatenate(orders),
        start_racks=_placed(rows, [guide.start_racks for guide in guides]),
        demand_price=demand_price,
    )


def _before(sizes: list[int]) -> list[int]:
    """What comes before each part."""
    return [0, *np.cumsum(sizes)[:-1].tolist()]


def _placed(places: Sequence[NDArray[np.int64]], parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Parts put where they belong along the first axis."""
    result = np.zeros((sum(part.shape[0] for part in parts), *parts[0].shape[1:]), np.int64)
    for place, part in zip(places, parts, strict=True):
        result[place] = part
    return result
