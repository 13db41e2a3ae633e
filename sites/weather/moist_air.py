"""Moist air: saturation pressure, humidity ratio and wet bulb, vectorised.

Formulas of the ASHRAE Handbook of Fundamentals 2017, chapter 1: equations 5 and 6 (saturation pressure over ice and
water), 20 and 22 (humidity ratio), 33 and 35 (humidity ratio at a wet bulb above and below freezing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STANDARD_PRESSURE_PA = 101_325.0
KELVIN = 273.15
_VAPOUR_TO_AIR = 0.621945
_ICE = (-5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13, 4.1635019)
_WATER = (-5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 0.0, 6.5459673)
_BISECTIONS = 40
"""Halvings of at most some 100 K: far below a thousandth of a degree."""
_WIDEST_DEPRESSION_K = 60.0


def saturation_pressure_pa(temperature_degc: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pressure of saturated vapour over ice (up to the triple point, 0.01 degC) or water, in Pa.

    Parameters: temperature, degC, any shape.
    """
    kelvin = np.asarray(temperature_degc, dtype=np.float64) + KELVIN
    over_ice = kelvin <= KELVIN + 0.01
    terms = [np.where(over_ice, ice, water) for ice, water in zip(_ICE, _WATER, strict=True)]
    power = terms[0] / kelvin + terms[1] + terms[6] * np.log(kelvin)
    for exponent in range(1, 5):
        power = power + terms[exponent + 1] * kelvin**exponent
    result: NDArray[np.float64] = np.exp(power)
    return result


def humidity_ratio(vapour_pa: NDArray[np.float64], pressure_pa: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kilograms of vapour for each kilogram of dry air; both pressures in Pa."""
    result: NDArray[np.float64] = _VAPOUR_TO_AIR * vapour_pa / (pressure_pa - vapour_pa)
    return result


def wet_bulb_degc(
    dry_bulb_degc: NDArray[np.float64], vapour_pa: NDArray[np.float64], pressure_pa: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Thermodynamic wet bulb by bisection between 60 K below the dry bulb and the dry bulb, degC.

    Parameters: dry bulb (degC), vapour and total pressure (Pa), of one shape. Supersaturated air counts as saturated.
    """
    ratio = humidity_ratio(np.minimum(vapour_pa, saturation_pressure_pa(dry_bulb_degc)), pressure_pa)
    high = np.asarray(dry_bulb_degc, dtype=np.float64)
    low = high - _WIDEST_DEPRESSION_K
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        too_wet = _ratio_at(middle, dry_bulb_degc, pressure_pa) > ratio
        low, high = np.where(too_wet, low, middle), np.where(too_wet, middle, high)
    result: NDArray[np.float64] = np.where(ratio > 0, high, low)
    return result


def _ratio_at(
    wet_degc: NDArray[np.float64], dry_degc: NDArray[np.float64], pressure_pa: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Humidity ratio of air of this dry bulb whose wet bulb is given."""
    saturated = humidity_ratio(saturation_pressure_pa(wet_degc), pressure_pa)
    depression = dry_degc - wet_degc
    over_water = ((2501 - 2.326 * wet_degc) * saturated - 1.006 * depression) / (
        2501 + 1.86 * dry_degc - 4.186 * wet_degc
    )
    over_ice = ((2830 - 0.24 * wet_degc) * saturated - 1.006 * depression) / (2830 + 1.86 * dry_degc - 2.1 * wet_degc)
    result: NDArray[np.float64] = np.where(wet_degc >= 0, over_water, over_ice)
    return result
