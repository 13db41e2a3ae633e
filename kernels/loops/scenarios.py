"""The moves of a search on scenarios of one graph, lane by lane, each by its own model and guide.

Every lane draws by the number of the schedule's first lane, so a scenario's plan does not depend on its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.loops.profiles import raise_profiles
from kernels.loops.search import search
from kernels.stack import guide_of, model_of, state_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.contract import Schedule
    from kernels.stack import GuideStack, ModelStack, StateStack


def search_scenarios(
    models: ModelStack, guides: GuideStack, states: StateStack, lane_idx: NDArray[np.int64], schedule: Schedule
) -> None:
    """Make all steps of the schedule in some lanes as `search` does in one; their states are changed in place."""
    for place in range(lane_idx.shape[0]):
        lane = lane_idx[place]
        search(model_of(models, lane), guide_of(guides, lane), state_of(states, lane), schedule)


def raise_scenarios(
    models: ModelStack, guides: GuideStack, states: StateStack, lane_idx: NDArray[np.int64], schedule: Schedule
) -> None:
    """Raise profiles in some lanes as `raise_profiles` does in one, and value their plans; slack must be true."""
    for place in range(lane_idx.shape[0]):
        lane = lane_idx[place]
        raise_profiles(model_of(models, lane), guide_of(guides, lane), state_of(states, lane), schedule)
