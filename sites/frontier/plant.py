"""The heat rejection of a building: its kind, its units, and the set-point that gives the published peak factor."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

from sites.expansion.plant import design_day
from sites.frontier.cooling import CHILLERS, DRY, TOWERS
from sites.schema.cooling import Climate, Plant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.expansion.plant import DesignDay
    from sites.schema.cooling_equipment import CoolingEquipment

CHILLER, TOWER, DRY_COOLER = "chiller-air-3mw", "fluid-cooler-2mw", "dry-cooler-2mw"
"""Units of the catalogue whose figures the plants' own units take."""
SET_POINTS_DEGC = range(18, 41)
RISE_K = 10
UNITS, SPARES = 10, 2
PUMPS = "0.015"
HEAT_PER_IT_WATT = Fraction(120, 100)
"""Heat of racks, of the gear beside them (9 % for GB300, the most) and of fans for each W of rows, with some room."""
FIXED_SHARE = Fraction(5, 1000)
"""Fixed plant power for each W of IT, as in the library's other sites."""

# For each W of Vera Rubin racks, as the catalogue has them: 4 % of gear beside them, 3 % of their own heat to air.
# Losses from meter to row (line, transformer, feeder, substation, UPS, busway), to gear and plant, at full load.
_GEAR, _AIR, _LIQUID = 0.04, 0.03, 0.97
_TO_ROW, _TO_GEAR, _TO_PLANT = 1.059, 1.056, 1.012
_CDU_PUMPS, _AIR_FANS = 0.01, 0.045


@dataclass(frozen=True)
class Rejection:
    """What rejects a building's heat, and the set-point chosen for it."""

    kind: str
    """As noted; empty where nothing is, then chillers are assumed, as at the library's other sites. Chillers, too,
    where dry coolers have nothing to do on the design day."""
    supply_degc: int
    factor: float
    """Power at the meter over IT power on the design day, as near the published one as set-points allow."""
    day: DesignDay

    @property
    def cooler(self) -> str | None:
        """The catalogue's cooler that stands before the chillers, or None."""
        return cooler_of(self.kind)

    def cooler_heat_w(self, it_w: int) -> int:
        """Heat of one of the coolers."""
        return _unit_heat_w(it_w, self.day.dry_fraction)

    def chiller_heat_w(self, it_w: int, chiller: CoolingEquipment) -> int:
        """Rated heat of one of the chillers, so that it carries its part on the design day."""
        assert chiller.heat.value is not None
        kept = Fraction(self.day.chiller_heat_w) / chiller.heat.value
        return ceil(_unit_heat_w(it_w, self.day.chiller_fraction) / kept / 1000) * 1000


def cooler_of(kind: str) -> str | None:
    """The catalogue's cooler for a noted kind of rejection."""
    return {TOWERS: TOWER, DRY: DRY_COOLER}.get(kind)


def rejection_of(
    noted: str, climate: Mapping[str, Any], published_factor: float, cooling: Mapping[str, CoolingEquipment]
) -> Rejection:
    """The plant's kind and set-point.

    Parameters: noted, the kind that construction notes name, or empty; climate, as in the site file; published_factor,
    facility power over IT power; cooling, the catalogue's units.
    """
    design = Climate.model_validate(climate)
    tried = [_at(noted, degc, design, cooling) for degc in SET_POINTS_DEGC]
    # Coolers that are noted have something to do on the design day, or else they are left out beside the chillers.
    useful = [one for one in tried if one.cooler is None or one.day.dry_fraction > 0]
    if not useful:
        return rejection_of(CHILLERS, climate, published_factor, cooling)
    return min(useful, key=lambda one: (round(abs(one.factor - published_factor), 4), one.supply_degc))


def _at(noted: str, supply_degc: int, climate: Climate, cooling: Mapping[str, CoolingEquipment]) -> Rejection:
    day = design_day(Plant.model_validate(plant_mapping(noted, supply_degc, 1)), climate, cooling)
    return Rejection(noted, supply_degc, peak_factor(float(day.watts_per_heat_watt)), day)


def peak_factor(watts_per_heat_watt: float) -> float:
    """Power at the meter over that of racks and the gear beside them, every row full of Vera Rubin.

    Parameters: watts_per_heat_watt, what the plant draws for each W of heat on the design day.
    """
    air = (_AIR + _GEAR) * (1 + _AIR_FANS)
    mechanical = _LIQUID * _CDU_PUMPS + (_AIR + _GEAR) * _AIR_FANS + (_LIQUID + air) * watts_per_heat_watt
    mechanical += float(FIXED_SHARE)
    return (_TO_ROW + _GEAR * _TO_GEAR + mechanical * _TO_PLANT) / (1 + _GEAR)


def plant_mapping(noted: str, supply_degc: int, it_w: int) -> dict[str, Any]:
    """The plant of a building template; its units have the catalogue's names, the caller puts the site's own there."""
    cooler = cooler_of(noted)
    coolers = {} if cooler is None else {"coolers": {"equipment": cooler, "count": UNITS, "spares": SPARES}}
    return {
        "name": "plant",
        "supply": f"{supply_degc} degC",
        "rise": f"{RISE_K} K",
        "pump_power_per_heat": float(PUMPS),
        **coolers,
        "chillers": {"equipment": CHILLER, "count": UNITS, "spares": SPARES},
        "fixed_power": f"{ceil(it_w * FIXED_SHARE / 1000)} kW",
        "powered_by": "plant-board",
        "unit_feeds": "all",
        "provenance": {"status": "assumption", "source": "Layout assumed"},
    }


def is_wet(kind: str) -> bool:
    """Whether a noted kind evaporates water."""
    return kind == TOWERS


def mechanical_w(rejection: Rejection, it_w: int) -> int:
    """What the plant, its pumps and fans draw at full load, for the rating of their boards."""
    per_heat = float(rejection.day.watts_per_heat_watt)
    return ceil(it_w * (float(HEAT_PER_IT_WATT) * per_heat + 0.03 + float(FIXED_SHARE)))


def _unit_heat_w(it_w: int, share: Fraction) -> int:
    """Heat of each of the units that are not spares, whole kW rounded up; no unit is smaller than 1 kW."""
    return max(1000, ceil(it_w * HEAT_PER_IT_WATT * share / (UNITS - SPARES) / 1000) * 1000)
