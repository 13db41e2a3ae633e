"""One hour of a plant's coolers and chillers, scalar; equations and sources in docs/year.md."""

from __future__ import annotations

from math import ceil

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
    WET,
)
from kernels.jitable import jitable

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
def polynomial(constant: float, linear: float, quadratic: float, x: float) -> float:
    """Value of constant + linear · x + quadratic · x²."""
    return constant + linear * x + quadratic * x * x


@jitable
def second_law_cop(efficiency: float, evaporation_degc: float, condensation_degc: float) -> float:
    """Heat for each electric watt: a share of Carnot's between evaporation and condensation."""
    lift_k = max(LEAST_LIFT_K, condensation_degc - evaporation_degc)
    return efficiency * (evaporation_degc + KELVIN) / lift_k


@jitable
def compressor_w(
    heat_w: float, unit_able_w: float, full_load_cop: float, constant: float, linear: float, quadratic: float
) -> float:
    """Draw of a bank of chillers that remove `heat_w`, W.

    Parameters: heat; heat that one unit can remove at this hour (W); COP at full load; polynomial of the draw over
    that at full load by the share of heat. As few units run as carry the heat, each alike; a lone one cycles.
    """
    load = 1.0
    if unit_able_w > 0.0:
        units = heat_w / unit_able_w
        load = min(1.0, max(LEAST_UNIT_LOAD, units / max(1.0, float(ceil(units - STAGING_ROUNDING)))))
    share: float = polynomial(constant, linear, quadratic, load)
    return heat_w / full_load_cop * share / load


@jitable
def chillers_ready(
    curved: bool,
    rated_w: float,
    above_k: float,
    derate_per_k: float,
    second_law: float,
    reference_cop: float,
    capacity: float,
    power: float,
) -> tuple[float, float]:
    """What a plant's chillers can remove at an hour (W), and their COP at full load; 0 and 0 without any.

    Parameters: whether the curves hold; rated heat; K above their rating and derate; COP by the second law; the
    curves' reference COP and their values at this air.
    """
    if rated_w <= 0.0:
        return 0.0, 0.0
    if curved:
        return rated_w * capacity, reference_cop / power
    return rated_w * max(0.0, 1.0 - derate_per_k * above_k), second_law


@jitable
def approach_k(design_k: float, load: float) -> float:
    """Approach of a cooler at full fan, K; load is its heat over its rated heat. Beyond its rating it is linear."""
    growth: float = load if load > 1.0 else load**APPROACH_EXPONENT
    return design_k * growth


@jitable
def cooler_share(design_k: float, load: float, supply_degc: float, rise_k: float, entering_degc: float) -> float:
    """Share of a plant's heat that its coolers remove, 0 to 1.

    Parameters: approach at rated heat (K); load, the plant's heat over their rated heat; set-point; rise; what they
    approach. While they carry at most their rating the return is cooled to that plus approach; beyond it the approach
    grows with the heat, and without a coil (approach 0) they carry no more than their rating.
    """
    near_k: float = approach_k(design_k, min(1.0, load))
    share: float = share_within(near_k, design_k, load, supply_degc, rise_k, entering_degc)
    return share


@jitable
def share_within(
    near_k: float, design_k: float, load: float, supply_degc: float, rise_k: float, entering_degc: float
) -> float:
    """Share as of `cooler_share`; near_k is the approach at this heat, or at rated heat where that is less."""
    return_degc = supply_degc + rise_k
    leaving_degc = max(supply_degc, entering_degc + near_k)
    share = max(0.0, return_degc - leaving_degc) / rise_k
    if share * load <= 1.0:
        return share
    if design_k <= 0.0:
        return 1.0 / load
    return min(1.0, (return_degc - entering_degc) / (rise_k + design_k * load))


@jitable
def air_flow(full_fan_k: float, room_k: float, half_rise_k: float, load: float) -> float:
    """Share of full air flow that removes the heat: as the mean fluid's height above the air allows.

    Parameters: approach at full fan and room, the set-point's height above what enters (K); half of the fluid's rise
    (K); load, heat over rated heat. Without a coil (approach 0) the flow follows the heat, whatever the weather.
    """
    if full_fan_k <= 0.0:
        return min(1.0, load)
    return 1.0 if room_k <= full_fan_k else (full_fan_k + half_rise_k) / (room_k + half_rise_k)


@jitable
def fewer_pay(saved_w: float, extra_fan_w: float, cop: float, able_w: float, rest_w: float) -> bool:
    """Whether only as many coolers run as carry their part at their rated heat, instead of all of them.

    Parameters: heat that all of them would remove more and what their fans would draw more; COP of the chillers (0
    without) and what they can remove; heat that the fewer coolers leave to them. All in W.
    """
    if rest_w > 0.0 and (cop <= 0.0 or rest_w > able_w):
        return False
    return extra_fan_w > (saved_w / cop if saved_w > 0.0 else 0.0)


