"""Plans under search: where a backend keeps them, and what the host has seen of them.

Kernels run where the backend's memory is. The host looks at copies, fetched after the kernels of a round; what it
changes is changed there too, so that nothing crosses over unasked. On the host's own memory nothing is copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kernels.backends import home, kernel
from kernels.contract import PackingModel, Schedule, SearchGuide, SearchState
from kernels.plans import empty_state
from kernels.stack import model_of, stacked_guides, stacked_models, stacked_states

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import ThreadPoolExecutor

    from numpy.typing import NDArray


class Seen(NamedTuple):
    """What the host looks at, of `SearchState`."""

    n_racks: NDArray[np.int64]
    block_value: NDArray[np.int64]
    objective: NDArray[np.int64]


class Bench:
    """A model and its guide in a backend's memory, and the kernels that read them."""

    def __init__(self, model: PackingModel, guide: SearchGuide, backend: str) -> None:
        """Put model and guide where the backend wants them."""
        self.backend, self.home = backend, home(backend)
        self._model = model
        self.model, self.guide = self.home.put(model), self.home.put(guide)

    def empty(self, n_lanes: int) -> SearchState:
        """Plans without a rack, in the backend's memory."""
        return self.home.put(empty_state(self._model, n_lanes))

    def holding(self, n_racks: NDArray[np.int64]) -> SearchState:
        """One plan with everything that is kept up to date of it, in the backend's memory.

        Parameters: n_racks [n_rows, n_configurations, n_periods], in the host's.
        """
        single = empty_state(self._model, 1)
        single.n_racks[..., 0] = n_racks
        load, single = self.home.put(np.zeros_like(single.slack)), self.home.put(single)
        kernel("loads", self.backend)(self.model, single.n_racks, load)
        kernel("slack", self.backend)(self.model, load, single.slack)
        kernel("plan_value", self.backend)(
            self.model, single.n_racks, single.block_value, single.block_revenue, single.revenue, single.objective
        )
        return single

    def run(self, name: str, state: SearchState, schedule: Schedule, *extra: NDArray[np.int64]) -> None:
        """Run a kernel on plans in the backend's memory.

        Parameters: schedule and extra, arguments before it, in the host's memory.
        """
        moved = [self.home.put(one) for one in extra]
        kernel(name, self.backend)(self.model, self.guide, state, *moved, self.home.put(schedule))


class ScenarioBench:
    """Models, guides and plans of scenarios of one graph in a backend's memory, a lane for each."""

    def __init__(
        self,
        models: Sequence[PackingModel],
        guides: Sequence[SearchGuide],
        plans: Sequence[NDArray[np.int64]],
        backend: str,
    ) -> None:
        """Put scenarios where the backend wants them; the worth of their plans is not known yet.

        Parameters: plans, of each scenario [n_rows, n_configurations, n_periods], in the host's memory.
        """
        self._backend, self._home = backend, home(backend)
        models_there = self._home.put(stacked_models(models))
        states = stacked_states([empty_state(model, 1) for model in models])
        states.n_racks[..., 0] = np.stack(plans)
        load = self._home.put(np.zeros((*models[0].capacity.shape, len(models)), np.int64))
        kernel("loads", backend)(model_of(models_there, 0), self._home.put(np.stack(plans, axis=-1)), load)
        self._models, self._guides = models_there, self._home.put(stacked_guides(guides))
        self._states = self._home.put(states)
        self._states.slack[..., 0] -= self._home.xp.moveaxis(load, -1, 0)
        self._seen: NDArray[np.int64] | None = None

    def run(self, name: str, lane_idx: NDArray[np.int64], schedule: Schedule) -> None:
        """Run a kernel on the plans of some scenarios.

        Parameters: lane_idx, their lanes; schedule; both in the host's memory.
        """
        moved = self._home.put((lane_idx, schedule))
        kernel(name, self._backend)(self._models, self._guides, self._states, *moved)
        self._seen = None

    def n_racks(self, lane: int) -> NDArray[np.int64]:
        """[n_rows, n_configurations, n_periods] of a scenario's plan, to be looked at; all are fetched once a round."""
        if self._seen is None:
            self._seen = self._home.get(self._states.n_racks)
        return self._seen[lane, ..., 0]


@dataclass
class _Part:
    """Lanes that a kernel takes in one call."""

    first: int
    state: SearchState
    seen: Seen | None


