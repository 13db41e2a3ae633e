"""Tiny scenarios of one graph: a packing problem with other numbers, and a guide for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.samples.packing import INACTIVE, SCALE, make_case

if TYPE_CHECKING:
    from kernels.contract import PackingModel, SearchGuide
    from kernels.samples.packing import CaseShape


def make_scenarios(shape: CaseShape, n_scenarios: int) -> list[tuple[PackingModel, SearchGuide]]:
    """Models and guides of the case of a shape and of scenarios of its graph; the same arguments give the same."""
    case = make_case(shape)
    draws = (np.random.default_rng((shape.seed, number)) for number in range(1, n_scenarios))
    return [(case.model, case.guide), *(_scenario(case.model, case.guide, random) for random in draws)]


def _scenario(
    model: PackingModel, guide: SearchGuide, random: np.random.Generator
) -> tuple[PackingModel, SearchGuide]:  # fmt: skip
    """Other capacities, values and contract, and a guide with other prices and patterns."""
    shrunk = (model.capacity * random.uniform(0.5, 1.0, (model.capacity.shape[0], 1))).astype(np.int64)
    changed = model._replace(
        capacity=np.where(model.capacity == INACTIVE, INACTIVE, shrunk),
        most_racks=model.most_racks * (random.random(model.most_racks.shape[:2]) < 0.9)[..., None],
        value=model.value + random.integers(-100_000, 100_000, model.value.shape),
        revenue=model.revenue // random.integers(1, 4),
        open_cost=model.open_cost * random.integers(0, 3),
        unit_cost=model.unit_cost * random.integers(0, 3),
        contract_amount=model.contract_amount // random.integers(1, 4),
        contract_rate=np.minimum(model.contract_rate + random.integers(0, SCALE // 4), SCALE),
    )
    n_periods, n_more = model.value.shape[2], int(random.integers(0, 3))
    more = random.integers(0, model.unit_racks.size, n_more)
    other = guide._replace(
        guided_value=changed.value + random.integers(-50_000, 50_000, model.value.shape),
        may_start=guide.may_start * (random.random(guide.may_start.shape) < 0.9),
        pool_of_block_idx=random.integers(0, guide.pool_ptr.size - 1, guide.pool_of_block_idx.size),
        pool_ptr=np.append(guide.pool_ptr[:-1], guide.pool_ptr[-1] + n_more),
        pattern_system_idx=np.append(guide.pattern_system_idx, more),
        pattern_racks=np.append(guide.pattern_racks, random.integers(0, 20, n_more)),
        pattern_weight=np.append(guide.pattern_weight, np.full(n_more, 65536)),
        switch_period=random.integers(0, n_periods + 1, guide.switch_period.size),
        upgrade_share=np.minimum(guide.upgrade_share * 2, 65536),
    )
    return changed, other
