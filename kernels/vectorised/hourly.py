"""The hourly year of many sites under many scenarios: all hours of a scenario at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernels.hourly import (
    AIR_FANS_WH,
    ALL_DRY,
    APPROACH_EXPONENT,
    COMPRESSORS_WH,
    DRY_FANS_WH,
    DRY_HEAT_WH,
    ELEMENT,
    FACILITY_WH,
    FAN_FLOOR,
    FANS,
    FIXED_WH,
    HEAT_WH,
    IT_WH,
    LEAST_LIFT_K,
    LOSSES_WH,
    OVER_RATING,
    PUMP_FLOOR,
    PUMPS,
    PUMPS_WH,
    ROWS,
    STATIC_HEAD_SHARE,
    SUPPORT,
    SUPPORT_WH,
    TOLERANCE,
    TRIM,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.hourly import YearInput, YearModel, YearResult

KELVIN = 273.15


def hourly_year(model: YearModel, given: YearInput, result: YearResult) -> None:
    """Work out every hour of every site under every scenario.

    Parameters: model; given, weather and scenarios; result, written.
    """
    for array in (result.energy_wh, result.hours, result.class_over_hours, result.plant_over_hours):
        array[:] = 0
    n_sites, n_hours = given.dry_bulb_degc.shape
    for scenario in range(len(given.load_factor)):
        total_w = np.zeros(n_hours)
        for site in range(n_sites):
            offset_k = given.temperature_offset_k[scenario] + model.recirculation_k[site]
            load_factor = min(float(given.load_factor[scenario]), float(model.most_load_factor[site]))
            meter_w = _site_year(model, site, given.dry_bulb_degc[site] + offset_k, load_factor, scenario, result)
            _keep_peak(result, site, scenario, meter_w)
            total_w += meter_w
        _keep_peak(result, n_sites, scenario, total_w)


def _keep_peak(result: YearResult, place: int, scenario: int, meter_w: NDArray[np.float64]) -> None:
    hour = int(np.argmax(meter_w))
    result.peak_w[place, scenario], result.peak_hour[place, scenario] = meter_w[hour], hour


def _fan_share(flow: float | NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.maximum(FAN_FLOOR, np.asarray(flow) ** 3)
    return share


def _pump_share(flow: float) -> float:
    return max(PUMP_FLOOR, flow * (STATIC_HEAD_SHARE + (1.0 - STATIC_HEAD_SHARE) * flow * flow))


def _dry_approach_k(design_k: float, load: float) -> float:
    return design_k * (load if load > 1.0 else load**APPROACH_EXPONENT)


def _dry_share(
    design_k: float, load: float, supply_degc: float, rise_k: float, air_degc: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of a plant's heat that its dry coolers remove at each hour."""
    return_degc = supply_degc + rise_k
    leaving_degc = np.maximum(supply_degc, air_degc + _dry_approach_k(design_k, min(1.0, load)))
    share = np.maximum(0.0, return_degc - leaving_degc) / rise_k
    beyond = np.full(len(air_degc), 1.0 / load)
    if design_k > 0.0:
        beyond = np.minimum(1.0, (return_degc - air_degc) / (rise_k + design_k * load))
    result: NDArray[np.float64] = np.where(share * load <= 1.0, share, beyond)
    return result


def _air_flow(approach_k: float, room_k: NDArray[np.float64], half_rise_k: float, load: float) -> NDArray[np.float64]:
    """Share of full air flow that removes the heat; without a coil it follows the heat."""
    if approach_k <= 0.0:
        return np.full(len(room_k), min(1.0, load))
    flow: NDArray[np.float64] = (approach_k + half_rise_k) / (np.maximum(room_k, approach_k) + half_rise_k)
    return flow


def _site_year(
    model: YearModel, site: int, air_degc: NDArray[np.float64], load_factor: float, scenario: int, result: YearResult
) -> NDArray[np.float64]:
    """Add a year of a site to the result; the watts at its meter, [n_hours]."""
    n_hours = len(air_degc)
    energy = result.energy_wh[site, :, scenario]
    over, compressing = np.zeros(n_hours, dtype=bool), np.zeros(n_hours, dtype=bool)
    taken_w: dict[int, NDArray[np.float64]] = {}
    output_w = np.zeros(n_hours)
    for c in range(model.class_ptr[site], model.class_ptr[site + 1]):
        members = float(model.members[c])
        if model.kind[c] != ELEMENT:
            taken_w[c] = _load_year(model, c, air_degc, load_factor, energy, over, compressing, scenario, result)
            continue
        output_w = np.full(n_hours, model.fixed_w[c])
        for entry in range(model.entry_ptr[c], model.entry_ptr[c + 1]):
            output_w += model.entry_share[entry] * taken_w[int(model.entry_class_idx[entry])]
        above = output_w > model.rating_w[c] * (1.0 + TOLERANCE)
        over |= above
        result.class_over_hours[c, scenario] = np.count_nonzero(above)
        lost_w = np.zeros(n_hours)
        if model.plate_w[c] > 0.0:
            load = output_w / model.plate_w[c]
            fractions = model.loss_no_load[c] + model.loss_linear[c] * load + model.loss_quadratic[c] * load * load
            lost_w = model.plate_w[c] * fractions
        energy[FIXED_WH] += members * model.fixed_w[c] * n_hours
        energy[LOSSES_WH] += members * lost_w.sum()
        taken_w[c] = output_w + lost_w
    energy[FACILITY_WH] += output_w.sum()
    n_compressing = np.count_nonzero(compressing)
    result.hours[site, TRIM, scenario] = n_compressing
    result.hours[site, ALL_DRY, scenario] = n_hours - n_compressing
    result.hours[site, OVER_RATING, scenario] = np.count_nonzero(over)
    return output_w


