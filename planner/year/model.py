"""A plan's quarter as the arrays of the hourly year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels.hourly import YearModel
from planner.year.classes import SERVICE, SiteState, existing, node_classes
from planner.year.heat import heat_map, row_loads
from planner.year.plants import PlantModel, site_plants
from sites.calendar import quarter_index
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
    parts = [_site_year(world, one, document, quarter) for one in world.sites]
    return _assemble(tuple(one.name for one in world.sites), parts)


def _site_year(world: World, one: WorldSite, document: Mapping[str, Any], quarter: str) -> _SiteYear:
    graphs = expand(one.site, world.catalog)
    placed = [p for p in document["placements"] if p["site"] == one.name and p["period"] == quarter]
    loads = row_loads(graphs, placed, world.catalog, world.portfolio.money.workload)
    alive = existing(graphs.power, quarter)
    loads = {row: load for row, load in loads.items() if row in alive}
    heats = heat_map(graphs.cooling, loads)
    plants = site_plants(one.site, world.catalog, heats)
    state = SiteState(graphs, quarter, loads, heats, plants)
    names: dict[PlantModel, str] = {}
    for node, plant in plants.items():
        names.setdefault(plant, f"{one.name}:{node}")
    highest = max((load.highest_share for load in loads.values()), default=0)
    return _SiteYear(
        node_classes(state, _capacity_w(graphs, quarter)) if SERVICE in alive else [],
        names,
        float(1 / highest) if highest else 1.0,
        float(one.site.climate.recirculation),
    )


def _capacity_w(graphs: SiteGraphs, quarter: str) -> float:
    """Capacity of the utility service in a quarter, W; 0 before its first step."""
    capacity_w = 0.0
    for start, watts in graphs.power.nodes[SERVICE]["capacity_steps"]:
        if quarter_index(start) <= quarter_index(quarter):
            capacity_w = float(watts)
    return capacity_w


def _assemble(sites: tuple[str, ...], parts: Sequence[_SiteYear]) -> PlanYear:
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

    table = np.array([plant.figures() for plant in plants], dtype=np.float64).reshape(len(plants), -1)
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
        plant_idx=np.array(plant_idx, dtype=np.int64),
        most_load_factor=np.array([part.most_load_factor for part in parts]),
        recirculation_k=np.array([part.recirculation_k for part in parts]),
        **{name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(PlantModel.__dataclass_fields__)},
    )
    titles, firsts = tuple(one.title for one in classes), tuple(one.first for one in classes)
    return PlanYear(model, sites, titles, firsts, tuple(plant_names))


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
