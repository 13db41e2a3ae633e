"""Figures as a person reads them."""

from __future__ import annotations

_KIND_WORDS = {"ups": "UPS", "it": "IT", "cdu": "CDU"}


def count(value: float) -> str:
    """A whole number with thousands apart: 12,480."""
    return f"{value:,.0f}"


def megawatts(watts: float) -> str:
    """Watts as MW with three significant figures or more: 0, 0.142, 14.2, 1,142."""
    value = watts / 1e6
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def dollars(cents: float) -> str:
    """Cents as dollars in the largest fitting unit: $12.34 B, −$3.1 M."""
    value = cents / 100
    sign, size = ("−" if value < 0 else ""), abs(value)
    for factor, unit in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if size >= factor:
            return f"{sign}${size / factor:,.2f}{unit}"
    return f"{sign}${size:,.2f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage; a dash where there is none."""
    return "–" if share is None else f"{share * 100:.{digits}f} %"


def gap_text(gap: float | None) -> str:
    """A proven gap, never rounded down to look better than it is."""
    if gap is None:
        return "none"
    if gap == 0:
        return "0 %"
    for digits in (2, 3, 4):
        if gap * 100 >= 10 ** (1 - digits):
            return f"{_ceil(gap * 100, digits):.{digits}f} %"
    return "< 0.001 %"


def _ceil(value: float, digits: int) -> float:
    factor = float(10**digits)
    whole = int(value * factor)
    return (whole + (value * factor - whole > 1e-9)) / factor


def kind_title(kind: str) -> str:
    """A kind as a title: `unit-substation` becomes `Unit substation`."""
    words = [_KIND_WORDS.get(word, word) for word in kind.split("-")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def amount(value: float, unit: str) -> str:
    """A quantity of a limit in the unit that reads best."""
    match unit:
        case "W":
            return f"{megawatts(value)} MW" if abs(value) >= 1e6 else f"{value / 1e3:,.1f} kW"
        case "cent":
            return dollars(value)
        case "USD":
            return dollars(100 * value)
        case "mL/min":
            return f"{value / 1e3:,.0f} L/min"
        case _:
            return f"{value:,.0f} {unit}" if unit in {"Gb/s", "kg"} or value == 1 else f"{value:,.0f} {unit}s"


_PREFIXES = ((10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))
_PREFIXED_UNITS = {
    "W": "W",
    "VA": "VA",
    "V": "V",
    "B": "B",
    "B/s": "B/s",
    "bit/s": "bit/s",
    "1/s": "FLOP/s",
    "count/s": "/s",
}


def quantity(text: str) -> str:
    """A quantity in base units as a person writes it: `288000000000 B` becomes `288 GB`; other text stays."""
    number, _, unit = text.partition(" ")
    try:
        value = float(number)
    except ValueError:
        return text
    if unit == "USD":
        return f"{value:,.0f} USD" if abs(value) >= 1000 else text
    if unit not in _PREFIXED_UNITS:
        return text
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor:
            return f"{value / factor:,.6g} {prefix}{_PREFIXED_UNITS[unit]}"
    return f"{value:,.6g} {_PREFIXED_UNITS[unit]}"
