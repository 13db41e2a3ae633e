"""The look at a first-order model finds every index and offset that points outside, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernels.backends import home
from kernels.cuda import launch
from kernels.cuda.first_order import check_model
from kernels.samples.first_order import ModelShape, make_model

if TYPE_CHECKING:
    from kernels.contract import FirstOrderModel

THERE = home("cuda")
OFFSETS = {"constraint_ptr": "constraint_factor", "variable_ptr": "variable_factor", "gate_ptr": "gate_constraint_idx"}
ENDS = {
    "constraint_variable_idx": "gain", "variable_constraint_idx": "gate", "gate_variable_idx": "gain",
    "gate_constraint_idx": "gate",
}  # fmt: skip
SHAPES = (
    ModelShape(1, 3, 1, 3, 1, 1, contract=False),
    ModelShape(2, 2, 1, 7, 1, 1, contract=True),
    ModelShape(4, 6, 2, 2, 1, 1, contract=False),
)


def is_sound(model: FirstOrderModel) -> bool:
    """What the look must say: offsets rise from 0 or more to no more than there is, indices lie within their arrays."""
    for name, of in OFFSETS.items():
        offsets = getattr(model, name)
        if offsets[0] < 0 or (np.diff(offsets) < 0).any() or offsets[-1] > getattr(model, of).size:
            return False
    for name, of in ENDS.items():
        index, end = getattr(model, name), getattr(model, of).shape[0]
        if (index >= end).any() or (name != "gate_variable_idx" and (index < 0).any()):
            return False
    return True


def found_sound(model: FirstOrderModel) -> bool:
    check_model("first_order_steps", THERE.put(model))
    try:
        launch.check()
    except IndexError:
        return False
    return True


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("field", [*OFFSETS, *ENDS])
def test_every_place_of_an_index_array_is_looked_at(field: str, shape: ModelShape) -> None:
    """Each place in turn holds values on either side of what is allowed there."""
    model = make_model(shape, np.float64)
    assert found_sound(model)
    array = getattr(model, field)
    bounds = {-2, -1, 0, array.max() - 1, model.gain.shape[0], model.gate.shape[0], model.constraint_factor.size}
    bounds |= {bound - 1 for bound in bounds} | {bound + 1 for bound in bounds} | {model.gate_constraint_idx.size}
    verdicts = set()
    for place in range(array.size):
        for value in sorted({-1, 0, int(array[place]) - 1, int(array[place]) + 1, *map(int, bounds)}):
            changed = array.copy()
            changed[place] = value
            damaged = model._replace(**{field: changed})
            sound = is_sound(damaged)
            assert found_sound(damaged) == sound, (field, place, value)
            verdicts.add(sound)
    assert array.size == 0 or False in verdicts
