"""Plans made better, round by round: profiles raised, then ruin and recreate over blocks, in a lane for each plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.contract import Schedule
from planner.solve.lanes import Bench, ScenarioBench

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchGuide

STEPS_PER_BLOCK = 2
"""Of a round."""
_NONE = np.zeros(0, np.int64)


class Polish:
    """A lane of the search that starts at a plan."""

    def __init__(
        self, model: PackingModel, guide: SearchGuide, n_racks: NDArray[np.int64], backend: str, seed: int
    ) -> None:
        """Take a plan that keeps all limits.

        Parameters: n_racks [n_rows, n_configurations, n_periods]; backend; seed of the draws.
        """
        self._bench, self._seed, self._step = Bench(model, guide, backend), seed, 1
        self._n_steps = STEPS_PER_BLOCK * model.open_cost.shape[0]
        self._state = self._bench.holding(n_racks)
        self._run("raise_profiles", _NONE)

    @property
    def n_racks(self) -> NDArray[np.int32]:
        """[n_rows, n_configurations, n_periods] standing racks."""
        return self._bench.home.get(self._state.n_racks)[..., 0].astype(np.int32)

    @property
    def n_steps(self) -> int:
        """Steps of search so far."""
        return self._step - 1

    def round(self) -> None:
        """Refill every block about twice; what is worse is not kept."""
        self._run("search", np.zeros(self._n_steps, np.int64))
        self._step += self._n_steps
        self._run("raise_profiles", _NONE)

    def _run(self, name: str, thresholds: NDArray[np.int64]) -> None:
        self._bench.run(name, self._state, Schedule(self._seed, 0, self._step, thresholds))


class PolishTogether:
    """A lane of the search for each of some scenarios of one graph, in lock step: one launch of a kernel for all.

    All draw as the first lane does, so what a scenario gets depends on its own model, guide and plan, the seed and its
    number of rounds alone, and is what `Polish` gives.
    """

    def __init__(
        self, begun: Sequence[tuple[PackingModel, SearchGuide, NDArray[np.int64]]], backend: str, seed: int
    ) -> None:
        """Take plans that keep all limits.

        Parameters: begun, model, guide and plan [n_rows, n_configurations, n_periods] of each; backend; seed of the
        draws.
        """
        models, guides, plans = zip(*begun, strict=True)
        self._bench, self._seed, self._step = ScenarioBench(models, guides, plans, backend), seed, 1
        self._n_steps = STEPS_PER_BLOCK * models[0].open_cost.shape[0]
        self._run("raise_scenarios", range(len(begun)), _NONE)

    def n_racks(self, lane: int) -> NDArray[np.int32]:
        """[n_rows, n_configurations, n_periods] standing racks of a scenario."""
        return self._bench.n_racks(lane).astype(np.int32)

    def round(self, lanes: Sequence[int]) -> None:
        """Refill every block of some scenarios about twice; what is worse is not kept."""
        self._run("search_scenarios", lanes, np.zeros(self._n_steps, np.int64))
        self._step += self._n_steps
        self._run("raise_scenarios", lanes, _NONE)

    def warm_up(self) -> None:
        """Run every kernel without a step."""
        self._run("search_scenarios", [0], _NONE)

    def _run(self, name: str, lanes: Sequence[int], thresholds: NDArray[np.int64]) -> None:
        self._bench.run(name, np.array(lanes, np.int64), Schedule(self._seed, 0, self._step, thresholds))


def load_kernels(model: PackingModel, guide: SearchGuide, backend: str) -> None:
    """Compile the kernels, or load them from the cache, so that the first plan does not wait for it."""
    PolishTogether([(model, guide, np.zeros(model.value.shape, np.int64))], backend, 0).warm_up()
