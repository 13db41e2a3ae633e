"""Counter-based integer randomness: the same draw for the same (seed, lane, step, number) everywhere."""

from __future__ import annotations

import numpy as np

from kernels.jitable import allocation_free

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
COMMON_LANE = 1 << 40
"""Lane number of draws that all lanes share."""
_S30, _S27, _S31, _S48 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(48)


@allocation_free
def mix(value: np.uint64) -> np.uint64:
    """SplitMix64's finaliser (Steele, Lea, Flood 2014): a bijection of 64-bit words."""
    value = (value ^ (value >> _S30)) * _MIX_A
    value = (value ^ (value >> _S27)) * _MIX_B
    return value ^ (value >> _S31)


@allocation_free
def step_word(seed: int, lane: int, step: int) -> np.uint64:
    """The generator's state after seed, lane and step."""
    word = mix(np.uint64(seed) + _GOLDEN)
    word = mix(word ^ (np.uint64(lane) + _GOLDEN))
    state: np.uint64 = mix(word ^ (np.uint64(step) + _GOLDEN))
    return state


@allocation_free
def draw_of(word: np.uint64, number: int) -> int:
    """A uniform integer in [0, 65536) for this number; word, the state after seed, lane and step."""
    return int(np.int64(mix(word ^ (np.uint64(number) + _GOLDEN)) >> _S48))


@allocation_free
def draw(seed: int, lane: int, step: int, number: int) -> int:
    """A uniform integer in [0, 65536) for this counter."""
    return int(draw_of(step_word(seed, lane, step), number))
