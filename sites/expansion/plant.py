"""The plant at its design day, exactly: what its coolers remove, what chillers remove, and what both draw."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from sites.expansion.chiller import chiller_basis, chiller_cop, chiller_heat_w
from sites.expansion.values import known
from sites.faults import Fault, InputError
from sites.schema.cooling_equipment import CoolingKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.schema.cooling import Climate, Plant
    from sites.schema.cooling_equipment import CoolingEquipment


@dataclass(frozen=True)
class DesignDay:
    """A plant at the extreme hour for which it is sized; fields as in section 1 of `docs/model.md`."""

    supply_degc: Fraction
    return_degc: Fraction
    design_dry_bulb_degc: Fraction
    """With recirculation; the air that enters chillers."""
    cooler_kind: str | None
    """`dry-cooler`, `adiabatic-cooler` or `fluid-cooler`; None without coolers."""
    entering_degc: Fraction | None
    """Air that enters the coolers, or its wet bulb (fluid-cooler); None without coolers."""
    dry_fraction: Fraction
    chiller_fraction: Fraction
    chiller_cop: Fraction | None
    """None without chillers, or where the weather leaves them nothing to do."""
    chiller_basis: str | None
    """`curves` or `second-law`: where COP and heat of the chillers come from; None without chillers."""
    n_dry_coolers: int
    dry_cooler_heat_w: int
    dry_spares: int
    n_chillers: int
    chiller_heat_w: int
    chiller_spares: int
    watts_per_heat_watt: Fraction


def design_day(plant: Plant, climate: Climate, cooling: Mapping[str, CoolingEquipment]) -> DesignDay:
    """The plant's heat split, COP and draw at the design dry bulb with recirculation.

    Fraction of the coolers = max(0, T_return − max(T_supply, T_entering + approach)) / rise; chillers take the rest.
    Raises InputError when a figure that decides is null or the chiller's temperatures make no sense.
    """
    dry_bulb_degc = climate.design_dry_bulb + climate.recirculation
    cooler = None if plant.coolers is None else cooling[plant.coolers.equipment]
    chiller = None if plant.chillers is None else cooling[plant.chillers.equipment]
    entering_degc = None if cooler is None else cooler_entering_degc(cooler, climate)
    dry_fraction = dry_share(plant, cooler, entering_degc)
    chiller_fraction = 1 - dry_fraction
    cop = None
    if chiller is not None and chiller_fraction > 0:
        cop = chiller_cop(chiller, plant.name, plant.supply, dry_bulb_degc)
    fans = Fraction(0) if cooler is None else known(cooler.power_per_heat, _where(cooler), "power_per_heat")
    compressors = Fraction(0) if cop is None else chiller_fraction / cop
    return DesignDay(
        supply_degc=plant.supply,
        return_degc=plant.supply + plant.rise,
        design_dry_bulb_degc=dry_bulb_degc,
        cooler_kind=None if cooler is None else str(cooler.kind),
        entering_degc=entering_degc,
        dry_fraction=dry_fraction,
        chiller_fraction=chiller_fraction,
        chiller_cop=cop,
        chiller_basis=None if chiller is None else chiller_basis(chiller, plant.supply, dry_bulb_degc),
        n_dry_coolers=0 if plant.coolers is None else plant.coolers.count,
        dry_cooler_heat_w=0 if cooler is None else floor(known(cooler.heat, _where(cooler), "heat")),
        dry_spares=0 if plant.coolers is None else plant.coolers.spares,
        n_chillers=0 if plant.chillers is None else plant.chillers.count,
        chiller_heat_w=0 if chiller is None else chiller_heat_w(chiller, plant.supply, dry_bulb_degc),
        chiller_spares=0 if plant.chillers is None else plant.chillers.spares,
        watts_per_heat_watt=plant.pump_power_per_heat + fans * dry_fraction + compressors,
    )


def cooler_entering_degc(cooler: CoolingEquipment, climate: Climate) -> Fraction:
    """What the cooler approaches at the design day, degC: dry bulb, air behind wet pads, or wet bulb.

    Raises InputError when a wet kind has no design wet bulb or no saturation efficiency.
    """
    dry_bulb_degc = climate.design_dry_bulb + climate.recirculation
    if cooler.kind is CoolingKind.DRY_COOLER:
        return dry_bulb_degc
    wet_bulb_degc = climate.design_wet_bulb
    if wet_bulb_degc is None:
        message = (
            f"'{cooler.name}' is of kind '{cooler.kind}', which rejects heat towards the wet bulb, but the climate has "
            "no 'design_wet_bulb'; add it, for example '25 degC'"
        )
        raise InputError([Fault("site", None, "climate", message)])
    if cooler.kind is CoolingKind.FLUID_COOLER:
        return wet_bulb_degc + climate.recirculation
    efficiency = known(cooler.saturation_efficiency, _where(cooler), "saturation_efficiency")
    return dry_bulb_degc - efficiency * (dry_bulb_degc - wet_bulb_degc)


def dry_share(plant: Plant, cooler: CoolingEquipment | None, entering_degc: Fraction | None) -> Fraction:
    """Share of the heat (0 to 1) that coolers remove: they cool to what enters plus approach, not below supply."""
    if cooler is None or entering_degc is None:
        return Fraction(0)
    leaving_degc = max(plant.supply, entering_degc + known(cooler.approach, _where(cooler), "approach"))
    return max(Fraction(0), plant.supply + plant.rise - leaving_degc) / plant.rise


def _where(equipment: CoolingEquipment) -> str:
    return f"equipment '{equipment.name}'"
