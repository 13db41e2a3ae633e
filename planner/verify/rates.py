"""Rates of racks from measured curves, read anew: [points and profiles](../../docs/catalogue.md#throughput)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sites.catalog.loader import Configuration
    from sites.schema.throughput import ThroughputBasis, ThroughputCurve, ThroughputPoint

MEGAWATT = 10**6


def best_rate(
    basis: ThroughputBasis, configuration: Configuration, speed: Fraction | None, ttft_s: Fraction | None
) -> tuple[Fraction, str] | None:
    """Highest rate of one rack at a service level in 1/s, and the quarter in which its curve was measured.

    Parameters: speed in tokens/s/user, None for batch work; ttft_s, longest time to first token, None where none is
    asked. None where no curve of the system reaches the level, or a figure that it needs is unknown.
    """
    system, profile = configuration.system.name, configuration.profile.name
    curves = [curve for curve in basis.curves if curve.system == system and curve.outside_catalogue is None]
    own = [curve for curve in curves if curve.profile == profile]
    best: tuple[Fraction, str] | None = None
    for curve in own or curves:
        rate = _rack_rate(curve, configuration, speed, ttft_s)
        if rate is not None and (best is None or rate > best[0]):
            best = rate, curve.measured
    return best


def _rack_rate(
    curve: ThroughputCurve, configuration: Configuration, speed: Fraction | None, ttft_s: Fraction | None
) -> Fraction | None:
    factors = (_rate_at(curve, speed, ttft_s), _size(curve, configuration), _profile_factor(curve, configuration))
    product = Fraction(1)
    for factor in factors:
        if factor is None:
            return None
        product *= factor
    return product


def _rate_at(curve: ThroughputCurve, speed: Fraction | None, ttft_s: Fraction | None) -> Fraction | None:
    """Rate for one of what the curve is `per`: of any point that is fast enough, or between two neighbours."""
    in_time = [point for point in curve.points if ttft_s is None or _answers(point, ttft_s)]
    if speed is None:
        return max((_known_rate(point) for point in in_time), default=None)
    fast_enough = [_known_rate(point) for point in in_time if (_speed(point) or 0) >= speed]
    if not fast_enough:
        return None
    timed = [(at, point) for point in curve.points if (at := _speed(point)) is not None]
    for (slower, before), (faster, after) in pairwise(timed):
        if slower < speed < faster and before in in_time and after in in_time:
            # Racks for each token, not tokens of each rack, are linear in speed.
            share = (speed - slower) / (faster - slower)
            racks = (1 - share) / _known_rate(before) + share / _known_rate(after)
            fast_enough.append(1 / racks)
    return max(fast_enough)


def _answers(point: ThroughputPoint, ttft_s: Fraction) -> bool:
    """Whether a point states no longer time; offline points answer nobody."""
    stated = point.ttft.value
    return point.speed is not None and (stated is None or stated <= ttft_s)


def _speed(point: ThroughputPoint) -> Fraction | None:
    return None if point.speed is None or point.speed.value is None else Fraction(point.speed.value)


def _known_rate(point: ThroughputPoint) -> Fraction:
    """Rate of a point, which the schema asks to be known."""
    return Fraction(point.rate.value or 0)


def _size(curve: ThroughputCurve, configuration: Configuration) -> Fraction | None:
    """How many of what the curve is `per` one rack is."""
    if curve.per == "rack":
        return Fraction(1)
    n_gpus = configuration.system.gpu_packages.value
    if n_gpus is None or curve.per == "gpu":
        return None if n_gpus is None else Fraction(n_gpus)
    each_w = None if curve.all_in_power_per_gpu is None else curve.all_in_power_per_gpu.value
    return None if each_w is None else Fraction(each_w) * n_gpus / MEGAWATT


def _profile_factor(curve: ThroughputCurve, configuration: Configuration) -> Fraction | None:
    """Performance of a profile over that of the profile measured, the system's best where that is not published."""
    if curve.profile == configuration.profile.name:
        return Fraction(1)
    performance = {one.name: one.performance.value for one in configuration.system.profiles}
    known = [one for one in performance.values() if one is not None]
    measured = max(known, default=None) if curve.profile is None else performance.get(curve.profile)
    own = configuration.profile.performance.value
    return None if own is None or not measured else Fraction(own) / Fraction(measured)
