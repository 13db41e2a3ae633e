"""Rates of racks from measured curves: interpolated between measured points, and never beyond the fastest.

A point serves everyone who asks no more than its speed. Between the points (v0, r0) and (v1, r1) the racks that a token
each second takes, 1/r, are taken as linear in speed; that lies below the straight line between the rates. Nothing is
extrapolated: who asks for more than the fastest measured speed gets an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from sites.calendar import quarter_index
from sites.schema.common import Status
from sites.schema.throughput import GainCase, RatedPer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.catalog.loader import Configuration
    from sites.schema.catalog import Profile, RackSystem
    from sites.schema.throughput import (
        CoDesignGain,
        SoftwareGain,
        ThroughputBasis,
        ThroughputCurve,
        ThroughputPoint,
    )

_FIRMNESS = tuple(Status)
WATTS_PER_MEGAWATT = 10**6


class ThroughputError(ValueError):
    """A rate that no measurement gives."""


@dataclass(frozen=True)
class ServingRate:
    """What a rack of one configuration does at a speed, and what that rests on."""

    rate_per_s: Fraction
    """Of the basis' counts."""
    curve: ThroughputCurve
    points: tuple[ThroughputPoint, ...]
    """The one or two points between which it lies."""
    profile_factor: Fraction
    """Performance of the profile over that of the profile measured; 1 where they are the same."""
    status: Status
    """The weakest of the points' figures; an assumption where the profile was not the measured one."""
    ttft_unchecked: bool
    """Whether a time to first token was asked and some point that serves does not state its own."""
    note: str | None
    """What is assumed about the profile, if anything."""


def unit_rate(
    curve: ThroughputCurve, speed: Fraction | None, *, basis: str | None = None
) -> tuple[Fraction, tuple[ThroughputPoint, ...]]:
    """Rate at a speed for one of what the curve is `per`, in 1/s, and the points that it rests on.

    Parameters: speed in tokens/s/user, None for batch work, which any point serves; basis, the name for messages.
    Raises ThroughputError when the speed lies above the fastest that was measured.
    """
    return _rate_at(curve.points, speed, None, f"{_named(basis, curve.system)}, {curve.software}")


def rack_rate(
    curve: ThroughputCurve, system: RackSystem, speed: Fraction | None, *, basis: str | None = None
) -> Fraction:
    """Rate of one rack at the profile that was measured, in 1/s of what the basis counts.

    Parameters: system, the curve's; speed in tokens/s/user, None for batch work; basis, the name for messages. Raises
    ThroughputError when the speed lies above the fastest that was measured.
    """
    rate_per_s, _ = unit_rate(curve, speed, basis=basis)
    return rate_per_s * units_per_rack(curve, system)


def offline_rate(curve: ThroughputCurve, system: RackSystem) -> Fraction:
    """Rate of one rack on batch work, which asks no speed, in 1/s: the highest of all points."""
    return rack_rate(curve, system, None)


def units_per_rack(curve: ThroughputCurve, system: RackSystem) -> Fraction:
    """How many of what the curve is `per` one rack is: 1, its GPU packages, or its all-in MW.

    Raises ThroughputError when the system is not the curve's or a figure is unknown.
    """
    if curve.system != system.name:
        msg = f"found the rack system '{system.name}' for a curve of '{curve.system}'; take the curve of the system"
        raise ThroughputError(msg)
    if curve.per is RatedPer.RACK:
        return Fraction(1)
    n_gpus = system.gpu_packages.value
    if n_gpus is None:
        msg = f"'{system.name}' has no known 'gpu_packages', so the rate of a rack cannot be worked out; give it"
        raise ThroughputError(msg)
    if curve.per is RatedPer.GPU:
        return Fraction(n_gpus)
    power_w = None if curve.all_in_power_per_gpu is None else curve.all_in_power_per_gpu.value
    if power_w is None:
        msg = f"the curve of '{system.name}' has no known 'all_in_power_per_gpu'; give it, for its rates are per MW"
        raise ThroughputError(msg)
    return power_w * n_gpus / WATTS_PER_MEGAWATT


