"""`gigaplan export`."""

from __future__ import annotations

from pathlib import Path

import click

from planner.cli.screen import say


@click.command("export")
@click.argument("file")
@click.option("--mps", required=True, type=click.Path(path_type=Path, dir_okay=False), help="MPS file to write.")
def command(file: str, mps: Path) -> None:
    """Write the integer problem of FILE as MPS: the very problem that is solved, bounded and checked.

    \b
    Examples:
      gigaplan export claude-on-azure-1gw --mps problem.mps
      highs problem.mps
    """
    from planner.export import write_mps
    from planner.lower import lower
    from sites.world import load_world

    problem = lower(load_world(file)).problem
    partial = mps.with_name(f".{mps.name}.partial")
    try:
        write_mps(problem, partial)
        partial.replace(mps)
    finally:
        partial.unlink(missing_ok=True)
    size = f"{problem.n_rows} rows, {problem.n_configurations} configurations, {problem.n_periods} quarters"
    say(f"{size}, {problem.n_limits} limits")
    click.echo(mps)
