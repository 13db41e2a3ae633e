"""Rates of racks from measured curves: interpolated as published, never extrapolated, scaled where it is said."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sites.catalog.loader import load_catalog
from sites.schema.common import Status
from sites.schema.throughput import (
    CoDesignGain,
    GainCase,
    Goodput,
    SoftwareGain,
    SoftwareGains,
    ThroughputBasis,
    ThroughputCurve,
    ThroughputPoint,
)
from sites.throughput import (
    ThroughputError,
    co_design_factor,
    offline_rate,
    rack_rate,
    serving_rate,
    software_factor,
    unit_rate,
    units_per_rack,
)
from sites.units import parse_quantity

CATALOG = load_catalog()
GB300 = CATALOG.rack_systems["gb300-nvl72"]
VR = CATALOG.rack_systems["vr-nvl72"]
KNOWN = {"source": "made for tests", "status": "measured"}


def point(speed: str | None, rate: str, ttft: str | None = None) -> dict[str, Any]:
    """One point; speed in tokens/s/user, rate in 1/s, ttft in s."""
    waits = {"value": None, "reason": "not measured"} if ttft is None else {"value": f"{ttft} s"}
    timed = {} if speed is None else {"speed": {"value": f"{speed} tokens/s/user", **KNOWN}}
    return {**timed, "ttft": {**waits, **KNOWN}, "rate": {"value": f"{rate} 1/s", **KNOWN}}


def curve(*points: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A curve of GB300 by the rack, measured at its standard profile."""
    content = {
        "system": "gb300-nvl72",
        "profile": "standard",
        "software": "engine",
        "measured": "2026-Q3",
        "per": "rack",
        "points": list(points),
    }
    return {**content, **changes}


def basis(*curves: dict[str, Any], **changes: Any) -> ThroughputBasis:
    """A basis that holds these curves."""
    content = {
        "name": "made",
        "title": "Made for tests",
        "model": "A model",
        "model_class": "large",
        "kind": "inference",
        "counts": "output-tokens",
        "conditions": "None",
        "curves": list(curves),
    }
    return ThroughputBasis.model_validate({**content, **changes})


def made(*points: dict[str, Any], **changes: Any) -> ThroughputCurve:
    """A curve that has been checked."""
    return ThroughputCurve.model_validate(curve(*points, **changes))


STEEP = made(point(None, "1200"), point("20", "1000"), point("60", "250"), point("100", "50"))

BY_HAND = [
    (None, Fraction(1200), "batch work takes the offline point"),
    ("0", Fraction(1000), "slower than the slowest: the rate of the slowest"),
    ("5", Fraction(1000), "a faster service also serves slower users"),
    ("20", Fraction(1000), "at a point: its rate"),
    ("60", Fraction(250), "at a point: its rate"),
    ("100", Fraction(50), "at the fastest point: its rate"),
    # Half of the way from 1/1000 to 1/250 is 2.5/1000.
    ("40", Fraction(400), "the harmonic mean, below the 625 of a straight line"),
    # A quarter of the way: (3/4)/1000 + (1/4)/250 = 1.75/1000.
    ("30", Fraction(4000, 7), "a quarter of the way"),
    # Three quarters of the way from 1/250 to 1/50: 0.25·0.004 + 0.75·0.02 = 0.016.
    ("90", Fraction(125, 2), "three quarters of the way"),
]


@pytest.mark.parametrize(("speed", "rate", "why"), BY_HAND, ids=[why for _, _, why in BY_HAND])
def test_rates_by_hand(speed: str | None, rate: Fraction, why: str) -> None:
    asked = None if speed is None else Fraction(speed)
    assert rack_rate(STEEP, GB300, asked) == rate
    found, points = unit_rate(STEEP, asked)
    assert found == rate
    assert len(points) == (2 if speed in {"40", "30", "90"} else 1)


