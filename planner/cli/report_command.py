"""`gigaplan report`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
def command(run: Path) -> None:
    """Write report.html of the run folder RUN again, from its plan and its inputs.

    \b
    Example:
      gigaplan report runs/claude-on-azure-1gw
    """
    from planner.run.create import write_report
    from planner.run.folder import INPUTS, MANIFEST, PLAN, REPORT, read_json, require_run_folder
    from sites.expansion import expand
    from sites.world import load_world_from_inputs

    require_run_folder(run)
    world = load_world_from_inputs(run / INPUTS)
    graphs = {one.name: expand(one.site, world.catalog) for one in world.sites}
    write_report(run, read_json(run / PLAN), read_json(run / MANIFEST), world, graphs)
    click.echo(run / REPORT)
