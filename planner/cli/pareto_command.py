"""`gigaplan pareto`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.screen import RunsProgress, counted, put_json, put_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.schema.objective import Measure


@click.command("pareto")
@click.argument("file")
@click.option("--of", "names", required=True, metavar="MEASURE,MEASURE", help="Two of npv, cost, racks, gpus, tokens …")
@click.option("--points", type=click.IntRange(min=2, max=99), default=9, show_default=True, help="Points to find.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for runs, table and picture.  [default: runs/NAME-front]"
)
@click.option(
    "--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop each plan after so long."
)
@click.option("--work-limit", type=click.IntRange(min=1), metavar="N", help="Stop each plan after so many steps.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every plan.")
@click.option("--json", "as_json", is_flag=True, help="Print the front as JSON.")
def command(file: str, names: str, points: int, out: Path | None, as_json: bool, **planning: Any) -> None:
    """Find the plans of FILE of which none is beaten in both of two measures, and what no plan exceeds.

    More is better of every measure: more of `cost` is less spent. Weighted sums find the points at the corners of the
    front; floors with a price find those between, where one measure is npv or cost and the other racks, gpus or
    meter-w. Every point is a run in the folder, for `gigaplan verify`; runs that are there already are kept, so that a
    front that was interrupted goes on where it stopped.

    \b
    Examples:
      gigaplan pareto reference-1gw --of npv,racks --points 5 --time-limit 60
      gigaplan pareto my-portfolio.yaml --of npv,flops-fp8 --out runs/front
      gigaplan pareto my-portfolio.yaml --of npv,racks@2028-Q4 --json
    """
    from planner.objectives.pareto import pareto
    from planner.objectives.study import Study
    from planner.solve.options import SolveOptions
    from sites.world import load_world

    measures = _measures(names)
    world = load_world(file)
    options = SolveOptions(
        seed=planning["seed"], time_limit_s=planning["time_limit"], work_limit=planning["work_limit"]
    )  # fmt: skip
    folder = out or Path("runs") / f"{world.portfolio.name}-front"
    progress = RunsProgress()
    try:
        found = pareto(Study(world, folder, options, progress), measures, points)
    finally:
        progress.end()
    if as_json:
        put_json(found)
    else:
        _show(found, folder)


def _measures(names: str) -> tuple[Measure, Measure]:
    from sites.schema.objective import measure_of

    texts = [text.strip() for text in names.split(",")]
    try:
        measures = [measure_of(text) for text in texts]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--of") from None
    if len(set(measures)) != 2 or len(measures) != 2:
        msg = f"found {names!r}; name two different measures, for example npv,racks"
        raise click.BadParameter(msg, param_hint="--of")
    return measures[0], measures[1]


def _show(found: Mapping[str, Any], folder: Path) -> None:
    """Points of the front, then where the files lie."""
    from planner.report.words import gap_text

    first, second = found["measures"]
    lines = [
        (
            one["point"],
            one["kind"],
            f"{one[second]:,.6g}",
            f"{one[first]:,.6g}",
            "–" if one[f"{first}_at_most"] is None else f"{one[f'{first}_at_most']:,.6g}",
            gap_text(one["gap"]),
        )
        for one in found["points"]
        if one["on_front"]
    ]
    columns = ("run", "found by", f"{second}, {found['units'][1]}", f"{first}, {found['units'][0]}", "at most", "gap")
    put_table(f"{found['portfolio']}: the front of {first} and {second}", columns, lines, right=(2, 3, 4, 5))
    n_others = len(found["points"]) - len(lines)
    if n_others:
        say(f"{counted(n_others, 'run')} more found no point of the front")
    say(f"runs    {folder}; check each with gigaplan verify")
    say(f"picture {folder / 'front.svg'}")
