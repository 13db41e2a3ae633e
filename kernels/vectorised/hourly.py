"""The hourly year of many sites under many scenarios: all hours of a scenario at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels.hourly import (
    AIR_FANS_WH,
    COMPRESSORS_WH,
    COOLER_FANS_WH,
    COOLER_HEAT_WH,
    ELEMENT,
    EVAPORATED_L,
    FACILITY_WH,
    FANS,
    FIXED_WH,
    HEAT_WH,
    IT_WH,
    LITRES_PER_WH,
    LOSSES_WH,
    MAKEUP_L,
    NO_COMPRESSOR,
    OVER_ELEMENT,
    OVER_RATING,
    PUMPS,
    PUMPS_WH,
    ROWS,
    SUPPORT,
    SUPPORT_WH,
    TOLERANCE,
    TRIM,
    WETTED,
)
from kernels.vectorised.cooling_year import Air, fan_share, plant_year, pump_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.hourly import YearInput, YearModel, YearResult


@dataclass(frozen=True)
class _Hours:
    """What happens in each hour of a site's year, [n_hours]."""

    over_element: NDArray[np.bool_]
    over_plant: NDArray[np.bool_]
    compressing: NDArray[np.bool_]
    wetted: NDArray[np.bool_]


def hourly_year(model: YearModel, given: YearInput, result: YearResult) -> None:
    """Work out every hour of every site under every scenario.

    Parameters: model; given, weather and scenarios; result, written.
    """
    for array in result:
        array[:] = 0
    n_sites, n_hours = given.dry_bulb_degc.shape
    for scenario in range(len(given.load_factor)):
        total_w = np.zeros(n_hours)
        for site in range(n_sites):
            offset_k = float(given.temperature_offset_k[scenario])
            load_factor = min(float(given.load_factor[scenario]), float(model.most_load_factor[site]))
            dry_degc = given.dry_bulb_degc[site] + offset_k + model.recirculation_k[site]
            air = Air(dry_degc, given.wet_bulb_degc[site] + offset_k, float(model.recirculation_k[site]))
            meter_w = _site_year(model, site, air, load_factor, scenario, result)
            _keep_peak(result, site, scenario, meter_w)
            total_w += meter_w
            if scenario == 0:
                result.meter_w[site] = meter_w
        _keep_peak(result, n_sites, scenario, total_w)


def _keep_peak(result: YearResult, place: int, scenario: int, meter_w: NDArray[np.float64]) -> None:
    hour = int(np.argmax(meter_w))
    result.peak_w[place, scenario], result.peak_hour[place, scenario] = meter_w[hour], hour


def _site_year(
    model: YearModel, site: int, air: Air, load_factor: float, scenario: int, result: YearResult
) -> NDArray[np.float64]:
    """Add a year of a site to the result; the watts at its meter, [n_hours]."""
    n_hours = len(air.dry_degc)
    energy = result.energy_wh[site, :, scenario]
    seen = _Hours(*(np.zeros(n_hours, dtype=bool) for _ in range(4)))
    taken_w: dict[int, NDArray[np.float64]] = {}
    output_w = np.zeros(n_hours)
    for c in range(model.class_ptr[site], model.class_ptr[site + 1]):
        if model.kind[c] != ELEMENT:
            taken_w[c] = _load_year(model, site, c, air, load_factor, seen, scenario, result)
            continue
        output_w = np.full(n_hours, model.fixed_w[c])
        for entry in range(model.entry_ptr[c], model.entry_ptr[c + 1]):
            output_w += model.entry_share[entry] * taken_w[int(model.entry_class_idx[entry])]
        above = output_w > model.rating_w[c] * (1.0 + TOLERANCE)
        seen.over_element[above] = True
        result.class_over_hours[c, scenario] = np.count_nonzero(above)
        lost_w = _lost_w(model, c, output_w)
        energy[FIXED_WH] += model.members[c] * model.fixed_w[c] * n_hours
        energy[LOSSES_WH] += model.members[c] * lost_w.sum()
        taken_w[c] = output_w + lost_w
    energy[FACILITY_WH] += output_w.sum()
    _count_hours(result.hours[site, :, scenario], seen)
    return output_w


def _lost_w(model: YearModel, c: int, output_w: NDArray[np.float64]) -> NDArray[np.float64]:
    if model.plate_w[c] <= 0.0:
        return np.zeros(len(output_w))
    load = output_w / model.plate_w[c]
    fractions = model.loss_no_load[c] + model.loss_linear[c] * load + model.loss_quadratic[c] * load * load
    lost_w: NDArray[np.float64] = model.plate_w[c] * fractions
    return lost_w


def _count_hours(hours: NDArray[np.int64], seen: _Hours) -> None:
    """Count the hours of each kind, [N_HOURS_KINDS]."""
    hours[TRIM] = np.count_nonzero(seen.compressing)
    hours[NO_COMPRESSOR] = len(seen.compressing) - hours[TRIM]
    hours[OVER_RATING] = np.count_nonzero(seen.over_element | seen.over_plant)
    hours[OVER_ELEMENT] = np.count_nonzero(seen.over_element)
    hours[WETTED] = np.count_nonzero(seen.wetted)


def _load_year(
    model: YearModel,
    site: int,
    c: int,
    air: Air,
    load_factor: float,
    seen: _Hours,
    scenario: int,
    result: YearResult,
) -> NDArray[np.float64]:
    """A year of one load class, [n_hours]; its energies, water and kinds of hour are added."""
    energy, members, n_hours = result.energy_wh[site, :, scenario], float(model.members[c]), len(air.dry_degc)
    flow = float(model.flow_ratio[c]) * load_factor + float(model.flow_base[c])
    steady = {
        ROWS: (load_factor, IT_WH),
        SUPPORT: (1.0, SUPPORT_WH),
        PUMPS: (pump_share(flow), PUMPS_WH),
        FANS: (float(fan_share(flow)), AIR_FANS_WH),
    }
    if int(model.kind[c]) in steady:
        share, term = steady[int(model.kind[c])]
        watts = float(model.fixed_w[c] + model.draw_w[c] * share)
        energy[term] += members * watts * n_hours
        return np.full(n_hours, watts)
    plant = int(model.plant_idx[c])
    year = plant_year(model, plant, air, load_factor)
    seen.over_plant[year.left_over] = True
    seen.compressing[year.compressor_w > 0.0] = True
    seen.wetted[year.latent_w > 0.0] = True
    result.plant_over_hours[plant, scenario] += np.count_nonzero(year.left_over)
    result.plant_beyond_hours[plant, scenario] += np.count_nonzero(year.beyond_curves)
    energy[HEAT_WH] += members * year.heat_w * n_hours
    energy[COOLER_HEAT_WH] += members * year.cooled_w.sum()
    energy[PUMPS_WH] += members * year.pump_w * n_hours
    energy[COOLER_FANS_WH] += members * year.fan_w.sum()
    energy[COMPRESSORS_WH] += members * year.compressor_w.sum()
    energy[FIXED_WH] += members * model.fixed_w[c] * n_hours
    evaporated_l = members * float(year.latent_w.sum()) * LITRES_PER_WH
    result.water_l[site, EVAPORATED_L, scenario] += evaporated_l
    result.water_l[site, MAKEUP_L, scenario] += evaporated_l * model.makeup_ratio[plant]
    watts_by_hour: NDArray[np.float64] = model.fixed_w[c] + (year.pump_w + year.fan_w + year.compressor_w)
    return watts_by_hour
