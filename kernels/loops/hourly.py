"""The hourly year of many sites under many scenarios; equations and sources in docs/year.md."""

from __future__ import annotations

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
    MACHINERY,
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
    WET,
    WETTED,
)
from kernels.jitable import jitable
from kernels.loops.cooling_hour import (
    chillers_ready,
    compressor_w,
    cooler_hour,
    fan_share,
    polynomial,
    pump_share,
    second_law_cop,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.hourly import YearInput, YearModel, YearResult


@jitable
def loss_w(output_w: float, plate_w: float, no_load: float, linear: float, quadratic: float) -> float:
    """Loss of a power element at an output, W."""
    if plate_w <= 0.0:
        return 0.0
    load = output_w / plate_w
    return plate_w * (no_load + linear * load + quadratic * load * load)


@jitable
def steady_loads(
    model: YearModel,
    site: int,
    load_factor: float,
    n_hours: int,
    energy: NDArray[np.float64],
    taken_w: NDArray[np.float64],
) -> None:
    """Loads that do not follow the weather; of machinery, only its pumps and fixed draw, added to each hour later."""
    for c in range(model.class_ptr[site], model.class_ptr[site + 1]):
        kind, weight = model.kind[c], model.members[c] * n_hours
        flow = model.flow_ratio[c] * load_factor + model.flow_base[c]
        if kind == ROWS:
            taken_w[c] = model.fixed_w[c] + model.draw_w[c] * load_factor
            energy[IT_WH] += weight * taken_w[c]
        elif kind == SUPPORT:
            taken_w[c] = model.fixed_w[c] + model.draw_w[c]
            energy[SUPPORT_WH] += weight * taken_w[c]
        elif kind == PUMPS:
            taken_w[c] = model.fixed_w[c] + model.draw_w[c] * pump_share(flow)
            energy[PUMPS_WH] += weight * taken_w[c]
        elif kind == FANS:
            taken_w[c] = model.fixed_w[c] + model.draw_w[c] * fan_share(flow)
            energy[AIR_FANS_WH] += weight * taken_w[c]
        else:
            energy[FIXED_WH] += weight * model.fixed_w[c]


@jitable
def _site_year(
    model: YearModel,
    site: int,
    dry_bulb_degc: NDArray[np.float64],
    wet_bulb_degc: NDArray[np.float64],
    offset_k: float,
    load_factor: float,
    scenario: int,
    taken_w: NDArray[np.float64],
    total_w: NDArray[np.float64],
    result: YearResult,
) -> None:
    """A year of a site under a scenario; its meter is added to `total_w`, [n_hours].

    One long loop on purpose: handing the model to a function for each class and hour costs ten times the arithmetic.
    """
    first, last, n_hours = model.class_ptr[site], model.class_ptr[site + 1], len(dry_bulb_degc)
    energy, water_l = result.energy_wh[site, :, scenario], result.water_l[site, :, scenario]
    recirculation_k = model.recirculation_k[site]
    steady_loads(model, site, load_factor, n_hours, energy, taken_w)
    for hour in range(n_hours):
        air_degc = dry_bulb_degc[hour] + offset_k + recirculation_k
        over_element, over_plant, compressing, wetted, meter_w = False, False, False, False, 0.0
        for c in range(first, last):
            kind, members = model.kind[c], model.members[c]
            if kind == ELEMENT:
                output_w = model.fixed_w[c]
                for entry in range(model.entry_ptr[c], model.entry_ptr[c + 1]):
                    output_w += model.entry_share[entry] * taken_w[model.entry_class_idx[entry]]
                if output_w > model.rating_w[c] * (1.0 + TOLERANCE):
                    over_element = True
                    result.class_over_hours[c, scenario] += 1
                lost_w = loss_w(
                    output_w, model.plate_w[c], model.loss_no_load[c], model.loss_linear[c], model.loss_quadratic[c]
                )
                energy[LOSSES_WH] += members * lost_w
                taken_w[c] = output_w + lost_w
                meter_w = output_w
            elif kind == MACHINERY:
                plant = model.plant_idx[c]
                heat_w = model.heat_w[plant] * load_factor + model.fixed_heat_w[plant]
                design_w = model.design_heat_w[plant]
                pump_w = model.design_pump_w[plant] * pump_share(heat_w / design_w if design_w > 0.0 else 0.0)
                wet_degc = wet_bulb_degc[hour] + offset_k
                if model.cooler_kind[plant] == WET:
                    wet_degc += recirculation_k
                curved = model.curves_from_degc[plant] <= air_degc <= model.curves_to_degc[plant]
                able_w, cop = chillers_ready(
                    curved,
                    model.chiller_rated_w[plant],
                    max(0.0, air_degc - model.chiller_rated_degc[plant]),
                    model.chiller_derate_per_k[plant],
                    second_law_cop(
                        model.efficiency[plant],
                        model.evaporation_degc[plant],
                        air_degc + model.condenser_lift_k[plant],
                    ),
                    model.reference_cop[plant],
                    polynomial(
                        model.capacity_constant[plant],
                        model.capacity_linear[plant],
                        model.capacity_quadratic[plant],
                        air_degc,
                    ),
                    polynomial(
                        model.power_constant[plant], model.power_linear[plant], model.power_quadratic[plant], air_degc
                    ),
                )
                cooled_w, fan_w, latent_w = cooler_hour(
                    heat_w,
                    air_degc,
                    wet_degc,
                    model.supply_degc[plant],
                    model.rise_k[plant],
                    model.cooler_kind[plant],
                    model.cooler_rated_w[plant],
                    model.cooler_approach_k[plant],
                    model.cooler_fan_w[plant],
                    model.saturation_efficiency[plant],
                    cop,
                    able_w,
                )
                rest_w, chilling_w = heat_w - cooled_w, 0.0
                if rest_w > 0.0 and cop > 0.0:
                    chilling_w = rest_w / cop
                    if curved:
                        chilling_w = compressor_w(
                            rest_w,
                            able_w / model.n_chillers[plant],
                            cop,
                            model.part_constant[plant],
                            model.part_linear[plant],
                            model.part_quadratic[plant],
                        )
                energy[HEAT_WH] += members * heat_w
                energy[COOLER_HEAT_WH] += members * cooled_w
                energy[PUMPS_WH] += members * pump_w
                energy[COOLER_FANS_WH] += members * fan_w
                energy[COMPRESSORS_WH] += members * chilling_w
                evaporated_l = latent_w * LITRES_PER_WH
                water_l[EVAPORATED_L] += members * evaporated_l
                water_l[MAKEUP_L] += members * evaporated_l * model.makeup_ratio[plant]
                taken_w[c] = model.fixed_w[c] + pump_w + fan_w + chilling_w
                compressing = compressing or chilling_w > 0.0
                wetted = wetted or latent_w > 0.0
                if chilling_w > 0.0 and model.has_curves[plant] > 0.0 and not curved:
                    result.plant_beyond_hours[plant, scenario] += 1
                if rest_w > 0.0 and rest_w > able_w * (1.0 + TOLERANCE):
                    over_plant = True
                    result.plant_over_hours[plant, scenario] += 1
        energy[FACILITY_WH] += meter_w
        total_w[hour] += meter_w
        if scenario == 0:
            result.meter_w[site, hour] = meter_w
        result.hours[site, TRIM if compressing else NO_COMPRESSOR, scenario] += 1
        if over_element or over_plant:
            result.hours[site, OVER_RATING, scenario] += 1
        if over_element:
            result.hours[site, OVER_ELEMENT, scenario] += 1
        if wetted:
            result.hours[site, WETTED, scenario] += 1
        if meter_w > result.peak_w[site, scenario]:
            result.peak_w[site, scenario] = meter_w
            result.peak_hour[site, scenario] = hour


def hourly_year(model: YearModel, given: YearInput, result: YearResult) -> None:
    """Work out every hour of every site under every scenario.

    Parameters: model; given, weather and scenarios; result, written.
    """
    result.energy_wh[:] = 0.0
    result.water_l[:] = 0.0
    result.hours[:] = 0
    result.peak_w[:] = -1.0
    result.peak_hour[:] = 0
    result.class_over_hours[:] = 0
    result.plant_over_hours[:] = 0
    result.plant_beyond_hours[:] = 0
    n_sites, n_hours = given.dry_bulb_degc.shape
    taken_w, total_w = np.zeros(len(model.kind)), np.zeros(n_hours)
    for scenario in range(len(given.load_factor)):
        total_w[:] = 0.0
        for site in range(n_sites):
            offset_k = given.temperature_offset_k[scenario]
            load_factor = min(given.load_factor[scenario], model.most_load_factor[site])
            dry, wet = given.dry_bulb_degc[site], given.wet_bulb_degc[site]
            _site_year(model, site, dry, wet, offset_k, load_factor, scenario, taken_w, total_w, result)
        for hour in range(n_hours):
            if total_w[hour] > result.peak_w[n_sites, scenario]:
                result.peak_w[n_sites, scenario] = total_w[hour]
                result.peak_hour[n_sites, scenario] = hour
