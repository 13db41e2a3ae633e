"""What a check finds, and what all checks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sites.schema.catalog import ElementKind

if TYPE_CHECKING:
    from sites.expansion.graphs import Graph, SiteGraphs

ELEMENT_KINDS = frozenset(str(kind) for kind in ElementKind)


@dataclass(frozen=True)
class Finding:
    """One thing that a check found, and at which node."""

    severity: Literal["error", "warning"]
    element: str
    message: str

    def __str__(self) -> str:
        """`severity: element: message`."""
        return f"{self.severity}: {self.element}: {self.message}"


def merged(findings: list[Finding]) -> list[Finding]:
    """One finding for each severity and message, at the first node by name, with the number of the others."""
    elements: dict[tuple[Literal["error", "warning"], str], list[str]] = {}
    for finding in findings:
        elements.setdefault((finding.severity, finding.message), []).append(finding.element)
    return [
        Finding(severity, min(nodes), message if len(nodes) == 1 else f"{message} (and {len(nodes) - 1} more like it)")
        for (severity, message), nodes in elements.items()
    ]


def error(element: str, message: str) -> Finding:
    """A finding that would make a plan wrong."""
    return Finding("error", element, message)


def warning(element: str, message: str) -> Finding:
    """A finding that a planner should know."""
    return Finding("warning", element, message)


def nodes_of(graph: Graph, *kinds: str) -> list[str]:
    """Nodes of some kinds, in the graph's order."""
    return [node for node, kind in graph.nodes(data="kind") if str(kind) in kinds]


def rows_of(graphs: SiteGraphs) -> list[str]:
    """Every row of a site."""
    return nodes_of(graphs.containment, "row")
