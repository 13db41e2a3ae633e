"""Rows of places added up in vector registers, for the loops that gather many short rows.

As plain loops a row of sixteen places costs more in setting up its loop, once for every entry, than in arithmetic. So
compiled, each of these functions takes its rows in blocks that stay in registers while all entries are added; every
place is still added up in index order, so the floats are those of the plain loops below, which are the definition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels.jitable import UNCOUNTED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def sum_rows(
    result: NDArray[np.floating], row: int, factor: NDArray[np.floating], source_idx: NDArray[np.int64], first: int,
    end: int, source: NDArray[np.floating],
) -> None:  # fmt: skip
    """Sum of factor[entry] · source[source_idx[entry]] over the entries from first to end, written to a row of result.

    Parameters: result and source [n, n_places]; factor and source_idx [n_entries].
    """
    result[row] = 0
    for entry in range(first, end):
        for place in range(result.shape[1]):
            result[row, place] += factor[entry] * source[source_idx[entry], place]


def subtract_product(
    result: NDArray[np.floating], row: int, left: NDArray[np.floating], left_row: int, right: NDArray[np.floating],
    right_row: int,
) -> None:  # fmt: skip
    """Take left[left_row] · right[right_row] off a row of result, all [n, n_places]."""
    for place in range(result.shape[1]):
        result[row, place] -= left[left_row, place] * right[right_row, place]


def subtract_from(result: NDArray[np.floating], row: int, least: NDArray[np.floating]) -> None:
    """Replace a row of result by the same row of `least` less it, both [n, n_places]."""
    for place in range(result.shape[1]):
        result[row, place] = least[row, place] - result[row, place]


def _compile() -> None:
    """Give Numba, where it is installed, the forms that work on blocks."""
    try:
        from numba.extending import overload
    except ImportError:
        return
    from kernels.loops import wide_code

    for function, code in (
        (sum_rows, wide_code.sum_rows), (subtract_product, wide_code.subtract_product),
        (subtract_from, wide_code.subtract_from),
    ):  # fmt: skip
        overload(function, jit_options=UNCOUNTED | {"forceinline": True}, strict=False)(code)


_compile()
