"""Random packing problems for the tests of kernels, and the rules that their plans must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from kernels.contract import SearchState
from kernels.samples.packing import CaseShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernels.contract import PackingModel
    from kernels.samples.packing import Case

case_shapes = st.builds(
    CaseShape,
    seed=st.integers(0, 2**32 - 1),
    n_rows_by_block=st.lists(st.integers(1, 3), min_size=1, max_size=6).map(tuple),
    n_profiles_by_system=st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple),
    n_periods=st.integers(1, 5),
    partial_units=st.booleans(),
    contract=st.booleans(),
    heavy=st.booleans(),
    flat=st.sampled_from([False, False, False, True]),
)


def assert_same(ours: SearchState, theirs: SearchState, what: str) -> None:
    """Every array of two states is the same to the bit."""
    for name, a, b in zip(SearchState._fields, ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=f"{what}: {name}")


def assert_plan_rules(case: Case, n_racks: NDArray[np.int64]) -> None:
    """Whatever stands in every lane keeps the rules of a plan (limits aside)."""
    model = case.model
    assert (n_racks >= 0).all()
    assert (n_racks <= model.most_racks[..., None]).all(), "more racks than fit the empty row"
    by_system = _by_system(model, n_racks)
    assert (np.diff(by_system, axis=2) >= 0).all(), "racks were taken away"
    for block in range(model.block_ptr.size - 1):
        rows = model.block_row_idx[model.block_ptr[block] : model.block_ptr[block + 1]]
        standing = by_system[rows].sum(axis=0)
        assert ((standing > 0).any(axis=1).sum(axis=0) <= 1).all(), "two systems in one block"
        if model.partial_units[block] == 0:
            assert not (standing % model.unit_racks[:, None, None]).any(), "a unit is part empty"


def _by_system(model: PackingModel, n_racks: NDArray[np.int64]) -> NDArray[np.int64]:
    members: Sequence[NDArray[np.int64]] = np.split(model.system_configuration_idx, model.system_ptr[1:-1])
    return np.stack([n_racks[:, each].sum(axis=1) for each in members], axis=1)


def loads_by_hand(model: PackingModel, n_racks: NDArray[np.int64]) -> NDArray[Any]:
    """Load of every limit in Python's unbounded integers: [n_limits, n_periods, n_lanes] of objects."""
    result = np.zeros((model.capacity.shape[0], *n_racks.shape[2:]), object)
    for row in range(n_racks.shape[0]):
        for entry in range(model.row_ptr[row], model.row_ptr[row + 1]):
            for configuration in range(n_racks.shape[1]):
                coefficient = int(model.entry_coefficient[entry, configuration])
                result[model.entry_limit_idx[entry]] += coefficient * n_racks[row, configuration].astype(object)
    return result
