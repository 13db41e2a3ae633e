"""Samples of scenarios: numbers by counter, so that sample k is the same however many are drawn, and in any order."""

from __future__ import annotations

import hashlib
import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING

from sites.scenarios.futures import Future, Inherited
from sites.schema.scenario import Override

if TYPE_CHECKING:
    from planner.batch.file import Draw, Samples

_BITS = 53
_DIGITS = 6
"""Decimals of a drawn factor, so that it can be written down exactly."""


SAMPLE_NAME = re.compile(r"-sample-\d{6,}")
"""What a sample's name has after that of its scenario."""


def sampled_future(future: Future, samples: Samples, number: int) -> Future:
    """A future with what sample `number` draws on top of it."""
    drawn = tuple(one for draw in samples.draws for one in _overrides(draw, samples.seed, number))
    name = sample_name(future.name, number)
    return Future(name, f"{future.title}, sample {number}", future.file, (*future.overrides, *drawn), (future.name,))


def sample_name(scenario: str, number: int) -> str:
    """Name of a sample of a scenario, e.g. `base-sample-000017`."""
    return f"{scenario}-sample-{number:06d}"


def drawn_number(draw: Draw, seed: int, number: int) -> Fraction:
    """The number of a draw in a sample: a function of seed, sample and the draw's name and distribution alone."""
    share = share_of(seed, number, draw.name)
    if draw.choice is not None:
        return _chosen(draw.choice, draw.weights or (Fraction(1),) * len(draw.choice), share)
    if draw.uniform is not None:
        low, high = draw.uniform
        return _rounded(low + (high - low) * share)
    assert draw.triangular is not None
    low, mode, high = draw.triangular
    if low == high:
        return low
    if share * (high - low) < mode - low:
        return _rounded(low + Fraction(math.sqrt(share * (high - low) * (mode - low))))
    return _rounded(high - Fraction(math.sqrt((1 - share) * (high - low) * (high - mode))))


def share_of(seed: int, number: int, name: str) -> Fraction:
    """A number from 0 up to, not including, 1: the first 53 bits of the SHA-256 of the three."""
    hashed = hashlib.sha256(f"{seed}/{number}/{name}".encode()).digest()
    return Fraction(int.from_bytes(hashed[:8], "big") >> (64 - _BITS), 1 << _BITS)


def _chosen(choices: tuple[Fraction, ...], weights: tuple[Fraction, ...], share: Fraction) -> Fraction:
    left = share * sum(weights)
    for choice, weight in zip(choices, weights, strict=True):
        if left < weight:
            return choice
        left -= weight
    return choices[-1]


def _rounded(value: Fraction) -> Fraction:
    return Fraction(round(value * 10**_DIGITS), 10**_DIGITS)


def _overrides(draw: Draw, seed: int, number: int) -> list[Inherited]:
    """The overrides of one draw; none where it happens to change nothing."""
    value = drawn_number(draw, seed, number)
    if value == (1 if draw.change == "factor" else 0):
        return []
    change = {"factor": value} if draw.change == "factor" else {"delay_quarters": int(value)}
    return [
        Inherited(
            draw.name,
            Override.model_validate({"path": path, "where": draw.where, **change, "provenance": draw.provenance}),
            draw.provenance,
        )
        for path in draw.paths
    ]
