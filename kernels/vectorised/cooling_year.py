"""A year of a plant's coolers and chillers: all hours at once; equations and sources in docs/year.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels.hourly import (
    ADIABATIC,
    AIR_RISE_SHARE,
    APPROACH_EXPONENT,
    FAN_FLOOR,
    LEAST_LIFT_K,
    LEAST_UNIT_LOAD,
    PUMP_FLOOR,
    STAGING_ROUNDING,
    STATIC_HEAD_SHARE,
    TOLERANCE,
    WET,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernels.hourly import YearModel

KELVIN = 273.15


@dataclass(frozen=True)
class Air:
    """A site's air under a scenario, [n_hours]."""

    dry_degc: NDArray[np.float64]
    """With recirculation."""
    wet_degc: NDArray[np.float64]
    """Without."""
    recirculation_k: float


@dataclass(frozen=True)
class PlantYear:
    """A plant's year, in W; arrays are [n_hours]."""

    heat_w: float
    pump_w: float
    cooled_w: NDArray[np.float64]
    """Heat that the coolers remove."""
    fan_w: NDArray[np.float64]
    latent_w: NDArray[np.float64]
    """Latent heat of the water that is evaporated."""
    compressor_w: NDArray[np.float64]
    left_over: NDArray[np.bool_]
    """Whether heat is left over when coolers and chillers remove what they can."""
    beyond_curves: NDArray[np.bool_]
    """Whether chillers with published curves run outside their range."""


def plant_year(model: YearModel, plant: int, air: Air, load_factor: float) -> PlantYear:
    """A year of one plant.

    Parameters: model; plant, its number; air; load factor of the racks.
    """
    heat_w = float(model.heat_w[plant]) * load_factor + float(model.fixed_heat_w[plant])
    design_w = float(model.design_heat_w[plant])
    pump_w = float(model.design_pump_w[plant]) * pump_share(heat_w / design_w if design_w > 0.0 else 0.0)
    curved = (model.curves_from_degc[plant] <= air.dry_degc) & (air.dry_degc <= model.curves_to_degc[plant])
    able_w, cop = _able_w(model, plant, air, curved), _full_load_cop(model, plant, air, curved)
    cooled_w, fan_w, latent_w = _coolers(model, plant, air, heat_w, cop, able_w)
    rest_w = heat_w - cooled_w
    compressor_w = np.zeros(len(rest_w))
    if model.chiller_rated_w[plant] > 0.0:
        drawn_w = rest_w / cop * np.where(curved, _part_load(model, plant, rest_w, able_w), 1.0)
        compressor_w = np.where(rest_w > 0.0, drawn_w, 0.0)
    return PlantYear(
        heat_w=heat_w,
        pump_w=pump_w,
        cooled_w=cooled_w,
        fan_w=fan_w,
        latent_w=latent_w,
        compressor_w=compressor_w,
        left_over=(rest_w > 0.0) & (rest_w > able_w * (1.0 + TOLERANCE)),
        beyond_curves=(compressor_w > 0.0) & ~curved & bool(model.has_curves[plant] > 0.0),
    )


