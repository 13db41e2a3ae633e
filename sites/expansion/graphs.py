"""The four graphs of a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import networkx as nx

    from sites.catalog.loader import Catalog
    from sites.schema.site import SiteFile

    Graph: TypeAlias = nx.DiGraph[str]


@dataclass(frozen=True)
class SiteGraphs:
    """A site file and the graphs that it stands for; row nodes have the same id in all four.

    Attributes of nodes and edges are those of section 1 of `docs/model.md`, in exact base units.
    """

    site: SiteFile
    catalog: Catalog
    containment: Graph
    power: Graph
    cooling: Graph
    fabric: Graph
    common_mode: dict[str, tuple[str, ...]]
    """Elements that fail as one, by the name of their group."""
