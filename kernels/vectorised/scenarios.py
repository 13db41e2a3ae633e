"""The moves of a search on scenarios of one graph, one scenario after the other.

Whole arrays need one model for all lanes of a step, so lanes with models of their own are not worked on at once here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.stack import guide_of, model_of, state_of
from kernels.vectorised.profiles import raise_profiles
from kernels.vectorised.search import search

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernels.contract import Schedule
    from kernels.stack import GuideStack, ModelStack, StateStack


def search_scenarios(
    models: ModelStack, guides: GuideStack, states: StateStack, lane_idx: NDArray[np.int64], schedule: Schedule
) -> None:
    """Make all steps of the schedule in some lanes as `search` does in one; their states are changed in place."""
    for lane in lane_idx.tolist():
        search(model_of(models, lane), guide_of(guides, lane), state_of(states, lane), schedule)


def raise_scenarios(
    models: ModelStack, guides: GuideStack, states: StateStack, lane_idx: NDArray[np.int64], schedule: Schedule
) -> None:
    """Raise profiles in some lanes as `raise_profiles` does in one, and value their plans; slack must be true."""
    for lane in lane_idx.tolist():
        raise_profiles(model_of(models, lane), guide_of(guides, lane), state_of(states, lane), schedule)