def test_nothing_is_extrapolated() -> None:
    with pytest.raises(ThroughputError) as caught:
        rack_rate(STEEP, GB300, Fraction(1001, 10), basis="made")
    assert str(caught.value) == (
        "basis 'made', system 'gb300-nvl72', engine: found a speed of 100.1 tokens/s/user, but the fastest measured is "
        "100; nothing is extrapolated, so ask for 100 or less, or measure it and name the file in 'throughput_files'"
    )
    with pytest.raises(ThroughputError, match=r"^system 'gb300-nvl72', engine: found a speed of 101"):
        unit_rate(STEEP, Fraction(101))


def test_offline_points_serve_no_one_who_waits() -> None:
    offline = made(point(None, "1200"))
    assert offline_rate(offline, GB300) == 1200
    with pytest.raises(ThroughputError, match="speed of 0 tokens/s/user, but only offline work was measured; leave"):
        rack_rate(offline, GB300, Fraction(0))


def test_a_faster_point_with_the_higher_rate_serves_the_slower_user_too() -> None:
    bumpy = made(point(None, "90"), point("10", "60"), point("30", "100"), point("50", "80"))
    assert [rack_rate(bumpy, GB300, Fraction(v)) for v in (5, 10, 20, 30)] == [100, 100, 100, 100]
    assert offline_rate(bumpy, GB300) == 100
    assert rack_rate(bumpy, GB300, Fraction(40)) == Fraction(800, 9)


@given(st.fractions(min_value=0, max_value=100), st.fractions(min_value=0, max_value=100))
def test_asking_for_more_never_gives_more(first: Fraction, second: Fraction) -> None:
    slow, fast = sorted((first, second))
    assert rack_rate(STEEP, GB300, slow) >= rack_rate(STEEP, GB300, fast)
    assert 50 <= rack_rate(STEEP, GB300, fast) <= 1000


def test_racks_of_a_rate_for_a_gpu_and_for_an_all_in_megawatt() -> None:
    by_gpu = made(point("20", "10"), per="gpu")
    assert rack_rate(by_gpu, GB300, Fraction(20)) == 72 * 10
    power = {"value": "2120 W", **KNOWN}
    by_megawatt = made(point("20", "1e6"), per="all-in-megawatt", all_in_power_per_gpu=power)
    # 72 GPUs of 2.12 kW are 0.15264 MW.
    assert units_per_rack(by_megawatt, GB300) == Fraction("0.15264")
    assert rack_rate(by_megawatt, GB300, Fraction(20)) == 152_640


def test_a_curve_serves_its_own_system_only() -> None:
    with pytest.raises(ThroughputError, match="found the rack system 'vr-nvl72' for a curve of 'gb300-nvl72'"):
        rack_rate(STEEP, VR, Fraction(20))


def test_a_rate_needs_the_number_of_gpus() -> None:
    n_gpus = GB300.gpu_packages.model_copy(update={"value": None, "reason": "unknown"})
    with pytest.raises(ThroughputError, match="has no known 'gpu_packages'"):
        units_per_rack(made(point("20", "10"), per="gpu"), GB300.model_copy(update={"gpu_packages": n_gpus}))


def test_other_profiles_are_scaled_by_performance_and_say_so() -> None:
    measured = basis(curve(point("20", "1000"), system="vr-nvl72", profile="max-p"))
    same = serving_rate(measured, CATALOG.configuration("vr-nvl72/max-p"), Fraction(20))
    lower = serving_rate(measured, CATALOG.configuration("vr-nvl72/max-q"), Fraction(20))
    assert (same.rate_per_s, same.profile_factor, same.status, same.note) == (1000, 1, Status.MEASURED, None)
    assert (lower.rate_per_s, lower.profile_factor, lower.status) == (900, Fraction(9, 10), Status.ASSUMPTION)
    assert lower.note == "measured at 'max-p'; counted in proportion to 'performance', 0.9"
    upward = basis(curve(point("20", "900"), system="vr-nvl72", profile="max-q"))
    assert serving_rate(upward, CATALOG.configuration("vr-nvl72/max-p"), Fraction(20)).rate_per_s == 1000


