"""Checks on expanded graphs: what would make a plan wrong is an error, what a planner should know is a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.checks.cooling import COOLING
from sites.checks.findings import Finding, merged
from sites.checks.openings import OPENINGS, openings
from sites.checks.promises import PROMISES
from sites.checks.single_points import SINGLE_POINTS
from sites.checks.structure import STRUCTURE
from sites.checks.supply import SUPPLY
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sites.expansion.graphs import SiteGraphs

__all__ = ["Finding", "check", "openings", "require_sound"]


def check(graphs: SiteGraphs) -> list[Finding]:
    """Every finding on the graphs of a site, errors first; like findings on many nodes are told once with their count.

    Structure is checked first: nothing is derived from graphs that have cycles or lack fields.
    """
    findings = _run(graphs, STRUCTURE)
    if not findings:
        findings = _run(graphs, (*COOLING, *PROMISES, *OPENINGS, *SINGLE_POINTS, *SUPPLY))
    return sorted(merged(findings), key=lambda finding: finding.severity)


def require_sound(graphs: SiteGraphs) -> list[Finding]:
    """The warnings on the graphs of a site; raises InputError with every error."""
    findings = check(graphs)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise InputError([Fault(f"site {graphs.site.name}", None, one.element, one.message) for one in errors])
    return findings


def _run(graphs: SiteGraphs, checks: tuple[Callable[[SiteGraphs], Iterator[Finding]], ...]) -> list[Finding]:
    return [finding for one in checks for finding in one(graphs)]
