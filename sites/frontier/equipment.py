"""The site's own equipment: elements and units as large as the halls ask, with the figures of the catalogue's own."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sites.frontier.plant import CHILLER, mechanical_w

if TYPE_CHECKING:
    from sites.catalog.loader import Catalog
    from sites.frontier.layout import Hall
    from sites.frontier.plant import Rejection
    from sites.schema.cooling_equipment import CoolingEquipment

MEMBERS, CARRYING = 4, 3
"""Transformers, feeders and boards are four, of which three carry the load."""
ROOM = Fraction(108, 100)
"""Room of feeders, boards and transformers over the load that is worked out for them, for losses among them."""
GEAR_SHARE = Fraction(10, 100)
"""Gear beside the racks for each W of rows, rounded up from the 9 % of GB300."""
UPS_OVER_ROW = Fraction(10075, 10000)
"""The busway's loss lies between a UPS and its rows."""
SUBSTATION_OVER_UPS = Fraction(106, 100)
CDU_SHARE, HANDLER_SHARE = Fraction(2, 8) * Fraction(84, 100), Fraction(3, 84)
"""Heat of one CDU of six (one spare) and of one air handler of eight (two spares) for each W of a lineup."""
LITRES_PER_MINUTE_AND_KW = Fraction(1525, 1000)
"""The catalogue's CDU of 2 MW moves 3,050 L/min."""


@dataclass(frozen=True)
class Own:
    """The lists of a site file that hold equipment of its own."""

    power: list[dict[str, Any]]
    cooling: list[dict[str, Any]]


def building_equipment(mark: str, hall: Hall, rejection: Rejection, facility_w: int, catalog: Catalog) -> Own:
    """Equipment of one building template.

    Parameters: mark, what ends the names; facility_w, what the building draws at the meter.
    """
    mechanical = mechanical_w(rejection, hall.it_w)
    ups_w = hall.rating_w(UPS_OVER_ROW / CARRYING)
    power = [
        _power(f"feeder-{mark}", "feeder", facility_w * ROOM / CARRYING, "feeder-34-5kv-2000a", catalog),
        _power(f"plant-board-{mark}", "switchboard", mechanical * ROOM / CARRYING, "mech-board-34-5kv-1200a", catalog),
        _power(
            f"network-board-{mark}", "switchboard", hall.it_w * GEAR_SHARE * ROOM / CARRYING,
            "network-board-34-5kv-400a", catalog,
        ),
        _power(
            f"substation-{mark}", "unit-substation", ups_w * SUBSTATION_OVER_UPS, "unit-substation-3-5mva", catalog
        ),
        _power(f"ups-{mark}", "ups", Fraction(ups_w), "ups-2-8mw", catalog),
        _power(f"busway-{mark}", "busway", Fraction(hall.row_w), "busway-1400kw", catalog),
    ]  # fmt: skip
    return Own(power, _cooling_units(mark, hall, rejection, catalog))


def campus_equipment(facility_w: int, catalog: Catalog) -> list[dict[str, Any]]:
    """The campus's lines and transformers, for what its buildings draw at the meter."""
    return [
        _power("line-own", "line", facility_w * ROOM, "line-345kv-1500mva", catalog),
        _power("transformer-own", "main-transformer", facility_w * ROOM / CARRYING, "main-transformer-250mva", catalog),
    ]


def tenants_line(taken_w: int) -> dict[str, Any]:
    """A line without losses, under which stands what others draw."""
    nothing = _figure(0, "What others draw is counted at the meter, losses included")
    return {
        "name": "line-taken",
        "title": "Supply of what runs already",
        "kind": "line",
        "real": _figure(f"{taken_w // 1000} kW", "As much as runs already"),
        **_whole_rating(),
        "losses": {"no_load": nothing, "linear": nothing, "quadratic": nothing},
    }


def _power(name: str, kind: str, rating_w: Fraction, like: str, catalog: Catalog) -> dict[str, Any]:
    losses = catalog.power[like].losses
    text = f"As {like} of the catalogue"
    return {
        "name": name,
        "title": f"Like {like}, of the size that the layout asks",
        "kind": kind,
        "real": _figure(f"{-(-rating_w // 1000)} kW", "Net rating, sized for the published power"),
        **_whole_rating(),
        "losses": {
            key: _figure(_number(getattr(losses, key).value), text) for key in ("no_load", "linear", "quadratic")
        },
    }  # fmt: skip


def _whole_rating() -> dict[str, Any]:
    net = _figure(1, "The rating is net")
    return {"power_factor": net, "derating": net, "continuous_factor": net}


def _cooling_units(mark: str, hall: Hall, rejection: Rejection, catalog: Catalog) -> list[dict[str, Any]]:
    cdu_w = hall.rating_w(CDU_SHARE)
    flow = {"flow": _figure(f"{-(-cdu_w * LITRES_PER_MINUTE_AND_KW // 1000)} L/min", "In proportion to cdu-2-0mw")}
    units = [
        _unit(f"cdu-{mark}", "cdu-2-0mw", cdu_w, catalog) | flow,
        _unit(f"fan-wall-{mark}", "fan-wall-300kw", hall.rating_w(HANDLER_SHARE), catalog),
        _unit(f"chiller-{mark}", CHILLER, rejection.chiller_heat_w(hall.it_w, catalog.cooling[CHILLER]), catalog),
    ]
    if rejection.cooler is not None:
        units.append(_unit(f"cooler-{mark}", rejection.cooler, rejection.cooler_heat_w(hall.it_w), catalog))
    return units


_FIGURES = (
    "power_per_heat", "approach", "saturation_efficiency", "cycles_of_concentration", "second_law_efficiency",
    "condenser_lift", "evaporator_approach", "rated_dry_bulb", "derate_per_kelvin",
)  # fmt: skip
_UNIT_OF = {"approach": "K", "condenser_lift": "K", "evaporator_approach": "K", "rated_dry_bulb": "degC"}


def _unit(name: str, like: str, heat_w: int, catalog: Catalog) -> dict[str, Any]:
    entry: CoolingEquipment = catalog.cooling[like]
    figures = {
        key: _figure(_with_unit(figure.value, _UNIT_OF.get(key)), f"As {like} of the catalogue")
        for key in _FIGURES
        if (figure := getattr(entry, key)) is not None
    }
    heat = _figure(f"{heat_w // 1000} kW", "Sized for the published power")
    return {"name": name, "title": f"Several {like} side by side", "kind": str(entry.kind), "heat": heat, **figures}


def _figure(value: str | float, source: str) -> dict[str, Any]:
    return {"value": value, "source": source, "status": "assumption"}


def _with_unit(value: Fraction, unit: str | None) -> str | float:
    return _number(value) if unit is None else f"{_number(value)} {unit}"


def _number(value: Fraction) -> float:
    return int(value) if value == int(value) else float(value)
