"""Hours in which rows with Flex would have to act if the failure that loads them most struck and stayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernels.hourly import OVER_ELEMENT
from planner.run.draws import configuration_draw, occupied_draws, scaled
from planner.run.flow import RowDraw, SiteFlow
from planner.year.model import placements_of, site_year_after
from planner.year.simulate import AirYears, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.year.scenarios import Scenario
    from sites.catalog.loader import Catalog
    from sites.expansion.graphs import SiteGraphs
    from sites.world import World, WorldSite

_NOISE_W = 1e-3


@dataclass(frozen=True)
class WorstFailure:
    """The failure after which an element that carries rows with Flex is fullest, before they act."""

    name: str
    lost: tuple[str, ...]
    element: str
    """The fullest such survivor."""
    load: float
    """Its load over its rating with every rack at its sustained maximum on the design day."""


def flex_risk(
    world: World,
    one: WorldSite,
    graphs: SiteGraphs,
    document: Mapping[str, Any],
    quarter: str,
    air: AirYears,
    drawn: Sequence[Scenario],
    backend: str,
) -> dict[str, Any] | None:
    """Hours of the year at risk of a site, or None where no row has Flex or no failure loads one more.

    Parameters: world; one, its site; graphs; document, the content of `plan.json`; quarter; air of this site; drawn
    scenarios, the base first; backend. An hour counts when an element exceeds its rating while the failure lasts, at
    the draws of that hour, before any row sheds or caps.
    """
    flexible = {
        row for row, fields in graphs.containment.nodes(data=True) if fields["kind"] == "row" and fields["flex"]
    }
    if not flexible:
        return None
    flow = SiteFlow(graphs, quarter, _standing(graphs, world.catalog, placements_of(document, one.name, quarter)))
    worst = worst_failure(flow, graphs, flexible)
    if worst is None:
        return None
    plan = site_year_after(world, one, graphs, document, quarter, worst.lost)
    hours = simulate(plan.model, air, drawn, backend).hours[0, OVER_ELEMENT]
    return {
        "failure": worst.name,
        "element": worst.element,
        "load_at_most": worst.load,
        "hours": {"base": int(hours[0]), "most": int(hours.max())},
    }


def worst_failure(flow: SiteFlow, graphs: SiteGraphs, flexible: set[str]) -> WorstFailure | None:
    """The failure that fills a survivor with flexible rows on it most; None when none raises the load of one.

    Parameters: flow of the site; graphs; flexible rows. Ties go to the first by name of failure and element.
    """
    worst: WorstFailure | None = None
    for name, lost in _failures(flow, graphs):
        after = flow.after(*lost)
        for element in sorted(after.output_w):
            rating_w = graphs.power.nodes[element].get("rating_w")
            watts = after.output_w[element]
            if not rating_w or watts <= flow.normal_output_w(element) + _NOISE_W:
                continue
            load = watts / float(rating_w)
            if worst is not None and load <= worst.load:
                continue
            if not flexible.isdisjoint(flow.rows_on(element, after.dead)):
                worst = WorstFailure(name, lost, element, load)
    return worst


def _failures(flow: SiteFlow, graphs: SiteGraphs) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every element in service, then what stands of every common-mode group."""
    for element in flow.elements():
        yield element, (element,)
    for name, members in graphs.common_mode.items():
        standing = tuple(member for member in members if flow.stands(member))
        if standing:
            yield name, standing


def _standing(graphs: SiteGraphs, catalog: Catalog, placed: Sequence[Mapping[str, Any]]) -> dict[str, RowDraw]:
    """Draws of all racks at their sustained maximum by row, occupied ones included."""
    draws = dict(occupied_draws(graphs, catalog))
    for one in placed:
        draw = scaled(configuration_draw(catalog, one["configuration"]), int(one["n_racks"]))
        draws[one["row"]] = draws.get(one["row"], RowDraw()) + draw
    return draws
