"""Site and portfolio files of both portfolios, as YAML text."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from sites.calendar import quarter_index, quarter_name
from sites.frontier import plant
from sites.frontier.cooling import kind_of
from sites.frontier.edition import CITATION
from sites.frontier.equipment import MEMBERS, Own, building_equipment, campus_equipment, tenants_line
from sites.frontier.layout import BLOCKS, MAKE, ROWS, hall_of
from sites.frontier.phases import TODAY, first_full_quarter, phases, service_steps, taken_mw
from sites.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sites.catalog.loader import Catalog
    from sites.frontier.edition import Campus
    from sites.frontier.layout import Hall
    from sites.frontier.phases import Phase
    from sites.frontier.places import Place
    from sites.frontier.plant import Rejection

MW = 1_000_000
LATE_QUARTERS = 2
"""How much later a projected date may come: 2.4 quarters at p90 between two editions of the data, in whole quarters."""
_LAYOUT = {
    "status": "assumption",
    "source": "Hall layout by template, sized for the published IT power; elements stand for several side by side",
}
_SWING = {
    "rule": "none",
    "provenance": {"status": "assumption", "source": "No ramp or step limit is published for this connection"},
}
_RIDE_THROUGH = {
    "rule": "ignore",
    "provenance": {
        "status": "assumption",
        "source": "The shelves left on one feed are assumed to carry the whole rack, as at the library's other sites",
    },
}
_TAPS = {"count": 8, "current": "60 A", "voltage": "415 V", "power_factor": 0.98, "continuous_factor": 0.8}


@dataclass(frozen=True)
class Kind:
    """Like buildings of one campus: a template, and the mark by which its parts are named."""

    mark: str
    hall: Hall
    facility_w: int


def site_text(campus: Campus, place: Place, catalog: Catalog) -> str:
    """The site file of a campus whose power comes on after today.

    Parameters: campus, of the tables; place; catalog, whose figures its equipment takes.
    """
    coming = phases(campus)
    kind = kind_of([row.cooling for row in campus.rows])
    climate = place.climate(plant.is_wet(kind))
    last = campus.rows[-1]
    rejection = plant.rejection_of(kind, climate, float(last.facility_mw / last.it_mw), catalog.cooling)
    kinds = _kinds(coming, float(last.facility_mw / last.it_mw))
    taken_w = floor(taken_mw(campus) * MW)
    owns = [building_equipment(one.mark, one.hall, rejection, one.facility_w, catalog) for one in kinds.values()]
    free_w = ceil((last.facility_mw - taken_mw(campus)) * MW)
    document = {
        "format": "gigaplan-site/1",
        "name": place.site,
        "title": campus.name,
        "location": place.location(),
        "climate": climate,
        "service": _service(campus),
        **place.energy(),
        **_own_equipment(Own(campus_equipment(free_w, catalog), []), *owns, taken_w=taken_w),
        "availability": [_availability()],
        "power": _campus_power(coming[0].quarter, taken_w, campus),
        "lineup_templates": {f"hall-{one.mark}": _lineup(one, rejection) for one in kinds.values()},
        "building_templates": {f"building-{one.mark}": _building(one, rejection) for one in kinds.values()},
        "buildings": _buildings(campus, coming, kinds),
    }
    return yaml_text(_comment(campus, rejection, kind), document)


def _comment(campus: Campus, rejection: Rejection, kind: str) -> list[str]:
    chips = ", ".join(dict.fromkeys(chip for day, chip in campus.chips if day <= TODAY)) or "no chips named"
    published = campus.rows[-1].facility_mw / campus.rows[-1].it_mw
    return [
        f"{campus.name}. Written by `python -m sites.frontier`; change that, not this file.",
        "Power, dates, buildings: Epoch AI, Frontier Data Centers, CC BY 4.0 (epoch.ai/data/data-centers), edition of",
        "2026-08-22; later dates are its projections. A capacity counts from the first quarter that begins on or after",
        f"its date. {_taken_words(campus)} ({chips}).",
        f"Owner: {campus.owner or 'not named'}; users: {campus.users or 'not named'}.",
        f"Heat rejection: {_rejection_words(rejection, kind)}.",
        f"Power at the meter over IT on the design day: {rejection.factor:.2f} here, {published:.2f} in the data.",
        "Halls are assumed.",
    ]


def _rejection_words(rejection: Rejection, kind: str) -> str:
    if not kind:
        return "not named, chillers assumed"
    words = f"{kind}, from construction notes"
    return words if kind == rejection.kind else f"{words}; on the design day chillers do it all"


def _taken_words(campus: Campus) -> str:
    mw = taken_mw(campus)
    return f"{mw:f} MW at the meter run on {TODAY} and are taken" if mw else f"Nothing runs on {TODAY}"


def _kinds(coming: Sequence[Phase], published_factor: float) -> dict[Decimal, Kind]:
    """Building templates by the IT power of a building, in order of their first use."""
    found: dict[Decimal, Kind] = {}
    for phase in coming:
        it_mw = phase.building_it_mw
        if it_mw not in found:
            it_w = int(it_mw * MW)
            mark = "abcdefghijkl"[len(found)]
            found[it_mw] = Kind(mark, hall_of(it_w), ceil(it_w * max(1.15, published_factor)))
    return found


def _service(campus: Campus) -> dict[str, Any]:
    steps = [{"start": quarter, "capacity": f"{mw:f} MW"} for quarter, mw in service_steps(campus)]
    dated = "; ".join(f"{row.facility_mw:f} MW from {row.day}" for row in campus.rows if row.day > TODAY)
    source = f"{CITATION}: facility power, projected: {dated}"
    return {"steps": steps, "swing": _SWING, "provenance": {"status": "estimate", "source": source}}


def _own_equipment(*owns: Own, taken_w: int) -> dict[str, Any]:
    power = [entry for own in owns for entry in own.power]
    if taken_w:
        power.append(tenants_line(taken_w))
    return {"equipment": power, "cooling_equipment": [entry for own in owns for entry in own.cooling]}


def _availability() -> dict[str, Any]:
    source = "No single failure may drop a row; no public statement found"
    return {"name": "ride-through", "may_drop_on": [], "provenance": {"status": "assumption", "source": source}}


def _campus_power(first: str, taken_w: int, campus: Campus) -> list[dict[str, Any]]:
    groups = [
        _group("line", "line", "line-own", 2, "service", "parallel", in_service=[first]),
        _group(
            "main-transformer", "main-transformer", "transformer-own", MEMBERS, "line", "parallel", in_service=[first]
        ),
    ]  # fmt: skip
    if taken_w:
        since = first_full_quarter(max(row.day for row in campus.rows if row.day <= TODAY and row.facility_mw))
        source = f"{CITATION}: facility power of what runs on {TODAY}"
        taken = _group("taken", "line", "line-taken", 1, "service", "parallel", in_service=[since])
        groups.append(
            taken
            | {
                "house_load": f"{taken_w // 1000} kW",
                "provenance": {"status": "estimate", "source": source},
            }
        )
    return groups


def _group(name: str, kind: str, equipment: str, count: int, fed_by: str, sharing: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "equipment": equipment, "count": count, "fed_by": fed_by, "sharing": sharing,
        **more, "provenance": _LAYOUT,
    }  # fmt: skip


def _lineup(one: Kind, rejection: Rejection) -> dict[str, Any]:
    hall, mark = one.hall, one.mark
    loop_degc = rejection.supply_degc + 5
    return {
        "scheme": {"kind": "distributed", "blocks": BLOCKS, "make": MAKE},
        "fed_by": "feeder",
        "chain": [
            {"kind": "unit-substation", "equipment": f"substation-{mark}"},
            {"kind": "ups", "equipment": f"ups-{mark}"},
        ],
        "availability": "ride-through",
        "ride_through": _RIDE_THROUGH,
        "rows": {
            "count": ROWS,
            "positions": hall.positions,
            "pitch": "0.6 m",
            "depth": "1.2 m",
            "aisles": "1.8 m",
            "floor_uniform": "1223 kg/m**2",
            "floor_point": "2600 kg/m**2",
            "busway": f"busway-{mark}",
            "taps": _TAPS,
        },
        "liquid": {
            "plant": "plant",
            "supply": f"{loop_degc} degC",
            "rise": "10 K",
            "coolant": "pg25",
            "cdus": {"equipment": f"cdu-{mark}", "count": 6, "spares": 1},
            "powered_by": "plant-board",
            "unit_feeds": "all",
        },
        "air": {
            "plant": "plant",
            "handlers": {"equipment": f"fan-wall-{mark}", "count": 8, "spares": 2},
            "powered_by": "plant-board",
            "unit_feeds": "matched",
        },
        "fabric": {
            "leaf_positions": hall.scaled(136, 4),
            "planes": 4,
            "planes_needed": 3,
            "support_positions": hall.scaled(36),
            "leaf_switches": ["qm9700", "q3400"],
            "partial_units": True,
            "support_powered_by": "network-board",
            "support_feeds": "matched",
        },
        "avoidable_capex": f"{hall.capex_usd} USD",
        "provenance": _LAYOUT,
    }


def _building(one: Kind, rejection: Rejection) -> dict[str, Any]:
    hall, mark = one.hall, one.mark
    own = plant.plant_mapping(rejection.kind, rejection.supply_degc, hall.it_w)
    own["chillers"] = own["chillers"] | {"equipment": f"chiller-{mark}"}
    if "coolers" in own:
        own["coolers"] = own["coolers"] | {"equipment": f"cooler-{mark}"}
    return {
        "power": [
            _group("feeder", "feeder", f"feeder-{mark}", MEMBERS, "main-transformer", "parallel"),
            _group("plant-board", "switchboard", f"plant-board-{mark}", MEMBERS, "feeder", "matched"),
            _group("network-board", "switchboard", f"network-board-{mark}", MEMBERS, "feeder", "matched"),
        ],
        "plants": [own | {"provenance": _LAYOUT}],
        "lineups": [{"template": f"hall-{mark}", "count": hall.n_lineups, "hall": "h1"}],
        "spine_positions": hall.scaled(86) * hall.n_lineups,
        "spine_switch": "q3400",
        "provenance": _LAYOUT,
    }


def _buildings(campus: Campus, coming: Sequence[Phase], kinds: dict[Decimal, Kind]) -> list[dict[str, Any]]:
    begun = quarter_name(quarter_index(first_full_quarter(campus.rows[0].day)) - 1)
    found: list[dict[str, Any]] = []
    for phase in coming:
        one = kinds[phase.building_it_mw]
        dates = _dates(phase, begun)
        words = "building" if phase.n_buildings == 1 else f"{phase.n_buildings} buildings"
        source = f"{CITATION}: {words} with {phase.it_mw:f} MW of IT more, projected for {phase.row.day}"
        if phase.row.buildings is None:
            source += "; how many buildings is not said, and assumed"
        provenance = {"status": "estimate", "source": source}
        found += [
            {
                "name": f"b{number}",
                "template": f"building-{one.mark}",
                "dates": dates,
                "landing_racks_per_quarter": one.hall.landing_racks,
                "provenance": provenance,
            }
            for number in range(phase.first_building, phase.first_building + phase.n_buildings)
        ]
    return found


def _dates(phase: Phase, begun: str) -> dict[str, Any]:
    mode = phase.quarter
    late = quarter_name(quarter_index(mode) + LATE_QUARTERS)
    coming = {"low": mode, "mode": mode, "high": late}
    return {
        "utility": coming,
        "equipment": coming,
        "building": coming,
        "permit": {"low": begun, "mode": begun, "high": begun},
        "network": coming,
        "commissioning_quarters": 0,
    }
