"""`gigaplan report`."""

from __future__ import annotations

from pathlib import Path

import click

from planner.cli.exits import BAD_INPUT, Ended
from planner.cli.screen import say


@click.command("report")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--units", is_flag=True, help="Of a batch: first write the reports of its units, to which cells lead.")
def command(folder: Path, *, units: bool) -> None:
    """Write report.html of RUN again: of a run folder from its plan and its inputs, of a batch from its results.

    \b
    Examples:
      gigaplan report runs/claude-on-azure-1gw
      gigaplan report runs/overnight --units
    """
    from planner.batch.engine import BATCH

    if (folder / BATCH).is_file():
        from planner.batch.report.write import write_batch_report, write_unit_reports

        if units:
            write_unit_reports(folder, lambda n_done, n_all: say(f"report {n_done:,} of {n_all:,}"))
        click.echo(write_batch_report(folder))
        return
    if units:
        say(f"{folder}: --units is for the folder of a batch; name one that 'gigaplan batch --out' wrote")
        raise Ended(BAD_INPUT)
    from planner.run.create import report_again

    click.echo(report_again(folder))