def test_an_unknown_profile_counts_as_the_best_one() -> None:
    unknown = {"system": "vr-nvl72", "profile": None, "profile_reason": "not published"}
    measured = basis(curve(point("20", "1000"), **unknown))
    best = serving_rate(measured, CATALOG.configuration("vr-nvl72/max-p"), None)
    lower = serving_rate(measured, CATALOG.configuration("vr-nvl72/max-q"), None)
    assert (best.rate_per_s, best.status) == (1000, Status.ESTIMATE)
    assert (lower.rate_per_s, lower.status) == (900, Status.ASSUMPTION)
    assert lower.note is not None
    assert lower.note.startswith("profile of the measurement unknown; counted in proportion to 'performance'")


def test_a_profile_that_was_measured_is_not_scaled_from_another() -> None:
    high = curve(point("20", "2000"), system="vr-nvl72", profile="max-p")
    low = curve(point("20", "1000"), system="vr-nvl72", profile="max-q")
    served = serving_rate(basis(high, low), CATALOG.configuration("vr-nvl72/max-q"), Fraction(20))
    assert (served.rate_per_s, served.profile_factor) == (1000, 1)


def test_a_performance_that_is_not_known_gives_no_rate() -> None:
    cpx = CATALOG.configuration("vr-nvl72/max-q")
    profiles = [
        one.model_copy(
            update={"performance": one.performance.model_copy(update={"value": None, "reason": "not known"})}
        )
        for one in cpx.system.profiles
    ]
    system = cpx.system.model_copy(update={"profiles": tuple(profiles)})
    unknown = type(cpx)(cpx.name, system, profiles[0])
    with pytest.raises(ThroughputError, match="'vr-nvl72/max-q': the 'performance' of its profile"):
        serving_rate(basis(curve(point("20", "1"), system="vr-nvl72", profile="max-p")), unknown, Fraction(20))


def test_the_best_software_serves_and_all_refusals_are_told() -> None:
    short = curve(point("20", "1000"), point("50", "100"), software="first")
    long = curve(point("20", "800"), point("100", "50"), software="second")
    gb300 = CATALOG.configuration("gb300-nvl72")
    both = basis(short, long)
    assert serving_rate(both, gb300, Fraction(20)).curve.software == "first"
    assert serving_rate(both, gb300, Fraction(50)).curve.software == "second"
    assert serving_rate(both, gb300, Fraction(100)).rate_per_s == 50
    with pytest.raises(ThroughputError, match=r"first: .*fastest measured is 50; .*second: .*fastest measured is 100;"):
        serving_rate(both, gb300, Fraction(101))
    with pytest.raises(ThroughputError, match="basis 'made', system 'vr-nvl72': nothing was measured; choose another"):
        serving_rate(both, CATALOG.configuration("vr-nvl72/max-p"), None)


def test_a_system_outside_the_catalogue_serves_nothing() -> None:
    foreign = curve(point("20", "1"), system="gb300-nvl72", outside_catalogue="kept for comparison")
    with pytest.raises(ThroughputError, match="nothing was measured"):
        serving_rate(basis(foreign), CATALOG.configuration("gb300-nvl72"), None)


def test_points_that_answer_late_do_not_serve() -> None:
    quick = curve(point(None, "900"), point("20", "800", "2"), point("40", "400", "0.5"), point("60", "200"))
    gb300 = CATALOG.configuration("gb300-nvl72")
    unasked = serving_rate(basis(quick), gb300, Fraction(20))
    assert (unasked.rate_per_s, unasked.ttft_unchecked) == (800, False)
    asked = serving_rate(basis(quick), gb300, Fraction(20), Fraction(1))
    assert (asked.rate_per_s, asked.ttft_unchecked) == (400, False)
    unchecked = serving_rate(basis(quick), gb300, Fraction(60), Fraction(1))
    assert (unchecked.rate_per_s, unchecked.ttft_unchecked) == (200, True)
    assert serving_rate(basis(quick), gb300, None, Fraction(2)).rate_per_s == 800
    # Between 20 and 60 the point at 40 was measured to be late, so no one there is served by the line across it.
    gap = basis(curve(point("20", "800", "1"), point("40", "400", "3"), point("60", "200", "1")))
    assert serving_rate(gap, gb300, Fraction(30), Fraction(2)).rate_per_s == 200
    assert serving_rate(gap, gb300, Fraction(30)).rate_per_s == Fraction(1600, 3)
    late = basis(curve(point(None, "900"), point("20", "800", "2")))
    with pytest.raises(ThroughputError, match=r"no point answers within 1\.5 s; ask for a longer time to first token"):
        serving_rate(late, gb300, Fraction(20), Fraction(3, 2))


