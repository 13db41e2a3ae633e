"""Years that tests share: a campus worked by hand, and library sites filled with one configuration."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.hourly import DRY, ELEMENT, FANS, MACHINERY, PUMPS, ROWS, SUPPORT, YearModel
from planner.run.draws import configuration_draw, feed_limit_w
from planner.year.document import year_document
from planner.year.model import plan_year
from planner.year.plants import ChillerModel, CoolerModel, CurveModel
from planner.year.scenarios import scenarios
from planner.year.simulate import AirYears, air_years, simulate
from planner.year.weather import site_weather
from sites import library
from sites.catalog.loader import Catalog
from sites.expansion import expand
from sites.world import World, load_world

if TYPE_CHECKING:
    from planner.year.model import PlanYear


def air(dry_bulb_degc: Any, depression_k: float = 5.0) -> AirYears:
    """Hours of one site by their dry bulb, with the wet bulb this much lower."""
    dry = np.array([dry_bulb_degc], dtype=np.float64)
    return AirYears(dry, dry - depression_k)


AIR = air(np.linspace(-30, 55, 171))
"""Every half degree that weather may bring."""

DESIGN_CURVES = {
    "has_curves": 1.0, "curves_from_degc": 29.44, "curves_to_degc": 46.0, "reference_cop": 2.9,
    "capacity_constant": 1.5, "capacity_linear": -0.014, "power_constant": 0.3, "power_linear": 0.02,
}  # fmt: skip
"""Curves of chillers that hold on warm days."""

NAMES = ("rows", "support", "pumps", "fans", "machinery", "transformer", "service")
AIR_RACK = "gb300-nvl72"


def hand_model(**changes: float) -> YearModel:
    """Two rows of 400 kW behind one transformer, with 50 kW of support gear and one plant."""
    kinds = [ROWS, SUPPORT, PUMPS, FANS, MACHINERY, ELEMENT, ELEMENT]
    n = len(kinds)

    def column(**values: float) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([values.get(name, 0.0) for name in NAMES])

    plant = {
        "heat_w": 700e3, "fixed_heat_w": 100e3, "design_heat_w": 1e6, "design_pump_w": 10e3, "supply_degc": 40.0,
        "rise_k": 10.0,
        **asdict(CoolerModel(DRY, 1e6, 10.0, 20e3)),
        **asdict(ChillerModel(1e6, 2.0, 35.0, 0.02, 0.5, 37.0, 13.0)),
        **asdict(CurveModel()),
    } | changes  # fmt: skip
    return YearModel(
        class_ptr=np.array([0, n]),
        kind=np.array(kinds),
        members=np.array([2.0, 1, 1, 1, 1, 1, 1]),
        entry_ptr=np.array([0, 0, 0, 0, 0, 0, 5, 6]),
        entry_class_idx=np.array([0, 1, 2, 3, 4, 5]),
        entry_share=np.array([2.0, 1, 1, 1, 1, 1]),
        plate_w=column(transformer=1e6),
        loss_no_load=column(transformer=0.001),
        loss_linear=column(),
        loss_quadratic=column(transformer=0.01),
        rating_w=np.array([inf] * 5 + [920e3, 1e6]),
        draw_w=column(rows=400e3, support=50e3, pumps=8e3, fans=4e3),
        fixed_w=column(machinery=1e3),
        flow_ratio=column(pumps=1.0, fans=0.4),
        flow_base=column(fans=0.1),
        plant_idx=np.array([-1, -1, -1, -1, 0, -1, -1]),
        most_load_factor=np.array([1.25]),
        recirculation_k=np.array([0.0]),
        **{name: np.array([value]) for name, value in plant.items()},
    )


@cache
def library_world(site: str) -> World:
    """A library site alone, or a library portfolio; air-cooled sites get a rack that gives all heat to the air."""
    world = load_world(library.find_site(site) or site)
    if site != "new-carlisle":
        return world
    system = world.catalog.rack_systems[AIR_RACK]
    profiles = [
        profile.model_copy(update={"liquid_share": profile.liquid_share.model_copy(update={"value": 0})})
        for profile in system.profiles
    ]
    racks = world.catalog.rack_systems | {AIR_RACK: system.model_copy(update={"profiles": tuple(profiles)})}
    catalog = world.catalog
    air = Catalog(racks, catalog.power, catalog.cooling, catalog.switches, catalog.sources, catalog.files)
    return World(world.portfolio, world.sites, air, world.files)


@cache
def filled(site: str) -> tuple[PlanYear, dict[str, Any]]:
    """A library site with every free row filled as far as its feeds go, and the placements."""
    world = library_world(site)
    [one] = world.sites
    graphs = expand(one.site, world.catalog)
    it_w = configuration_draw(world.catalog, AIR_RACK).it_w
    rows = {node: fields for node, fields in graphs.containment.nodes(data=True) if fields["kind"] == "row"}
    quarter = max(fields["in_service"] for fields in rows.values())
    racks = {
        row: min(int(fields["positions"]), feed_limit_w(graphs.power, row) // it_w)
        for row, fields in rows.items()
        if not fields["occupied_racks"]
    }
    placements = [
        {"site": one.name, "row": row, "configuration": AIR_RACK, "period": quarter, "n_racks": n}
        for row, n in racks.items()
        if n
    ]
    document = {"placements": placements, "quarter": quarter}
    return plan_year(world, document, quarter), document


@dataclass(frozen=True)
class Year:
    """A filled site's year."""

    pue: float
    document: dict[str, Any]


@cache
def filled_year(site: str) -> Year:
    """The base year of a filled library site with its bundled weather."""
    plan, placed = filled(site)
    weather = site_weather(library_world(site), ())
    drawn = scenarios(1, seed=1)
    result = simulate(plan.model, air_years([one.year for one in weather]), drawn)
    document = year_document(plan, placed["quarter"], weather, drawn, result, [None])
    return Year(document["sites"][0]["pue"]["base"], document)
