"""The plant at its design day: published chiller points, coolers of every kind, the second law, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from fixtures.small_site import PROVENANCE, sourced
from pydantic import ValidationError

from kernels import hourly
from sites.catalog.loader import load_catalog
from sites.expansion.chiller import (
    CURVES,
    LEAST_LIFT_K,
    LEAST_LOAD,
    SECOND_LAW,
    chiller_basis,
    chiller_cop,
    chiller_heat_w,
    worst_part_load,
)
from sites.expansion.plant import DesignDay, cooler_entering_degc, design_day
from sites.faults import InputError
from sites.schema.cooling import Climate, Plant
from sites.schema.cooling_equipment import CoolingEquipment

LEAVING = {6.67: Fraction(667, 100), 10.0: Fraction(10)}

# COP at full load by entering air, and heat over rated heat at 46 degC, evaluated from the published data set.
PUBLISHED = {
    ("chiller-air-1-6mw", 6.67): ({35: 2.87, 40: 2.55, 43: 2.38, 46: 2.23}, 0.78),
    ("chiller-air-1-6mw", 10.0): ({35: 2.83, 40: 2.57, 43: 2.43, 46: 2.30}, 0.81),
    ("chiller-air-1-3mw", 6.67): ({35: 2.81, 40: 2.42, 43: 2.21, 46: 2.01}, 0.86),
    ("chiller-air-1-3mw", 10.0): ({35: 3.06, 40: 2.64, 43: 2.40, 46: 2.18}, 0.96),
}


@pytest.mark.parametrize(("name", "leaving"), PUBLISHED)
def test_curves_reproduce_their_published_points(name: str, leaving: float) -> None:
    unit, (points, at_46) = load_catalog().cooling[name], PUBLISHED[name, leaving]
    for entering, cop in points.items():
        at = (LEAVING[leaving], Fraction(entering))
        assert chiller_basis(unit, *at) == CURVES
        assert float(chiller_cop(unit, "plant", *at)) == pytest.approx(cop, abs=0.01)
    share = chiller_heat_w(unit, LEAVING[leaving], Fraction(46)) / unit.heat.value  # type: ignore[operator]
    assert float(share) == pytest.approx(at_46, abs=0.006)


def test_a_measured_part_load_is_better_than_full_load() -> None:
    """Trane CGAM130: 0.0493 + 0.622·x + 0.3275·x² is 0.9988 at full load and 0.884 of the heat's share at half."""
    unit = load_catalog().cooling["chiller-air-0-4mw"]
    assert unit.curves is not None
    assert worst_part_load(unit.curves.part_load) == Fraction(9988, 10000)
    for entering, basis in ((4, SECOND_LAW), (5, CURVES), (46, CURVES), (47, SECOND_LAW)):
        assert chiller_basis(unit, Fraction(10), Fraction(entering)) == basis
    # Biquadratic at 6.67 and 35 degC: 0.54362 − 0.07225 + 0.01826 + 0.14775 + 0.49338 − 0.12037 = 1.01039.
    assert float(chiller_cop(unit, "plant", LEAVING[6.67], Fraction(35))) == pytest.approx(
        3.08 / 1.01039 / 0.9988, rel=1e-4
    )


@pytest.mark.parametrize(("name", "leaving", "cop"), [
    ("chiller-air-1-6mw", 6.67, 3.30), ("chiller-air-1-6mw", 10.0, 3.15),
    ("chiller-air-1-3mw", 6.67, 3.25), ("chiller-air-1-3mw", 10.0, 3.53),
])  # fmt: skip
def test_the_cool_end_of_the_curves_is_as_published(name: str, leaving: float, cop: float) -> None:
    """Published for 29 degC, which the curves reach at their lower end of 29.44 degC."""
    unit = load_catalog().cooling[name]
    found = chiller_cop(unit, "plant", LEAVING[leaving], Fraction(2944, 100))
    assert float(found) == pytest.approx(cop, abs=0.025)


