"""Quantities: exact fractions in base units, units checked, bare numbers refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sites import units
from sites.units import parse_quantity


@pytest.mark.parametrize(
    ("text", "base", "value"),
    [
        ("132 kW", "W", 132_000),
        ("132kW", "W", 132_000),
        ("1_000 W", "W", 1000),
        ("3 MVA", "VA", 3_000_000),
        ("0.1 kW", "W", 100),
        ("1e-3 W", "W", Fraction(1, 1000)),
        (".5 m", "m", Fraction(1, 2)),
        ("0.3 m", "m", Fraction(3, 10)),
        ("24 inch", "m", Fraction(6096, 10_000)),
        ("45 degC", "degC", 45),
        ("-10 °C", "degC", -10),
        ("10 K", "K", 10),
        ("0.72 m**2", "m**2", Fraction(18, 25)),
        ("0.72 m^2", "m**2", Fraction(18, 25)),
        ("250 kg/m**2", "kg/m**2", 250),
        ("2 m**3/h", "L/min", Fraction(100, 3)),
        ("65 USD/MWh", "USD/MWh", 65),
        ("0.065 USD/kWh", "USD/MWh", 65),
        ("5 USD/gpu/h", "USD/gpu/h", 5),
        ("11.7 USD/W", "USD/W", Fraction(117, 10)),
        ("4.5e6 USD", "USD", 4_500_000),
        ("800 Gbps", "bit/s", 800 * 10**9),
        ("1.6 Tbps", "bit/s", 16 * 10**11),
        ("288 GB", "B", 288 * 10**9),
        ("8 TB/s", "B/s", 8 * 10**12),
        ("15e15 1/s", "1/s", 15 * 10**15),
        ("20 ms", "s", Fraction(1, 50)),
        ("50 MW/min", "W/min", 50 * 10**6),
        ("1 MW/s", "W/min", 60 * 10**6),
        ("800 MWh", "J", 2880 * 10**9),
        ("15 USD/kW/month", "USD/kW/month", 15),
        ("0.015 USD/W/month", "USD/kW/month", 15),
        ("2 h", "min", 120),
        ("2.32 bar", "kPa", 232),
    ],
)
def test_a_quantity_is_exact_in_base_units(text: str, base: str, value: Fraction) -> None:
    result = parse_quantity(text, base)
    assert isinstance(result, Fraction)
    assert result == value


@pytest.mark.parametrize(
    ("text", "base", "message"),
    [
        ("132", "W", "not a quantity"),
        ("kW", "W", "not a quantity"),
        ("1,5 kW", "W", "not a quantity"),
        ("1 500 kW", "W", "not a quantity"),
        ("1.2.3 kW", "W", "not a quantity"),
        ("1 kW + 1 kW", "W", "not a quantity"),
        ("1 W*9**9**9", "W", "not a quantity"),
        ("1 __import__('os')", "W", "not a quantity"),
        ("nan W", "W", "not a quantity"),
        ("inf W", "W", "not a quantity"),
        ("1 kWW", "W", "is not known"),
        ("1 kWh", "W", "not a unit of the kind of 'W'"),
        ("1 kVA", "gpu", "not a unit of the kind of 'gpu'"),
        ("1e31 W", "W", "out of range"),
        ("1e-31 W", "W", "out of range"),
        ("45 K", "degC", "write it in degC"),
        ("113 degF", "degC", "write it in degC"),
        ("10 degC", "K", "a difference is due"),
        ("10 dBm", "W", "W"),
        ("-300 degC", "degC", "below absolute zero"),
    ],
)
def test_a_wrong_quantity_says_what_is_due(text: str, base: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_quantity(text, base)


@pytest.mark.parametrize("value", [132, 1.5, True, None, [], {}])
def test_a_bare_number_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="unit"):
        TypeAdapter(units.Watts).validate_python(value)


@pytest.mark.parametrize(("value", "result"), [(0.8, Fraction(4, 5)), ("80 %", Fraction(4, 5)), ("1", 1), (0, 0)])
def test_a_share_is_plain_or_a_percentage(value: object, result: Fraction) -> None:
    assert TypeAdapter(units.Share).validate_python(value) == result


@pytest.mark.parametrize("value", [1.01, "101 %", -0.1, "0.8 W", True, None, float("nan"), float("inf")])
def test_a_share_lies_between_0_and_1(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(units.Share).validate_python(value)


@pytest.mark.parametrize(("value", "result"), [(1, 1), ("110 %", Fraction(11, 10)), (1.25, Fraction(5, 4))])
def test_an_overload_is_a_share_from_1_on(value: object, result: Fraction) -> None:
    assert TypeAdapter(units.Overload).validate_python(value) == result


@pytest.mark.parametrize("value", [0.99, "99 %", "1 W", True, None])
def test_less_than_the_rating_is_no_overload(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(units.Overload).validate_python(value)


@pytest.mark.parametrize(("text", "hours"), [("0 h", 0), ("8760 h", 8760), ("1 d", 24)])
def test_hours_of_a_year(text: str, hours: int) -> None:
    assert TypeAdapter(units.HoursPerYear).validate_python(text) == hours


def test_a_year_has_no_more_hours() -> None:
    with pytest.raises(ValidationError, match="'8761 h' is above the largest allowed value, 8760 h"):
        TypeAdapter(units.HoursPerYear).validate_python("8761 h")


@pytest.mark.parametrize("text", ["12 USD/MWh", "12 USD/kW/year", "12 USD/J"])
def test_a_demand_charge_is_written_by_the_month(text: str) -> None:
    """A price of energy has the same dimensions, and would pass for a charge of next to nothing."""
    with pytest.raises(ValidationError, match=r"write it by the month, e\.g\. '1 USD/kW/month'"):
        TypeAdapter(units.UsdPerKilowattMonth).validate_python(text)


@given(st.integers(-(10**12), 10**12), st.integers(0, 9))
def test_written_and_read_again_is_the_same(numerator: int, n_digits: int) -> None:
    value = Fraction(numerator, 10**n_digits)
    adapter = TypeAdapter(units.UsdPerMegawattHour)
    assert adapter.validate_python(adapter.dump_python(value)) == value


def read(text: str, base: str) -> Fraction | str:
    """The quantity, or the message with which it was refused; anything else that is raised fails the test."""
    try:
        return parse_quantity(text, base)
    except ValueError as error:
        return str(error)


@given(st.text(max_size=30), st.sampled_from(["W", "degC", "USD/gpu/h", "m**2"]))
def test_any_text_is_read_or_refused(text: str, base: str) -> None:
    result = read(text, base)
    assert isinstance(result, Fraction) or base in result or "out of range" in result


@given(st.text(alphabet="0123456789.eE+-_ kMWh*/^²()%°C1", max_size=20))
def test_text_of_quantity_letters_is_read_or_refused(text: str) -> None:
    result = read(text, "W")
    assert isinstance(result, Fraction) or text in result or "unit" in result or "range" in result
