"""Quantities with units at the boundary, exact fractions in base units inside.

A quantity is written as text, `132 kW`; a bare number where a unit is due is a fault. Pint knows the
units; the number itself is read as a decimal and kept as an exact `Fraction`, so that nothing is rounded
before the one published rule of lowering does it.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

if TYPE_CHECKING:
    import pint

_NUMBER = r"[+-]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_UNIT_FACTOR = r"[A-Za-zµμ°Ω][A-Za-z_µμ°Ω]{0,39}(?:(?:\*\*|\^)-?\d|[²³])?"
# Pint evaluates arithmetic in unit text, so only products and quotients of named units may reach it.
_UNIT = rf"(?:(?<=\s)1\s*/\s*)?{_UNIT_FACTOR}(?:\s*[*/·]\s*{_UNIT_FACTOR}){{0,7}}"
_QUANTITY = re.compile(rf"^\s*(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})\s*$")
_PLAIN = re.compile(rf"^\s*(?P<number>{_NUMBER})\s*(?P<percent>%?)\s*$")
_MAX_EXPONENT = 30
_ABSOLUTE_ZERO_DEGC = Fraction(-27315, 100)

_EXTRA_UNITS = (
    "USD = [currency] = usd = dollar",
    "rack = [rack]",
    "gpu = [gpu] = GPU",
    "Gbps = 1e9 bit / second",
    "Tbps = 1e12 bit / second",
    "token = [token]",
    "user = [user]",
    "million = [million]",
)


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction, autoconvert_offset_to_baseunit=False)
    for definition in _EXTRA_UNITS:
        registry.define(definition)
    return registry


@cache
def _factor(unit: str, base: str) -> Fraction:
    """How many `base` one `unit` is; raises ValueError when pint does not know it or dimensions differ."""
    import pint

    registry = _registry()
    try:
        zero, one = (registry.Quantity(Fraction(value), unit).to(base).magnitude for value in (0, 1))
    except pint.UndefinedUnitError:
        msg = f"unit '{unit}' is not known; write for example '1 {base}'"
        raise ValueError(msg) from None
    except pint.DimensionalityError:
        msg = f"unit '{unit}' is not a unit of the kind of '{base}'"
        raise ValueError(msg) from None
    except (pint.PintError, ArithmeticError, AttributeError, SyntaxError, TypeError, ValueError):
        msg = f"unit '{unit}' cannot be read; write for example '1 {base}'"
        raise ValueError(msg) from None
    if zero != 0:
        msg = f"unit '{unit}' has a zero of its own, but a difference is due; write for example '1 {base}'"
        raise ValueError(msg)
    return Fraction(one)


def _number(text: str) -> Fraction:
    try:
        value = Decimal(text.replace("_", ""))
    except InvalidOperation:
        msg = f"'{text}' is not a number"
        raise ValueError(msg) from None
    if not value.is_finite() or abs(value.adjusted()) > _MAX_EXPONENT:
        msg = f"'{text}' is out of range; magnitudes from 1e-{_MAX_EXPONENT} to 1e{_MAX_EXPONENT} are allowed"
        raise ValueError(msg)
    return Fraction(value)


def parse_quantity(text: str, base: str) -> Fraction:
    """Read `132 kW` as an exact number of `base` units.

    Parameters: text, e.g. "132 kW"; base, the unit of the result, e.g. "W", "degC" or "USD/MWh".
    Raises ValueError when the number or the unit cannot be read or the unit is of another kind.
    """
    match = _QUANTITY.match(text)
    if match is None:
        msg = f"'{text}' is not a quantity; write a number and a unit, for example '1 {base}'"
        raise ValueError(msg)
    number, unit = _number(match["number"]), match["unit"]
    if base == "degC":
        return _temperature_degc(number, unit)
    return number * _factor(unit, base)


def _temperature_degc(number: Fraction, unit: str) -> Fraction:
    """An absolute temperature; only degC is accepted so that a difference in K is never taken for one."""
    if unit not in {"degC", "°C", "celsius"}:
        msg = f"unit '{unit}' is not allowed for a temperature; write it in degC, for example '45 degC'"
        raise ValueError(msg)
    if number < _ABSOLUTE_ZERO_DEGC:
        msg = f"{float(number)} degC is below absolute zero"
        raise ValueError(msg)
    return number


def _validator(base: str, *, minimum: int | None, maximum: int | None, spelt: str | None) -> Any:
    def validate(value: object) -> Fraction:
        if isinstance(value, Fraction):
            return value
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            msg = f"found {value!r}; write a number and a unit, for example '1 {base}'"
            raise ValueError(msg)  # noqa: TRY004 - pydantic collects ValueError
        if not isinstance(value, str):
            msg = f"found the bare number {value}; a unit is due, for example '{value} {base}'"
            raise ValueError(msg)  # noqa: TRY004 - as above
        result = parse_quantity(value, base)
        if spelt is not None and spelt not in value:
            msg = f"'{value}' is of the same kind, but means something else; write it by the {spelt}, e.g. '1 {base}'"
            raise ValueError(msg)
        if minimum is not None and result < minimum:
            msg = f"'{value}' is below the smallest allowed value, {minimum} {base}"
            raise ValueError(msg)
        if maximum is not None and result > maximum:
            msg = f"'{value}' is above the largest allowed value, {maximum} {base}"
            raise ValueError(msg)
        return result

    return BeforeValidator(validate)


def _text(value: Fraction, base: str) -> str:
    number = str(value.numerator) if value.denominator == 1 else decimal_text(value)
    return f"{number} {base}" if base else number


def decimal_text(value: Fraction) -> str:
    """The shortest decimal that reads back as the same fraction; fractions that have none keep 30 digits."""
    denominator, digits = value.denominator, 0
    while denominator % 10 == 0:
        denominator //= 10
        digits += 1
    twos = fives = 0
    while denominator % 2 == 0:
        denominator //= 2
        twos += 1
    while denominator % 5 == 0:
        denominator //= 5
        fives += 1
    digits += max(twos, fives)
    if denominator != 1:
        digits = 30
    scaled = round(value * 10**digits)
    sign = "-" if scaled < 0 else ""
    whole, part = divmod(abs(scaled), 10**digits)
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def _quantity(
    base: str, *, minimum: int | None = 0, maximum: int | None = None, spelt: str | None = None, example: str
) -> Any:
    """A quantity of the kind of `base`; `spelt`, a unit that must be named where another of the kind would deceive."""
    schema = {
        "type": "string",
        "description": f"A number and a unit of the kind of {base}, for example '{example}'.",
        "examples": [example],
    }
    return Annotated[
        Fraction,
        _validator(base, minimum=minimum, maximum=maximum, spelt=spelt),
        PlainSerializer(lambda value: _text(value, base), return_type=str),
        WithJsonSchema(schema),
    ]


def _validate_plain(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        msg = f"found {value!r}; write a plain number such as 0.8 or '80 %'"
        raise ValueError(msg)  # noqa: TRY004 - as above
    match = _PLAIN.match(str(value))
    if match is None:
        msg = f"found {value!r}; this has no unit: write a plain number such as 0.8 or '80 %'"
        raise ValueError(msg)
    result = _number(match["number"])
    return result / 100 if match["percent"] else result


def _plain_between(low: int, high: int | None) -> Any:
    def validate(value: object) -> Fraction:
        result = _validate_plain(value)
        if result < low or (high is not None and result > high):
            allowed = f"from {low} to {high}" if high is not None else f"{low} or more"
            msg = f"{float(result)} is out of range; {allowed} is allowed"
            raise ValueError(msg)
        return result

    return Annotated[
        Fraction,
        BeforeValidator(validate),
        PlainSerializer(lambda value: _text(value, ""), return_type=str),
        WithJsonSchema({"type": ["number", "string"], "description": "A plain number such as 0.8 or '80 %'."}),
    ]


if TYPE_CHECKING:
    Watts: TypeAlias = Fraction
    WattsPerMinute: TypeAlias = Fraction
    VoltAmperes: TypeAlias = Fraction
    Volts: TypeAlias = Fraction
    Amperes: TypeAlias = Fraction
    DegC: TypeAlias = Fraction
    Kelvin: TypeAlias = Fraction
    Metres: TypeAlias = Fraction
    SquareMetres: TypeAlias = Fraction
    Kilograms: TypeAlias = Fraction
    KilogramsPerSquareMetre: TypeAlias = Fraction
    LitresPerMinute: TypeAlias = Fraction
    Kilopascals: TypeAlias = Fraction
    Joules: TypeAlias = Fraction
    StoredEnergy: TypeAlias = Fraction
    BitsPerSecond: TypeAlias = Fraction
    Flops: TypeAlias = Fraction
    Bytes: TypeAlias = Fraction
    BytesPerSecond: TypeAlias = Fraction
    Usd: TypeAlias = Fraction
    UsdPerMegawattHour: TypeAlias = Fraction
    UsdPerGpuHour: TypeAlias = Fraction
    UsdPerWatt: TypeAlias = Fraction
    UsdPerKilowattMonth: TypeAlias = Fraction
    UsdPerMillion: TypeAlias = Fraction
    TokensPerSecondPerUser: TypeAlias = Fraction
    PerSecond: TypeAlias = Fraction
    Ratio: TypeAlias = Fraction
    Overload: TypeAlias = Fraction
    Share: TypeAlias = Fraction
    Coefficient: TypeAlias = Fraction
    Hours: TypeAlias = Fraction
    HoursPerYear: TypeAlias = Fraction
    Minutes: TypeAlias = Fraction
    Seconds: TypeAlias = Fraction
else:
    Watts = _quantity("W", example="132 kW")
    WattsPerMinute = _quantity("W/min", example="50 MW/min")
    VoltAmperes = _quantity("VA", example="3 MVA")
    Volts = _quantity("V", example="415 V")
    Amperes = _quantity("A", example="1200 A")
    DegC = _quantity("degC", minimum=None, example="45 degC")
    Kelvin = _quantity("K", example="10 K")
    Metres = _quantity("m", example="0.6 m")
    SquareMetres = _quantity("m**2", example="0.72 m**2")
    Kilograms = _quantity("kg", example="1360 kg")
    KilogramsPerSquareMetre = _quantity("kg/m**2", example="1223 kg/m**2")
    LitresPerMinute = _quantity("L/min", example="173 L/min")
    Kilopascals = _quantity("kPa", example="232 kPa")
    Joules = _quantity("J", example="65 J")
    StoredEnergy = _quantity("J", example="800 MWh")
    BitsPerSecond = _quantity("bit/s", example="800 Gbps")
    Flops = _quantity("1/s", example="15e15 1/s")
    Bytes = _quantity("B", example="288 GB")
    BytesPerSecond = _quantity("B/s", example="8 TB/s")
    Usd = _quantity("USD", example="4.5e6 USD")
    UsdPerMegawattHour = _quantity("USD/MWh", minimum=None, example="65 USD/MWh")
    UsdPerGpuHour = _quantity("USD/gpu/h", example="5 USD/gpu/h")
    UsdPerWatt = _quantity("USD/W", example="11.7 USD/W")
    UsdPerKilowattMonth = _quantity("USD/kW/month", spelt="month", example="15 USD/kW/month")
    UsdPerMillion = _quantity("USD/million", example="2.50 USD/million")
    TokensPerSecondPerUser = _quantity("tokens/s/user", example="75 tokens/s/user")
    PerSecond = _quantity("count/s", example="596944 1/s")
    Hours = _quantity("h", example="2 h")
    HoursPerYear = _quantity("h", maximum=8760, example="80 h")
    Minutes = _quantity("min", example="10 min")
    Seconds = _quantity("s", example="20 ms")
    Ratio = _plain_between(0, None)
    Share = _plain_between(0, 1)
    Coefficient = _plain_between(-1_000, 1_000)
    Overload = _plain_between(1, None)
