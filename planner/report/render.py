"""Render the report: one HTML file with its style and script inside."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from planner.report.view import build_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

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
    from markupsafe import Markup

    view = build_view(document, manifest, world, graphs_by_site)
    return fill_template(
        "report.html.j2", view=view, css=asset("report.css"), js=asset("report.js"), floor_json=Markup(view.floor_json)
    )


def fill_template(name: str, **values: Any) -> str:
    """A template of this package with values in it; a name that has no value is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("planner.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(**values)


def asset(name: str) -> Markup:
    """A style or script of this package, to be put into a page as it is."""
    from markupsafe import Markup

    return Markup((resources.files("planner.report") / "templates" / name).read_text(encoding="utf-8"))
