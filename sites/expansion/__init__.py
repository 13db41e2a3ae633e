"""Expansion of a site file to its four graphs: containment, power, cooling and fabric."""

from __future__ import annotations

from sites.expansion.expand import expand
from sites.expansion.graphs import SiteGraphs

__all__ = ["SiteGraphs", "expand"]
