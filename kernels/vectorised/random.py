"""The draws of `kernels.loops.random` on whole arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S48 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(48)
COMMON_LANE = 1 << 40
"""Lane number of draws that all lanes share."""


def mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser (Steele, Lea, Flood 2014) on an array, which it may overwrite."""
    value ^= value >> _S30
    value *= _MIX_A
    value ^= value >> _S27
    value *= _MIX_B
    value ^= value >> _S31
    return value


def lane_words(seed: int, lanes: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The state of the generator after seed and lane; lanes and result [n_lanes]."""
    word = mix(np.array([seed], np.uint64) + _GOLDEN)
    return mix(word ^ (lanes.astype(np.uint64) + _GOLDEN))


def step_words(words: NDArray[np.uint64], step: int) -> NDArray[np.uint64]:
    """The state after one more counter, the step; words and result [n_lanes]."""
    return mix(words ^ (np.array([step], np.uint64) + _GOLDEN))


def draw(words: NDArray[np.uint64], number: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Uniform integers in [0, 65536), the same as the loops draw for (seed, lane, step, number).

    Parameters: words [n_lanes] after the step; number, of any shape that broadcasts with words.
    """
    counter = np.asarray(number, np.int64).astype(np.uint64) + _GOLDEN if np.ndim(number) else _counter(int(number))
    return (mix(words ^ counter) >> _S48).astype(np.int64)


def _counter(number: int) -> NDArray[np.uint64]:
    """One number as an array: arrays wrap around without a warning, scalars do not."""
    return np.array([number], np.uint64) + _GOLDEN
