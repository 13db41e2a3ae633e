"""The hourly year of many sites under many scenarios; equations and sources in docs/year.md."""

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
    MACHINERY,
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
from kernels.jitable import jitable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.hourly import YearInput, YearModel, YearResult

KELVIN = 273.15


@jitable
def fan_share(flow: float) -> float:
    """Fan power over design power at a share of design flow: the cube law with a floor."""
    return max(FAN_FLOOR, flow**3)


@jitable
def pump_share(flow: float) -> float:
    """Pump power over design power: flow times head, of which a part is static; never below the floor."""
    return max(PUMP_FLOOR, flow * (STATIC_HEAD_SHARE + (1.0 - STATIC_HEAD_SHARE) * flow * flow))


@jitable
def loss_w(output_w: float, plate_w: float, no_load: float, linear: float, quadratic: float) -> float:
    """Loss of a power element at an output, W."""
    if plate_w <= 0.0:
        return 0.0
    load = output_w / plate_w
    return plate_w * (no_load + linear * load + quadratic * load * load)


@jitable
def chiller_cop(efficiency: float, evaporation_degc: float, condensation_degc: float) -> float:
    """Heat for each electric watt: a share of Carnot's between evaporation and condensation."""
    lift_k = max(LEAST_LIFT_K, condensation_degc - evaporation_degc)
    return efficiency * (evaporation_degc + KELVIN) / lift_k


@jitable
def dry_approach_k(design_k: float, load: float) -> float:
    """Approach of a dry cooler at full fan, K; load is its heat over its rated heat. Beyond its rating it is linear."""
    growth: float = load if load > 1.0 else load**APPROACH_EXPONENT
    return design_k * growth


@jitable
def dry_share(design_k: float, load: float, supply_degc: float, rise_k: float, air_degc: float) -> float:
    """Share of a plant's heat that its dry coolers remove, 0 to 1.

    Parameters: approach at rated heat (K); load, the plant's heat over their rated heat; set-point; rise; air. While
    they carry at most their rating the return is cooled to air plus approach; beyond it the approach grows with the
    heat, and without a coil (approach 0) they carry no more than their rating.
    """
    return_degc = supply_degc + rise_k
    leaving_degc: float = max(supply_degc, air_degc + dry_approach_k(design_k, min(1.0, load)))
    share = max(0.0, return_degc - leaving_degc) / rise_k
    if share * load <= 1.0:
        return share
    if design_k <= 0.0:
        return 1.0 / load
    return min(1.0, (return_degc - air_degc) / (rise_k + design_k * load))


@jitable
def air_flow(approach_k: float, room_k: float, half_rise_k: float, load: float) -> float:
    """Share of full air flow that removes the heat: as the mean fluid's height above the air allows.

    Parameters: approach at full fan and room, the set-point's height above the air (K); half of the fluid's rise (K);
    load, heat over rated heat. Without a coil (approach 0) the flow follows the heat, whatever the weather.
    """
    if approach_k <= 0.0:
        return min(1.0, load)
    return 1.0 if room_k <= approach_k else (approach_k + half_rise_k) / (room_k + half_rise_k)


@jitable
def plant_hour(
    heat_w: float,
    air_degc: float,
    supply_degc: float,
    rise_k: float,
    dry_rated_w: float,
    dry_design_k: float,
    dry_fan_w: float,
    chiller_able_w: float,
    cop: float,
) -> tuple[float, float, float, float]:
    """One hour of a plant: heat removed dry, dry fans, compressors (W), and 1 where heat is left over.

    Parameters: heat; air, dry bulb with recirculation; set-point and rise; rated heat, approach and fans of the dry
    coolers; what the chillers can remove at this hour and their COP. Rated heat 0 stands for no dry coolers, COP 0 for
    no chillers.
    """
    share, fan_w, compressor_w, over = 0.0, 0.0, 0.0, 0.0
    if dry_rated_w > 0.0 and heat_w > 0.0:
        load = heat_w / dry_rated_w
        share = dry_share(dry_design_k, load, supply_degc, rise_k, air_degc)
        if share > 0.0:
            approach_k = dry_approach_k(dry_design_k, load)
            fan_w = dry_fan_w * fan_share(air_flow(approach_k, supply_degc - air_degc, rise_k / 2.0, load))
    dry_heat_w = heat_w * share
    rest_w = heat_w - dry_heat_w
    if rest_w > 0.0:
        if rest_w > chiller_able_w * (1.0 + TOLERANCE):
            over = 1.0
        if cop > 0.0:
            compressor_w = rest_w / cop
    return dry_heat_w, fan_w, compressor_w, over