def serving_rate(
    basis: ThroughputBasis, configuration: Configuration, speed: Fraction | None, ttft_s: Fraction | None = None
) -> ServingRate:
    """What a rack of a configuration does at a speed with the best software that was measured on it.

    Curves measured at the configuration's own profile come first: only where there are none are others scaled to it.

    Parameters: speed in tokens/s/user, None for batch work; ttft_s, the longest time to first token in s: points that
    state a longer one do not serve then, nor do offline points; None where none is asked. Raises ThroughputError when
    no curve of the system serves, with the reason of each.
    """
    system = configuration.system
    curves = [one for one in basis.curves if one.system == system.name and one.outside_catalogue is None]
    if not curves:
        msg = (
            f"{_named(basis.name, system.name)}: nothing was measured; choose another basis, or measure it and name "
            "the file in 'throughput_files'"
        )
        raise ThroughputError(msg)
    own = [one for one in curves if one.profile == configuration.profile.name]
    rates: list[ServingRate] = []
    refusals: list[str] = []
    for curve in own or curves:
        try:
            rates.append(_serving_rate(basis.name, curve, configuration, speed, ttft_s))
        except ThroughputError as error:
            refusals.append(str(error))
    if not rates:
        raise ThroughputError("; ".join(refusals))
    return max(rates, key=lambda one: one.rate_per_s)


def _serving_rate(
    basis: str, curve: ThroughputCurve, configuration: Configuration, speed: Fraction | None, ttft_s: Fraction | None
) -> ServingRate:
    where = f"{_named(basis, curve.system)}, {curve.software}"
    rate_per_s, points = _rate_at(curve.points, speed, ttft_s, where)
    factor, note = profile_factor(curve, configuration)
    return ServingRate(
        rate_per_s * units_per_rack(curve, configuration.system) * factor,
        curve,
        points,
        factor,
        _status(curve, configuration.profile, points),
        ttft_s is not None and any(point.ttft.value is None for point in points),
        note,
    )


def _answers_within(point: ThroughputPoint, ttft_s: Fraction | None) -> bool:
    """Whether a point may serve who waits so long at most; one that states no time is left in, and reported."""
    if ttft_s is None:
        return True
    return point.speed is not None and (point.ttft.value is None or point.ttft.value <= ttft_s)


def profile_factor(curve: ThroughputCurve, configuration: Configuration) -> tuple[Fraction, str | None]:
    """Performance of a configuration's profile over that of the profile measured, and what is assumed in it.

    A curve whose profile is not published counts as measured at the system's best one, so that a lower profile is
    never credited with more than its share. Raises ThroughputError when a performance is unknown.
    """
    system, profile = configuration.system, configuration.profile
    if curve.profile == profile.name:
        return Fraction(1), None
    known = {one.name: one.performance.value for one in system.profiles}
    asked = known[profile.name]
    measured = max((one for one in known.values() if one is not None), default=None)
    if curve.profile is not None:
        measured = known.get(curve.profile)
    if asked is None or not measured:
        msg = f"'{configuration.name}': the 'performance' of its profile or of the profile measured is not known"
        raise ThroughputError(msg)
    taken = f"measured at '{curve.profile}'" if curve.profile is not None else "profile of the measurement unknown"
    return asked / measured, f"{taken}; counted in proportion to 'performance', {float(asked / measured):g}"


def software_factor(
    gains: Sequence[SoftwareGain], case: GainCase, system: str, quarter: str, measured: str | None = None
) -> Fraction:
    """By how much better software has raised the rates of a system by a quarter: the product of what has begun.

    Parameters: case, which value of each gain; measured, quarter of the curve: gains that had begun by then are in
    its rates already and do not count again.
    """
    factor = Fraction(1)
    for gain in gains:
        counted = measured is None or quarter_index(gain.start) > quarter_index(measured)
        if gain.system == system and counted and quarter_index(gain.start) <= quarter_index(quarter):
            factor *= {GainCase.LOW: gain.low, GainCase.MODE: gain.mode, GainCase.HIGH: gain.high}[case]
    return factor


