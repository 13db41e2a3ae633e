"""`gigaplan compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import INFEASIBLE, PART_FAILED, Ended
from planner.cli.options import backend_option
from planner.cli.screen import RunsProgress, counted, put_json, put_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FILE = click.Path(path_type=Path, dir_okay=False)
_PLANNING = {"out": "--out", "time_limit": "--time-limit", "work_limit": "--work-limit", "weather": "--weather"}
_SPLITS = {"line": "line of cash", "site": "site", "system": "system", "start": "quarter of start"}
_FOR_ALL = ("racks", "GPUs", "IT", "meter")
"""Figures of a quarter that a table shows after the racks of each system."""


@click.command("compare")
@click.argument("targets", nargs=-1, required=True, metavar="FILE | RUN_A RUN_B")
@click.option("--loop", metavar="DEGC,DEGC", help="Set-points of the technology loops to plan FILE at.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the runs.  [default: runs/NAME-loops]")
@click.option(
    "--time-limit", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop each plan after so long."
)
@click.option("--work-limit", type=click.IntRange(min=1), metavar="N", help="Stop each plan after so many steps.")
@backend_option
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every plan.")
@click.option("--weather", multiple=True, metavar="[SITE=]FILE", help="EPW or CSV file for the year, one site or all.")
@click.option(
    "--causes/--no-causes", default=True, show_default=True, help="Split the difference of two runs by cause."
)
@click.option("--csv", "csv_file", type=_FILE, help="CSV file to write as well.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    targets: tuple[str, ...], loop: str | None, causes: bool, csv_file: Path | None, as_json: bool, **planning: Any
) -> None:
    """Plan FILE at several set-points of its technology loops, or put RUN_A and RUN_B side by side.

    With --loop, FILE is planned once for each set-point: every liquid loop is set to it, plants keep their distance
    below, and all else is equal, time limit and seed included. Each plan is a run folder of its own under --out, which
    `gigaplan verify` checks. Where a set-point admits no plan, its line says why, and the exit code is 4.

    With two run folders, the differences are B less A: by quarter, by part of the objective, and by limits that bind.
    Then by cause, each split adding up to the cent: by line of cash, site, system and quarter of start, and by input:
    plan A is valued again after each group of inputs is exchanged for B's, and what is left is the plan's own doing.

    \b
    Examples:
      gigaplan compare reference-1gw --loop 30,40,45 --time-limit 60
      gigaplan compare claude-on-azure-1gw --loop 30,45 --time-limit 120 --out runs/loops --csv loops.csv
      gigaplan compare runs/before runs/after
      gigaplan compare runs/before runs/after --json > difference.json
    """
    if loop is None:
        _compare_runs(_two_runs(targets, planning), causes, csv_file, as_json)
    elif len(targets) == 1:
        _compare_loops(targets[0], loop, csv_file, as_json, planning)
    else:
        msg = f"--loop plans one FILE; found {len(targets)}: name one, or leave --loop out to compare two runs"
        raise click.UsageError(msg)


def _two_runs(targets: Sequence[str], planning: Mapping[str, Any]) -> tuple[Path, Path]:
    """The two run folders, or why these are none."""
    if len(targets) != 2:
        msg = (
            f"found {counted(len(targets), 'name')} and no --loop; name two run folders to put them side by side, or "
            "one FILE with --loop 30,40,45 to plan it at several set-points"
        )
        raise click.UsageError(msg)
    useless = [option for key, option in _PLANNING.items() if planning[key]]
    if useless:
        msg = f"{', '.join(useless)}: this is for planning with --loop; two runs are planned already"
        raise click.UsageError(msg)
    return Path(targets[0]), Path(targets[1])


def _compare_loops(file: str, loop: str, csv_file: Path | None, as_json: bool, planning: Mapping[str, Any]) -> None:
    """Plan at every set-point, show the table, and end with 3 or 4 where some set-point has no plan."""
    from planner.compare.loops import set_points
    from planner.compare.variants import COLUMNS, LoopRequest, compare_loops, table_lines
    from planner.solve.options import SolveOptions
    from sites.world import load_world

    try:
        points = set_points(loop)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--loop") from None
    world = load_world(file)
    options = SolveOptions(
        backend=planning["backend"],
        seed=planning["seed"],
        time_limit_s=planning["time_limit"],
        work_limit=planning["work_limit"],
    )
    out = planning["out"] or Path("runs") / f"{world.portfolio.name}-loops"
    progress = RunsProgress()
    try:
        found = compare_loops(world, LoopRequest(out, points, options, planning["weather"]), progress)
    finally:
        progress.end()
    if csv_file is not None:
        _write_csv(csv_file, COLUMNS, table_lines(found))
    if as_json:
        put_json(found)
    else:
        _show_loops(found, out)
    _end_loops(found["variants"])


def _end_loops(variants: Sequence[Mapping[str, Any]]) -> None:
    """End with 3 where no set-point has a plan, with 4 where some have none."""
    if all(one["outcome"] in {"refused", "infeasible"} for one in variants):
        raise Ended(INFEASIBLE)
    if any(one["run"] is None for one in variants):
        raise Ended(PART_FAILED)


def _show_loops(found: Mapping[str, Any], out: Path) -> None:
    """The comparison as a person reads it."""
    from planner.report.words import count, dollars, gap_text, megawatts, percent

    columns = (
        "loop degC", "racks", "GPUs", "IT MW", "meter MW", "worth", "gap", "peak-day PUE", "chillers", "annual PUE",
        "water ML", "compressor h",
    )  # fmt: skip
    lines = []
    for one in found["variants"]:
        name = f"{one['set_point_degc']:g}"
        if one["run"] is None:
            lines.append((name, one["outcome"], *[""] * (len(columns) - 2)))
            continue
        totals, day, year = one["totals"], one["design_day"], one["year"]
        watts = [megawatts(totals[key]) for key in ("it_w", "meter_w")]
        money = (dollars(totals["objective"]), gap_text(totals["gap"]))
        cooling = (_number(day["peak_day_pue"], 3), percent(day["chiller_share"]), _number(year.get("pue"), 3))
        water = year.get("water_litres")
        yearly = (
            _number(None if water is None else water / 1e6, 1),
            _number(year.get("hours_with_compressor"), 0),
        )
        lines.append((name, count(totals["racks"]), count(totals["gpus"]), *watts, *money, *cooling, *yearly))
    put_table(f"{found['portfolio']} by set-point of its loops", columns, lines, right=range(1, len(columns)))
    for one in found["variants"]:
        _say_reasons(one)
    say(found["note"])
    say(f"runs    {out}; check each with gigaplan verify")


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _say_reasons(variant: Mapping[str, Any]) -> None:
    """Why a set-point has no plan or no year, and what may no longer stand at it."""
    name = f"{variant['set_point_degc']:g} degC"
    if variant["outcome"] == "interrupted":
        say(f"{name}: interrupted, so its plan was searched for less long than the others")
    for reason in variant["reasons"]:
        say(f"{name}: {variant['outcome']}: {reason}")
    for reason in variant.get("year", {}).get("reasons", ()):
        say(f"{name}: no year: {reason}")
    for lost in variant["lost"]:
        rows = counted(lost["n_rows_more"], "row")
        say(f"{name}: {lost['site']}: {lost['configuration']} may stand in {rows} less: {'; '.join(lost['reasons'])}")


def _compare_runs(runs: tuple[Path, Path], causes: bool, csv_file: Path | None, as_json: bool) -> None:
    from planner.compare.runs import COLUMNS, compare_runs, table_lines

    found = compare_runs(*runs, by_cause=causes)
    if csv_file is not None:
        _write_csv(csv_file, COLUMNS, table_lines(found))
    if as_json:
        put_json(found)
    else:
        _show_runs(found)


def _show_runs(found: Mapping[str, Any]) -> None:
    """Worth and its parts, the quarters, and the limits that bind."""
    from planner.report.words import amount, gap_text

    def line(one: Mapping[str, Any]) -> tuple[str, ...]:
        unit = "" if one["unit"] in {"rack", "GPU", "limit"} else one["unit"]
        return tuple(_amount(one[key], unit, amount) for key in ("a", "b", "difference"))

    for key in ("a", "b"):
        one = found[key]
        say(f"{key.upper()}  {one['run']}: {one['portfolio']}, {one['status']}, gap {gap_text(one['gap'])}")
    worth = [(one["name"], *line(one)) for one in (*found["worth"], *found["money"])]
    put_table("Worth and its parts", ("", "A", "B", "B less A"), worth, right=(1, 2, 3))
    _show_quarters(found["quarters"])
    binding = [
        (one["site"], one["family"], one["a"], one["b"], len(one["only_a"]), len(one["only_b"]))
        for one in found["binding"]
    ]
    put_table("Limits that bind", ("site", "family", "A", "B", "A alone", "B alone"), binding, right=(2, 3, 4, 5))
    if found["causes"] is not None:
        _show_causes(found["causes"])
    for key in ("a", "b"):
        for lost in found["lost"][key]:
            rows = counted(lost["n_rows_more"], "row")
            reasons = "; ".join(lost["reasons"])
            say(f"{key.upper()}: {lost['site']}: {lost['configuration']} may stand in {rows} less: {reasons}")


def _show_causes(found: Mapping[str, Any]) -> None:
    """The difference in money by cause, and how the plans stand under each other's inputs."""
    from planner.report.words import amount

    def cents(value: int) -> str:
        return amount(value, "cent")

    columns = ("", "A", "B", "B less A")
    for split, title in _SPLITS.items():
        lines = [(one["name"], *(cents(one[key]) for key in ("a", "b", "difference"))) for one in found[split]]
        put_table(f"Worth in money by {title}", columns, lines, right=(1, 2, 3))
    steps = [
        (one["cause"], cents(one["before"]), cents(one["after"]), cents(one["difference"]), _standing_text(one))
        for one in found["steps"]
    ]
    titles = ("exchanged for B's, one after the other", "before", "after", "difference", "plan A there")
    put_table("Worth in money by input, then the plan", titles, steps, right=(1, 2, 3))
    back = found["second_under_first"]
    worth = back["reason"] if back["cents"] is None else f"is worth {cents(back['cents'])}; {_standing_text(back)}"
    say(f"plan B under A's inputs: {worth}")


