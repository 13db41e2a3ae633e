"""Render the report: one HTML file with its style and script inside."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from planner.report.view import build_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.expansion.graphs import SiteGraphs
    from sites.world import World


def render_report(
    document: Mapping[str, Any],
    manifest: Mapping[str, Any],
    world: World,
    graphs_by_site: Mapping[str, SiteGraphs],
) -> str:
    """The report as one HTML text that needs no network.

    Parameters: document and manifest, the contents of `plan.json` and `manifest.json`; world and graphs_by_site, as
    loaded from the run's inputs.
    """
    import jinja2
    from markupsafe import Markup

    view = build_view(document, manifest, world, graphs_by_site)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("planner.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("report.html.j2")
    return template.render(
        view=view, css=Markup(_asset("report.css")), js=Markup(_asset("report.js")), floor_json=Markup(view.floor_json)
    )


def _asset(name: str) -> str:
    return (resources.files("planner.report") / "templates" / name).read_text(encoding="utf-8")