class Lanes:
    """All lanes of a search, dealt to parts: a compiled lane runs best alone, array code on all lanes at once."""

    def __init__(self, bench: Bench, n_lanes: int, seed: int, pool: ThreadPoolExecutor) -> None:
        """Begin every lane with an empty plan.

        Parameters: seed of the draws; pool, threads that run a kernel on all parts at a time.
        """
        self._bench, self._seed, self._pool, self.n_lanes = bench, seed, pool, n_lanes
        n_parts = n_lanes if bench.backend == "numba" else 1
        edges = [n_lanes * part // n_parts for part in range(n_parts + 1)]
        self._parts = [_Part(first, bench.empty(end - first), None) for first, end in pairwise(edges) if end > first]

    def run(self, name: str, step: int, thresholds: NDArray[np.int64], *extra: NDArray[np.int64]) -> None:
        """Run a kernel on every part and wait for all; a single part runs in the caller's own thread.

        Parameters: step, number of the first; thresholds of the schedule; extra, arguments before the schedule.
        """

        def run(part: _Part) -> None:
            self._bench.run(name, part.state, Schedule(self._seed, part.first, step, thresholds), *extra)

        if len(self._parts) == 1:
            # Each thread has its own current stream of a device; on another's nothing waits for the caller's copies.
            run(self._parts[0])
        else:
            list(self._pool.map(run, self._parts))
        for part in self._parts:
            part.seen = None

    @property
    def objectives(self) -> NDArray[np.int64]:
        """[n_lanes] cents."""
        return np.concatenate([self._seen(part).objective for part in self._parts])

    def n_racks(self, lane: int) -> NDArray[np.int64]:
        """[n_rows, n_configurations, n_periods] of a lane's plan, to be looked at."""
        part = self._part(lane)
        return self._seen(part).n_racks[..., lane - part.first]

    def block_value(self, lane: int) -> NDArray[np.int64]:
        """[n_blocks] cents of a lane's blocks, to be looked at."""
        part = self._part(lane)
        return self._seen(part).block_value[:, lane - part.first]

    def put(self, n_racks: NDArray[np.int64], lanes: Sequence[int]) -> None:
        """Put a plan in the place of those of some lanes.

        Parameters: n_racks [n_rows, n_configurations, n_periods].
        """
        single = self._bench.holding(n_racks)
        for lane in lanes:
            part = self._part(lane)
            _copy_lanes(single, 0, part.state, lane - part.first)
            part.seen = None

    def copy(self, sources: NDArray[np.int64], targets: NDArray[np.int64]) -> None:
        """Let target lanes go on from the plans of sources, one for each; no lane is both."""
        if len(self._parts) == 1:
            part = self._parts[0]
            place = [self._bench.home.put(one) for one in (sources, targets)]
            _copy_lanes(part.state, place[0], part.state, place[1])
            if part.seen is not None and part.seen.objective is not part.state.objective:
                _copy_lanes(part.seen, sources, part.seen, targets)
            return
        for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
            good, bad = self._part(source), self._part(target)
            _copy_lanes(good.state, source - good.first, bad.state, target - bad.first)
            bad.seen = None

    def set_last_slack(self, slack: NDArray[np.int64]) -> None:
        """Set the slack of the last limits.

        Parameters: slack [n_last_limits, n_periods, n_lanes], in the host's memory.
        """
        for part in self._parts:
            n_lanes = part.state.objective.shape[0]
            own = slack[:, :, part.first : part.first + n_lanes]
            part.state.slack[part.state.slack.shape[0] - slack.shape[0] :] = self._bench.home.put(own)

    def _part(self, lane: int) -> _Part:
        return next(part for part in reversed(self._parts) if part.first <= lane)

    def _seen(self, part: _Part) -> Seen:
        """What the host sees of a part; fetched once after kernels have run."""
        if part.seen is None:
            state = part.state
            part.seen = self._bench.home.get(Seen(state.n_racks, state.block_value, state.objective))
        return part.seen


def _copy_lanes(source: SearchState | Seen, source_lane: Any, target: SearchState | Seen, target_lane: Any) -> None:
    """Copy every array's lanes; lanes are numbers or arrays of them where the arrays lie."""
    for own, other in zip(target, source, strict=True):
        own[..., target_lane] = other[..., source_lane]