def chiller(**changes: object) -> CoolingEquipment:
    """COP 4 at full load in its range, half by the second law with a lift of 30 K outside."""
    content: dict[str, Any] = {
        "name": "chiller",
        "title": "Chiller",
        "kind": "chiller",
        "heat": sourced("1 MW"),
        "second_law_efficiency": sourced("0.2"),
        "condenser_lift": sourced("10 K"),
        "evaporator_approach": sourced("3.15 K"),
        "rated_dry_bulb": sourced("35 degC"),
        "derate_per_kelvin": sourced("0.01"),
        "curves": {
            "leaving_degc": ["5 degC", "15 degC"],
            "condenser_degc": ["30 degC", "45 degC"],
            "reference_cop": sourced("4"),
            "capacity": [1, 0, 0, 0, 0, 0],
            "power": [1, 0, 0, 0, 0, 0],
            "part_load": [0, 1, 0],
            "source": "a test",
            "status": "assumption",
        },
    }
    curves = content["curves"] | {key: changes.pop(key) for key in tuple(changes) if key in content["curves"]}
    return CoolingEquipment.model_validate(content | {"curves": curves} | changes)


def test_a_biquadratic_curve_by_hand() -> None:
    """1 + 0.1·10 − 0.01·100 + 0.02·40 − 0.001·1600 + 0.002·400 = 1."""
    unit = chiller(capacity=[1, 0.1, -0.01, 0.02, -0.001, 0.002], power=[2, 0.1, -0.01, 0.02, -0.001, 0.002])
    assert chiller_heat_w(unit, Fraction(10), Fraction(40)) == 1_000_000
    assert chiller_cop(unit, "plant", Fraction(10), Fraction(40)) == 2


@pytest.mark.parametrize(("leaving", "entering", "basis"), [
    (5, 30, CURVES), (15, 45, CURVES), (16, 35, SECOND_LAW), (4, 35, SECOND_LAW), (10, 29, SECOND_LAW),
    (10, 46, SECOND_LAW),
])  # fmt: skip
def test_curves_hold_in_their_range_alone(leaving: int, entering: int, basis: str) -> None:
    assert chiller_basis(chiller(), Fraction(leaving), Fraction(entering)) == basis


def test_outside_the_curves_the_second_law_goes_on() -> None:
    """Evaporation at 16.85 degC = 290 K, condensation at 46.85: COP = 0.2 · 290 / 30; heat less 1.85 K · 1 %."""
    at = (Fraction(20), Fraction(3685, 100))
    assert chiller_cop(chiller(), "plant", *at) == Fraction(58, 30)
    assert chiller_heat_w(chiller(), *at) == 981_500


def test_the_lift_is_held_in_the_cold() -> None:
    """Condensation at 20 degC, 3.15 K over evaporation: the lift counts as 15 K, as in the hourly year."""
    assert chiller_cop(chiller(), "plant", Fraction(20), Fraction(10)) == Fraction(2, 10) * 290 / 15
    assert float(LEAST_LIFT_K) == hourly.LEAST_LIFT_K
    assert float(LEAST_LOAD) == hourly.LEAST_UNIT_LOAD


def test_the_least_favourable_part_load_counts() -> None:
    """0.2 + 0.5·x + 0.3·x²: 1 at full load, 0.525 / 0.5 = 1.05 at half."""
    assert worst_part_load((Fraction(0), Fraction(1), Fraction(0))) == 1
    unit = chiller(part_load=[0.2, 0.5, 0.3])
    assert chiller_cop(unit, "plant", Fraction(10), Fraction(35)) == 4 / Fraction(105, 100)
    kind = (Fraction(2, 10), Fraction(5, 10), Fraction(3, 10))
    every = [kind[0] / x + kind[1] + kind[2] * x for x in (Fraction(n, 100) for n in range(50, 101))]
    assert max(every) == worst_part_load(kind)


def climate(**changes: str) -> Climate:
    return Climate.model_validate(
        {"design_dry_bulb": "38 degC", "design_wet_bulb": "25 degC", "recirculation": "2 K", "provenance": PROVENANCE}
        | changes
    )


def cooler(kind: str, **changes: object) -> CoolingEquipment:
    own = {"saturation_efficiency": sourced("0.6")} if kind == "adiabatic-cooler" else {}
    wet = {"cycles_of_concentration": sourced("5")} if kind != "dry-cooler" else {}
    figures = {"heat": sourced("1 MW"), "power_per_heat": sourced("0.02"), "approach": sourced("8 K")}
    return CoolingEquipment.model_validate(
        {"name": "cooler", "title": "Cooler", "kind": kind} | figures | own | wet | changes
    )


