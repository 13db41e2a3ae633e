"""Scales of columns and rows, so that a program in floating point counts hours and tokens in numbers of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PASSES = 6


def column_and_row_scales(
    column_idx: NDArray[np.int64], row_idx: NDArray[np.int64], coefficient: NDArray[np.float64], shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Powers of two that bring coefficients near one: geometric means of the largest and the smallest, in turn.

    Parameters: the three arrays, one for each coefficient that is not 0; shape, (n_columns, n_rows). A scaled column
    counts `column` units, a scaled row is the row times `row`. Returns ([n_columns], [n_rows]).
    Source: Fourer, "Solving staircase linear programs by the simplex method, 1", 1982, whose scaling this is.
    """
    column, row = np.zeros(shape[0]), np.zeros(shape[1])
    size = np.log2(np.abs(coefficient))
    for _ in range(_PASSES):
        row = -_middle(size + column[column_idx], row_idx, shape[1])
        column = -_middle(size + row[row_idx], column_idx, shape[0])
    return np.exp2(np.round(column)), np.exp2(np.round(row))


def _middle(size: NDArray[np.float64], group: NDArray[np.int64], n_groups: int) -> NDArray[np.float64]:
    """Half-way between the least and the largest of each group; 0 where it is empty."""
    least, most = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(least, group, size)
    np.maximum.at(most, group, size)
    return np.where(np.isfinite(least), (np.where(np.isfinite(least), least + most, 0.0)) / 2.0, 0.0)
