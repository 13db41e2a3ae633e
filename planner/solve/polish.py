"""One plan made better, round by round: profiles raised, then ruin and recreate over blocks, in a single lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.contract import Schedule
from planner.solve.lanes import Bench

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.contract import PackingModel, SearchGuide

STEPS_PER_BLOCK = 2
"""Of a round."""
_NONE = np.zeros(0, np.int64)


def load_kernels(model: PackingModel, guide: SearchGuide, backend: str) -> None:
    """Compile the kernels, or load them from the cache, so that the first plan does not wait for it."""
    Polish(model, guide, np.zeros(model.value.shape, np.int64), backend, 0).warm_up()


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

    def warm_up(self) -> None:
        """Run every kernel without a step."""
        self._run("search", _NONE)

    def _run(self, name: str, thresholds: NDArray[np.int64]) -> None:
        self._bench.run(name, self._state, Schedule(self._seed, 0, self._step, thresholds))
