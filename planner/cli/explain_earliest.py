"""`gigaplan explain earliest`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import INFEASIBLE, Ended
from planner.cli.screen import RunsProgress, put_json, put_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.schema.objective import Measure
    from sites.world import World


@click.command("earliest")
@click.argument("file")
@click.option("--measure", metavar="NAME", help="racks, gpus, meter-w, flops-fp8, tokens …  [default: the objective's]")
@click.option("--target", metavar="NUMBER", help="How much of it, in its unit.  [default: the objective's]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the runs.  [default: runs/NAME-earliest]")
@click.option(
    "--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop each plan after so long."
)
@click.option("--work-limit", type=click.IntRange(min=1), metavar="N", help="Stop each plan after so many steps.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every plan.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    file: str, measure: str | None, target: str | None, out: Path | None, as_json: bool, **planning: Any
) -> None:
    """Find the first quarter in which FILE can reach a target, and prove that no quarter before can.

    Each step plans for the most of the measure in one quarter: its plan reaches the target, or its bound proves that
    no plan does, or neither is known in the time given. Quarters are halved until the first that reaches is found.
    Each run lies in the folder, for `gigaplan verify`; runs that are there already are not planned again.

    \b
    Examples:
      gigaplan explain earliest reference-1gw --measure racks --target 2000 --time-limit 60
      gigaplan explain earliest my-portfolio.yaml --measure meter-w --target 500e6 --json
    """
    from planner.objectives.earliest import earliest
    from planner.objectives.study import Study
    from planner.solve.options import SolveOptions
    from sites.world import load_world

    world = load_world(file)
    asked, wanted = _asked(world, measure, target)
    options = SolveOptions(
        seed=planning["seed"], time_limit_s=planning["time_limit"], work_limit=planning["work_limit"]
    )  # fmt: skip
    progress = RunsProgress()
    try:
        found = earliest(
            Study(world, out or Path("runs") / f"{world.portfolio.name}-earliest", options, progress), asked, wanted
        )
    finally:
        progress.end()
    if as_json:
        put_json(found)
    else:
        _show(found)
    if found["reached_in"] is None:
        raise Ended(INFEASIBLE)


def _asked(world: World, measure: str | None, target: str | None) -> tuple[Measure, Fraction]:
    """Measure and target, as named or as the portfolio's objective has them."""
    from sites.schema.objective import Earliest, measure_of

    own = world.portfolio.objective.earliest if world.portfolio.objective is not None else None
    texts = {"measure": measure or (own and own.measure), "target": target or (own and own.target)}
    missing = [f"--{key}" for key, value in texts.items() if value is None]
    if missing:
        msg = f"name {' and '.join(missing)}, or let the portfolio's objective say 'earliest: {{measure, target}}'"
        raise click.UsageError(msg)
    try:
        asked = Earliest.model_validate(texts)
    except ValueError as error:
        raise click.BadParameter(_reason(error), param_hint="--measure, --target") from None
    return measure_of(asked.measure), asked.target


def _reason(error: ValueError) -> str:
    from pydantic import ValidationError

    assert isinstance(error, ValidationError)
    return "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())


def _show(found: Mapping[str, Any]) -> None:
    """Steps by quarter and the verdict."""
    lines = [
        (one["quarter"], one["outcome"], _number(one["value"]), _number(one["at_most"]), one["run"])
        for one in found["steps"]
    ]
    title = f"{found['portfolio']}: {found['measure']} of {_number(found['target'])} {found['unit']} or more"
    put_table(title, ("quarter", "", "plan", "at most", "run"), lines, right=(2, 3))
    if found["reached_in"] is None:
        proven = "proven: no plan reaches it" if found["not_before"] is None else "not proven that none does"
        say(f"no quarter reaches the target; {proven}")
    elif found["is_certain"]:
        say(f"earliest: {found['reached_in']}, proven that none before reaches it")
    else:
        since = found["not_before"]
        say(f"reached in {found['reached_in']}; proven only that no quarter before {since} reaches it: give more time")


def _number(text: str) -> str:
    return f"{float(Fraction(text)):,.6g}"
