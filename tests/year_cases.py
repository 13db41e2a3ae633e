"""Years that tests share: a campus worked by hand, and library sites filled with one configuration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.run.draws import configuration_draw, feed_limit_w
from planner.year.document import year_document
from planner.year.model import plan_year
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

AIR_RACK = "gb300-nvl72"


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
