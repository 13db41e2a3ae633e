"""A picture of a site graph: like nodes drawn as one box, layer by layer from source to load."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import networkx as nx

from planner.report.words import kind_title, megawatts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.expansion.graphs import Graph

_BOX_WIDTH, _BOX_HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 190, 64, 84, 22, 28

_STYLE = """
text { font: 13px ui-sans-serif, system-ui, "Segoe UI", Roboto, Arial, sans-serif; fill: #17211f; }
.sub { fill: #5c6a66; font-size: 11.5px; } .count { font-weight: 650; }
rect { fill: #ffffff; stroke: #c9d1cb; } .page { fill: #f4f5f2; stroke: none; }
rect.row { fill: #d5ebe7; stroke: #0f766e; }
path { fill: none; stroke: #8b9692; stroke-width: 1.2; } .reserve { stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
  text { fill: #e8efec; } .sub { fill: #a0aeaa; } rect { fill: #161e1c; stroke: #3a4844; } .page { fill: #0e1413; }
  rect.row { fill: #173c38; stroke: #4fc3b4; } path { stroke: #74827d; }
}
"""


@dataclass(frozen=True)
class Box:
    """Like nodes of a graph."""

    title: str
    detail: str
    kind: str
    n_nodes: int
    layer: int


@dataclass(frozen=True)
class Collapsed:
    """A graph with like nodes put together; an arrow from box to box says whether it is a reserve."""

    boxes: tuple[Box, ...]
    arrows: dict[tuple[int, int], bool]


def collapse(graph: Graph) -> Collapsed:
    """Put nodes of the same kind, equipment and depth together.

    Parameters: graph, any of a site's four; it has no cycle.
    """
    depth = _depths(graph)
    members: dict[tuple[int, str, str], list[str]] = defaultdict(list)
    for node, fields in graph.nodes(data=True):
        members[depth[node], str(fields["kind"]), _detail(fields)].append(node)
    keys = sorted(members)
    box_of = {node: index for index, key in enumerate(keys) for node in members[key]}
    arrows: dict[tuple[int, int], bool] = {}
    for source, load, edge in graph.edges(data=True):
        arrow = box_of[source], box_of[load]
        arrows[arrow] = arrows.get(arrow, True) and bool(edge.get("reserve"))
    boxes = tuple(
        Box(kind_title(kind), detail, kind, len(members[layer, kind, detail]), layer) for layer, kind, detail in keys
    )
    return Collapsed(boxes, arrows)


def _depths(graph: Graph) -> dict[str, int]:
    """Longest way from a source to each node, rows all in the last layer."""
    depth: dict[str, int] = {}
    for node in nx.topological_sort(graph):
        depth[node] = max((depth[source] + 1 for source in graph.predecessors(node)), default=0)
    deepest = max(depth.values(), default=0)
    return {node: deepest if graph.nodes[node]["kind"] == "row" else at for node, at in depth.items()}


def _detail(fields: Mapping[str, Any]) -> str:
    """What tells a node from others of its kind: its equipment and rating, template or positions."""
    parts = []
    if "equipment" in fields:
        parts.append(str(fields["equipment"]))
    if fields.get("rating_w") is not None:
        parts.append(f"{megawatts(fields['rating_w'])} MW")
    if fields.get("heat_w") is not None:
        parts.append(f"{megawatts(fields['heat_w'])} MW of heat")
    if fields["kind"] == "lineup":
        parts.append(str(fields["template"]))
    return ", ".join(parts)


def picture(graph: Graph, title: str) -> str:
    """The graph as SVG text, readable on light and dark.

    Parameters: graph, any of a site's four; title, written above it.
    """
    collapsed = collapse(graph)
    place = _places(collapsed)
    width = max((x for x, _ in place), default=0) + _BOX_WIDTH + _MARGIN
    height = max((y for _, y in place), default=0) + _BOX_HEIGHT + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        f'<text x="{_MARGIN}" y="{_MARGIN + 4}" class="count">{escape(title)}</text>',
    ]
    parts += [_arrow(place[a], place[b], reserve) for (a, b), reserve in sorted(collapsed.arrows.items())]
    parts += [_box(box, *place[index]) for index, box in enumerate(collapsed.boxes)]
    return "\n".join([*parts, "</svg>", ""])


def _places(collapsed: Collapsed) -> list[tuple[int, int]]:
    """Top left corner of each box: layers from left to right, boxes of a layer below each other."""
    filled: dict[int, int] = defaultdict(int)
    places = []
    for box in collapsed.boxes:
        x = _MARGIN + box.layer * (_BOX_WIDTH + _GAP_X)
        y = _MARGIN + 26 + filled[box.layer] * (_BOX_HEIGHT + _GAP_Y)
        filled[box.layer] += 1
        places.append((x, y))
    return places


def _arrow(source: tuple[int, int], load: tuple[int, int], reserve: bool) -> str:
    x1, y1 = source[0] + _BOX_WIDTH, source[1] + _BOX_HEIGHT // 2
    x2, y2 = load[0], load[1] + _BOX_HEIGHT // 2
    bend = max((x2 - x1) // 2, 24)
    kind = ' class="reserve"' if reserve else ""
    return f'<path{kind} d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"/>'


def _box(box: Box, x: int, y: int) -> str:
    kind = ' class="row"' if box.kind == "row" else ""
    first, _, second = box.detail.partition(", ")
    return (
        f'<g><rect{kind} x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="9"/>'
        f'<text x="{x + 12}" y="{y + 21}"><tspan class="count">{box.n_nodes:,} ×</tspan> {escape(box.title)}</text>'
        f'<text class="sub" x="{x + 12}" y="{y + 38}">{escape(first)}</text>'
        f'<text class="sub" x="{x + 12}" y="{y + 54}">{escape(second)}</text></g>'
    )