def fan_share(flow: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Fan power over design power at a share of design flow: the cube law with a floor."""
    share: NDArray[np.float64] = np.maximum(FAN_FLOOR, np.asarray(flow) ** 3)
    return share


def pump_share(flow: float) -> float:
    """Pump power over design power: flow times head, of which a part is static; never below the floor."""
    return max(PUMP_FLOOR, flow * (STATIC_HEAD_SHARE + (1.0 - STATIC_HEAD_SHARE) * flow * flow))


def _coolers(
    model: YearModel, plant: int, air: Air, heat_w: float, cop: NDArray[np.float64], able_w: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Heat that the coolers remove, their fans, and latent heat of the water evaporated."""
    n_hours, rated_w = len(air.dry_degc), float(model.cooler_rated_w[plant])
    if rated_w <= 0.0 or heat_w <= 0.0:
        return np.zeros(n_hours), np.zeros(n_hours), np.zeros(n_hours)
    load, kind = heat_w / rated_w, int(model.cooler_kind[plant])
    design_k, rise_k = float(model.cooler_approach_k[plant]), float(model.rise_k[plant])
    supply_degc = float(model.supply_degc[plant])
    entering_degc = air.wet_degc + air.recirculation_k if kind == WET else air.dry_degc
    share = _cooler_share(design_k, load, supply_degc, rise_k, entering_degc)
    padded = (kind == ADIABATIC) & (share < 1.0)
    if kind == ADIABATIC:
        depression_k = np.maximum(0.0, air.dry_degc - air.wet_degc)
        entering_degc = np.where(
            padded, air.dry_degc - model.saturation_efficiency[plant] * depression_k, entering_degc
        )
        share = _cooler_share(design_k, load, supply_degc, rise_k, entering_degc)
    runs = share > 0.0
    flow = _air_flow(_approach_k(design_k, load), supply_degc - entering_degc, rise_k / 2.0, load)
    fan_w = float(model.cooler_fan_w[plant]) * fan_share(flow)
    if design_k > 0.0:
        fewer = _cooler_share(design_k, max(1.0, load), supply_degc, rise_k, entering_degc)
        part = np.minimum(1.0, fewer * load)
        part_fan_w = float(model.cooler_fan_w[plant]) * part
        pays = _fewer_pay(heat_w * (share - fewer), fan_w - part_fan_w, cop, able_w, heat_w * (1.0 - fewer))
        share, fan_w = np.where(pays, fewer, share), np.where(pays, part_fan_w, fan_w)
        flow = np.where(pays, part, flow)
    air_rise_k = AIR_RISE_SHARE * (design_k + rise_k / 2.0) if design_k > 0.0 else rise_k
    pads_w = np.where(padded, flow * rated_w / air_rise_k * (air.dry_degc - entering_degc), 0.0)
    latent_w = heat_w * share if kind == WET else pads_w
    return heat_w * share, np.where(runs, fan_w, 0.0), np.where(runs, latent_w, 0.0)


def _fewer_pay(
    saved_w: NDArray[np.float64],
    extra_fan_w: NDArray[np.float64],
    cop: NDArray[np.float64],
    able_w: NDArray[np.float64],
    rest_w: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Whether only as many coolers run as carry their part at their rated heat, instead of all of them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        saved_power_w = np.where(saved_w > 0.0, saved_w / cop, 0.0)
    cannot = (rest_w > 0.0) & ((cop <= 0.0) | (rest_w > able_w))
    pays: NDArray[np.bool_] = ~cannot & (extra_fan_w > saved_power_w)
    return pays


def _approach_k(design_k: float, load: float) -> float:
    return design_k * (load if load > 1.0 else load**APPROACH_EXPONENT)


def _cooler_share(
    design_k: float, load: float, supply_degc: float, rise_k: float, entering_degc: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of a plant's heat that its coolers remove at each hour."""
    return_degc = supply_degc + rise_k
    leaving_degc = np.maximum(supply_degc, entering_degc + _approach_k(design_k, min(1.0, load)))
    share = np.maximum(0.0, return_degc - leaving_degc) / rise_k
    beyond = np.full(len(entering_degc), 1.0 / load)
    if design_k > 0.0:
        beyond = np.minimum(1.0, (return_degc - entering_degc) / (rise_k + design_k * load))
    result: NDArray[np.float64] = np.where(share * load <= 1.0, share, beyond)
    return result


def _air_flow(full_fan_k: float, room_k: NDArray[np.float64], half_rise_k: float, load: float) -> NDArray[np.float64]:
    """Share of full air flow that removes the heat; without a coil it follows the heat."""
    if full_fan_k <= 0.0:
        return np.full(len(room_k), min(1.0, load))
    flow: NDArray[np.float64] = (full_fan_k + half_rise_k) / (np.maximum(room_k, full_fan_k) + half_rise_k)
    return flow


def _polynomial(model: YearModel, plant: int, name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    constant, linear, quadratic = (
        float(getattr(model, f"{name}_{part}")[plant]) for part in ("constant", "linear", "quadratic")
    )
    value: NDArray[np.float64] = constant + linear * x + quadratic * x * x
    return value


def _able_w(model: YearModel, plant: int, air: Air, curved: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What all chillers can remove at each hour."""
    above_k = np.maximum(0.0, air.dry_degc - model.chiller_rated_degc[plant])
    derated = np.maximum(0.0, 1.0 - model.chiller_derate_per_k[plant] * above_k)
    able_w: NDArray[np.float64] = model.chiller_rated_w[plant] * np.where(
        curved, _polynomial(model, plant, "capacity", air.dry_degc), derated
    )
    return able_w


def _full_load_cop(model: YearModel, plant: int, air: Air, curved: NDArray[np.bool_]) -> NDArray[np.float64]:
    """COP of the chillers at full load, by curves or the second law; 0 without any."""
    if model.chiller_rated_w[plant] <= 0.0:
        return np.zeros(len(curved))
    evaporation_degc = float(model.evaporation_degc[plant])
    lift_k = np.maximum(LEAST_LIFT_K, air.dry_degc + model.condenser_lift_k[plant] - evaporation_degc)
    second_law = model.efficiency[plant] * (evaporation_degc + KELVIN) / lift_k
    with np.errstate(divide="ignore"):
        by_curves = float(model.reference_cop[plant]) / _polynomial(model, plant, "power", air.dry_degc)
    cop: NDArray[np.float64] = np.where(curved, by_curves, second_law)
    return cop


def _part_load(
    model: YearModel, plant: int, rest_w: NDArray[np.float64], able_w: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Draw of the chillers for each watt of heat over that at full load, as few of them as carry the heat running."""
    with np.errstate(divide="ignore", invalid="ignore"):
        units = rest_w / (able_w / float(model.n_chillers[plant]))
        load = units / np.maximum(1.0, np.ceil(units - STAGING_ROUNDING))
    load = np.where(able_w > 0.0, np.minimum(1.0, np.maximum(LEAST_UNIT_LOAD, load)), 1.0)
    share: NDArray[np.float64] = _polynomial(model, plant, "part", load) / load
    return share
