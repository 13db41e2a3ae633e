"""An air-cooled chiller at one leaving temperature and one dry bulb, exactly: published curves or the second law."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from sites.expansion.values import known
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from sites.schema.cooling_equipment import Biquadratic, ChillerCurves, CoolingEquipment, Quadratic

KELVIN = Fraction(27315, 100)
LEAST_LOAD = Fraction(1, 2)
"""A bank is staged so that each unit that runs carries at least this share of its heat; a lone one cycles there."""
LEAST_LIFT_K = Fraction(15)
"""Least difference between condensation and evaporation in the second-law form: head pressure is held up, so a machine
whose air is hardly warmer than its fluid draws no less than this."""
CURVES, SECOND_LAW = "curves", "second-law"


def chiller_basis(chiller: CoolingEquipment, leaving_degc: Fraction, dry_bulb_degc: Fraction) -> str:
    """`curves` where published curves hold, else `second-law`.

    Parameters: leaving fluid and entering air, degC.
    """
    holds = chiller.curves is not None and curves_hold(chiller.curves, leaving_degc, dry_bulb_degc)
    return CURVES if holds else SECOND_LAW


def chiller_heat_w(chiller: CoolingEquipment, leaving_degc: Fraction, dry_bulb_degc: Fraction) -> int:
    """Heat of one chiller at these temperatures, whole W floored: by its curves, else rated heat less the derate.

    Raises InputError when a figure that decides is null or the curve gives no heat.
    """
    where = _where(chiller)
    if chiller.curves is None or chiller_basis(chiller, leaving_degc, dry_bulb_degc) != CURVES:
        return derated_heat_w(chiller, dry_bulb_degc)
    capacity = _factor(chiller, "capacity", leaving_degc, dry_bulb_degc)
    return floor(known(chiller.heat, where, "heat") * capacity)


def chiller_cop(chiller: CoolingEquipment, plant: str, leaving_degc: Fraction, dry_bulb_degc: Fraction) -> Fraction:
    """Heat for each electric watt at the least favourable load from `LEAST_LOAD` up, by curves or the second law.

    Parameters: plant, its name for messages; leaving fluid and entering air, degC. Raises InputError when a figure
    that decides is null or the temperatures make no sense.
    """
    curves = chiller.curves
    if curves is None or chiller_basis(chiller, leaving_degc, dry_bulb_degc) != CURVES:
        return second_law_cop(chiller, plant, leaving_degc, dry_bulb_degc)
    power = _factor(chiller, "power", leaving_degc, dry_bulb_degc)
    reference = known(curves.reference_cop, _where(chiller), "reference_cop")
    return reference / (power * worst_part_load(curves.part_load))


def _factor(chiller: CoolingEquipment, key: str, leaving_degc: Fraction, dry_bulb_degc: Fraction) -> Fraction:
    """A curve's value, which must be above 0."""
    value = biquadratic(getattr(chiller.curves, key), leaving_degc, dry_bulb_degc)
    if value <= 0:
        message = (
            f"the curve '{key}' gives {float(value):g} at {float(leaving_degc):g} degC leaving and "
            f"{float(dry_bulb_degc):g} degC entering; it must be above 0, so check the order of its coefficients"
        )
        raise InputError([Fault("catalogue", None, _where(chiller), message)])
    return value


def curves_hold(curves: ChillerCurves, leaving_degc: Fraction, dry_bulb_degc: Fraction) -> bool:
    """Whether both temperatures lie in the published range."""
    low, high = curves.leaving_degc
    cold, hot = curves.condenser_degc
    return low <= leaving_degc <= high and cold <= dry_bulb_degc <= hot


def biquadratic(coefficients: Biquadratic, x: Fraction, y: Fraction) -> Fraction:
    """Value of a + b·x + c·x² + d·y + e·y² + f·x·y (EnergyPlus Curve:Biquadratic)."""
    a, b, c, d, e, f = coefficients
    return a + b * x + c * x * x + d * y + e * y * y + f * x * y


def quadratic(coefficients: Quadratic, x: Fraction) -> Fraction:
    """Value of a + b·x + c·x² (EnergyPlus Curve:Quadratic)."""
    a, b, c = coefficients
    return a + b * x + c * x * x


def worst_part_load(part_load: Quadratic) -> Fraction:
    """Largest value of part_load(x) / x for loads x from `LEAST_LOAD` to 1.

    a/x + b + c·x is convex for a ≥ 0, so the largest value lies at one end.
    """
    return max(quadratic(part_load, Fraction(1)), quadratic(part_load, LEAST_LOAD) / LEAST_LOAD)


def second_law_cop(chiller: CoolingEquipment, plant: str, leaving_degc: Fraction, dry_bulb_degc: Fraction) -> Fraction:
    """Heat removed for each electric watt: a share of Carnot's limit between evaporation and condensation.

    COP = efficiency · T_cold / max(15 K, T_hot − T_cold), absolute temperatures.
    """
    where = _where(chiller)
    cold_k = leaving_degc - known(chiller.evaporator_approach, where, "evaporator_approach") + KELVIN
    hot_k = dry_bulb_degc + known(chiller.condenser_lift, where, "condenser_lift") + KELVIN
    efficiency = known(chiller.second_law_efficiency, where, "second_law_efficiency")
    if hot_k <= cold_k or efficiency == 0:
        message = (
            f"plant '{plant}' condenses at {float(hot_k - KELVIN):g} degC and evaporates at "
            f"{float(cold_k - KELVIN):g} degC with efficiency {float(efficiency):g}; condensation must be the warmer "
            "and the efficiency above 0, or use coolers alone"
        )
        raise InputError([Fault("site", None, where, message)])
    return efficiency * cold_k / max(LEAST_LIFT_K, hot_k - cold_k)


def derated_heat_w(chiller: CoolingEquipment, dry_bulb_degc: Fraction) -> int:
    """Heat of one chiller at this dry bulb, whole W floored: rated heat less its derate for each K above rating."""
    where = _where(chiller)
    rated_degc = known(chiller.rated_dry_bulb, where, "rated_dry_bulb")
    above_k = max(Fraction(0), dry_bulb_degc - rated_degc)
    lost_share = known(chiller.derate_per_kelvin, where, "derate_per_kelvin") * above_k
    return floor(known(chiller.heat, where, "heat") * max(Fraction(0), 1 - lost_share))


def _where(equipment: CoolingEquipment) -> str:
    return f"equipment '{equipment.name}'"
