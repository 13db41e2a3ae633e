"""The guide: what the bound stage hands to search, as integers only, so that every backend makes the same plan."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from kernels.contract import PackingModel, SearchGuide
from planner.problem import MULTIPLIER_BITS
from planner.solve.aims import aim_capacity
from planner.solve.folding import folded
from planner.solve.guide_check import why_unfit
from planner.solve.packing import configurations_by_system
from planner.solve.pools import ONE, deal, dealt_share, make_pools

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.certificate import Certificate
    from planner.solve.classes import Classes
    from planner.solve.relaxation import Relaxation

_EXPLORE = 0.06
"""Share of draws that pick a system without regard to the relaxation."""

_SOME = 0.02
"""Share of a row's racks below the highest profile from which the row counts as packed for the lowest."""

_MOST_PRICE = 2**62 - 1
"""Of a row of the side program: search needs no more to take a price for very high."""


class GuideError(Exception):
    """A guide file that does not fit the problem."""


@dataclass(frozen=True)
class Guide:
    """Integer arrays that steer search; stored as `guide.npz` and replayed by `--guide`."""

    pool_of_block_idx: NDArray[np.int64]
    """[n_blocks] pool of patterns of each block."""
    pool_ptr: NDArray[np.int64]
    """[n_pools + 1]"""
    pattern_system_idx: NDArray[np.int64]
    """[n_patterns]"""
    pattern_racks: NDArray[np.int64]
    """[n_patterns] most racks over the block."""
    pattern_weight: NDArray[np.int64]
    """[n_patterns] cumulative chances within a pool, out of 65536."""
    switch_period: NDArray[np.int64]
    """[n_rows] period from which a row is packed for its lowest profile."""
    upgrade_share: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] out of 65536."""
    contract_price: NDArray[np.int64]
    """[n_periods] worth of a cent of contract revenue, scaled by 2^30."""
    aim: NDArray[np.int64]
    """[n_row_classes · n_systems, n_periods] racks that the relaxation places."""
    aim_group: NDArray[np.int64]
    """[n_rows] class of each row for the aims."""
    block_pattern_idx: NDArray[np.int64]
    """[n_blocks] pattern of each block in the first plan, -1 for an empty one."""
    block_order_idx: NDArray[np.int64]
    """[n_blocks] order in which the first plan fills blocks."""
    start_racks: NDArray[np.int64]
    """[n_rows, n_configurations, n_periods] a plan to begin with; without racks where there is none."""
    demand_price: NDArray[np.int64]
    """[n_minimum_demands, n_periods] worth in cents of a watt of demand, scaled by 2^30."""
    side_price: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """[n_side_rows] worth in cents of a unit of a row of the side program, scaled by 2^30; empty without one."""

    def arrays(self) -> dict[str, NDArray[np.int64]]:
        """The arrays by name, as the file stores them."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def for_search(self, model: PackingModel) -> SearchGuide:
        """The kernels' view."""
        premium = (model.revenue * self.contract_price) >> MULTIPLIER_BITS
        # A contract may price racks at exactly nothing; a thousandth of its revenue lets search try them.
        optimism = model.revenue >> 10 if model.contract_amount[0] else 0
        guided = np.ascontiguousarray(model.value + premium + optimism)
        return SearchGuide(
            guided_value=guided,
            may_start=_may_start(model, guided),
            pool_of_block_idx=self.pool_of_block_idx,
            pool_ptr=self.pool_ptr,
            pattern_system_idx=self.pattern_system_idx,
            pattern_racks=self.pattern_racks,
            pattern_weight=self.pattern_weight,
            switch_period=self.switch_period,
            upgrade_share=self.upgrade_share,
        )


def load_guide(path: Path, problem: Problem) -> Guide:
    """Read a stored guide; it must fit the problem as search takes it. Raises GuideError with what differs."""
    arrays, form = _stored_arrays(path), folded(problem)
    fault = why_unfit(arrays, problem if form is None else form.slots)
    if fault is not None:
        msg = f"{path}: {fault}; a guide fits only the problem that it was made for"
        raise GuideError(msg)
    return Guide(**{name: array.astype(np.int64) for name, array in arrays.items()})


