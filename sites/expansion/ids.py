"""Node ids are paths (`b1/h1/l03/ups-2`), unique over all graphs of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from fractions import Fraction

    from sites.expansion.graphs import Graph

CAMPUS = "campus"
SERVICE = "service"
CORE = "core"


def padded(number: int, n_total: int) -> str:
    """`number` with as many digits as `n_total` has, two at the least, so that ids sort in order."""
    return f"{number:0{max(2, len(str(n_total)))}d}"


def member_ids(prefix: str, name: str, count: int) -> tuple[str, ...]:
    """`prefix/name-1` … `prefix/name-count`; without prefix at campus level."""
    head = f"{prefix}/{name}" if prefix else name
    return tuple(f"{head}-{number}" for number in range(1, count + 1))


def add_node(graph: Graph, node: str, **fields: object) -> None:
    """Add a node once; raises InputError when the id is taken, because two things would silently become one."""
    if node in graph:
        message = f"two things of the site would both be called '{node}'; rename the hall, group or plant behind one"
        raise InputError([Fault("site", None, node, message)])
    graph.add_node(node, **fields)


def add_edge(graph: Graph, source: str, load: str, share: Fraction, **fields: object) -> None:
    """Add an edge from source to load that carries `share` of the load (exact, 0 to 1)."""
    graph.add_edge(source, load, share=share, **fields)
