"""A year of hourly weather."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

N_HOURS = 8760
"""Hours of a year without 29 February."""


@dataclass(frozen=True)
class WeatherYear:
    """8,760 hours of one place, local standard time, the first hour ending at 01:00 on 1 January."""

    title: str
    source: str
    """Where the figures come from, and under which terms."""
    dry_bulb_degc: NDArray[np.float64]
    """[8760] degC"""
    wet_bulb_degc: NDArray[np.float64]
    """[8760] degC, never above the dry bulb"""