@jitable
def all_coolers(
    load: float,
    dry_degc: float,
    wet_degc: float,
    supply_degc: float,
    rise_k: float,
    kind: int,
    design_k: float,
    saturation_efficiency: float,
) -> tuple[float, float, float]:
    """What a plant's coolers do if all of them run: share of its heat, share of full air flow, what they approach.

    Parameters: heat of the plant over their rated heat; dry and wet bulb that enter; set-point and rise; kind;
    approach at rated heat; saturation efficiency of wetted pads, which are wetted only where dry air leaves heat over.
    """
    entering_degc = wet_degc if kind == WET else dry_degc
    share = cooler_share(design_k, load, supply_degc, rise_k, entering_degc)
    if kind == ADIABATIC and share < 1.0:
        entering_degc = dry_degc - saturation_efficiency * max(0.0, dry_degc - wet_degc)
        share = cooler_share(design_k, load, supply_degc, rise_k, entering_degc)
    flow = air_flow(approach_k(design_k, load), supply_degc - entering_degc, rise_k / 2.0, load)
    return share, flow, entering_degc


@jitable
def coolers_that_pay(
    heat_w: float,
    share: float,
    flow: float,
    entering_degc: float,
    supply_degc: float,
    rise_k: float,
    rated_w: float,
    design_k: float,
    design_fan_w: float,
    cop: float,
    able_w: float,
) -> tuple[float, float, float]:
    """Share of the heat, fans (W) and share of air flow of all coolers, or of as many as carry their rated heat.

    Parameters: heat of the plant; share, air flow and what is approached if all run (`all_coolers`); set-point and
    rise; rated heat, approach and fans; COP of the chillers (0 without) and what they can remove.
    """
    load = heat_w / rated_w
    fan_w = design_fan_w * fan_share(flow)
    if design_k > 0.0:
        fewer = share_within(design_k, design_k, max(1.0, load), supply_degc, rise_k, entering_degc)
        part = min(1.0, fewer * load)
        saved_w, extra_w = heat_w * (share - fewer), fan_w - design_fan_w * part
        if fewer_pay(saved_w, extra_w, cop, able_w, heat_w * (1.0 - fewer)):
            return fewer, design_fan_w * part, part
    return share, fan_w, flow


@jitable
def latent_heat_w(
    cooled_w: float,
    flow: float,
    depression_k: float,
    rise_k: float,
    kind: int,
    rated_w: float,
    design_k: float,
) -> float:
    """Latent heat of the water that coolers evaporate: all heat of wet ones, what pads take from the air that is moved.

    Parameters: heat removed; share of full air flow; how much pads cool the air (K, 0 while they are dry); rise;
    kind; rated heat and approach.
    """
    if kind == WET:
        return cooled_w
    if kind != ADIABATIC:
        return 0.0
    air_rise_k = AIR_RISE_SHARE * (design_k + rise_k / 2.0) if design_k > 0.0 else rise_k
    return flow * rated_w / air_rise_k * depression_k


@jitable
def cooler_hour(
    heat_w: float,
    dry_degc: float,
    wet_degc: float,
    supply_degc: float,
    rise_k: float,
    kind: int,
    rated_w: float,
    design_k: float,
    design_fan_w: float,
    saturation_efficiency: float,
    cop: float,
    able_w: float,
) -> tuple[float, float, float]:
    """One hour of a plant's coolers: heat removed, fans, and latent heat of the water evaporated, W.

    Parameters: heat of the plant; dry and wet bulb that enter; set-point and rise; kind; rated heat, approach and
    fans; saturation efficiency of wetted pads; COP of the chillers (0 without) and what they can remove. Rated heat 0
    stands for no coolers.
    """
    if rated_w <= 0.0 or heat_w <= 0.0:
        return 0.0, 0.0, 0.0
    share, flow, entering_degc = all_coolers(
        heat_w / rated_w, dry_degc, wet_degc, supply_degc, rise_k, kind, design_k, saturation_efficiency
    )
    if share <= 0.0:
        return 0.0, 0.0, 0.0
    share, fan_w, flow = coolers_that_pay(
        heat_w, share, flow, entering_degc, supply_degc, rise_k, rated_w, design_k, design_fan_w, cop, able_w
    )
    latent_w = latent_heat_w(heat_w * share, flow, dry_degc - entering_degc, rise_k, kind, rated_w, design_k)
    return heat_w * share, fan_w, latent_w