def day_of(kind: str, supply: str = "30 degC") -> DesignDay:
    plant = Plant.model_validate(
        {
            "name": "plant",
            "supply": supply,
            "rise": "20 K",
            "pump_power_per_heat": "0.01",
            "coolers": {"equipment": "cooler", "count": 4, "spares": 1},
            "chillers": {"equipment": "chiller", "count": 2, "spares": 1},
            "fixed_power": "0 W",
            "powered_by": "board",
            "unit_feeds": "all",
            "provenance": PROVENANCE,
        }
    )
    return design_day(plant, climate(), {"cooler": cooler(kind), "chiller": chiller()})


@pytest.mark.parametrize(
    ("kind", "entering", "share"),
    [
        # 40 degC in: 48 out of 50 to 30.
        ("dry-cooler", Fraction(40), Fraction(1, 10)),
        # 40 − 0.6 · (40 − 25) = 31 degC in: 39 out.
        ("adiabatic-cooler", Fraction(31), Fraction(11, 20)),
        # Wet bulb of 25 + 2 degC: 35 out.
        ("fluid-cooler", Fraction(27), Fraction(15, 20)),
    ],
)
def test_coolers_of_every_kind_by_hand(kind: str, entering: Fraction, share: Fraction) -> None:
    day = day_of(kind)
    assert (day.cooler_kind, day.entering_degc, day.dry_fraction) == (kind, entering, share)
    assert day.chiller_basis == SECOND_LAW
    # Evaporation at 26.85 degC = 300 K, condensation at 50: COP = 0.2 · 300 / 23.15.
    cop = Fraction(60) / Fraction(2315, 100)
    assert day.watts_per_heat_watt == Fraction(1, 100) + Fraction(2, 100) * share + (1 - share) / cop


def test_chillers_in_their_range_follow_their_curves() -> None:
    day = day_of("dry-cooler", supply="12 degC")
    assert (day.dry_fraction, day.chiller_basis, day.chiller_cop) == (0, CURVES, 4)


@pytest.mark.parametrize("kind", ["adiabatic-cooler", "fluid-cooler"])
def test_wet_kinds_need_the_wet_bulb(kind: str) -> None:
    dry = climate().model_copy(update={"design_wet_bulb": None})
    with pytest.raises(InputError, match="the climate has no 'design_wet_bulb'; add it, for example '25 degC'"):
        cooler_entering_degc(cooler(kind), dry)
    assert cooler_entering_degc(cooler("dry-cooler"), dry) == 40


FALLING = [1, 0, 0, -0.03, 0, 0]


def test_a_capacity_that_falls_to_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"the curve 'capacity' gives -0\.05 at 10 degC leaving and 35 degC entering"):
        chiller_heat_w(chiller(capacity=FALLING), Fraction(10), Fraction(35))


def test_a_power_that_falls_to_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"the curve 'power' gives -0\.05 at 10 degC leaving and 35 degC entering"):
        chiller_cop(chiller(power=FALLING), "plant", Fraction(10), Fraction(35))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"leaving_degc": ["15 degC", "5 degC"]}, "'leaving_degc' is from 15 to 5 degC; write the lower temperature"),
        ({"condenser_degc": ["30 degC", "30 degC"]}, "'condenser_degc' is from 30 to 30 degC"),
        ({"condenser_degc": [30, 45]}, "found the bare number 30; a unit is due"),
        ({"reference_cop": sourced("0")}, "'reference_cop' is 0"),
        ({"part_load": [-0.1, 1, 0]}, "'part_load' must not be below 0 at no load"),
        ({"part_load": [0, 1, -1]}, "must be above 0 at full load"),
        ({"power": [1, 0, 0, 0, 0]}, "power"),
        ({"kind": "cdu"}, "'curves' belongs to kind 'chiller', but this unit is of kind 'cdu'; remove it"),
    ],
)
def test_curves_are_checked(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as found:
        chiller(**changes)
    assert words in str(found.value)


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("adiabatic-cooler", {"saturation_efficiency": None}, "an adiabatic cooler needs 'saturation_efficiency'"),
        ("dry-cooler", {"saturation_efficiency": sourced("0.6")}, "belongs to kind 'adiabatic-cooler'"),
        ("dry-cooler", {"cycles_of_concentration": sourced("5")}, "'adiabatic-cooler' or 'fluid-cooler'"),
        ("fluid-cooler", {"cycles_of_concentration": sourced("1")}, "found 1 cycles of concentration; more than 1"),
        ("fluid-cooler", {"head": sourced("100 kPa")}, "'head' belongs to kind 'cdu'"),
    ],
)
def test_figures_belong_to_their_kind(kind: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as found:
        cooler(kind, **changes)
    assert words in str(found.value)
