"""Moist air over whole years, hour by hour through PsychroLib (ASHRAE Handbook of Fundamentals 2017, chapter 1)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STANDARD_PRESSURE_PA = 101_325.0


@cache
def _psychrolib() -> Any:
    """The library in SI units; loaded when first used, since it brings a compiler along."""
    import psychrolib

    psychrolib.SetUnitSystem(psychrolib.SI)
    return psychrolib


def saturation_pressure_pa(temperature_degc: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pressure of saturated vapour over ice (up to the triple point, 0.01 degC) or water, in Pa.

    Parameters: temperature, degC, any shape. Equations 5 and 6 of the handbook.
    """
    return _each(_psychrolib().GetSatVapPres, temperature_degc)


def humidity_ratio(vapour_pa: NDArray[np.float64], pressure_pa: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kilograms of vapour for each kilogram of dry air; both pressures in Pa. Equation 20 of the handbook."""
    return _each(_psychrolib().GetHumRatioFromVapPres, vapour_pa, pressure_pa)


def wet_bulb_degc(
    dry_bulb_degc: NDArray[np.float64], vapour_pa: NDArray[np.float64], pressure_pa: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Thermodynamic wet bulb to PsychroLib's tolerance of 0.001 K, never above the dry bulb, degC.

    Parameters: dry bulb (degC), vapour and total pressure (Pa), of one shape. Supersaturated air counts as saturated.
    Equations 33 and 35 of the handbook.
    """
    within_pa = np.minimum(vapour_pa, saturation_pressure_pa(dry_bulb_degc))
    ratio = humidity_ratio(within_pa, pressure_pa)
    return np.minimum(_each(_psychrolib().GetTWetBulbFromHumRatio, dry_bulb_degc, ratio, pressure_pa), dry_bulb_degc)


def _each(function: Any, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """A function of single hours over whole columns."""
    hours = zip(*(np.asarray(column, dtype=np.float64).ravel().tolist() for column in columns), strict=True)
    return np.array([function(*hour) for hour in hours]).reshape(np.shape(columns[0]))
