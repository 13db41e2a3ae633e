"""Rows added up in blocks of registers are the plain loops' floats, whatever the width of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernels.loops.wide import subtract_from, subtract_product, sum_rows

numba = pytest.importorskip("numba")


def all_three(result: Any, factor: Any, source_idx: Any, source: Any, least: Any) -> None:
    for row in range(result.shape[0]):
        sum_rows(result, row, factor, source_idx, row, 3 * row, source)
        subtract_product(result, row, least, row, source, source_idx[row])
        subtract_from(result, row, least)


@pytest.fixture(scope="module")
def compiled() -> Any:
    return numba.njit(all_three)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_places", [1, 2, 3, 16, 31, 64, 128, 219, 440])
def test_blocks_are_the_plain_loops_to_the_bit(compiled: Any, dtype: Any, n_places: int) -> None:
    random = np.random.default_rng(n_places)
    source, least = (random.normal(0.0, 1.0, (n, n_places)).astype(dtype) for n in (7, 4))
    factor = random.normal(0.0, 1.0, 12).astype(dtype)
    source_idx = random.integers(0, 7, (12, 2))[:, 0]  # strided, as an index array may be
    ours, theirs = np.full((4, n_places), 7, dtype), np.full((4, n_places), 8, dtype)
    compiled(ours, factor, source_idx, source, least)
    all_three(theirs, factor, source_idx, source, least)
    np.testing.assert_array_equal(ours, theirs)


def test_rows_of_strided_places_are_refused() -> None:
    """Their blocks would be read from between the places."""
    call = numba.njit(lambda result: subtract_from(result, 0, result))
    with pytest.raises(Exception, match="rows of places are contiguous"):
        call(np.zeros((2, 4))[:, ::2])