def co_design_factor(gains: Sequence[CoDesignGain], quarter: str) -> Fraction:
    """By how much co-design has raised every rate by a quarter: the product of 1/(1 − cost reduction)."""
    factor = Fraction(1)
    for gain in gains:
        if quarter_index(gain.start) <= quarter_index(quarter):
            factor /= 1 - gain.cost_reduction
    return factor


def _rate_at(
    points: Sequence[ThroughputPoint], speed: Fraction | None, ttft_s: Fraction | None, where: str
) -> tuple[Fraction, tuple[ThroughputPoint, ...]]:
    """The highest rate at a speed: of a point at least as fast, or between two neighbours that both answer in time."""
    serving = [point for point in points if _answers_within(point, ttft_s)]
    if ttft_s is not None and not serving:
        msg = f"{where}: no point answers within {float(ttft_s):g} s; ask for a longer time to first token"
        raise ThroughputError(msg)
    if speed is None:
        best = max(serving, key=_rate)
        return _rate(best), (best,)
    found: list[tuple[Fraction, tuple[ThroughputPoint, ...]]]
    found = [(_rate(point), (point,)) for value, point in _timed(serving) if value >= speed]
    if not found:
        raise ThroughputError(_too_fast(serving, speed, where))
    found += [
        (_harmonic(speed, before, after), (before[1], after[1]))
        for before, after in pairwise(_timed(points))
        if before[0] < speed < after[0] and before[1] in serving and after[1] in serving
    ]
    return max(found, key=lambda one: one[0])


def _timed(points: Sequence[ThroughputPoint]) -> list[tuple[Fraction, ThroughputPoint]]:
    """Speed in tokens/s/user and point, of the points that state a speed."""
    return [(value, point) for point in points if (value := point.speed_tokens_per_s_user) is not None]


def _too_fast(points: Sequence[ThroughputPoint], speed: Fraction, where: str) -> str:
    """What is said of a speed that no point reaches."""
    asked = f"{where}: found a speed of {float(speed):g} tokens/s/user"
    timed = _timed(points)
    if not timed:
        return (
            f"{asked}, but only offline work was measured; leave the speed out, or measure it and name the file in "
            "'throughput_files'"
        )
    fastest = f"{float(timed[-1][0]):g}"
    return (
        f"{asked}, but the fastest measured is {fastest}; nothing is extrapolated, so ask for {fastest} or less, or "
        "measure it and name the file in 'throughput_files'"
    )


def _harmonic(
    speed: Fraction, before: tuple[Fraction, ThroughputPoint], after: tuple[Fraction, ThroughputPoint]
) -> Fraction:
    """The rate between two points whose inverse is linear in speed."""
    share = (speed - before[0]) / (after[0] - before[0])
    return 1 / ((1 - share) / _rate(before[1]) + share / _rate(after[1]))


def _rate(point: ThroughputPoint) -> Fraction:
    """Rate of a point in 1/s; the schema refuses points without one."""
    if point.rate.value is None:
        msg = "a point has no known rate; the schema refuses it"
        raise ThroughputError(msg)
    return point.rate.value


def _status(curve: ThroughputCurve, profile: Profile, points: Sequence[ThroughputPoint]) -> Status:
    """The weakest status of what a rate rests on."""
    if curve.profile is not None and curve.profile != profile.name:
        return Status.ASSUMPTION
    rests_on = [point.rate.status for point in points]
    rests_on += [point.speed.status for point in points if point.speed is not None]
    if curve.all_in_power_per_gpu is not None:
        rests_on.append(curve.all_in_power_per_gpu.status)
    if curve.profile is None:
        rests_on.append(Status.ESTIMATE if profile.performance.value == 1 else Status.ASSUMPTION)
    return max(rests_on, key=_FIRMNESS.index)


def _named(basis: str | None, system: str) -> str:
    return f"system '{system}'" if basis is None else f"basis '{basis}', system '{system}'"
