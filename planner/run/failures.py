"""What each failure, of one element or of a common-mode group, drops and how full it leaves the survivors."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from planner.run.flow import SiteFlow
from sites.schema.site import COMMON_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.run.flow import Flow, RowDraw
    from sites.expansion.graphs import SiteGraphs

_NOISE = 1e-9
"""Relative error that floating point may leave; smaller differences are none."""
_NOISE_W = 1e-3
"""Watts that floating point may add to a load of gigawatts; a load is rounded up to the watt without them."""
HOLDS, DROPS, FORBIDDEN_DROP, OVERLOAD = "holds", "drops", "forbidden-drop", "overload"


@dataclass(frozen=True)
class Failure:
    """The outcome of one failure; the worst survivor is the fullest of those whose load it raises."""

    site: str
    element: str
    """What fails: an element by its id, or a common-mode group by its name."""
    kind: str
    dropped_rows: int
    dropped_racks: int
    dropped_it_w: int
    worst_element: str | None
    worst_load_w: int
    worst_rating_w: int
    worst_load: float
    verdict: str


def site_failures(
    site: str, graphs: SiteGraphs, period: str, draws: Mapping[str, RowDraw], plan_racks: Mapping[str, tuple[int, int]]
) -> Iterator[Failure]:
    """Every failure of a single power element of a site in a period, in order of element ids, then of every group.

    Parameters: site, its name; graphs; period; draws of rows by row id with occupied racks (W); plan_racks, the plan's
    racks and their IT watts of every row that holds some.
    """
    flow = SiteFlow(graphs, period, draws)
    for element in flow.elements():
        kind = str(graphs.power.nodes[element]["kind"])
        yield _failure(_Event(site, element, kind), graphs, flow, flow.after(element), plan_racks)
    for name, members in graphs.common_mode.items():
        standing = [member for member in members if flow.stands(member)]
        if standing:
            yield _failure(_Event(site, name, COMMON_MODE), graphs, flow, flow.after(*standing), plan_racks)


@dataclass(frozen=True)
class _Event:
    """What fails."""

    site: str
    name: str
    kind: str


def _failure(
    event: _Event, graphs: SiteGraphs, flow: SiteFlow, after: Flow, plan_racks: Mapping[str, tuple[int, int]]
) -> Failure:
    dropped = [row for row in after.dropped_rows if row in plan_racks]
    forbidden = any(event.kind not in _may_drop_on(graphs, row) for row in dropped)
    worst, load, rating = _worst_survivor(graphs, flow, after)
    verdict = OVERLOAD if load > rating * (1 + _NOISE) else FORBIDDEN_DROP if forbidden else DROPS if dropped else HOLDS
    return Failure(
        site=event.site,
        element=event.name,
        kind=event.kind,
        dropped_rows=len(dropped),
        dropped_racks=sum(plan_racks[row][0] for row in dropped),
        dropped_it_w=sum(plan_racks[row][1] for row in dropped),
        worst_element=worst,
        worst_load_w=ceil(load - _NOISE_W),
        worst_rating_w=rating,
        worst_load=round(load / rating, 9) if rating else 0.0,
        verdict=verdict,
    )


def _may_drop_on(graphs: SiteGraphs, row: str) -> set[str]:
    return {str(kind) for kind in graphs.containment.nodes[row]["may_drop_on"]}


def _worst_survivor(graphs: SiteGraphs, flow: SiteFlow, after: Flow) -> tuple[str | None, float, int]:
    """The survivor with the highest load over rating among those whose load rises; ties to the first by id."""
    worst: tuple[str | None, float, int] = (None, 0.0, 0)
    highest = -1.0
    for node in sorted(after.output_w):
        rating = graphs.power.nodes[node].get("rating_w")
        load = after.output_w[node]
        if rating is None or load <= flow.normal_output_w(node) + _NOISE_W:
            continue
        ratio = load / rating if rating else 2.0
        if ratio > highest * (1 + _NOISE):
            worst, highest = (node, load, int(rating)), ratio
    return worst
