"""What one plan amounts to in a comparison: racks, watts, money, and what its cooling does on the design day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from planner.run.draws import configuration_draw, occupied_draws, scaled
from planner.run.flow import RowDraw
from planner.run.totals import JOINT
from sites.calendar import quarter_index
from sites.expansion import expand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sites.expansion.graphs import Graph, SiteGraphs
    from sites.world import World

Document = dict[str, Any]
"""The content of `plan.json`."""


@dataclass(frozen=True)
class DesignDay:
    """A site's plant on its design day, racks at their sustained maximum, occupied ones included."""

    site: str
    meter_w: int
    """As the limits book it."""
    it_w: int
    """Racks and support gear."""
    heat_w: Fraction
    """What reaches the plants, fans of the air handlers included."""
    chiller_heat_w: Fraction
    """Of that, what coolers leave to the chillers."""

    @property
    def pue(self) -> float | None:
        """Meter over racks and support gear; None without any."""
        return self.meter_w / self.it_w if self.it_w else None

    @property
    def chiller_share(self) -> float | None:
        """Share of the heat that chillers remove; None without heat."""
        return float(self.chiller_heat_w / self.heat_w) if self.heat_w else None


def totals_of(document: Mapping[str, Any]) -> Document:
    """Figures of a plan in its last quarter, and of the whole plan."""
    last = document["totals"][-1]
    keys = ("status", "stop_reason", "objective", "bound", "gap", "wall_s")
    return {
        "quarter": last["period"],
        "racks": sum(last["racks"].values()),
        "racks_by_system": racks_by_system(last["racks"]),
        "gpus": last["gpus"],
        "it_w": last["it_w"],
        "meter_w": last["meter_w"][JOINT],
        "plan_meter_w": last["plan_meter_w"][JOINT],
        **{key: document[key] for key in keys},
    }


def racks_by_system(racks: Mapping[str, int]) -> dict[str, int]:
    """Racks by system from racks by configuration."""
    found: dict[str, int] = defaultdict(int)
    for configuration, n_racks in racks.items():
        found[configuration.partition("/")[0]] += n_racks
    return dict(found)


def design_days(world: World, document: Mapping[str, Any]) -> tuple[DesignDay, ...]:
    """The design day of every site with the racks of the plan's last quarter.

    Parameters: world that the plan was made from; document, content of `plan.json`.
    """
    last = document["totals"][-1]
    found = []
    for one in world.sites:
        graphs = expand(one.site, world.catalog)
        placed = [entry for entry in document["placements"] if _stands(entry, one.name, last["period"])]
        draws = _row_draws(graphs, placed, world, last["period"])
        heat_w = _plant_heat_w(graphs.cooling, draws)
        chiller_w = sum(
            (watts * graphs.cooling.nodes[plant]["chiller_fraction"] for plant, watts in heat_w.items()), Fraction(0)
        )
        it_w = sum(draw.it_w + draw.support_w for draw in draws.values())
        all_w = sum(heat_w.values(), Fraction(0))
        found.append(DesignDay(one.name, last["meter_w"].get(one.name, 0), it_w, all_w, chiller_w))
    return tuple(found)


def _stands(entry: Mapping[str, Any], site: str, period: str) -> bool:
    return bool(entry["site"] == site and entry["period"] == period)


def _row_draws(
    graphs: SiteGraphs, placed: Sequence[Mapping[str, Any]], world: World, period: str
) -> dict[str, RowDraw]:
    """Draws of rows by id: the plan's racks, and occupied ones of rows that are in service."""
    rows = graphs.containment.nodes
    found = {
        row: draw
        for row, draw in occupied_draws(graphs, world.catalog).items()
        if quarter_index(rows[row]["in_service"]) <= quarter_index(period)
    }
    for entry in placed:
        draw = scaled(configuration_draw(world.catalog, entry["configuration"]), entry["n_racks"])
        found[entry["row"]] = found.get(entry["row"], RowDraw()) + draw
    return found


def _plant_heat_w(cooling: Graph, draws: Mapping[str, RowDraw]) -> dict[str, Fraction]:
    """Heat by plant: liquid heat of the loops, air heat of racks and support gear with the fans of the handlers."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for row, draw in draws.items():
        for header, edge in cooling.pred[row].items():
            unit = next(iter(cooling.pred[header]))
            plant = next(iter(cooling.pred[unit]))
            if edge["medium"] == "liquid":
                found[plant] += draw.liquid_w
            else:
                fans = Fraction(cooling.nodes[header]["watts_per_heat_watt"])
                found[plant] += (draw.air_w + draw.support_w) * (1 + fans)
    return dict(found)


def design_day_figures(days: Sequence[DesignDay]) -> Document:
    """Peak-day PUE and share of the chillers, of all sites together and of each."""
    meter_w, it_w = sum(one.meter_w for one in days), sum(one.it_w for one in days)
    heat_w = sum((one.heat_w for one in days), Fraction(0))
    chiller_w = sum((one.chiller_heat_w for one in days), Fraction(0))
    together = DesignDay(JOINT, meter_w, it_w, heat_w, chiller_w)
    return {
        "peak_day_pue": together.pue,
        "chiller_share": together.chiller_share,
        "by_site": [
            {**asdict(one), "heat_w": int(one.heat_w), "chiller_heat_w": int(one.chiller_heat_w)}
            | {"pue": one.pue, "chiller_share": one.chiller_share}
            for one in days
        ],
    }
