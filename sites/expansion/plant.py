"""The plant at its design day, exactly: what dry coolers remove, what chillers remove, and what both draw."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from sites.expansion.values import known
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.schema.catalog import CoolingEquipment
    from sites.schema.site import Climate, Plant

KELVIN = Fraction(27315, 100)


@dataclass(frozen=True)
class DesignDay:
    """A plant at the extreme hour for which it is sized; fields as in section 1 of `docs/model.md`."""

    supply_degc: Fraction
    return_degc: Fraction
    design_dry_bulb_degc: Fraction
    dry_fraction: Fraction
    chiller_fraction: Fraction
    chiller_cop: Fraction | None
    """None without chillers, or where the weather leaves them nothing to do."""
    n_dry_coolers: int
    dry_cooler_heat_w: int
    dry_spares: int
    n_chillers: int
    chiller_heat_w: int
    chiller_spares: int
    watts_per_heat_watt: Fraction


def design_day(plant: Plant, climate: Climate, cooling: Mapping[str, CoolingEquipment]) -> DesignDay:
    """The plant's heat split, COP and draw at the design dry bulb with recirculation.

    Dry fraction = max(0, T_return − max(T_supply, T_dry bulb + approach)) / rise; chillers take the rest at
    COP = efficiency · T_cold / (T_hot − T_cold), absolute temperatures of evaporation and condensation.
    Raises InputError when a figure that decides is null or the chiller's temperatures make no sense.
    """
    dry_bulb_degc = climate.design_dry_bulb + climate.recirculation
    dry = None if plant.dry_coolers is None else cooling[plant.dry_coolers.equipment]
    chiller = None if plant.chillers is None else cooling[plant.chillers.equipment]
    dry_fraction = dry_share(plant, dry, dry_bulb_degc)
    chiller_fraction = 1 - dry_fraction
    cop = None if chiller is None or chiller_fraction == 0 else chiller_cop(chiller, plant, dry_bulb_degc)
    fans = Fraction(0) if dry is None else known(dry.power_per_heat, _where(dry), "power_per_heat") * dry_fraction
    compressors = Fraction(0) if cop is None else chiller_fraction / cop
    return DesignDay(
        supply_degc=plant.supply,
        return_degc=plant.supply + plant.rise,
        design_dry_bulb_degc=dry_bulb_degc,
        dry_fraction=dry_fraction,
        chiller_fraction=chiller_fraction,
        chiller_cop=cop,
        n_dry_coolers=0 if plant.dry_coolers is None else plant.dry_coolers.count,
        dry_cooler_heat_w=0 if dry is None else floor(known(dry.heat, _where(dry), "heat")),
        dry_spares=0 if plant.dry_coolers is None else plant.dry_coolers.spares,
        n_chillers=0 if plant.chillers is None else plant.chillers.count,
        chiller_heat_w=0 if chiller is None else chiller_heat_w(chiller, dry_bulb_degc),
        chiller_spares=0 if plant.chillers is None else plant.chillers.spares,
        watts_per_heat_watt=plant.pump_power_per_heat + fans + compressors,
    )


def dry_share(plant: Plant, dry: CoolingEquipment | None, dry_bulb_degc: Fraction) -> Fraction:
    """Share of the heat (0 to 1) that dry coolers remove: they cool to dry bulb plus approach, not below supply."""
    if dry is None:
        return Fraction(0)
    leaving_degc = max(plant.supply, dry_bulb_degc + known(dry.approach, _where(dry), "approach"))
    return max(Fraction(0), plant.supply + plant.rise - leaving_degc) / plant.rise


def chiller_cop(chiller: CoolingEquipment, plant: Plant, dry_bulb_degc: Fraction) -> Fraction:
    """Heat removed for each electric watt: a share of Carnot's limit between evaporation and condensation."""
    where = _where(chiller)
    cold_k = plant.supply - known(chiller.evaporator_approach, where, "evaporator_approach") + KELVIN
    hot_k = dry_bulb_degc + known(chiller.condenser_lift, where, "condenser_lift") + KELVIN
    efficiency = known(chiller.second_law_efficiency, where, "second_law_efficiency")
    if hot_k <= cold_k or efficiency == 0:
        message = (
            f"plant '{plant.name}' condenses at {float(hot_k - KELVIN):g} degC and evaporates at "
            f"{float(cold_k - KELVIN):g} degC with efficiency {float(efficiency):g}; condensation must be the warmer "
            "and the efficiency above 0, or use dry coolers alone"
        )
        raise InputError([Fault("site", None, where, message)])
    return efficiency * cold_k / (hot_k - cold_k)


def chiller_heat_w(chiller: CoolingEquipment, dry_bulb_degc: Fraction) -> int:
    """Heat of one chiller at this dry bulb, whole W floored: rated heat less its derate for each K above rating."""
    where = _where(chiller)
    rated_degc = known(chiller.rated_dry_bulb, where, "rated_dry_bulb")
    above_k = max(Fraction(0), dry_bulb_degc - rated_degc)
    lost_share = known(chiller.derate_per_kelvin, where, "derate_per_kelvin") * above_k
    return floor(known(chiller.heat, where, "heat") * max(Fraction(0), 1 - lost_share))


def _where(equipment: CoolingEquipment) -> str:
    return f"equipment '{equipment.name}'"
