"""When the parts of a lineup are ready: its network, its facility and its power, each with what it waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx

from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sites.expansion.graphs import Graph, SiteGraphs

_FACILITY_PARTS = ("equipment", "building", "permit")


@dataclass(frozen=True, order=True)
class Ready:
    """A date as a number of quarters since year 0, and what it waited for."""

    quarter: int
    part: str


@dataclass(frozen=True)
class LineupReady:
    """When the network, the facility and the power of a lineup are ready for racks.

    Commissioning and the lineup's own delay count with each of them, since they begin when the last part has come: so
    the latest of the three is the quarter in which the lineup opens, or later where its feeds come later.
    """

    building: str
    network: Ready
    facility: Ready
    """Of equipment, building and permit the latest."""
    power: Ready
    """The utility's date, or the element on the way to the service that comes last."""


def lineups_ready(graphs: SiteGraphs) -> dict[str, LineupReady]:
    """The dates of every lineup of a site by its id, all at their modes.

    Parameters: graphs of the site. Elements of a building without dates of their own open with it and do not count as
    dates of the power.
    """
    tree = graphs.containment
    traced = _traced(graphs)
    result = {}
    for lineup, fields in tree.nodes(data=True):
        if fields["kind"] != "lineup":
            continue
        rows = list(tree.successors(lineup))
        building = tree.nodes[rows[0]]["building_id"]
        dates = {part: quarter_index(quarter) for part, quarter in tree.nodes[building]["dates"].items()}
        later = quarter_index(fields["in_service"]) - max(dates.values())
        feeds = max(_row_feeds(graphs.power, tree.nodes[row], row, traced) for row in rows)
        utility = Ready(dates["utility"] + later, "utility")
        result[lineup] = LineupReady(
            building=building,
            network=Ready(dates["network"] + later, "network"),
            facility=_latest({part: dates[part] + later for part in _FACILITY_PARTS}),
            power=utility if utility.quarter >= feeds.quarter else feeds,
        )
    return result


def _latest(dates: Mapping[str, int]) -> Ready:
    part = max(dates, key=lambda one: dates[one])
    return Ready(dates[part], part)


def _row_feeds(power: Graph, fields: Mapping[str, Any], row: str, traced: Mapping[str, Ready]) -> Ready:
    """When the feeds of a row reach the service: all of them, or any where its class allows that until some quarter."""
    feeds = [traced[feed] for feed in power.predecessors(row)]
    first, last = min(feeds), max(feeds)
    until = fields["single_feed_until"]
    return first if until is not None and first.quarter < quarter_index(until) else last


def _traced(graphs: SiteGraphs) -> dict[str, Ready]:
    """For each power element when it and one way from it to the service are there."""
    opens = _opening_dates(graphs)
    traced: dict[str, Ready] = {}
    for node in nx.topological_sort(graphs.power):
        fields = graphs.power.nodes[node]
        sources = [traced[source] for source in graphs.power.predecessors(node)]
        if not sources:
            traced[node] = Ready(quarter_index(fields["capacity_steps"][0][0]), node)
            continue
        above = min(sources)
        own = Ready(quarter_index(fields["in_service"]), node)
        traced[node] = own if own.quarter > above.quarter and fields["in_service"] not in opens(node) else above
    return traced


def _opening_dates(graphs: SiteGraphs) -> Callable[[str], set[str]]:
    """A function that gives the dates which an element takes from its building and lineup, by its id."""
    tree = graphs.containment
    dates = {
        place: fields["in_service"]
        for place, fields in tree.nodes(data=True)
        if fields["kind"] in {"building", "lineup"}
    }

    def opens(element: str) -> set[str]:
        parts = element.split("/")
        places = ("/".join(parts[:length]) for length in range(1, len(parts)))
        return {dates[place] for place in places if place in dates}

    return opens