def _stored_arrays(path: Path) -> dict[str, NDArray[np.int64]]:
    """The arrays of a guide's file; what NumPy says of a file that is none means nothing to a planner."""
    try:
        stored = np.load(path, allow_pickle=False)
        if isinstance(stored, np.lib.npyio.NpzFile):
            with stored:
                # Guides from before there were side programs have no prices of theirs.
                names = [item.name for item in fields(Guide) if item.name != "side_price" or item.name in stored]
                return {"side_price": np.zeros(0, np.int64)} | {name: stored[name] for name in names}
    except OSError as error:
        msg = f"{path} is not a guide file ({error.strerror}); name the guide.npz of a run folder"
        raise GuideError(msg) from None
    except (KeyError, ValueError, EOFError, BadZipFile):
        pass
    msg = f"{path} is not a guide file; name the guide.npz of a run folder"
    raise GuideError(msg)


def make_guide(
    problem: Problem, proof: Certificate, classes: Classes, relaxation: Relaxation, start_racks: NDArray[np.int64]
) -> Guide:
    """Turn aims and prices into integers.

    Parameters: relaxation, steered by the assignment; start_racks [n_rows, n_configurations, n_periods].
    """
    group = classes.block[problem.block_of_row_idx]
    pools = make_pools(problem, relaxation.pool, classes.block)
    first = deal(pools, classes.block)
    dealt = dealt_share(pools, first, classes.block, problem.n_systems)
    return Guide(
        pool_of_block_idx=classes.block.astype(np.int64),
        pool_ptr=pools.ptr,
        pattern_system_idx=pools.system_idx,
        pattern_racks=pools.racks,
        pattern_weight=pools.cumulative,
        switch_period=_switch_periods(problem, relaxation.racks, configurations_by_system(problem)),
        upgrade_share=_upgrade_shares(problem, relaxation.racks),
        contract_price=proof.contract_period,
        aim=aim_capacity(relaxation.racks, problem.system_of_configuration_idx, group, dealt),
        aim_group=group,
        block_pattern_idx=first,
        block_order_idx=_spread_order(classes.block),
        start_racks=start_racks,
        demand_price=np.array(proof.demand, np.int64).reshape(-1, problem.n_periods),
        side_price=np.minimum(proof.side, _MOST_PRICE).astype(np.int64),
    )


def _may_start(model: PackingModel, guided: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 where the guided values of a system's best configurations, from that period to the end, sum to more than 0."""
    n_systems = model.unit_racks.size
    result = np.zeros((guided.shape[0], n_systems, guided.shape[2]), np.int64)
    for system in range(n_systems):
        members = model.system_configuration_idx[model.system_ptr[system] : model.system_ptr[system + 1]]
        best = guided[:, members].max(axis=1)
        result[:, system] = np.cumsum(best[:, ::-1], axis=1)[:, ::-1] > 0
    return result


def _switch_periods(
    problem: Problem, racks: NDArray[np.float64], by_system: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> NDArray[np.int64]:
    """The period from which on the relaxation always stands some racks of a system below its highest profile."""
    ptr, order = by_system
    below = np.zeros((problem.n_rows, problem.n_periods))
    for system in range(problem.n_systems):
        members = order[ptr[system] : ptr[system + 1] - 1]
        below += racks[:, members].sum(axis=1)
    low = np.round(below, 6) > _SOME * np.maximum(np.round(racks.sum(axis=1), 6), 1e-6)
    from_then_on = np.minimum.accumulate(low[:, ::-1], axis=1)[:, ::-1]
    switches: NDArray[np.int64] = problem.n_periods - from_then_on.sum(axis=1)
    return switches.astype(np.int64)


def _upgrade_shares(problem: Problem, racks: NDArray[np.float64]) -> NDArray[np.int64]:
    """Share of a system's racks at each configuration; at least 1, so that a draw of 0 always upgrades."""
    total = np.zeros((problem.n_rows, problem.n_systems, problem.n_periods))
    for configuration, system in enumerate(problem.system_of_configuration_idx):
        total[:, system] += racks[:, configuration]
    share = np.round(racks / np.maximum(total[:, problem.system_of_configuration_idx], 1e-6), 6)
    return np.maximum(np.floor(share * ONE), 1).astype(np.int64)


def _spread_order(block_class: NDArray[np.int64]) -> NDArray[np.int64]:
    """Blocks of all classes interleaved, so that no class takes what is short for itself."""
    rank = np.zeros(block_class.size, np.float64)
    for group in np.unique(block_class):
        members = np.flatnonzero(block_class == group)
        rank[members] = (np.arange(members.size) + 0.5) / members.size
    return np.lexsort((np.arange(block_class.size), np.round(rank, 9))).astype(np.int64)