def test_a_rate_is_as_firm_as_its_weakest_figure() -> None:
    weak = point("40", "400")
    weak["speed"]["status"] = "estimate"
    mixed = basis(curve(point("20", "800"), weak))
    gb300 = CATALOG.configuration("gb300-nvl72")
    assert serving_rate(mixed, gb300, Fraction(20)).status is Status.MEASURED
    assert serving_rate(mixed, gb300, Fraction(30)).status is Status.ESTIMATE


PROVENANCE = {"status": "assumption", "source": "Made for tests"}


def gain(start: str, low: str, mode: str, high: str, system: str = "vr-nvl72") -> SoftwareGain:
    values = {"system": system, "start": start, "low": low, "mode": mode, "high": high, "provenance": PROVENANCE}
    return SoftwareGain.model_validate(values)


def test_software_gains_multiply_from_their_quarter_on() -> None:
    gains = [
        gain("2027-Q1", "1.2", "1.5", "2.0"),
        gain("2027-Q3", "1", "1.1", "1.5"),
        gain("2027-Q1", "3", "3", "3", "x"),
    ]
    factors = [software_factor(gains, GainCase.MODE, "vr-nvl72", f"2027-Q{n}") for n in (1, 2, 3)]
    assert factors == [Fraction(3, 2), Fraction(3, 2), Fraction(33, 20)]
    assert software_factor(gains, GainCase.MODE, "vr-nvl72", "2026-Q4") == 1
    assert software_factor(gains, GainCase.LOW, "vr-nvl72", "2028-Q1") == Fraction(6, 5)
    assert software_factor(gains, GainCase.HIGH, "vr-nvl72", "2028-Q1") == 3


def test_gains_that_a_measurement_holds_already_do_not_count_again() -> None:
    gains = [gain("2027-Q1", "1.2", "1.5", "2.0"), gain("2027-Q3", "1", "1.1", "1.5")]
    assert software_factor(gains, GainCase.MODE, "vr-nvl72", "2028-Q1", "2027-Q1") == Fraction(11, 10)
    assert software_factor(gains, GainCase.MODE, "vr-nvl72", "2028-Q1", "2026-Q3") == Fraction(33, 20)


def test_co_design_gains_cut_cost_one_after_the_other() -> None:
    reductions = (("2027-Q2", "20 %"), ("2028-Q2", "0.25"))
    gains = [
        CoDesignGain.model_validate({"start": start, "cost_reduction": share, "provenance": PROVENANCE})
        for start, share in reductions
    ]
    quarters = ("2027-Q1", "2027-Q2", "2028-Q2")
    assert [co_design_factor(gains, quarter) for quarter in quarters] == [1, Fraction(5, 4), Fraction(5, 3)]


FAULTY_POINTS = [
    ([point("20", "0")], "a point's 'rate' must be known and above 0 1/s; remove the point, or give its rate"),
    ([point("0", "10")], "a point's 'speed' must be known and above 0 tokens/s/user; leave 'speed' out for an offline"),
    ([point("40", "1"), point("20", "2")], "found 20 after 40 tokens/s/user; points ascend in speed, each speed once"),
    ([point("20", "1"), point("20", "2")], "found 20 after 20 tokens/s/user; points ascend in speed, each speed once"),
    ([point("20", "1"), point(None, "2")], "an offline point (without 'speed') stands first, and a curve has one"),
    ([point(None, "1"), point(None, "2")], "an offline point (without 'speed') stands first, and a curve has one"),
]


