"""Search over lanes and threads: rounds of ruin and recreate, best lanes carried on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kernels.backends import kernel
from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState
from planner.solve.aims import RELEASED, with_aims
from planner.solve.recombine import recombine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from planner.solve.guide import Guide
    from planner.solve.judge import Judge
    from planner.solve.recombine import PathPool
    from planner.solve.start import Deeper

_RECOMBINED_ROUNDS = (4, 12, 24, 40)
"""Rounds after which paths are recombined; afterwards every fortieth."""
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


def empty_state(model: PackingModel, n_lanes: int) -> SearchState:
    """Plans without a rack: all capacity is slack."""
    n_rows, n_configurations, n_periods = model.value.shape
    n_blocks = model.open_cost.shape[0]
    return SearchState(
        n_racks=np.zeros((n_rows, n_configurations, n_periods, n_lanes), np.int64),
        slack=np.repeat(model.capacity[:, :, None], n_lanes, axis=2),
        block_value=np.zeros((n_blocks, n_lanes), np.int64),
        block_revenue=np.zeros((n_blocks, n_periods, n_lanes), np.int64),
        revenue=np.zeros((n_periods, n_lanes), np.int64),
        objective=np.zeros(n_lanes, np.int64),
    )


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
    time_left: Callable[[], float | None] = lambda: None,
    judge: Judge | None = None,
) -> Iterator[Found]:
    """Yield the best plan after the construction and after every round, without end.

    Parameters: judge, what plans are worth, where kernels know only a part of it.

    The integers depend on guide, seed and number of rounds only: lanes are independent within a round, and what is
    carried between rounds is chosen by objective and lane number.
    """
    seen = guide.for_search(model)
    model = with_aims(model, guide.aim, guide.aim_group, _systems(model))
    parts = _split(model, n_lanes, n_lanes if backend == "numba" else 1)
    n_steps = max(_STEPS_PER_BLOCK * model.open_cost.shape[0], _FEWEST_STEPS)
    none = np.zeros(0, np.int64)
    with ThreadPoolExecutor(max_workers=n_threads) as pool:
        crew = _Crew(pool, backend, model, seen, parts, seed)
        crew.run("construct", 0, none, guide.block_pattern_idx, guide.block_order_idx)
        if guide.start_racks.any():
            for lane in range(0, n_lanes, 2):
                _put_in(crew, guide.start_racks, lane)
        crew.run("raise_profiles", 0, none)
        best = _best(parts, None, 0, judge)
        yield best
        _set_aims(model, guide, parts)
        step, round_number, improved = 1, 0, 0
        while True:
            thresholds = _thresholds(abs(best.objective) // _FIRST_THRESHOLD_SHARE, round_number, n_steps)
            crew.run("strip", step, none)
            crew.run("search", step, thresholds)
            step, round_number = step + n_steps, round_number + 1
            crew.run("raise_profiles", step, none)
            before, best = best.objective, _best(parts, best, (step - 1) * n_lanes, judge)
            _carry_on(parts)
            _collect(pool_of_paths, parts)
            if round_number in _RECOMBINED_ROUNDS or round_number % _RECOMBINED_ROUNDS[-1] == 0:
                found = recombine(pool_of_paths, time_left())
                if found is not None:
                    _put_in(crew, found)
                    crew.run("raise_profiles", step, none)
                    best = _best(parts, best, best.work, judge)
            improved = round_number if best.objective > before else improved
            found = None if deeper is None else deeper.after(round_number, round_number - improved)
            if found is not None:
                improved = round_number
                _put_in(crew, found)
                crew.run("raise_profiles", step, none)
                best = _best(parts, best, best.work, judge)
            _set_aims(model, guide, parts)
            yield best


def _collect(pool_of_paths: PathPool, parts: list[tuple[int, SearchState]]) -> None:
    """Keep the block paths of every lane; those of the best lane whatever their prices say."""
    for _, state in parts:
        for position in range(state.objective.size):
            pool_of_paths.collect(state.n_racks[..., position], state.block_value[:, position])
    pool_of_paths.trim()
    state, position = _place(parts, int(np.argmax(_objectives(parts))))
    pool_of_paths.collect(state.n_racks[..., position], state.block_value[:, position])


def _put_in(crew: _Crew, n_racks: NDArray[np.int64], lane: int | None = None) -> None:
    """Put a plan in the place of a lane's, or of the worst lane's."""
    objectives = _objectives(crew.parts)
    worst = objectives.size - 1 - int(np.argmin(objectives[::-1]))
    state, position = _place(crew.parts, worst if lane is None else lane)
    single = empty_state(crew.model, 1)
    single.n_racks[..., 0] = n_racks
    load = np.zeros_like(single.slack)
    kernel("loads", crew.backend)(crew.model, single.n_racks, load)
    kernel("slack", crew.backend)(crew.model, load, single.slack)
    kernel("plan_value", crew.backend)(
        crew.model, single.n_racks, single.block_value, single.block_revenue, single.revenue, single.objective
    )
    for name in SearchState._fields:
        getattr(state, name)[..., position] = getattr(single, name)[..., 0]


def _systems(model: PackingModel) -> NDArray[np.int64]:
    """System of each configuration."""
    result = np.empty(model.system_configuration_idx.size, np.int64)
    result[model.system_configuration_idx] = np.repeat(np.arange(model.unit_racks.size), np.diff(model.system_ptr))
    return result


def _set_aims(model: PackingModel, guide: Guide, parts: list[tuple[int, SearchState]]) -> None:
    """Even lanes keep to the aims, odd lanes are released from them."""
    n_aims = guide.aim.shape[0]
    entries = model.entry_limit_idx >= model.capacity.shape[0] - n_aims
    row = np.repeat(np.arange(guide.aim_group.size), np.diff(model.row_ptr))[entries]
    aim = model.entry_limit_idx[entries] - (model.capacity.shape[0] - n_aims)
    coefficient = model.entry_coefficient[entries]
    for first, state in parts:
        for position in range(state.objective.size):
            slack = state.slack[state.slack.shape[0] - n_aims :, :, position]
            if (first + position) % 2 == 1:
                slack[:] = RELEASED
                continue
            load = np.zeros_like(slack)
            np.add.at(load, aim, (coefficient[:, :, None] * state.n_racks[row, :, :, position]).sum(axis=1))
            slack[:] = guide.aim - load


def _split(model: PackingModel, n_lanes: int, n_parts: int) -> list[tuple[int, SearchState]]:
    """Lanes dealt to parts as (first lane, state); a compiled lane runs best alone, NumPy on all lanes at once."""
    edges = [n_lanes * part // n_parts for part in range(n_parts + 1)]
    return [(first, empty_state(model, end - first)) for first, end in pairwise(edges) if end > first]


def _thresholds(first: int, round_number: int, n_steps: int) -> NDArray[np.int64]:
    """Falling to zero within a round, and lower from round to round with a return every sixteenth."""
    top = first * (16 - round_number % 16) // 16
    steps = np.arange(n_steps, dtype=np.int64)
    result: NDArray[np.int64] = top * (n_steps - 1 - steps) // n_steps
    return result


@dataclass(frozen=True)
class _Crew:
    """Threads that run one kernel over all parts at a time."""

    pool: ThreadPoolExecutor
    backend: str
    model: PackingModel
    guide: SearchGuide
    parts: list[tuple[int, SearchState]]
    seed: int

    def run(self, name: str, step: int, thresholds: NDArray[np.int64], *extra: NDArray[np.int64]) -> None:
        """Run a kernel on every part and wait for all."""
        function = kernel(name, self.backend)
        tasks = [
            self.pool.submit(
                function, self.model, self.guide, state, *extra, Schedule(self.seed, first, step, thresholds)
            )
            for first, state in self.parts
        ]
        for task in tasks:
            task.result()


def _objectives(parts: list[tuple[int, SearchState]]) -> NDArray[np.int64]:
    return np.concatenate([state.objective for _, state in parts])


def _place(parts: list[tuple[int, SearchState]], lane: int) -> tuple[SearchState, int]:
    """The state and the position in it of a lane."""
    first, state = next((first, state) for first, state in reversed(parts) if first <= lane)
    return state, lane - first


def _best(parts: list[tuple[int, SearchState]], before: Found | None, work: int, judge: Judge | None) -> Found:
    objectives = _objectives(parts)
    if judge is not None:
        objectives = np.array(
            [_judged(*_place(parts, lane), before, judge) for lane in range(objectives.size)], np.int64
        )
    lane = int(np.argmax(objectives))
    if before is not None and before.objective >= int(objectives[lane]):
        return Found(before.n_racks, before.objective, work)
    state, position = _place(parts, lane)
    return Found(state.n_racks[..., position].astype(np.int32), int(objectives[lane]), work)


def _judged(state: SearchState, position: int, before: Found | None, judge: Judge) -> int:
    """Exact cents of a lane's plan; those of the plan before where it cannot be better."""
    n_racks, seen = state.n_racks[..., position], int(state.objective[position])
    if before is not None and judge.is_no_better(n_racks, seen, before.objective):
        return before.objective
    return judge.worth(n_racks)


def _carry_on(parts: list[tuple[int, SearchState]]) -> None:
    """The worse half of the lanes goes on from the better half, ties to the lower lane."""
    order = np.argsort(-_objectives(parts), kind="stable")
    half = order.size // 2
    for good, bad in zip(order[:half], order[order.size - half :][::-1], strict=True):
        source, source_lane = _place(parts, int(good))
        target, target_lane = _place(parts, int(bad))
        for name in SearchState._fields:
            getattr(target, name)[..., target_lane] = getattr(source, name)[..., source_lane]
