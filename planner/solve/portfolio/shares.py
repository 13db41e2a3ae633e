"""Whole shares of what sites have in common: racks, watts and cents are handed out, none twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS
from planner.solve.portfolio.split import active

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NOISE = 1e-6
_ONE = 2.0**SHARE_BITS


def shares_of_mix(capacity: NDArray[np.int64], use: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shares near the use of a mix; what is left by rounding goes where most was cut off, the rest by use.

    Parameters: capacity, [n_joint, n_periods] scaled by 2^20; use, [n_sites, n_joint, n_periods] scaled, which adds up
    to no more than it. Returns [n_sites, n_joint, n_periods] scaled, `INACTIVE` where a limit does not exist.
    """
    units = np.where(active(capacity), capacity, 0) >> SHARE_BITS
    wanted = np.maximum(use, 0.0) / _ONE
    share = np.floor(wanted + _NOISE).astype(np.int64)
    over = np.maximum(share.sum(axis=0) - units, 0)
    fullest = share.argmax(axis=0)
    np.put_along_axis(share, fullest[None], np.take_along_axis(share, fullest[None], 0) - over[None], 0)
    left = units - share.sum(axis=0)
    rank = np.argsort(np.argsort(-np.round(wanted - share, 6), axis=0, kind="stable"), axis=0, kind="stable")
    share += (rank < left[None]) & (wanted - share > _NOISE)
    left = units - share.sum(axis=0)
    weight = wanted + wanted.mean(axis=0, keepdims=True) + _NOISE
    return _scaled(capacity, share + split_whole(left, weight))


def shares_of_rest(
    capacity: NDArray[np.int64], use: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.int64]:
    """What every site uses, and its part of what nobody uses.

    Parameters: capacity, [n_joint, n_periods] scaled by 2^20; use, [n_sites, n_joint, n_periods] scaled, exact;
    weight, [n_sites] of each site's part. Returns [n_sites, n_joint, n_periods] scaled.
    """
    taken = -(-use >> SHARE_BITS)
    # Use ends within a unit of a limit as a rule; what the roundings up take together is not there to hand out.
    free = np.maximum((np.where(active(capacity), capacity, 0) >> SHARE_BITS) - taken.sum(axis=0), 0)
    share = (taken + split_whole(free, weight[:, None, None] + np.zeros(use.shape))) << SHARE_BITS
    crowded = (np.where(active(capacity), capacity, 0) >> SHARE_BITS) < taken.sum(axis=0)
    return _inactive(capacity, np.where(crowded[None], use, share))


def split_whole(amount: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole parts of an amount, by weight, that add up to it.

    Parameters: amount, [...]; weight, [n_parts, ...], some of it positive. Returns [n_parts, ...].
    """
    edges = np.cumsum(weight, axis=0)
    edges = np.floor(amount * (edges / edges[-1]) + _NOISE).astype(np.int64)
    edges[-1] = amount
    parts: NDArray[np.int64] = np.diff(edges, axis=0, prepend=0)
    return parts


def _scaled(capacity: NDArray[np.int64], share: NDArray[np.int64]) -> NDArray[np.int64]:
    return _inactive(capacity, share << SHARE_BITS)


def _inactive(capacity: NDArray[np.int64], share: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(active(capacity)[None], share, INACTIVE)
