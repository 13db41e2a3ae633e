"""Exact ratings: plate · power factor · derating · continuous factor, floored to whole watts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor, isqrt
from typing import TYPE_CHECKING

from sites.expansion.values import known

if TYPE_CHECKING:
    from sites.schema.catalog import PowerEquipment
    from sites.schema.common import Sourced
    from sites.schema.lineup import Taps


@dataclass(frozen=True)
class Rating:
    """What one power element may carry, with the factors that it is made of."""

    rating_w: Fraction
    plate_w: Fraction
    plate_text: str
    power_factor: Fraction
    derating: Fraction
    continuous_factor: Fraction
    loss_no_load: Fraction
    loss_linear: Fraction
    loss_quadratic: Fraction
    emergency_w: Fraction
    """Whole W carried until a failed element elsewhere is back; `rating_w` where the equipment claims no more."""
    short_time_w: Fraction
    """Whole W carried for `short_time_s`; `emergency_w` where the equipment claims no more."""
    short_time_s: Fraction


def floor_square_root(value: Fraction) -> int:
    """The largest integer whose square is at most `value` (≥ 0), exactly."""
    return isqrt(floor(value))


def ceil_square_root(value: Fraction) -> int:
    """The smallest integer whose square is at least `value` (≥ 0), exactly."""
    root = floor_square_root(value)
    return root if root * root == value else root + 1


def three_phase_w(current_a: Fraction, voltage_v: Fraction, factor: Fraction) -> int:
    """Watts of A·√3·V·factor, floored: √(3·A²·V²·factor²) in integers, so the irrational √3 is never rounded first."""
    return floor_square_root(3 * (current_a * voltage_v * factor) ** 2)


def tap_rating_w(taps: Taps) -> int:
    """Watts that one whip carries all day: A·√3·V·power factor·continuous factor, floored; a rack has `taps.count`."""
    return three_phase_w(taps.current, taps.voltage, taps.power_factor * taps.continuous_factor)


def rating_of(equipment: PowerEquipment) -> Rating:
    """The rating of one power element of this equipment, in watts.

    An A·√3·V plate is irrational: `rating_w` is floored and `plate_w` (the base of the losses) is rounded up, so that
    neither capacity is overstated nor loss understated. Raises InputError when a figure that decides is null.
    """
    where = f"equipment '{equipment.name}'"
    power_factor = known(equipment.power_factor, where, "power_factor")
    derating = known(equipment.derating, where, "derating")
    continuous_factor = known(equipment.continuous_factor, where, "continuous_factor")
    plate_w, plate_text = _plate(equipment, power_factor)
    factors = power_factor * derating * continuous_factor
    emergency = claimed(equipment.emergency_rating, Fraction(1))
    short_time_s = claimed(equipment.short_time_duration, Fraction(0))
    return Rating(
        rating_w=Fraction(_carried_w(equipment, factors)),
        plate_w=plate_w,
        plate_text=plate_text,
        power_factor=power_factor,
        derating=derating,
        continuous_factor=continuous_factor,
        loss_no_load=known(equipment.losses.no_load, where, "losses.no_load"),
        loss_linear=known(equipment.losses.linear, where, "losses.linear"),
        loss_quadratic=known(equipment.losses.quadratic, where, "losses.quadratic"),
        emergency_w=Fraction(_carried_w(equipment, factors * emergency)),
        short_time_w=Fraction(_carried_w(equipment, factors * claimed(equipment.short_time_rating, emergency))),
        short_time_s=short_time_s,
    )


def claimed(figure: Sourced[Fraction] | None, otherwise: Fraction) -> Fraction:
    """The value of a figure beyond the rating; missing or null claims nothing."""
    return otherwise if figure is None or figure.value is None else figure.value


def _carried_w(equipment: PowerEquipment, factors: Fraction) -> int:
    """Whole W of the plate times some factors, the power factor among them, floored once."""
    where = f"equipment '{equipment.name}'"
    if equipment.current is not None:
        current_a = known(equipment.current, where, "current")
        return three_phase_w(current_a, known(equipment.voltage, where, "voltage"), factors)
    if equipment.apparent is not None:
        return floor(known(equipment.apparent, where, "apparent") * factors)
    return floor(known(equipment.real, where, "real") * factors)


def _plate(equipment: PowerEquipment, power_factor: Fraction) -> tuple[Fraction, str]:
    """Plate in watts, and the plate as a person writes it."""
    where = f"equipment '{equipment.name}'"
    if equipment.current is not None:
        current_a = known(equipment.current, where, "current")
        voltage_v = known(equipment.voltage, where, "voltage")
        plate_w = Fraction(ceil_square_root(3 * (current_a * voltage_v * power_factor) ** 2))
        return plate_w, f"{_number(current_a)} A at {_number(voltage_v)} V"
    if equipment.apparent is not None:
        apparent_va = known(equipment.apparent, where, "apparent")
        return apparent_va * power_factor, f"{_number(apparent_va / 1000)} kVA"
    real_w = known(equipment.real, where, "real")
    return real_w * power_factor, f"{_number(real_w / 1000)} kW"


def _number(value: Fraction) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.6g}"