def _standing_text(one: Mapping[str, Any]) -> str:
    if one["reason"] is not None:
        return str(one["reason"])
    if not one["n_broken"]:
        return "keeps every limit"
    return f"breaks {counted(one['n_broken'], 'limit')}: {', '.join(one['broken'])}"


def _show_quarters(lines: Sequence[Mapping[str, Any]]) -> None:
    """One line for each quarter: figures that are equal once, others as A → B."""
    from planner.report.words import amount

    shown = [one for one in lines if one["unit"] == "rack" or one["name"] in _FOR_ALL]
    names = sorted(dict.fromkeys(one["name"] for one in shown), key=lambda name: name in _FOR_ALL)
    quarters: dict[str, dict[str, str]] = {}
    for one in shown:
        a, b = (_amount(one[key], "W" if one["unit"] == "W" else "", amount) for key in ("a", "b"))
        quarters.setdefault(one["quarter"], {})[one["name"]] = a if a == b else f"{a} → {b}"
    table = [(quarter, *(cells.get(name, "–") for name in names)) for quarter, cells in quarters.items()]
    put_table("By quarter, A → B where they differ", ("quarter", *names), table, right=range(1, len(names) + 1))


def _amount(value: int | None, unit: str, amount: Any) -> str:
    if value is None:
        return "–"
    return amount(value, unit) if unit else f"{value:,}"


def _write_csv(path: Path, columns: Sequence[str], lines: Sequence[Mapping[str, Any]]) -> None:
    from planner.run.folder import write_whole
    from planner.run.tables import write_csv

    try:
        write_whole(path, lambda target: write_csv(target, columns, lines))
    except OSError as error:
        msg = f"'{path}' cannot be written ({error.strerror}); name another place"
        raise click.BadParameter(msg, param_hint="--csv") from None