def _load_year(
    model: YearModel,
    c: int,
    air_degc: NDArray[np.float64],
    load_factor: float,
    energy: NDArray[np.float64],
    over: NDArray[np.bool_],
    compressing: NDArray[np.bool_],
    scenario: int,
    result: YearResult,
) -> NDArray[np.float64]:
    """A year of one load class, [n_hours]; its energies, overloads and compressor hours are added."""
    kind, members, n_hours = model.kind[c], float(model.members[c]), len(air_degc)
    flow = float(model.flow_ratio[c]) * load_factor
    steady = {
        ROWS: (load_factor, IT_WH),
        SUPPORT: (1.0, SUPPORT_WH),
        PUMPS: (_pump_share(flow), PUMPS_WH),
        FANS: (float(_fan_share(flow)), AIR_FANS_WH),
    }
    if int(kind) in steady:
        share, term = steady[int(kind)]
        watts = float(model.fixed_w[c] + model.draw_w[c] * share)
        energy[term] += members * watts * n_hours
        return np.full(n_hours, watts)
    plant = int(model.plant_idx[c])
    heat_w, dry_w, pump_w, fan_w, compressor_w, left_over = _plant_year(model, plant, air_degc, load_factor)
    over |= left_over
    compressing |= compressor_w > 0.0
    result.plant_over_hours[plant, scenario] += np.count_nonzero(left_over)
    energy[HEAT_WH] += members * heat_w * n_hours
    energy[DRY_HEAT_WH] += members * dry_w.sum()
    energy[PUMPS_WH] += members * pump_w * n_hours
    energy[DRY_FANS_WH] += members * fan_w.sum()
    energy[COMPRESSORS_WH] += members * compressor_w.sum()
    energy[FIXED_WH] += members * model.fixed_w[c] * n_hours
    watts_by_hour: NDArray[np.float64] = model.fixed_w[c] + (pump_w + fan_w + compressor_w)
    return watts_by_hour


def _plant_year(
    model: YearModel, plant: int, air_degc: NDArray[np.float64], load_factor: float
) -> tuple[float, NDArray[np.float64], float, NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """A year of a plant: heat, heat removed dry, pumps, dry fans, compressors (W), and where heat is left over."""
    heat_w = float(model.heat_w[plant]) * load_factor + float(model.fixed_heat_w[plant])
    design_w, supply_degc = float(model.design_heat_w[plant]), float(model.supply_degc[plant])
    pump_w = float(model.design_pump_w[plant]) * _pump_share(heat_w / design_w if design_w > 0.0 else 0.0)
    share, fan_w = np.zeros(len(air_degc)), np.zeros(len(air_degc))
    dry_rated_w, chiller_rated_w = float(model.dry_rated_w[plant]), float(model.chiller_rated_w[plant])
    if dry_rated_w > 0.0 and heat_w > 0.0:
        load, design_k, rise_k = heat_w / dry_rated_w, float(model.dry_approach_k[plant]), float(model.rise_k[plant])
        share = _dry_share(design_k, load, supply_degc, rise_k, air_degc)
        flow = _air_flow(_dry_approach_k(design_k, load), supply_degc - air_degc, rise_k / 2.0, load)
        fan_w = np.where(share > 0.0, float(model.dry_fan_w[plant]) * _fan_share(flow), 0.0)
    dry_w = heat_w * share
    rest_w = heat_w - dry_w
    above_k = np.maximum(0.0, air_degc - model.chiller_rated_degc[plant])
    able_w = chiller_rated_w * np.maximum(0.0, 1.0 - model.chiller_derate_per_k[plant] * above_k)
    left_over = (rest_w > 0.0) & (rest_w > able_w * (1.0 + TOLERANCE))
    compressor_w = np.zeros(len(air_degc))
    if chiller_rated_w > 0.0:
        evaporation_degc = float(model.evaporation_degc[plant])
        lift_k = np.maximum(LEAST_LIFT_K, air_degc + model.condenser_lift_k[plant] - evaporation_degc)
        compressor_w = np.maximum(0.0, rest_w) * lift_k / (model.efficiency[plant] * (evaporation_degc + KELVIN))
    return heat_w, dry_w, pump_w, fan_w, compressor_w, left_over
