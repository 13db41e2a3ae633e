"""Arrays of large whole numbers, exactly and in bulk: each as a float near it and its residue modulo 2^64.

As long as floats are off by less than 2^60, both together are the number: it is the one nearest the float that has
the residue. Sums and products with integers work on both parts, and two numbers compare by their floats, or where
these are close by the residue of their difference. So NumPy does in one step what Python integers do one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 2.0**100
"""Numbers up to this, and sums of up to 2^12 roundings, keep floats within 2^60 of the truth."""
NEVER = -(2.0**105)
"""Less than any number: marks what cannot be chosen."""
_CLOSE = 2.0**61
_MODULUS = 2**64


@dataclass(frozen=True)
class Residues:
    """Whole numbers of one shape."""

    near: NDArray[np.float64]
    low: NDArray[np.uint64]

    def __getitem__(self, index: Any) -> Residues:
        """The numbers that an index of NumPy picks."""
        return Residues(self.near[index], self.low[index])

    def plus(self, other: Residues) -> Residues:
        """Sums, broadcast."""
        return Residues(self.near + other.near, self.low + other.low)

    def minus(self, other: Residues) -> Residues:
        """Differences, broadcast."""
        return Residues(self.near - other.near, self.low - other.low)

    def times(self, factor: NDArray[np.int64] | int) -> Residues:
        """Products with integers below 2^63, broadcast."""
        whole = np.asarray(factor, np.int64)
        return Residues(self.near * whole, self.low * whole.view(np.uint64))

    def whole(self) -> list[int]:
        """The numbers as Python integers, in order."""
        return [_whole(float(near), int(low)) for near, low in zip(self.near.flat, self.low.flat, strict=True)]

    def fits(self) -> bool:
        """Whether all numbers are small enough for sums over them to stay exact."""
        return bool((np.abs(self.near) < LARGEST).all())


def of_int64(values: NDArray[np.int64]) -> Residues:
    """The numbers of an integer array."""
    return Residues(values.astype(np.float64), np.ascontiguousarray(values).view(np.uint64))


def of_whole(values: NDArray[np.object_]) -> Residues:
    """The numbers of an array of Python integers."""
    low = np.array([int(x) % _MODULUS for x in values.flat], np.uint64)
    return Residues(values.astype(np.float64), low.reshape(values.shape))


def at_least(first: Residues, second: Residues) -> NDArray[np.bool_]:
    """Where the first numbers are no smaller than the second."""
    apart = first.near - second.near
    close = np.abs(apart) < _CLOSE
    result: NDArray[np.bool_] = np.where(close, (first.low - second.low).view(np.int64) >= 0, apart >= 0)
    return result


def larger(first: Residues, second: Residues) -> Residues:
    """The larger number of each pair."""
    takes = at_least(first, second)
    return Residues(np.where(takes, first.near, second.near), np.where(takes, first.low, second.low))


def largest(numbers: Residues) -> Residues:
    """The largest number along the first axis."""
    while numbers.near.shape[0] > 1:
        half = (numbers.near.shape[0] + 1) // 2
        rest = numbers[half:]
        numbers = _stacked(larger(numbers[: rest.near.shape[0]], rest), numbers[rest.near.shape[0] : half])
    return numbers[0]


def _stacked(first: Residues, second: Residues) -> Residues:
    return Residues(np.concatenate((first.near, second.near)), np.concatenate((first.low, second.low)))


def _whole(near: float, low: int) -> int:
    rough = int(near)
    off = (low - rough) % _MODULUS
    return rough + off - (_MODULUS if off >= _MODULUS // 2 else 0)