@jitable
def _steady_loads(
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
        flow = model.flow_ratio[c] * load_factor
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
    energy = result.energy_wh[site, :, scenario]
    _steady_loads(model, site, load_factor, n_hours, energy, taken_w)
    for hour in range(n_hours):
        air_degc = dry_bulb_degc[hour] + offset_k
        over, compressing, meter_w = False, False, 0.0
        for c in range(first, last):
            kind, members = model.kind[c], model.members[c]
            if kind == ELEMENT:
                output_w = model.fixed_w[c]
                for entry in range(model.entry_ptr[c], model.entry_ptr[c + 1]):
                    output_w += model.entry_share[entry] * taken_w[model.entry_class_idx[entry]]
                if output_w > model.rating_w[c] * (1.0 + TOLERANCE):
                    over = True
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
                able_w, cop = model.chiller_rated_w[plant], 0.0
                if able_w > 0.0:
                    above_k = max(0.0, air_degc - model.chiller_rated_degc[plant])
                    able_w *= max(0.0, 1.0 - model.chiller_derate_per_k[plant] * above_k)
                    condensation_degc = air_degc + model.condenser_lift_k[plant]
                    cop = chiller_cop(model.efficiency[plant], model.evaporation_degc[plant], condensation_degc)
                dry_w, fan_w, compressor_w, left_over = plant_hour(
                    heat_w,
                    air_degc,
                    model.supply_degc[plant],
                    model.rise_k[plant],
                    model.dry_rated_w[plant],
                    model.dry_approach_k[plant],
                    model.dry_fan_w[plant],
                    able_w,
                    cop,
                )
                energy[HEAT_WH] += members * heat_w
                energy[DRY_HEAT_WH] += members * dry_w
                energy[PUMPS_WH] += members * pump_w
                energy[DRY_FANS_WH] += members * fan_w
                energy[COMPRESSORS_WH] += members * compressor_w
                taken_w[c] = model.fixed_w[c] + pump_w + fan_w + compressor_w
                compressing = compressing or compressor_w > 0.0
                if left_over > 0.0:
                    over = True
                    result.plant_over_hours[plant, scenario] += 1
        energy[FACILITY_WH] += meter_w
        total_w[hour] += meter_w
        result.hours[site, TRIM if compressing else ALL_DRY, scenario] += 1
        if over:
            result.hours[site, OVER_RATING, scenario] += 1
        if meter_w > result.peak_w[site, scenario]:
            result.peak_w[site, scenario] = meter_w
            result.peak_hour[site, scenario] = hour


def hourly_year(model: YearModel, given: YearInput, result: YearResult) -> None:
    """Work out every hour of every site under every scenario.

    Parameters: model; given, weather and scenarios; result, written.
    """
    result.energy_wh[:] = 0.0
    result.hours[:] = 0
    result.peak_w[:] = -1.0
    result.peak_hour[:] = 0
    result.class_over_hours[:] = 0
    result.plant_over_hours[:] = 0
    n_sites, n_hours = given.dry_bulb_degc.shape
    taken_w, total_w = np.zeros(len(model.kind)), np.zeros(n_hours)
    for scenario in range(len(given.load_factor)):
        total_w[:] = 0.0
        for site in range(n_sites):
            offset_k = given.temperature_offset_k[scenario] + model.recirculation_k[site]
            load_factor = min(given.load_factor[scenario], model.most_load_factor[site])
            air = given.dry_bulb_degc[site]
            _site_year(model, site, air, offset_k, load_factor, scenario, taken_w, total_w, result)
        for hour in range(n_hours):
            if total_w[hour] > result.peak_w[n_sites, scenario]:
                result.peak_w[n_sites, scenario] = total_w[hour]
                result.peak_hour[n_sites, scenario] = hour