@pytest.mark.parametrize(("points", "message"), FAULTY_POINTS, ids=[message for _, message in FAULTY_POINTS])
def test_faulty_points(points: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ThroughputCurve.model_validate(curve(*points))
    assert message in str(caught.value)


FAULTY_CURVES: list[tuple[dict[str, Any], str]] = [
    ({"profile": None}, "a null 'profile' needs a 'profile_reason', and only a null profile has one"),
    ({"profile_reason": "why"}, "a null 'profile' needs a 'profile_reason', and only a null profile has one"),
    ({"per": "all-in-megawatt"}, "found per: all-in-megawatt without 'all_in_power_per_gpu'; rates for an all-in"),
    ({"all_in_power_per_gpu": {"value": "1 kW", **KNOWN}}, "found per: rack with 'all_in_power_per_gpu'; rates for"),
    (
        {"per": "all-in-megawatt", "all_in_power_per_gpu": {"value": None, "reason": "not read", **KNOWN}},
        "'all_in_power_per_gpu' must be known and above 0 W, for the rate of a rack is worked out with it",
    ),
]


@pytest.mark.parametrize(("changes", "message"), FAULTY_CURVES)
def test_faulty_curves(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ThroughputCurve.model_validate(curve(point("20", "10"), **changes))
    assert message in str(caught.value)


def test_training_has_no_users_who_wait() -> None:
    with pytest.raises(ValidationError, match="found a 'speed' in a basis for training, which has no users who wait"):
        basis(curve(point("20", "10")), kind="training")
    assert basis(curve(point(None, "10")), kind="training").kind == "training"


def test_faulty_gains() -> None:
    with pytest.raises(ValidationError, match=r"found 2, 1\.5, 3; low, mode and high must ascend and lie above 0"):
        gain("2027-Q1", "2", "1.5", "3")
    whole = {"start": "2027-Q1", "cost_reduction": 1, "provenance": PROVENANCE}
    with pytest.raises(ValidationError, match="found a reduction of the whole cost; a share below 1 is allowed"):
        CoDesignGain.model_validate(whole)


def test_software_gains_of_a_system_ascend() -> None:
    rising = [gain("2027-Q1", "1", "1", "1"), gain("2027-Q1", "1", "1", "1", "x"), gain("2027-Q2", "1", "1", "1")]
    listed = [one.model_dump() for one in rising]
    assert TypeAdapter(SoftwareGains).validate_python(listed) == tuple(rising)
    for second in ("2027-Q1", "2026-Q4"):
        twice = [gain("2027-Q1", "1", "1", "1").model_dump(), gain(second, "1", "1", "1").model_dump()]
        with pytest.raises(
            ValidationError, match=f"found {second} after 2027-Q1 for 'vr-nvl72'; gains of a system asc"
        ):
            TypeAdapter(SoftwareGains).validate_python(twice)


def test_goodput_is_a_share() -> None:
    assert Goodput.model_validate({"share": "92 %", "provenance": PROVENANCE}).share == Fraction(23, 25)
    with pytest.raises(ValidationError, match=r"1\.1 is out of range; from 0 to 1 is allowed"):
        Goodput.model_validate({"share": 1.1, "provenance": PROVENANCE})


def test_units_of_throughput_are_their_own() -> None:
    assert parse_quantity("4500 tokens/min/user", "tokens/s/user") == 75
    assert parse_quantity("2.50 USD/million", "USD/million") == Fraction(5, 2)
    for text in ("2 USD", "2 USD/token"):
        with pytest.raises(ValueError, match="is not a unit of the kind of 'USD/million'"):
            parse_quantity(text, "USD/million")


def test_a_speed_of_the_wrong_kind_is_refused() -> None:
    wrong = point("20", "10")
    wrong["speed"]["value"] = "20 1/s"
    with pytest.raises(ValidationError, match="unit '1/s' is not a unit of the kind of 'tokens/s/user'"):
        ThroughputPoint.model_validate(wrong)
    wrong["speed"]["value"] = "20 tokens/s/user"
    wrong["rate"]["value"] = "10 tokens/s"
    with pytest.raises(ValidationError, match="unit 'tokens/s' is not a unit of the kind of 'count/s'"):
        ThroughputPoint.model_validate(wrong)
