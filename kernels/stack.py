"""Scenarios of one graph side by side: models, guides and plans that lead with an axis of lanes.

A lane's slice is a model, a guide and a plan of one lane as `kernels.contract` has them, so the code that works on it
is that of one model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.contract import PackingModel, SearchGuide, SearchState
from kernels.jitable import at, jitable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STRUCTURE = (
    "row_ptr", "entry_limit_idx", "entry_coefficient", "block_ptr", "block_row_idx", "system_ptr",
    "system_configuration_idx", "unit_racks", "partial_units",
)  # fmt: skip
"""Arrays of a model that all lanes share; they have no axis of lanes."""


class ModelStack(PackingModel):
    """A model for each lane: every array but those of `STRUCTURE` leads with an axis of lanes."""


class GuideStack(SearchGuide):
    """A guide for each lane: every array leads with an axis of lanes.

    Where a guide has fewer patterns than another, its last pool is filled up with patterns that no draw picks.
    """


class StateStack(SearchState):
    """A plan for each lane: every array leads with an axis of lanes and ends with one of length 1."""


def stacked_models(models: Sequence[PackingModel]) -> ModelStack:
    """Models of one graph as a stack, a lane for each. Raises ValueError where two differ in what lanes share."""
    first = models[0]
    for number, other in enumerate(models):
        for name in STRUCTURE:
            if not _same(getattr(first, name), getattr(other, name)):
                msg = f"model {number} differs from model 0 in '{name}', which all lanes of a stack share"
                raise ValueError(msg)
    return ModelStack(
        *(
            getattr(first, name) if name in STRUCTURE else np.stack([getattr(each, name) for each in models])
            for name in PackingModel._fields
        )
    )


def stacked_guides(guides: Sequence[SearchGuide]) -> GuideStack:
    """Guides of one graph as a stack, a lane for each."""
    most = max(guide.pattern_racks.size for guide in guides)
    padded = [_padded(guide, most) for guide in guides]
    return GuideStack(*(np.stack([getattr(each, name) for each in padded]) for name in SearchGuide._fields))


def stacked_states(states: Sequence[SearchState]) -> StateStack:
    """Plans of one lane each as a stack, a lane for each."""
    return StateStack(*(np.stack([getattr(each, name) for each in states]) for name in SearchState._fields))


def _padded(guide: SearchGuide, most: int) -> SearchGuide:
    """A guide with so many patterns; a cumulative weight that comes again is never drawn."""
    short = most - guide.pattern_racks.size
    first, end = guide.pool_ptr[-2:]
    last = guide.pattern_weight[end - 1] if end > first else 0
    return guide._replace(
        pool_ptr=np.append(guide.pool_ptr[:-1], most),
        pattern_system_idx=np.pad(guide.pattern_system_idx, (0, short)),
        pattern_racks=np.pad(guide.pattern_racks, (0, short)),
        pattern_weight=np.pad(guide.pattern_weight, (0, short), constant_values=last),
    )


def _same(first: NDArray[Any], second: NDArray[Any]) -> bool:
    return first is second or np.array_equal(first, second)


@jitable
def model_of(models: ModelStack, lane: int) -> PackingModel:
    """A lane's model."""
    return PackingModel(
        models.row_ptr, models.entry_limit_idx, models.entry_coefficient, models.capacity[at(lane)],
        models.block_ptr, models.block_row_idx, models.system_ptr, models.system_configuration_idx,
        models.most_racks[at(lane)], models.value[at(lane)], models.revenue[at(lane)], models.open_cost[at(lane)],
        models.unit_cost[at(lane)], models.unit_racks, models.partial_units, models.contract_amount[at(lane)],
        models.contract_rate[at(lane)],
    )  # fmt: skip


@jitable
def guide_of(guides: GuideStack, lane: int) -> SearchGuide:
    """A lane's guide."""
    return SearchGuide(
        guides.guided_value[at(lane)], guides.may_start[at(lane)], guides.pool_of_block_idx[at(lane)],
        guides.pool_ptr[at(lane)], guides.pattern_system_idx[at(lane)], guides.pattern_racks[at(lane)],
        guides.pattern_weight[at(lane)], guides.switch_period[at(lane)], guides.upgrade_share[at(lane)],
    )  # fmt: skip


@jitable
def state_of(states: StateStack, lane: int) -> SearchState:
    """A lane's plan, to be changed in place."""
    return SearchState(
        states.n_racks[at(lane)], states.slack[at(lane)], states.block_value[at(lane)],
        states.block_revenue[at(lane)], states.revenue[at(lane)], states.objective[at(lane)],
    )  # fmt: skip
