"""A plan's quarter as the arrays of the hourly year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.hourly import YearModel
from planner.year.classes import SERVICE, SiteState, existing, node_classes, surviving
from planner.year.heat import heat_map, row_loads
from planner.year.plants import PlantModel, site_plants
from planner.year.sources import watts_at
from sites.expansion import expand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.year.classes import NodeClass
    from sites.expansion.graphs import SiteGraphs
    from sites.world import World, WorldSite


@dataclass(frozen=True)
class PlanYear:
    """The arrays, and what their places stand for."""

    model: YearModel
    sites: tuple[str, ...]
    class_titles: tuple[str, ...]
    class_firsts: tuple[str, ...]
    plant_names: tuple[str, ...]
    """The first plant of each class of machinery, `site:node`."""
    graphs: tuple[SiteGraphs, ...]


@dataclass(frozen=True)
class _SiteYear:
    """One site before its classes are numbered among all."""

    classes: list[NodeClass]
    plant_names: dict[PlantModel, str]
    most_load_factor: float
    recirculation_k: float


def plan_year(world: World, document: Mapping[str, Any], quarter: str) -> PlanYear:
    """The arrays of a plan in a quarter.

    Parameters: world; document, the content of `plan.json`; quarter of its periods. Raises InputError where the
    catalogue leaves a figure open that decides.
    """
    graphs = tuple(expand(one.site, world.catalog) for one in world.sites)
    parts = [_site_year(world, one, own, document, quarter) for one, own in zip(world.sites, graphs, strict=True)]
    return _assemble(tuple(one.name for one in world.sites), graphs, parts)


def site_year_after(
    world: World, one: WorldSite, graphs: SiteGraphs, document: Mapping[str, Any], quarter: str, lost: Sequence[str]
) -> PlanYear:
    """The arrays of one site with some elements lost all year; rows that lose their supply draw nothing.

    Parameters: world; one, its site; graphs of the site; document and quarter as for a plan; lost elements.
    """
    return _assemble((one.name,), (graphs,), [_site_year(world, one, graphs, document, quarter, lost)])


def _site_year(
    world: World,
    one: WorldSite,
    graphs: SiteGraphs,
    document: Mapping[str, Any],
    quarter: str,
    lost: Sequence[str] = (),
) -> _SiteYear:
    alive = existing(graphs, quarter)
    if lost:
        alive = surviving(graphs.power, alive, lost)
    placed = placements_of(document, one.name, quarter)
    loads = row_loads(graphs, placed, world.catalog, world.portfolio.money.workload)
    loads = {row: load for row, load in loads.items() if row in alive}
    heats = heat_map(graphs.cooling, loads)
    plants = site_plants(one.site, world.catalog, heats)
    names: dict[PlantModel, str] = {}
    for node, plant in plants.items():
        names.setdefault(plant, f"{one.name}:{node}")
    highest = max((load.highest_share for load in loads.values()), default=0)
    state = SiteState(graphs, alive, loads, heats, plants)
    return _SiteYear(
        node_classes(state, float(watts_at(graphs, "capacity_steps", quarter))) if SERVICE in alive else [],
        names,
        float(1 / highest) if highest else 1.0,
        float(one.site.climate.recirculation),
    )


def placements_of(document: Mapping[str, Any], site: str, quarter: str) -> list[dict[str, Any]]:
    """Placements of a site in a quarter, as `plan.json` lists them."""
    return [one for one in document["placements"] if one["site"] == site and one["period"] == quarter]


def _assemble(sites: tuple[str, ...], graphs: tuple[SiteGraphs, ...], parts: Sequence[_SiteYear]) -> PlanYear:
    """Number classes, entries and plants over all sites."""
    classes = [one for part in parts for one in part.classes]
    plants, plant_names, plant_idx = _numbered_plants(parts)
    offsets = np.cumsum([0, *(len(part.classes) for part in parts)])
    feeds = [
        (int(offset) + index, share)
        for part, offset in zip(parts, offsets, strict=False)
        for one in part.classes
        for index, share in one.feeds
    ]
    figures = [one.figures for one in classes]

    def column(name: str) -> Any:
        return np.array([getattr(one, name) for one in figures], dtype=np.float64)

    tables = [plant.figures() for plant in plants]

    def plant_column(name: str) -> Any:
        whole = name == "cooler_kind"
        return np.array([table[name] for table in tables], dtype=np.int64 if whole else np.float64)

    model = YearModel(
        class_ptr=offsets.astype(np.int64),
        kind=np.array([one.kind for one in figures], dtype=np.int64),
        members=np.array([one.members for one in classes], dtype=np.float64),
        entry_ptr=np.cumsum([0, *(len(one.feeds) for one in classes)]).astype(np.int64),
        entry_class_idx=np.array([index for index, _ in feeds], dtype=np.int64),
        entry_share=np.array([share for _, share in feeds], dtype=np.float64),
        plate_w=column("plate_w"),
        loss_no_load=column("loss_no_load"),
        loss_linear=column("loss_linear"),
        loss_quadratic=column("loss_quadratic"),
        rating_w=column("rating_w"),
        draw_w=column("draw_w"),
        fixed_w=column("fixed_w"),
        flow_ratio=column("flow_ratio"),
        flow_base=column("flow_base"),
        plant_idx=np.array(plant_idx, dtype=np.int64),
        most_load_factor=np.array([part.most_load_factor for part in parts]),
        recirculation_k=np.array([part.recirculation_k for part in parts]),
        **{name: plant_column(name) for name in YearModel._fields[YearModel._fields.index("heat_w") :]},
    )
    titles, firsts = tuple(one.title for one in classes), tuple(one.first for one in classes)
    return PlanYear(model, sites, titles, firsts, tuple(plant_names), graphs)


def _numbered_plants(parts: Sequence[_SiteYear]) -> tuple[list[PlantModel], list[str], list[int]]:
    """One plant for each class of machinery, its name, and each class's number of it (-1 where it drives none)."""
    plants: list[PlantModel] = []
    names: list[str] = []
    plant_idx: list[int] = []
    for part in parts:
        for one in part.classes:
            plant = one.figures.plant
            plant_idx.append(-1 if plant is None else len(plants))
            if plant is not None:
                plants.append(plant)
                names.append(part.plant_names[plant])
    return plants, names, plant_idx
