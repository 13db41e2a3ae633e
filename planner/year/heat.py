"""What rows draw and give off in a quarter, on average and at the most, and which plant removes it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.run.draws import configuration_draw
from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.run.flow import RowDraw
    from sites.catalog.loader import Catalog
    from sites.expansion.graphs import Graph, SiteGraphs

ZERO = Fraction(0)


@dataclass(frozen=True)
class RackLoad:
    """One rack of a configuration."""

    most: RowDraw
    average_share: Fraction
    """Average draw over sustained maximum."""


@dataclass
class RowLoad:
    """The racks of a row, in W; heat at the most is that of the limits, on average it follows the draw."""

    it_w: Fraction = ZERO
    liquid_w: Fraction = ZERO
    air_w: Fraction = ZERO
    most_liquid_w: int = 0
    most_air_w: int = 0
    support_w: int = 0
    highest_share: Fraction = ZERO
    """Highest average share of any rack of the row."""

    def add(self, rack: RackLoad, n_racks: int) -> None:
        """Add racks of one configuration."""
        most, share = rack.most, rack.average_share
        self.it_w += most.it_w * share * n_racks
        self.liquid_w += most.liquid_w * share * n_racks
        self.air_w += most.air_w * share * n_racks
        self.most_liquid_w += most.liquid_w * n_racks
        self.most_air_w += most.air_w * n_racks
        self.support_w += most.support_w * n_racks
        self.highest_share = max(self.highest_share, share)


@dataclass
class Heat:
    """Heat that reaches a header or a plant, in W; `fixed_w` is that of support gear."""

    average_w: Fraction = ZERO
    most_w: Fraction = ZERO
    fixed_w: Fraction = ZERO


@dataclass(frozen=True)
class HeatMap:
    """Heat by node of the cooling graph."""

    headers: dict[str, Heat] = field(default_factory=lambda: defaultdict(Heat))
    plants: dict[str, Heat] = field(default_factory=lambda: defaultdict(Heat))


def rack_load(catalog: Catalog, configuration: str, workload: str) -> RackLoad:
    """Draw and average share of one rack.

    Parameters: workload, `training` or `inference`. Raises InputError where the catalogue leaves the share open.
    """
    profile = catalog.configuration(configuration).profile
    key = f"average_{workload}"
    share = known(getattr(profile, key), f"configuration '{configuration}'", key)
    return RackLoad(configuration_draw(catalog, configuration), Fraction(share))


def row_loads(
    graphs: SiteGraphs, placements: Iterable[Mapping[str, Any]], catalog: Catalog, workload: str
) -> dict[str, RowLoad]:
    """Loads of the rows that hold racks, by row id.

    Parameters: placements of one site and period, entries of `plan.json`; occupied racks are added.
    """
    racks: dict[str, RackLoad] = {}
    loads: dict[str, RowLoad] = defaultdict(RowLoad)
    standing = [(one["row"], one["configuration"], int(one["n_racks"])) for one in placements]
    for row, fields in graphs.containment.nodes(data=True):
        if fields["kind"] == "row" and fields["occupied_racks"]:
            standing.append((row, fields["occupied_configuration"], int(fields["occupied_racks"])))
    for row, configuration, n_racks in standing:
        if configuration not in racks:
            racks[configuration] = rack_load(catalog, configuration, workload)
        loads[row].add(racks[configuration], n_racks)
    return dict(loads)


def heat_map(cooling: Graph, loads: Mapping[str, RowLoad]) -> HeatMap:
    """Heat of headers and plants; the heat of support gear goes to the plant of its row's air handlers.

    Parameters: loads of the rows in service. Air heat reaches the plant with that of the handlers' fans.
    """
    result = HeatMap()
    for row, load in loads.items():
        for header, edge in cooling.pred[row].items():
            here = result.headers[header]
            plant = result.plants[plant_of(cooling, header)]
            if edge["medium"] == "liquid":
                here.average_w += load.liquid_w
                here.most_w += load.most_liquid_w
                plant.average_w += load.liquid_w
                plant.most_w += load.most_liquid_w
                continue
            with_fans = 1 + cooling.nodes[header]["watts_per_heat_watt"]
            here.average_w += load.air_w
            here.most_w += load.most_air_w
            here.fixed_w += load.support_w
            plant.average_w += load.air_w * with_fans
            plant.most_w += (load.most_air_w + load.support_w) * with_fans
            plant.fixed_w += load.support_w * with_fans
    return result


def plant_of(cooling: Graph, header: str) -> str:
    """The plant that the units of a header hang on."""
    unit = next(iter(cooling.pred[header]))
    return str(next(iter(cooling.pred[unit])))
