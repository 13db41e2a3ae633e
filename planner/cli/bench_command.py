"""`gigaplan bench`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.bench_parts import backends, portfolio, scaling, scenarios
from planner.cli.bench_roof import kernels, roofline
from planner.cli.bench_small import small
from planner.cli.exits import INFEASIBLE, Ended
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from planner.bench.records import Race

RESULTS = "results.json"
_PACKAGES = {"highs": "highspy", "highs-ipm": "highspy", "cp-sat": "ortools", "pdlp": "ortools"}
_FORMS = ("full", "reduced")


def _numbers(text: str, option: str, kind: type[int] | type[float]) -> tuple[Any, ...]:
    """Numbers separated by commas, all at least 0 (seconds more), without repeats, ascending."""
    try:
        found = [kind(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 0 or (kind is float and (min(found) <= 0 or max(found) == float("inf"))):
        wanted = "whole numbers" if kind is int else "seconds"
        msg = f"found '{text}'; write {wanted} with commas between them, for example {option} 1,15"
        raise click.BadParameter(msg, param_hint=option)
    return tuple(sorted(set(found)))


def _peers(text: str | None) -> tuple[str, ...]:
    """The peers asked for, which must be installed; without a wish, those that are."""
    if text is None:
        missing = [peer for peer, package in _PACKAGES.items() if find_spec(package) is None]
        for peer in missing:
            say(f"{peer} does not take part: {_PACKAGES[peer]} is not installed (pip install gigaplan[bench])")
        return tuple(peer for peer in _PACKAGES if peer not in missing)
    asked = tuple(dict.fromkeys(part for part in text.split(",") if part and part != "none"))
    for peer in asked:
        if peer not in _PACKAGES:
            msg = f"found '{peer}'; the peers are {', '.join(_PACKAGES)}, or none"
            raise click.BadParameter(msg, param_hint="--peers")
        if find_spec(_PACKAGES[peer]) is None:
            msg = f"{peer} needs the package {_PACKAGES[peer]}; install it with: pip install gigaplan[bench]"
            raise click.BadParameter(msg, param_hint="--peers")
    return asked


def _forms(text: str) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(text.split(",")))
    for form in asked:
        if form not in _FORMS:
            msg = f"found '{form}'; the forms are {', '.join(_FORMS)}"
            raise click.BadParameter(msg, param_hint="--forms")
    return asked


@click.group("bench", invoke_without_command=True)
@click.option("--rows", type=click.IntRange(min=12), default=600, show_default=True, help="Rows of a campus, about.")
@click.option("--periods", type=click.IntRange(4, 40), default=16, show_default=True, help="Quarters of the plan.")
@click.option("--work", "works", is_flag=True, help="Racks work, under clauses and with refreshes.")
@click.option("--seeds", default="101,102,103", show_default=True, help="Campuses to generate, one for each seed.")
@click.option("--time", "times", default="5,15,60", show_default=True, help="Seconds at which gaps are read.")
@click.option("--long-time", type=click.FloatRange(min=0, min_open=True), help="One more mark for --long-seeds.")
@click.option("--long-seeds", help="Campuses that are raced to --long-time.")
@click.option("--peers", help="Solvers to race: highs, highs-ipm, cp-sat, pdlp, or none.  [default: those installed]")
@click.option("--forms", default="full,reduced", show_default=True, help="What peers get.")
@click.option("--peer-time", type=click.FloatRange(min=0, min_open=True), help="Longest run of a peer, seconds.")
@click.option("--cores", type=click.IntRange(min=1), help="Threads of every solver.  [default: all usable]")
@click.option("--no-verify", is_flag=True, help="Do not check our longest run of each campus as `verify` does.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/bench"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.pass_context
def command(
    context: click.Context, rows: int, periods: int, works: bool, seeds: str, times: str, long_time: float | None,
    long_seeds: str | None, peers: str | None, forms: str, peer_time: float | None, cores: int | None,
    no_verify: bool, out: Path, as_json: bool,
) -> None:  # fmt: skip
    """Race Gigaplan against other solvers on generated campuses: gap against time.

    Every campus is generated from its seed and passes through the whole pipeline. Each solver runs alone, in a
    process of its own, on the same cores and clock. Peers get the full problem and a reduced one. Our gap is proven
    in integers; of a peer, its plan is evaluated again in integers and its bound is its own word. Writes results.json,
    tables.md, gaps.png and gaps.svg.

    A race that is stopped goes on where it stood when it is started again with the same --out; seeds, times, peers
    and forms that were added join what is there.

    \b
      gigaplan bench
      gigaplan bench --rows 120 --periods 8 --seeds 1 --time 1,5 --peers highs
      gigaplan bench --seeds 101,102,103,104,105 --time 1,5,15,60 --long-time 600 --long-seeds 101
    """
    if context.invoked_subcommand is not None:
        return
    from planner.bench.campus import CampusSize
    from planner.bench.race import RaceRequest, race
    from planner.bench.records import ForeignRaceError
    from planner.bench.summary import document
    from planner.run.manifest import n_usable_cores

    request = RaceRequest(
        CampusSize(rows, periods, works), _numbers(seeds, "--seeds", int), _numbers(times, "--time", float),
        _peers(peers), min(cores or n_usable_cores(), n_usable_cores()), not no_verify, _forms(forms), long_time,
        _numbers(long_seeds, "--long-seeds", int) if long_seeds else (), peer_time,
    )  # fmt: skip
    _refuse_foreign(out)
    try:
        found = race(request, out, say)
    except ForeignRaceError as error:
        raise click.BadParameter(str(error), param_hint="--out") from None
    results = document(found, datetime.now(UTC).isoformat(timespec="seconds"))
    _write(out, found, results)
    if as_json:
        put_json(results)
    else:
        _show(found, out)
    if any(mark.verified is False for mark in found.marks):
        say("a run of ours was refused by the checker; this race proves nothing")
        raise Ended(INFEASIBLE)


for _part in (scaling, backends, kernels, roofline, scenarios, portfolio, small):
    command.add_command(_part)


def _refuse_foreign(out: Path) -> None:
    from planner.bench.records import KEPT

    if out.is_dir() and any(out.iterdir()) and not (out / KEPT).is_file():
        msg = f"{out} holds something else than a race; name another folder"
        raise click.BadParameter(msg, param_hint="--out")


def _write(out: Path, found: Race, results: dict[str, Any]) -> None:
    from planner.bench.picture import draw_gaps
    from planner.bench.summary import GAP_COLUMNS, gap_lines, markdown

    (out / RESULTS).write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (out / "tables.md").write_text(markdown(GAP_COLUMNS, gap_lines(found)), encoding="utf-8")
    for name in ("gaps.png", "gaps.svg"):
        draw_gaps(found, out / name)


def _show(found: Race, out: Path) -> None:
    from planner.bench.summary import GAP_COLUMNS, ahead, gap_lines, gap_of, percent, targets

    times = [f"{time_s:g} s" for time_s in found.times_s]
    by_run: dict[tuple[str, ...], dict[str, str]] = {}
    for mark in found.marks:
        by_time = by_run.setdefault((str(mark.seed), mark.solver, mark.form), {})
        by_time[f"{mark.time_s:g} s"] = percent(gap_of(found, mark))
    lines = [(*run, *(gaps.get(time_s, "") for time_s in times)) for run, gaps in by_run.items()]
    put_table("Gap of each campus", ("seed", "solver", "form", *times), lines)
    put_table(f"Medians of {len(found.seeds)} campuses", GAP_COLUMNS, gap_lines(found), right=range(2, 9))
    for time_s, aim in targets(found).items():
        say(f"our target after {time_s:g} s: {percent(aim)}")
    for time_s, value in ahead(found).items():
        if value is not None:
            forms = "in its better form"
            say(f"after {time_s:g} s Gigaplan is {'ahead' if value else 'NOT ahead'} of every peer {forms}")
    n_verified = sum(mark.verified is True for mark in found.marks)
    say(f"runs of ours accepted by the checker: {n_verified}")
    say(f"first process of ours, before the clock, with compiling or loading kernels: {found.warm_up_s:.1f} s")
    if found.load_before is not None and found.load_before > found.n_cores / 2:
        say(f"the machine was busy before the race (load {found.load_before:.1f}); race again when it is idle")
    say(f"results  {out / RESULTS}")
    say(f"picture  {out / 'gaps.png'}")
