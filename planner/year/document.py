"""What a year amounts to, as a JSON document; `docs/year.md` defines each key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kernels.hourly import (
    AIR_FANS_WH,
    ALL_DRY,
    COMPRESSORS_WH,
    DRY_FANS_WH,
    DRY_HEAT_WH,
    FACILITY_WH,
    FIXED_WH,
    HEAT_WH,
    IT_WH,
    LOSSES_WH,
    OVER_RATING,
    PUMPS_WH,
    SUPPORT_WH,
    TRIM,
)
from sites.weather.hours import N_HOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from kernels.hourly import YearResult
    from planner.year.model import PlanYear
    from planner.year.scenarios import Scenario
    from planner.year.weather import SiteWeather

FORMAT = "gigaplan-year/1"
ENERGIES = {
    "racks": IT_WH,
    "support": SUPPORT_WH,
    "pumps": PUMPS_WH,
    "air_fans": AIR_FANS_WH,
    "dry_cooler_fans": DRY_FANS_WH,
    "compressors": COMPRESSORS_WH,
    "fixed": FIXED_WH,
    "electrical_losses": LOSSES_WH,
    "facility": FACILITY_WH,
}
"""Energies of the document by name."""


def year_document(
    plan: PlanYear, weather: Sequence[SiteWeather], drawn: Sequence[Scenario], result: YearResult
) -> dict[str, Any]:
    """Figures of every site and of all together: the base year, and the range over the scenarios.

    Parameters: plan; weather of each site; drawn scenarios, the base first; result. The caller adds how it was made.
    """
    n_sites = len(plan.sites)
    sites = [
        {"site": name, "weather": _weather(weather[site]), **_figures(result, plan, site, result.energy_wh[site])}
        for site, name in enumerate(plan.sites)
    ]
    total = _amounts(result.energy_wh.sum(axis=0), result.peak_w[n_sites], result.peak_hour[n_sites])
    return {
        "format": FORMAT,
        "n_hours": N_HOURS,
        "scenarios": [
            {"temperature_offset_k": one.temperature_offset_k, "load_factor": one.load_factor} for one in drawn
        ],
        "sites": sites,
        "total": total,
    }


def _weather(one: SiteWeather) -> dict[str, Any]:
    year = one.year
    return {
        "title": year.title,
        "source": year.source,
        "choice": one.choice,
        "mean_dry_bulb_degc": round(float(year.dry_bulb_degc.mean()), 2),
        "highest_dry_bulb_degc": round(float(year.dry_bulb_degc.max()), 1),
        "highest_wet_bulb_degc": round(float(year.wet_bulb_degc.max()), 1),
    }


def _figures(result: YearResult, plan: PlanYear, site: int, energy_wh: NDArray[np.float64]) -> dict[str, Any]:
    hours = result.hours[site]
    heat_wh, dry_wh = float(energy_wh[HEAT_WH, 0]), float(energy_wh[DRY_HEAT_WH, 0])
    return {
        **_amounts(energy_wh, result.peak_w[site], result.peak_hour[site]),
        "economiser_share_of_heat": dry_wh / heat_wh if heat_wh else None,
        "hours_without_compressor": int(hours[ALL_DRY, 0]),
        "hours_with_compressor": int(hours[TRIM, 0]),
        "hours_over_rating": {"base": int(hours[OVER_RATING, 0]), "most": int(hours[OVER_RATING].max())},
        "over_rating": _over_rating(result, plan, site),
    }


def _amounts(
    energy_wh: NDArray[np.float64], peak_w: NDArray[np.float64], peak_hour: NDArray[np.int64]
) -> dict[str, Any]:
    """Energies of the base year, and PUE, meter energy and peak with their ranges.

    Parameters: energies [N_ENERGIES, n_scenarios] (Wh); peak [n_scenarios] (W) and its hours.
    """
    it_wh = energy_wh[IT_WH] + energy_wh[SUPPORT_WH]
    return {
        "energy_mwh": {name: float(energy_wh[place, 0]) / 1e6 for name, place in ENERGIES.items()},
        "pue": _range(energy_wh[FACILITY_WH] / it_wh) if it_wh.min() > 0 else None,
        "facility_mwh": _range(energy_wh[FACILITY_WH] / 1e6),
        "peak_mw": _range(peak_w / 1e6),
        "peak_hour": hour_name(int(peak_hour[0])),
        # Every kind of plant that a site file can name is dry, so nothing evaporates.
        "water_litres": 0,
        "wue_litres_per_kwh": 0.0 if it_wh.min() > 0 else None,
    }


def _range(values: NDArray[np.float64]) -> dict[str, float]:
    """Base year, then lowest, mean and highest over all scenarios."""
    return {
        "base": float(values[0]),
        "lowest": float(values.min()),
        "mean": float(values.mean()),
        "highest": float(values.max()),
    }


def _over_rating(result: YearResult, plan: PlanYear, site: int) -> list[dict[str, Any]]:
    """Kinds of element and plant of a site that exceed their rating in any scenario, the worst first."""
    found = []
    for c in range(int(plan.model.class_ptr[site]), int(plan.model.class_ptr[site + 1])):
        plant = int(plan.model.plant_idx[c])
        over = result.class_over_hours[c] if plant < 0 else result.plant_over_hours[plant]
        if over.max() > 0:
            name = plan.class_firsts[c] if plant < 0 else plan.plant_names[plant].partition(":")[2]
            found.append(
                {
                    "kind": plan.class_titles[c] if plant < 0 else "plant",
                    "first": name,
                    "n_alike": int(plan.model.members[c]),
                    "base_hours": int(over[0]),
                    "most_hours": int(over.max()),
                    "n_scenarios": int((over > 0).sum()),
                }
            )
    return sorted(found, key=lambda one: (-one["most_hours"], one["first"]))


def hour_name(hour: int) -> str:
    """Day, month and end of an hour of the year, numbered from 0, in local standard time: `14 July 16:00`."""
    begins = datetime(2001, 1, 1) + timedelta(hours=hour)
    return f"{begins.day} {begins:%B} {begins.hour + 1:02d}:00"
