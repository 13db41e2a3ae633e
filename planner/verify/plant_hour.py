"""Plants at their design hour in floating point, from temperatures; nothing here decides whether a limit holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.verify.report import Check, check_of
from sites.calendar import quarter_index
from sites.equipment import site_cooling_equipment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.standing import Standing
    from sites.catalog.loader import Catalog
    from sites.schema.cooling import Plant
    from sites.schema.cooling_equipment import CoolingEquipment
    from sites.schema.site import SiteFile

TOLERANCE = 1e-9
KELVIN = 273.15
LEAST_LIFT_K = 15.0
"""A compressor holds its condensation at least this far above its evaporation."""
LEAST_LOAD = 0.5
"""Chillers run at this share of their heat or more: a bank stops units that it does not need, a lone one cycles."""


@dataclass(frozen=True)
class DesignHour:
    """A plant at its design hour in floating point."""

    dry_share: float
    """Share of the heat that coolers take without a compressor."""
    pumps: float
    """Electric watts for each watt of heat."""
    fans: float
    """The same of the coolers, for each watt of their own heat."""
    chillers: float
    """The same of the chillers at full load, for each watt of their own heat; 0 where they have nothing to do."""
    part_load: tuple[float, float, float]
    """Draw of a chiller as a share of its draw at full load: a + b·x + c·x² at share x of its heat."""

    @property
    def worst_part_load(self) -> float:
        """Most that a watt of heat costs a chiller at any load from the least on, over full load."""
        return max(self.chiller_factor(load) for load in (LEAST_LOAD, 1.0))

    def chiller_factor(self, load: float) -> float:
        """What a watt of heat costs a chiller at a load (0 to 1), over full load."""
        held = max(load, LEAST_LOAD)
        constant, linear, quadratic = self.part_load
        return (constant + linear * held + quadratic * held * held) / held

    @property
    def machinery_per_heat_watt(self) -> float:
        """Electric watts for each watt of heat, chillers at their least favourable load."""
        compressors = (1 - self.dry_share) * self.chillers * self.worst_part_load
        return self.pumps + self.dry_share * self.fans + compressors


def design_hour(plant: Plant, site: SiteFile, equipment: Mapping[str, CoolingEquipment]) -> DesignHour:
    """Coolers first, chillers for the rest, from temperatures; absolute temperatures in the second-law COP."""
    cooler = None if plant.coolers is None else equipment[plant.coolers.equipment]
    chiller = None if plant.chillers is None else equipment[plant.chillers.equipment]
    supply, rise = float(plant.supply), float(plant.rise)
    dry_share = 0.0
    if cooler is not None:
        leaving = max(supply, _entering_degc(cooler, site) + _figure(cooler, "approach"))
        dry_share = max(0.0, supply + rise - leaving) / rise
    has_work = chiller is not None and dry_share < 1
    return DesignHour(
        dry_share=dry_share,
        pumps=float(plant.pump_power_per_heat),
        fans=0.0 if cooler is None else _figure(cooler, "power_per_heat"),
        chillers=_chiller_watts(chiller, supply, _dry_bulb_degc(site)) if chiller is not None and has_work else 0.0,
        part_load=_part_load(chiller, supply, _dry_bulb_degc(site)),
    )


def _dry_bulb_degc(site: SiteFile) -> float:
    """Air at the machines: the design dry bulb with recirculation."""
    return float(site.climate.design_dry_bulb + site.climate.recirculation)


def _entering_degc(cooler: CoolingEquipment, site: SiteFile) -> float:
    """What a cooler approaches: air, air behind wetted pads, or the wet bulb of its spray."""
    dry_bulb_degc = _dry_bulb_degc(site)
    if str(cooler.kind) == "dry-cooler":
        return dry_bulb_degc
    if site.climate.design_wet_bulb is None:
        msg = f"'{cooler.name}' evaporates water, but the climate has no design wet bulb"
        raise ValueError(msg)
    wet_bulb_degc = float(site.climate.design_wet_bulb)
    if str(cooler.kind) == "fluid-cooler":
        return wet_bulb_degc + float(site.climate.recirculation)
    return dry_bulb_degc - _figure(cooler, "saturation_efficiency") * max(0.0, dry_bulb_degc - wet_bulb_degc)


def _curves_hold(chiller: CoolingEquipment, leaving_degc: float, air_degc: float) -> bool:
    curves = chiller.curves
    if curves is None:
        return False
    (low, high), (cold, hot) = curves.leaving_degc, curves.condenser_degc
    return low <= leaving_degc <= high and cold <= air_degc <= hot


def _chiller_watts(chiller: CoolingEquipment, leaving_degc: float, air_degc: float) -> float:
    """Electric watts for each watt of heat at full load: published curves where they hold, else a share of Carnot."""
    curves = chiller.curves
    if curves is not None and _curves_hold(chiller, leaving_degc, air_degc):
        a, b, c, d, e, f = (float(one) for one in curves.power)
        x, y = leaving_degc, air_degc
        factor = a + b * x + c * x * x + d * y + e * y * y + f * x * y
        reference = curves.reference_cop.value
        if reference is None:
            msg = f"'reference_cop' of '{chiller.name}' is unknown"
            raise ValueError(msg)
        return factor / float(reference)
    cold_k = leaving_degc - _figure(chiller, "evaporator_approach") + KELVIN
    hot_k = air_degc + _figure(chiller, "condenser_lift") + KELVIN
    return max(LEAST_LIFT_K, hot_k - cold_k) / (_figure(chiller, "second_law_efficiency") * cold_k)


def _part_load(chiller: CoolingEquipment | None, leaving_degc: float, air_degc: float) -> tuple[float, float, float]:
    """Of the second-law form nothing is published: draw in proportion to heat."""
    if chiller is None or chiller.curves is None or not _curves_hold(chiller, leaving_degc, air_degc):
        return 0.0, 1.0, 0.0
    constant, linear, quadratic = (float(one) for one in chiller.curves.part_load)
    return constant, linear, quadratic


def _figure(equipment: CoolingEquipment, key: str) -> float:
    value = getattr(equipment, key)
    if value is None or value.value is None:
        msg = f"'{key}' of '{equipment.name}' is unknown"
        raise ValueError(msg)
    return float(value.value)


def design_hours(site: SiteFile, catalog: Catalog) -> dict[str, DesignHour]:
    """The design hour of every plant of a site, by node id."""
    equipment = site_cooling_equipment(site, catalog)
    return {
        f"{building.name}/{plant.name}": design_hour(plant, site, equipment)
        for building in site.buildings
        for plant in site.building_templates[building.template].plants
    }


def check_plants(standing: Mapping[str, Standing], hours: Mapping[str, Mapping[str, DesignHour]]) -> Check:
    """Every plant at its design hour: machinery as the limits charge it, no unit beyond its heat with spares out.

    Parameters: hours, the design hour of each plant by site and node.
    """
    faults: list[str] = []
    n_plants, fullest = 0, 0.0
    for name, one in standing.items():
        graphs = one.limits.graphs
        charged = {
            fields["loop"]: fields for _, fields in graphs.power.nodes(data=True) if fields["kind"] == "mechanical"
        }
        for node, hour in hours[name].items():
            fields = graphs.cooling.nodes[node]
            n_plants += 1
            if hour.machinery_per_heat_watt > float(charged[node]["watts_per_liquid_watt"]) * (1 + TOLERANCE):
                faults.append(f"the machinery of {name}:{node} draws more at its hour than the limits charge")
            if abs(hour.dry_share - float(fields["dry_fraction"])) > TOLERANCE:
                faults.append(f"the coolers of {name}:{node} take {hour.dry_share:.6f} of the heat at its hour")
            heat_w = peak_heat_w(one, node)
            banks = ((hour.dry_share, "dry", "dry_cooler"), (1 - hour.dry_share, "chiller", "chiller"))
            for share, bank, unit in banks:
                n_left = fields[f"n_{unit}s"] - fields[f"{bank}_spares"]
                most_w = float(fields[f"{unit}_heat_w"]) * max(n_left, 0)
                used_w = share * heat_w
                if used_w > most_w * (1 + TOLERANCE) + 1:
                    named = "coolers" if bank == "dry" else "chillers"
                    faults.append(f"{named} of {name}:{node} move {used_w:.0f} W of {most_w:.0f} with spares out")
                fullest = max(fullest, used_w / most_w if most_w else 0.0)
    return check_of("plant at its hour", faults, f"{n_plants} plants at their design hour: fullest bank {fullest:.2%}")


def peak_heat_w(standing: Standing, plant: str) -> float:
    """The most heat that reaches a plant in any period, support gear and the fans of its air handlers included."""
    cooling = standing.limits.graphs.cooling
    in_service = quarter_index(cooling.nodes[plant]["in_service"])
    most = 0.0
    for t, quarter in enumerate(standing.periods):
        if quarter_index(quarter) < in_service:
            continue
        total = 0.0
        heat = standing.electrical(t)
        for header, row, medium in standing.limits.banks.on_plant[plant]:
            if row not in heat:
                continue
            if medium == "liquid":
                total += heat[row]["liquid_w"]
            else:
                fans = float(cooling.nodes[header]["watts_per_heat_watt"])
                total += (heat[row]["air_w"] + heat[row]["support_w"]) * (1 + fans)
        most = max(most, total)
    return most
