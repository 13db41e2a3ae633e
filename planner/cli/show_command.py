"""`gigaplan show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import BAD_INPUT, Ended
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from sites.expansion.graphs import Graph, SiteGraphs
    from sites.world import World

_GRAPHS = ("containment", "power", "cooling", "fabric")


@click.command("show")
@click.argument("file")
@click.option("--site", help="Only this site of the portfolio.")
@click.option("--graph", type=click.Choice(_GRAPHS), help="Only this graph.")
@click.option(
    "--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw the graph as SVG into this file."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(file: str, site: str | None, graph: str | None, picture: Path | None, as_json: bool) -> None:
    """Show what FILE stands for: nodes of each kind in each graph, their ratings and dates.

    With the power graph come the sources at the meter, batteries and common-mode groups, with containment the storeys.

    \b
    Examples:
      gigaplan show claude-on-azure-1gw
      gigaplan show claude-on-azure-1gw --site fairwater-atlanta --graph power
      gigaplan show reference-1gw --graph power --picture power.svg
    """
    from sites.expansion import expand
    from sites.world import load_world

    world = load_world(file)
    names = _chosen(world, site)
    graphs = {one.name: expand(one.site, world.catalog) for one in world.sites if one.name in names}
    if picture is not None:
        _draw(graphs, graph or "power", picture)
        return
    lines = [line for name, one in graphs.items() for line in _lines(name, one, graph)]
    if as_json:
        put_json(lines)
        return
    columns = ("site", "graph", "kind", "nodes", "rating, lowest", "highest", "in service from", "to")
    put_table(world.portfolio.title, columns, [_cells(line) for line in lines], right=(3, 4, 5))


def _cells(line: dict[str, Any]) -> list[str]:
    return [_cell(key, value) for key, value in line.items()]


def _cell(key: str, value: str | int | None) -> str:
    """A field as a person reads it: ratings in MW, nothing where there is none."""
    from planner.report.words import megawatts

    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return f"{megawatts(value)} MW" if key.endswith("_w") else f"{value:,}"


def _chosen(world: World, site: str | None) -> list[str]:
    names = [one.name for one in world.sites]
    if site is None:
        return names
    if site not in names:
        from sites.nearest import unknown

        say(f"gigaplan: {unknown('site', site, names)}")
        raise Ended(BAD_INPUT)
    return [site]


def _lines(site: str, graphs: SiteGraphs, only: str | None) -> list[dict[str, Any]]:
    from planner.cli.show_lines import more_lines

    return [
        {"site": site, "graph": name, **line}
        for name in _GRAPHS
        if only in (None, name)
        for line in (*_kinds(getattr(graphs, name)), *more_lines(name, graphs))
    ]


def _kinds(graph: Graph) -> list[dict[str, Any]]:
    """One line for each kind of node, in order of first appearance."""
    members: dict[str, list[dict[str, Any]]] = {}
    for _, fields in graph.nodes(data=True):
        members.setdefault(str(fields["kind"]), []).append(fields)
    lines = []
    for kind, nodes in members.items():
        ratings = [fields["rating_w"] for fields in nodes if fields.get("rating_w") is not None]
        dates = [fields["in_service"] for fields in nodes if fields.get("in_service") is not None]
        lines.append(
            {
                "kind": kind,
                "nodes": len(nodes),
                "rating_lowest_w": int(min(ratings)) if ratings else None,
                "rating_highest_w": int(max(ratings)) if ratings else None,
                "in_service_first": min(dates, default=None),
                "in_service_last": max(dates, default=None),
            }
        )
    return lines


def _draw(graphs: dict[str, SiteGraphs], graph: str, target: Path) -> None:
    from planner.report.picture import picture
    from planner.run.folder import write_whole

    if len(graphs) != 1:
        say(f"gigaplan: a picture shows one site; add --site with one of: {', '.join(graphs)}")
        raise Ended(BAD_INPUT)
    [(name, one)] = graphs.items()
    drawn = picture(getattr(one, graph), f"{one.site.title}: {graph}")
    write_whole(target, lambda path: path.write_text(drawn, encoding="utf-8"))
    click.echo(target)
    say(f"{name}: {graph}, like nodes drawn as one box")
