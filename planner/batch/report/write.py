"""Write the report of a batch, and those of its units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.batch.report.view import batch_view
from planner.batch.store import RUN, write_durably
from planner.report.render import asset, fill_template

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REPORT = "report.html"


def write_batch_report(folder: Path) -> Path:
    """Write `report.html` of a batch's folder from what is there; one HTML file that needs no network.

    Returns its path. Raises InputError where the folder is not of a batch.
    """
    view = batch_view(folder)
    text = fill_template(
        "batch.html.j2", view=view, css=asset("report.css"), batch_css=asset("batch.css"), js=asset("batch.js")
    )
    place = folder / REPORT
    write_durably(place, text.encode("utf-8"))
    return place


def write_unit_reports(folder: Path, show: Callable[[int, int], None]) -> int:
    """Write the report of every unit that has a run folder and no report in it; return how many.

    Parameters: folder, of a batch; show, called with the number done and the number to do after each.
    """
    from planner.run.create import report_again

    waiting = [run for run in sorted((folder / "units").glob(f"*/{RUN}")) if not (run / REPORT).is_file()]
    for index, run in enumerate(waiting):
        report_again(run)
        show(index + 1, len(waiting))
    return len(waiting)
