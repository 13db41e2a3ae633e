"""Scenarios: the year as it is, and years that are warmer or cooler and fuller or emptier throughout."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

TEMPERATURE_SPREAD_K = 2.0
"""Default half-width of the temperature offsets."""
LOAD_SPREAD = 0.05
"""Default half-width of the load offsets, as a share of the average load."""


@dataclass(frozen=True)
class Scenario:
    """One year for all sites."""

    temperature_offset_k: float
    load_factor: float
    """Times the average load of every rack; cut where one would exceed its sustained maximum."""


def scenarios(
    n_scenarios: int,
    seed: int,
    temperature_spread_k: float = TEMPERATURE_SPREAD_K,
    load_spread: float = LOAD_SPREAD,
) -> tuple[Scenario, ...]:
    """The base year first, then offsets drawn evenly from their spreads; the same for the same seed everywhere.

    Parameters: n_scenarios, 1 or more; seed; half-widths of the offsets (K; share of the load).
    Only `Random.random` is used, whose sequence Python keeps from version to version.
    """
    draw = Random(seed)
    drawn = [Scenario(0.0, 1.0)]
    for _ in range(n_scenarios - 1):
        offset_k = (2 * draw.random() - 1) * temperature_spread_k
        drawn.append(Scenario(offset_k, 1 + (2 * draw.random() - 1) * load_spread))
    return tuple(drawn)
