"""What `gigaplan show` tells beside the nodes of a graph: sources, batteries, common-mode groups and storeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.calendar import quarter_index
from sites.expansion.ids import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from sites.expansion.graphs import SiteGraphs


def more_lines(graph: str, graphs: SiteGraphs) -> Iterator[dict[str, Any]]:
    """Lines that go with a graph, in the form of those of its nodes.

    Parameters: graph, its name; graphs of the site.
    """
    if graph == "power":
        yield from _sources(graphs)
        yield from _batteries(graphs)
        yield from _groups(graphs)
    elif graph == "containment":
        yield from _storeys(graphs)


def _line(kind: str, n_nodes: int, watts: Sequence[float | Fraction], dates: Sequence[str]) -> dict[str, Any]:
    ordered = sorted(dates, key=quarter_index)
    return {
        "kind": kind,
        "nodes": n_nodes,
        "rating_lowest_w": int(min(watts)) if watts else None,
        "rating_highest_w": int(max(watts)) if watts else None,
        "in_service_first": ordered[0] if ordered else None,
        "in_service_last": ordered[-1] if ordered else None,
    }


def _sources(graphs: SiteGraphs) -> Iterator[dict[str, Any]]:
    """What the meter may draw from, each with its first and last step, and the step that its load may take."""
    fields = graphs.power.nodes[SERVICE]
    steps = {"source: firm service": fields["firm_steps"], "source: non-firm service": fields["non_firm_steps"]}
    units = {one.name: one.units for one in graphs.site.generation}
    for kind, capacity in steps.items():
        if capacity:
            yield _line(kind, 1, [watts for _, watts in capacity], [start for start, _ in capacity])
    for name, capacity in fields["generation_w"].items():
        dates = [start for start, _ in capacity]
        yield _line(f"source: generation {name}", units[name], [watts for _, watts in capacity], dates)
    if fields["swing_steps"] is not None:
        swing = fields["swing_steps"]
        yield _line("limit of the load's swing", 1, [watts for _, watts in swing], [start for start, _ in swing])


def _batteries(graphs: SiteGraphs) -> Iterator[dict[str, Any]]:
    for one in graphs.site.batteries:
        yield _line(f"battery {one.name}", 1, [one.power], [one.in_service])


def _groups(graphs: SiteGraphs) -> Iterator[dict[str, Any]]:
    """Common-mode groups with the ratings and dates of their members."""
    for name, members in graphs.common_mode.items():
        nodes = [graphs.power.nodes[member] for member in members]
        ratings = [fields["rating_w"] for fields in nodes]
        yield _line(f"common-mode group {name}", len(members), ratings, [fields["in_service"] for fields in nodes])


def _storeys(graphs: SiteGraphs) -> Iterator[dict[str, Any]]:
    """Storeys with the number of rows on them."""
    dates: dict[int, list[str]] = {}
    for _, fields in graphs.containment.nodes(data=True):
        if fields["kind"] == "row" and fields["storey"] is not None:
            dates.setdefault(fields["storey"], []).append(fields["in_service"])
    for storey in sorted(dates):
        yield _line(f"storey {storey}, rows", len(dates[storey]), (), dates[storey])
