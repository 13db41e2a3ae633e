"""Whole blocks from fractions of blocks: how many of each class take which system, and from when on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from planner.solve.fillings import Fillings

_NOISE = 1e-4
_NEARLY_WHOLE = 0.02
"""Blocks by which an end may be off a whole number and need no second thought."""
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


def nearest_ends(
    wanted: NDArray[np.float64],
    ends: NDArray[np.int64],
    held: NDArray[np.bool_],
    classes: tuple[NDArray[np.int64], NDArray[np.int64]],
    part: float,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Ends with some more of them held: those nearest to whole numbers.

    Parameters: wanted [n_fillings] blocks; ends and held [n_fillings], so far; classes, that of each filling
    [n_fillings] and the blocks of each class [n_classes]; part of the open ends to hold at the least.
    """
    class_of, size = classes
    ends, held = ends.copy(), held.copy()
    waiting = np.flatnonzero(~held)
    whole = np.round(wanted[waiting]).astype(np.int64)
    off = np.round(np.abs(wanted[waiting] - whole), 9)
    n_now = max(int(np.ceil(part * waiting.size)), 1)
    room = size - np.bincount(class_of[held], weights=ends[held], minlength=size.size).astype(np.int64)
    for position, place in enumerate(np.argsort(off, kind="stable")):
        if position >= n_now and off[place] > _NEARLY_WHOLE:
            break
        number = waiting[place]
        ends[number] = min(whole[place], room[class_of[number]])
        room[class_of[number]] -= ends[number]
        held[number] = True
    return ends, held


def flips(
    wanted: NDArray[np.float64], ends: NDArray[np.int64], class_of: NDArray[np.int64], size: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """Ends with one, or one up and one down, rounded to the other side; the least certain ones first.

    Parameters: wanted [n_fillings] blocks; ends [n_fillings]; class_of [n_fillings] class of blocks of each; size
    [n_classes] blocks.
    """
    part = wanted - np.floor(wanted)
    open_ends = np.flatnonzero(np.minimum(part, 1.0 - part) > _NEARLY_WHOLE)
    step = np.where(ends[open_ends] > wanted[open_ends], -1, 1)
    doubt = np.abs(wanted[open_ends] - ends[open_ends])
    one = [(i,) for i in range(open_ends.size)]
    pairs = [(i, j) for i in range(open_ends.size) for j in range(i) if step[i] != step[j]]
    found = [(-round(float(doubt[list(members)].mean()), 9), members) for members in (*one, *pairs)]
    for _, members in sorted(found):
        other = ends.copy()
        other[open_ends[list(members)]] += step[list(members)]
        if (np.bincount(class_of, weights=other, minlength=size.size) <= size).all() and (other >= 0).all():
            yield other


def whole_units(wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whole scalable units near those that are wanted; what one class loses of a system the next may make up.

    Parameters: wanted [n_classes, n_systems].
    """
    result = np.zeros_like(wanted)
    owed = np.zeros(wanted.shape[1])
    for index, units in enumerate(wanted):
        lower, upper = np.floor(units + _NOISE), np.ceil(units - _NOISE)
        result[index] = np.clip(np.round(units + owed), lower, upper)
        owed += units - result[index]
    return result


def _ends_of_class(wanted: NDArray[np.float64], owed: NDArray[np.float64], n_blocks: int) -> NDArray[np.int64]:
    """Whole blocks of one class that each of its systems ends with, no more together than there are."""
    result = np.floor(wanted + _NOISE).astype(np.int64)
    remainder = wanted - result
    n_left = min(n_blocks, int(np.ceil(wanted.sum() - _NOISE))) - int(result.sum())
    order = np.argsort(-(remainder + owed), kind="stable")
    for position in [place for place in order if remainder[place] > _NOISE][: max(n_left, 0)]:
        result[position] += 1
    return result
