"""`gigaplan plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.options import backend_option
from planner.cli.screen import ProgressLine, put_json, put_table, say

if TYPE_CHECKING:
    from planner.run.create import Run


@click.command("plan")
@click.argument("file")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder to write.  [default: runs/NAME]")
@click.option(
    "--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop after so long."
)
@click.option("--work-limit", type=click.IntRange(min=1), metavar="N", help="Stop after so many search steps.")
@backend_option
@click.option(
    "--lanes", type=click.IntRange(1, 65_536), default=8, show_default=True,
    help="Plans searched side by side; another number finds other plans.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the search.")
@click.option(
    "--bound", type=click.Choice(["auto", "columns", "first-order"]), default="auto", show_default=True,
    help="How the bound is found; auto looks at how much of the problem is alike.",
)  # fmt: skip
@click.option("--guide", type=click.Path(path_type=Path), help="Replay the guide.npz of another run.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    file: str,
    out: Path | None,
    time_limit: float | None,
    work_limit: int | None,
    backend: str,
    lanes: int,
    seed: int,
    bound: str,
    guide: Path | None,
    as_json: bool,
) -> None:
    """Plan FILE and write its run folder: plan, certificate, tables and report.

    FILE is a library name, a portfolio file, or a site file. The best plan so far is kept when the time or the work
    is used up, or on Ctrl-C. The same seed, lanes, guide and work limit give the same plan on every machine and
    backend.

    \b
    Examples:
      gigaplan plan claude-on-azure-1gw
      gigaplan plan reference-1gw --time-limit 60 --out runs/reference
      gigaplan plan my-portfolio.yaml --backend numpy --work-limit 100000
      gigaplan plan my-portfolio.yaml --json > result.json
    """
    from planner.run.create import RunRequest, create_run
    from planner.solve.options import SolveOptions
    from sites.world import load_world

    world = load_world(file)
    options = SolveOptions(
        backend=backend, seed=seed, time_limit_s=time_limit, work_limit=work_limit, n_lanes=lanes, bound=bound
    )  # fmt: skip
    request = RunRequest(out or Path("runs") / world.portfolio.name, options, guide)
    line = ProgressLine()
    try:
        run = create_run(world, request, line)
    finally:
        line.end()
    if as_json:
        put_json(_summary(run))
    else:
        _show(run)


def _summary(run: Run) -> dict[str, Any]:
    keys = ("status", "objective", "bound", "gap", "stop_reason", "backend", "seed", "wall_s", "portfolio", "periods")
    of_aim = [key for key in ("aim", "npv_cents") if key in run.document]
    return {key: run.document[key] for key in (*keys, *of_aim)} | {
        "totals": run.document["totals"],
        "warnings": list(run.warnings),
        "run": str(run.folder),
        "report": str(run.folder / "report.html"),
    }


def _show(run: Run) -> None:
    from planner.report.aim_words import aim_sentences
    from planner.report.words import count, dollars, megawatts

    document = run.document
    configurations = list(document["totals"][-1]["racks"])
    lines = [
        (
            total["period"],
            *(count(total["racks"][name]) for name in configurations),
            count(sum(total["racks"].values())),
            count(total["gpus"]),
            megawatts(total["it_w"]),
            megawatts(total["plan_meter_w"]["joint"]),
        )
        for total in document["totals"]
    ]
    columns = ("quarter", *configurations, "racks", "GPUs", "IT MW", "meter MW")
    for warning in run.warnings:
        say(warning)
    put_table(f"{document['portfolio']}: racks standing", columns, lines, right=range(1, len(columns)))
    for one in document.get("openings", ()):
        when = f"opened in {one['opened']} for {dollars(one['cost_cents'])}" if one["opened"] else "stays closed"
        say(f"{one['name']} ({one['site']}): {when}")
    first, *more = aim_sentences(document)
    say(f"{document['status']} ({document['stop_reason']}): {first}, {document['wall_s']:.1f} s")
    for sentence in more:
        say(sentence)
    say(f"run     {run.folder}")
    say(f"report  {run.folder / 'report.html'}")
    say(f"check   gigaplan verify {run.folder}")
