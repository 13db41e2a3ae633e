"""Whole blocks from fractions of blocks: how many of each class take which system, and from when on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from planner.solve.fillings import Fillings

_NOISE = 1e-4
BALANCES = (0.7, 0.35, 1.0, 0.0)
"""How much what a system lost or won by rounding in the classes before counts against a class's own remainder; none is
best everywhere."""


def whole_ends(
    fillings: tuple[Fillings, ...], size: NDArray[np.int64], wanted: NDArray[np.float64], balance: float
) -> NDArray[np.int64]:
    """Blocks of each class that end with a system, whole.

    A class ends with the systems that its largest remainders call for, those of systems that came off badly in other
    classes first.
    Parameters: fillings, each a class of blocks and a system; size [n_classes] blocks of a class; wanted [n_fillings]
    blocks; balance, see `BALANCES`.
    """
    ends = np.zeros(len(fillings), np.int64)
    owed = np.zeros(max((one.system for one in fillings), default=-1) + 1)
    for index, n_blocks in enumerate(size):
        own = [number for number, one in enumerate(fillings) if one.block_class == index]
        system = np.array([fillings[number].system for number in own], np.int64)
        ends[own] = _ends_of_class(wanted[own], balance * owed[system], int(n_blocks))
        np.add.at(owed, system, wanted[own] - ends[own])
    return ends


def whole_starts(blocks: NDArray[np.float64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Blocks that start in each period: as soon as a fraction of one does, since an open block need not be full.

    Parameters: blocks [n_fillings, n_periods] that hold a system; ends [n_fillings], how many do so in the end.
    Returns [n_fillings, n_periods].
    """
    standing = np.minimum(np.ceil(blocks - _NOISE), ends[:, None])
    standing[:, -1] = ends
    standing = np.maximum.accumulate(np.maximum(standing, 0.0), axis=1)
    return np.diff(standing, axis=1, prepend=0.0).astype(np.int64)


def exchanges(
    fillings: tuple[Fillings, ...], wanted: NDArray[np.float64], ends: NDArray[np.int64]
) -> Iterator[tuple[int, int]]:
    """Pairs of one class, of which the first was rounded up and the second down: a block may change sides."""
    for up, down in np.ndindex(len(fillings), len(fillings)):
        same = fillings[up].block_class == fillings[down].block_class
        if same and ends[up] > wanted[up] + _NOISE and ends[down] < wanted[down] - _NOISE:
            yield up, down


def _ends_of_class(wanted: NDArray[np.float64], owed: NDArray[np.float64], n_blocks: int) -> NDArray[np.int64]:
    """Whole blocks of one class that each of its systems ends with, no more together than there are."""
    result = np.floor(wanted + _NOISE).astype(np.int64)
    remainder = wanted - result
    n_left = min(n_blocks, int(np.ceil(wanted.sum() - _NOISE))) - int(result.sum())
    order = np.argsort(-(remainder + owed), kind="stable")
    for position in [place for place in order if remainder[place] > _NOISE][: max(n_left, 0)]:
        result[position] += 1
    return result
