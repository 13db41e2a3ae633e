"""What an override makes of a value: another one, a multiple of it, or later quarters; and documents as text again."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sites.calendar import is_quarter, quarter_index, quarter_name
from sites.nearest import shortened
from sites.units import decimal_text
from sites.yaml_nodes import WrittenFloat

if TYPE_CHECKING:
    from sites.schema.scenario import Override

_NUMBER = re.compile(r"^\s*(?P<number>[+-]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?)(?P<unit>.*)$", re.DOTALL)
_AFTER_START = re.compile(r"start\+(?P<quarters>\d{1,3})")
_FIGURE = {"value", "source", "status"}
"""Keys that a catalogue figure always has; its range follows its value."""
_OFFSET_UNITS = ("degC", "°C", "celsius")


class EditError(ValueError):
    """A change that cannot be made to what stands at a place."""


def edited(old: Any, override: Override, start: str, *, is_count: bool = False) -> Any:
    """What stands at a place after an override.

    Parameters: old, what stands there; start, the plan's first quarter; is_count, whether only whole numbers may stand
    there, so that multiples are rounded down. Raises EditError with what was found.
    """
    if override.factor is not None:
        return _multiplied(old, override.factor, is_count)
    if override.delay_quarters is not None:
        return _delayed(old, override.delay_quarters, start)
    return dated(override.value, start)


def dated(value: Any, start: str) -> Any:
    """A value with `start+N` written as the quarter that it is."""
    if isinstance(value, dict):
        return {key: dated(one, start) for key, one in value.items()}
    if isinstance(value, list):
        return [dated(one, start) for one in value]
    match = _AFTER_START.fullmatch(value) if isinstance(value, str) else None
    return value if match is None else quarter_name(quarter_index(start) + int(match["quarters"]))


def _multiplied(old: Any, factor: Fraction, is_count: bool) -> Any:
    """A number, a quantity, or a figure with its range, times a factor; nothing is rounded but counts."""
    if isinstance(old, dict) and old.keys() >= _FIGURE:
        ranged = {key: old[key] for key in ("low", "value", "high") if old.get(key) is not None}
        return old | {key: _multiplied(one, factor, is_count) for key, one in ranged.items()}
    if isinstance(old, bool) or not isinstance(old, (int, float, str)):
        msg = f"found {_shown(old)}; a factor needs a number, a quantity or a catalogue figure"
        raise EditError(msg)
    if isinstance(old, int) and is_count:
        return old * factor.numerator // factor.denominator
    match = _NUMBER.match(str(old))
    if match is None:
        msg = f"found {_shown(old)}; a factor needs a number or a quantity such as '132 kW'"
        raise EditError(msg)
    unit = match["unit"].strip()
    if unit in _OFFSET_UNITS:
        msg = f"found {_shown(old)}; a temperature has no multiples, give its 'value'"
        raise EditError(msg)
    number = decimal_text(Fraction(match["number"].replace("_", "")) * factor)
    return f"{number} {unit}" if isinstance(old, str) and unit else number if isinstance(old, str) else _float(number)


def _float(text: str) -> WrittenFloat | int:
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else WrittenFloat(text)


def _delayed(old: Any, n_quarters: int, start: str) -> Any:
    """Quarters after the plan's first one, later; a list or mapping of quarters and of nothing else."""
    if isinstance(old, list) and old:
        return [_delayed(one, n_quarters, start) for one in old]
    if isinstance(old, dict) and old:
        return {key: _delayed(one, n_quarters, start) for key, one in old.items()}
    if not isinstance(old, str) or not is_quarter(old):
        msg = f"found {_shown(old)}; a delay needs a quarter such as 2027-Q1, or a list or mapping of quarters"
        raise EditError(msg)
    index = quarter_index(old)
    return old if index <= quarter_index(start) else quarter_name(index + n_quarters)


def _shown(value: Any) -> str:
    return shortened(json.dumps(value, default=str, ensure_ascii=False))


def as_yaml(value: Any, depth: int = 0) -> str:
    """A document as YAML of the JSON kind that reads back as the very same values, decimals to the last digit."""
    inner, outer = " " * (depth + 1), " " * depth
    if isinstance(value, dict):
        entries = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {as_yaml(value[key], depth + 1)}" for key in value]
        return "{\n" + ",\n".join(entries) + f"\n{outer}}}" if entries else "{}"
    if isinstance(value, list):
        items = [f"{inner}{as_yaml(one, depth + 1)}" for one in value]
        return "[\n" + ",\n".join(items) + f"\n{outer}]" if items else "[]"
    return str(value) if isinstance(value, WrittenFloat) else json.dumps(value, ensure_ascii=False)
