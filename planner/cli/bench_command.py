"""`gigaplan bench`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.exits import INFEASIBLE, Ended
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from planner.bench.race import Race

RESULTS = "results.json"
_PACKAGES = {"highs": "highspy", "cp-sat": "ortools"}


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


@click.command("bench")
@click.option("--rows", type=click.IntRange(min=12), default=600, show_default=True, help="Rows of a campus, about.")
@click.option("--periods", type=click.IntRange(4, 40), default=16, show_default=True, help="Quarters of the plan.")
@click.option("--seeds", default="101,102,103", show_default=True, help="Campuses to generate, one for each seed.")
@click.option("--time", "times", default="5,15,60", show_default=True, help="Seconds at which gaps are read.")
@click.option("--peers", help="Solvers to race: highs, cp-sat, or none.  [default: those installed]")
@click.option("--cores", type=click.IntRange(min=1), help="Threads of every solver.  [default: all usable]")
@click.option("--no-verify", is_flag=True, help="Do not check our longest run of each campus as `verify` does.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/bench"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def command(
    rows: int, periods: int, seeds: str, times: str, peers: str | None, cores: int | None, no_verify: bool, out: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Race Gigaplan against other solvers on generated campuses: gap against time.

    Every campus is generated from its seed and passes through the whole pipeline. Each solver runs alone, in a
    process of its own, on the same cores and clock, on the same full integer problem. Our gap is proven in integers;
    of a peer, its plan is evaluated again in integers and its bound is its own word. Writes results.json, gaps.png
    and gaps.svg.

    \b
    Examples:
      gigaplan bench
      gigaplan bench --rows 120 --periods 8 --seeds 1 --time 1,5 --peers highs
      gigaplan bench --seeds 101,102,103,104,105 --time 1,5,15,60,600 --out runs/bench-long
    """
    from planner.bench.campus import CampusSize
    from planner.bench.race import RaceRequest, race
    from planner.bench.summary import document
    from planner.run.manifest import n_usable_cores

    request = RaceRequest(
        CampusSize(rows, periods), _numbers(seeds, "--seeds", int), _numbers(times, "--time", float), _peers(peers),
        min(cores or n_usable_cores(), n_usable_cores()), not no_verify,
    )  # fmt: skip
    _refuse_foreign(out)
    found = race(request, say)
    results = document(found, datetime.now(UTC).isoformat(timespec="seconds"))
    _write(out, found, results)
    if as_json:
        put_json(results)
    else:
        _show(found, out)
    if any(mark.verified is False for mark in found.marks):
        say("a run of ours was refused by the checker; this race proves nothing")
        raise Ended(INFEASIBLE)


def _refuse_foreign(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()) and not (out / RESULTS).is_file():
        msg = f"{out} holds something else than results of a race; name another folder"
        raise click.BadParameter(msg, param_hint="--out")


def _write(out: Path, found: Race, results: dict[str, Any]) -> None:
    from planner.bench.picture import draw_gaps

    out.mkdir(parents=True, exist_ok=True)
    (out / RESULTS).write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for name in ("gaps.png", "gaps.svg"):
        draw_gaps(found, out / name)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.3f} %"


def _show(found: Race, out: Path) -> None:
    from planner.bench.summary import ahead, medians, targets

    times = [f"{time_s:g} s" for time_s in found.request.times_s]
    aims = targets(found)
    by_run: dict[tuple[int, str, str], list[str]] = {}
    for mark in found.marks:
        by_run.setdefault((mark.seed, mark.solver, mark.form), []).append(_percent(mark.gap))
    put_table("Gap of each campus", ("seed", "solver", "form", *times), [(*key, *gaps) for key, gaps in by_run.items()])
    lines = [
        (
            line.solver, line.form, f"{line.time_s:g} s", _percent(line.gap), _percent(line.worst_gap),
            _percent(line.cross_gap), _percent(line.bound_share),
            _percent(aims[line.time_s]) if line.solver == "gigaplan" and line.time_s in aims else "",
        )
        for line in medians(found)
    ]  # fmt: skip
    columns = ("solver", "form", "time", "gap", "worst gap", "plan to best bound", "bound to best plan", "target")
    put_table(f"Medians of {len(found.campuses)} campuses", columns, lines, right=range(3, len(columns)))
    for time_s, value in ahead(found).items():
        if value is not None:
            say(f"after {time_s:g} s Gigaplan is {'ahead of every peer' if value else 'NOT ahead of every peer'}")
    n_verified = sum(mark.verified is True for mark in found.marks)
    say(f"runs of ours accepted by the checker: {n_verified}")
    say(f"first process of ours, before the clock, with compiling or loading kernels: {found.warm_up_s:.1f} s")
    if found.load_before is not None and found.load_before > found.request.n_cores / 2:
        say(f"the machine was busy before the race (load {found.load_before:.1f}); race again when it is idle")
    say(f"results  {out / RESULTS}")
    say(f"picture  {out / 'gaps.png'}")
