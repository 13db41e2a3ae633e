"""Search over lanes and threads: rounds of ruin and recreate, best lanes carried on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.solve.aims import RELEASED, with_aims
from planner.solve.lanes import Bench, Lanes
from planner.solve.recombine import recombine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from kernels.contract import PackingModel
    from planner.solve.guide import Guide
    from planner.solve.judge import Judge
    from planner.solve.recombine import PathPool
    from planner.solve.start import Deeper

_RECOMBINED_ROUNDS = (4, 12, 24, 40)
"""Rounds after which paths are recombined; afterwards every fortieth."""
_NONE = np.zeros(0, np.int64)
_STEPS_PER_BLOCK = 2
_FEWEST_STEPS = 48
_FIRST_THRESHOLD_SHARE = 20_000
"""The first threshold is the objective divided by this: about what a rack earns on a campus."""


@dataclass(frozen=True)
class Found:
    """The best plan after a round."""

    n_racks: NDArray[np.int32]
    """[n_rows, n_configurations, n_periods]"""
    objective: int
    """Cents, by the kernels' own (slightly rounded) contract premium."""
    work: int
    """Steps times lanes so far."""


def search_rounds(
    model: PackingModel,
    guide: Guide,
    pool_of_paths: PathPool,
    deeper: Deeper | None,
    *,
    backend: str,
    seed: int,
    n_lanes: int,
    n_threads: int,
    work_limit: int | None = None,
    time_left: Callable[[], float | None] = lambda: None,
    judge: Judge | None = None,
) -> Iterator[Found]:
    """Yield the best plan after the construction and after every round, without end.

    Parameters: work_limit, steps times lanes; one below that of a round makes a shorter one of fewer lanes, and it is
    the last; judge, what plans are worth, where kernels know only a part of it.

    The integers depend on guide, seed and number of rounds only: lanes are independent within a round, and what is
    carried between rounds is chosen by objective and lane number.
    """
    seen = guide.for_search(model)
    model = with_aims(model, guide.aim, guide.aim_group, _systems(model))
    n_steps = max(_STEPS_PER_BLOCK * model.open_cost.shape[0], _FEWEST_STEPS)
    is_short = work_limit is not None and work_limit < n_steps * n_lanes
    if work_limit is not None and is_short:
        n_lanes = min(n_lanes, work_limit)
        n_steps = work_limit // n_lanes
    with ThreadPoolExecutor(max_workers=n_threads) as pool:
        lanes = Lanes(Bench(model, seen, backend), n_lanes, seed, pool)
        _begin(lanes, guide)
        best = _best(lanes, None, 0, judge)
        yield best
        _set_aims(model, guide, lanes)
        step, round_number, improved = 1, 0, 0
        while round_number == 0 or not is_short:
            thresholds = _thresholds(abs(best.objective) // _FIRST_THRESHOLD_SHARE, round_number, n_steps)
            lanes.run("strip", step, _NONE)
            lanes.run("search", step, thresholds)
            step, round_number = step + n_steps, round_number + 1
            lanes.run("raise_profiles", step, _NONE)
            before, best = best.objective, _best(lanes, best, (step - 1) * n_lanes, judge)
            _carry_on(lanes)
            _collect(pool_of_paths, lanes)
            if round_number in _RECOMBINED_ROUNDS or round_number % _RECOMBINED_ROUNDS[-1] == 0:
                found = recombine(pool_of_paths, time_left())
                if found is not None:
                    best = _with(lanes, found, step, best, judge)
            improved = round_number if best.objective > before else improved
            found = None if deeper is None else deeper.after(round_number, round_number - improved)
            if found is not None:
                improved = round_number
                best = _with(lanes, found, step, best, judge)
            _set_aims(model, guide, lanes)
            yield best


def _begin(lanes: Lanes, guide: Guide) -> None:
    """The guide's first plan in every lane, and the plan that it begins with in every other."""
    lanes.run("construct", 0, _NONE, guide.block_pattern_idx, guide.block_order_idx)
    if guide.start_racks.any():
        lanes.put(guide.start_racks, range(0, lanes.n_lanes, 2))
    lanes.run("raise_profiles", 0, _NONE)


def _with(lanes: Lanes, n_racks: NDArray[np.int64], step: int, best: Found, judge: Judge | None) -> Found:
    """Put a plan in the place of the worst lane's and raise its profiles; returns the best plan then."""
    objectives = lanes.objectives
    lanes.put(n_racks, [objectives.size - 1 - int(np.argmin(objectives[::-1]))])
    lanes.run("raise_profiles", step, _NONE)
    return _best(lanes, best, best.work, judge)


def _collect(pool_of_paths: PathPool, lanes: Lanes) -> None:
    """Keep the block paths of every lane; those of the best lane whatever their prices say."""
    for lane in range(lanes.n_lanes):
        pool_of_paths.collect(lanes.n_racks(lane), lanes.block_value(lane))
    pool_of_paths.trim()
    best = int(np.argmax(lanes.objectives))
    pool_of_paths.collect(lanes.n_racks(best), lanes.block_value(best))


def _systems(model: PackingModel) -> NDArray[np.int64]:
    """System of each configuration."""
    result = np.empty(model.system_configuration_idx.size, np.int64)
    result[model.system_configuration_idx] = np.repeat(np.arange(model.unit_racks.size), np.diff(model.system_ptr))
    return result


def _set_aims(model: PackingModel, guide: Guide, lanes: Lanes) -> None:
    """Even lanes keep to the aims, odd lanes are released from them."""
    n_aims = guide.aim.shape[0]
    entries = model.entry_limit_idx >= model.capacity.shape[0] - n_aims
    row = np.repeat(np.arange(guide.aim_group.size), np.diff(model.row_ptr))[entries]
    aim = model.entry_limit_idx[entries] - (model.capacity.shape[0] - n_aims)
    coefficient = model.entry_coefficient[entries]
    slack = np.full((*guide.aim.shape, lanes.n_lanes), RELEASED, np.int64)
    for lane in range(0, lanes.n_lanes, 2):
        load = np.zeros(guide.aim.shape, np.int64)
        np.add.at(load, aim, (coefficient[:, :, None] * lanes.n_racks(lane)[row]).sum(axis=1))
        slack[:, :, lane] = guide.aim - load
    lanes.set_last_slack(slack)


def _thresholds(first: int, round_number: int, n_steps: int) -> NDArray[np.int64]:
    """Falling to zero within a round, and lower from round to round with a return every sixteenth."""
    top = first * (16 - round_number % 16) // 16
    steps = np.arange(n_steps, dtype=np.int64)
    result: NDArray[np.int64] = top * (n_steps - 1 - steps) // n_steps
    return result


def _best(lanes: Lanes, before: Found | None, work: int, judge: Judge | None) -> Found:
    objectives = lanes.objectives
    if judge is not None:
        objectives = np.array(
            [_judged(lanes.n_racks(lane), int(seen), before, judge) for lane, seen in enumerate(objectives)], np.int64
        )
    lane = int(np.argmax(objectives))
    if before is not None and before.objective >= int(objectives[lane]):
        return Found(before.n_racks, before.objective, work)
    return Found(lanes.n_racks(lane).astype(np.int32), int(objectives[lane]), work)


def _judged(n_racks: NDArray[np.int64], seen: int, before: Found | None, judge: Judge) -> int:
    """Exact cents of a lane's plan; those of the plan before where it cannot be better."""
    if before is not None and judge.is_no_better(n_racks, seen, before.objective):
        return before.objective
    return judge.worth(n_racks)


def _carry_on(lanes: Lanes) -> None:
    """The worse half of the lanes goes on from the better half, ties to the lower lane."""
    order = np.argsort(-lanes.objectives, kind="stable")
    half = order.size // 2
    lanes.copy(order[:half], order[order.size - half :][::-1])
