"""What a year amounts to, as a JSON document; `docs/year.md` defines each key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kernels.hourly import (
    AIR_FANS_WH,
    COMPRESSORS_WH,
    COOLER_FANS_WH,
    COOLER_HEAT_WH,
    DRY,
    EVAPORATED_L,
    FACILITY_WH,
    FIXED_WH,
    HEAT_WH,
    IT_WH,
    LOSSES_WH,
    MAKEUP_L,
    NO_COMPRESSOR,
    OVER_RATING,
    PUMPS_WH,
    SUPPORT_WH,
    TRIM,
    WETTED,
)
from planner.year.sources import site_sources, supply
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
    "cooler_fans": COOLER_FANS_WH,
    "compressors": COMPRESSORS_WH,
    "fixed": FIXED_WH,
    "electrical_losses": LOSSES_WH,
    "facility": FACILITY_WH,
}
"""Energies of the document by name."""


def year_document(
    plan: PlanYear,
    quarter: str,
    weather: Sequence[SiteWeather],
    drawn: Sequence[Scenario],
    result: YearResult,
    risks: Sequence[dict[str, Any] | None],
) -> dict[str, Any]:
    """Figures of every site and of all together: the base year, and the range over the scenarios.

    Parameters: plan; quarter of its racks; weather of each site; drawn scenarios, the base first; result; hours at
    risk of each site with Flex. The caller adds how it was made.
    """
    n_sites = len(plan.sites)
    sites = [
        {
            "site": name,
            "weather": _weather(weather[site]),
            **_figures(result, plan, site, result.energy_wh[site]),
            "supply": supply(site_sources(plan.graphs[site], quarter), result.meter_w[site]),
            "flex_at_risk": risks[site],
        }
        for site, name in enumerate(plan.sites)
    ]
    total = _amounts(
        result.energy_wh.sum(axis=0),
        result.water_l.sum(axis=0),
        result.peak_w[n_sites],
        result.peak_hour[n_sites],
        bleed_known=all(_bleed_known(result, plan, site) for site in range(n_sites)),
    )
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
    heat_wh, cooled_wh = float(energy_wh[HEAT_WH, 0]), float(energy_wh[COOLER_HEAT_WH, 0])
    return {
        **_amounts(
            energy_wh,
            result.water_l[site],
            result.peak_w[site],
            result.peak_hour[site],
            bleed_known=_bleed_known(result, plan, site),
        ),
        "economiser_share_of_heat": cooled_wh / heat_wh if heat_wh else None,
        "hours_without_compressor": int(hours[NO_COMPRESSOR, 0]),
        "hours_with_compressor": int(hours[TRIM, 0]),
        "hours_with_evaporation": int(hours[WETTED, 0]),
        "chillers": _chillers(result, plan, site),
        "hours_over_rating": {"base": int(hours[OVER_RATING, 0]), "most": int(hours[OVER_RATING].max())},
        "over_rating": _over_rating(result, plan, site),
    }


def _amounts(
    energy_wh: NDArray[np.float64],
    water_l: NDArray[np.float64],
    peak_w: NDArray[np.float64],
    peak_hour: NDArray[np.int64],
    *,
    bleed_known: bool,
) -> dict[str, Any]:
    """Energies and water of the base year, and PUE, WUE, meter energy and peak with their ranges.

    Parameters: energies [N_ENERGIES, n_scenarios] (Wh); water [N_WATERS, n_scenarios] (L); peak [n_scenarios] (W) and
    its hours; whether all that evaporates is of coolers whose bleed is known, for makeup and WUE need it.
    """
    it_wh = energy_wh[IT_WH] + energy_wh[SUPPORT_WH]
    evaporated_l, makeup_l = float(water_l[EVAPORATED_L, 0]), float(water_l[MAKEUP_L, 0])
    return {
        "energy_mwh": {name: float(energy_wh[place, 0]) / 1e6 for name, place in ENERGIES.items()},
        "pue": _range(energy_wh[FACILITY_WH] / it_wh) if it_wh.min() > 0 else None,
        "facility_mwh": _range(energy_wh[FACILITY_WH] / 1e6),
        "peak_mw": _range(peak_w / 1e6),
        "peak_hour": hour_name(int(peak_hour[0])),
        "water_litres": {
            "makeup": makeup_l if bleed_known else None,
            "evaporated": evaporated_l,
            "bleed": makeup_l - evaporated_l if bleed_known else None,
        },
        "wue_litres_per_kwh": _range(water_l[MAKEUP_L] / (it_wh / 1e3)) if bleed_known and it_wh.min() > 0 else None,
    }


def _bleed_known(result: YearResult, plan: PlanYear, site: int) -> bool:
    """Whether the cycles of concentration of every wet cooler of a site are known, or nothing evaporates."""
    model = plan.model
    plants = model.plant_idx[model.class_ptr[site] : model.class_ptr[site + 1]]
    open_ones = [p for p in plants if p >= 0 and model.cooler_kind[p] != DRY and model.makeup_ratio[p] == 0]
    return not open_ones or float(result.water_l[site, EVAPORATED_L].max()) == 0


def _chillers(result: YearResult, plan: PlanYear, site: int) -> list[dict[str, Any]]:
    """Where the COP of each plant's chillers comes from, and how long they run outside their published range."""
    found = []
    for c in range(int(plan.model.class_ptr[site]), int(plan.model.class_ptr[site + 1])):
        plant = int(plan.model.plant_idx[c])
        if plant < 0 or plan.model.chiller_rated_w[plant] <= 0:
            continue
        low, high = float(plan.model.curves_from_degc[plant]), float(plan.model.curves_to_degc[plant])
        beyond = result.plant_beyond_hours[plant]
        found.append(
            {
                "first": plan.plant_names[plant].partition(":")[2],
                "n_alike": int(plan.model.members[c]),
                "published_curves": bool(plan.model.has_curves[plant] > 0),
                "curves_hold_degc": [low, high] if low <= high else None,
                "second_law_hours": {"base": int(beyond[0]), "most": int(beyond.max())},
            }
        )
    return found


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
