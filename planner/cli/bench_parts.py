"""Parts of `gigaplan bench` beside the race: scaling, backends, scenarios, and a portfolio of many sites."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.bench.kernels import ScalePoint
    from planner.problem import Problem

_OUT = click.Path(path_type=Path, file_okay=False)


def whole_numbers(text: str, option: str) -> tuple[int, ...]:
    """Whole numbers from 1 on, separated by commas, ascending. Raises BadParameter with an example."""
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or found[0] < 1:
        msg = f"found '{text}'; write whole numbers with commas between them, for example {option} 8,16"
        raise click.BadParameter(msg, param_hint=option)
    return tuple(found)


def keep(out: Path, name: str, content: dict[str, Any], table: str) -> None:
    """Write NAME.json with date, machine and versions, and NAME.md."""
    from planner.bench.summary import all_versions
    from planner.run.manifest import machine

    about = {
        "date_utc": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "versions": all_versions(),
    }  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(about | content, indent=1, sort_keys=True) + "\n"
    (out / f"{name}.json").write_text(text, encoding="utf-8")
    (out / f"{name}.md").write_text(table, encoding="utf-8")
    say(f"results  {out / name}.json")


@click.command("scaling")
@click.option("--rows", default="60,600,6000", show_default=True, help="Sizes, several campuses beyond 600.")
@click.option("--periods", default="8,16,32", show_default=True, help="Quarters, at the size nearest 600 rows.")
@click.option("--seed", type=click.IntRange(min=0), default=101, show_default=True, help="Campus of every size.")
@click.option("--out", type=_OUT, default=Path("runs/bench-scaling"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def scaling(rows: str, periods: str, seed: int, out: Path, as_json: bool) -> None:
    """Measure how lowering, relaxation, bound and search grow with rows and periods, on one thread.

    All figures are processor time on backend numba, kernels compiled before. Writes scaling.json, scaling.md and
    scaling.png.
    """
    from planner.bench.campus import CampusSize
    from planner.bench.kernels import AIM_RATIO, measure_scale, ratios, warm_up
    from planner.bench.picture import draw_scaling
    from planner.bench.summary import markdown

    sizes = whole_numbers(rows, "--rows")
    middle = min(sizes, key=lambda n: abs(n - 600))
    wanted = [(n, 16) for n in sizes] + [(middle, n) for n in whole_numbers(periods, "--periods") if n != 16]
    with tempfile.TemporaryDirectory(prefix="gigaplan-scaling-") as scratch:
        warm_up(Path(scratch))
    points = []
    for n_rows, n_periods in wanted:
        with tempfile.TemporaryDirectory(prefix="gigaplan-scaling-") as scratch:
            points.append(measure_scale(Path(scratch), seed, CampusSize(n_rows, n_periods)))
        say(f"{n_rows} rows, {n_periods} periods: round of search {points[-1].round_s:.2f} s")
    by_rows = points[: len(sizes)]
    columns = ("rows", "periods", "limits", "classes of rows", "lowering", "relaxation", "its iterations",
               "an iteration", "bound", "round of search", "steps × lanes a second")  # fmt: skip
    lines = [_scale_cells(point) for point in points]
    grown = {name: ratios(by_rows, of) for name, of in _GROWING.items()}
    grown_lines = [
        (name, *(f"{value:.1f}" for value in found.values()), f"at most {AIM_RATIO:g}")
        for name, found in grown.items()
    ]  # fmt: skip
    pairs = [f"{small:,} to {large:,}" for small, large in next(iter(grown.values()))]
    tables = markdown(columns, lines) + "\n" + markdown(("ten times the rows", *pairs, "aim"), grown_lines)
    content = {"points": [asdict(point) for point in points], "seed": seed}
    keep(out, "scaling", content, tables)
    draw_scaling(
        {name: [(point.n_rows, of(point)) for point in by_rows] for name, of in _GROWING.items()}, "rows",
        out / "scaling.png",
    )  # fmt: skip
    if as_json:
        put_json(content)
        return
    put_table("Processor time", columns, lines, right=range(len(columns)))
    put_table("", ("ten times the rows", *pairs, "aim"), grown_lines, right=range(1, len(pairs) + 1))


def _iteration(point: ScalePoint) -> float:
    return point.iteration_s


_GROWING: dict[str, Callable[[ScalePoint], float]] = {
    "round of search": lambda point: point.round_s,
    "iteration of the relaxation": _iteration,
    "bound in integers": lambda point: point.bound_s,
    "lowering": lambda point: point.lowering_s,
}


def _scale_cells(point: ScalePoint) -> tuple[str, ...]:
    return (
        f"{point.n_rows:,}", str(point.n_periods), f"{point.n_limits:,}", str(point.n_row_classes),
        f"{point.lowering_s:.2f} s", f"{point.relaxation_s:.2f} s", str(point.n_iterations),
        f"{point.iteration_s:.3f} s", f"{point.bound_s:.2f} s", f"{point.round_s:.2f} s", f"{point.steps_per_s:,.0f}",
    )  # fmt: skip


@click.command("backends")
@click.option("--rows", type=click.IntRange(min=12), default=600, show_default=True, help="Rows of the campus, about.")
@click.option("--periods", type=click.IntRange(4, 40), default=16, show_default=True, help="Quarters of the plan.")
@click.option("--seed", type=click.IntRange(min=0), default=101, show_default=True, help="Campus to generate.")
@click.option("--lanes", default="64,256", show_default=True, help="Lanes of each comparison.")
@click.option("--out", type=_OUT, default=Path("runs/bench-backends"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def backends(rows: int, periods: int, seed: int, lanes: str, out: Path, as_json: bool) -> None:
    """Run the same search, same guide and work, on every backend: time, and whether the plan is the same.

    Writes backends.json and backends.md. Ends with an error where plans differ.
    """
    from planner.bench.campus import CampusSize
    from planner.bench.kernels import AIM_BACKENDS, race_backends
    from planner.bench.race import generated_problem
    from planner.bench.summary import markdown

    counts = whole_numbers(lanes, "--lanes")
    with tempfile.TemporaryDirectory(prefix="gigaplan-backends-") as scratch:
        problem = generated_problem(Path(scratch), seed, CampusSize(rows, periods))
    found = race_backends(problem, counts)
    columns = ("backend", "lanes", "threads", "steps × lanes", "processor time", "wall clock", "a second of processor")
    lines = [
        (
            run.backend, str(run.n_lanes), str(run.n_threads), f"{run.n_steps:,}", f"{run.cpu_s:.2f} s",
            f"{run.wall_s:.2f} s", f"{run.n_steps / run.cpu_s:,.0f}",
        )
        for run in found.runs
    ]  # fmt: skip
    content = {
        "rows": found.n_rows, "periods": found.n_periods, "seed": seed, "runs": [asdict(run) for run in found.runs],
        "same_plan": found.same_plan, "numpy_over_numba": {str(n): found.ratio(n) for n in counts},
    }  # fmt: skip
    keep(out, "backends", content, markdown(columns, lines))
    if as_json:
        put_json(content)
    else:
        put_table("Rounds of search", columns, lines, right=range(1, len(columns)))
        for n in counts:
            say(f"{n} lanes: NumPy takes {found.ratio(n):.2f} times as long as Numba; the aim is {AIM_BACKENDS:g}")
    if not found.same_plan:
        msg = "backends ended with different plans from the same guide and work"
        raise AssertionError(msg)
    say("all backends and thread counts ended with the same plan")


@click.command("scenarios")
@click.option("--rows", type=click.IntRange(min=12), default=600, show_default=True, help="Rows of a campus, about.")
@click.option("--periods", type=click.IntRange(4, 40), default=16, show_default=True, help="Quarters of the plan.")
@click.option("--seeds", default="101", show_default=True, help="Campuses, one batch for each.")
@click.option("--count", type=click.IntRange(min=1), default=256, show_default=True, help="Scenarios of each.")
@click.option("--gap", type=click.FloatRange(0, 1, min_open=True), default=0.01, show_default=True)
@click.option("--processes", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--peers", default="none", show_default=True, help="Solvers to run on some scenarios, reduced form.")
@click.option("--peer-count", type=click.IntRange(min=1), default=1, show_default=True, help="Scenarios for each peer.")
@click.option("--peer-time", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True)
@click.option("--out", type=_OUT, default=Path("runs/bench-scenarios"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def scenarios(
    rows: int, periods: int, seeds: str, count: int, gap: float, processes: int, peers: str, peer_count: int,
    peer_time: float, out: Path, as_json: bool,
) -> None:  # fmt: skip
    """Solve many scenarios of a campus together: how many a minute, and with which certified gaps.

    Peers get the first scenarios one by one, on one thread each, in the reduced form, until the gap is reached; their
    number a minute counts as many of them at once as there are processes. Writes scenarios.json and scenarios.md.
    """
    from planner.bench.campus import CampusSize
    from planner.bench.race import generated_problem
    from planner.bench.scenarios import draw_scenario, run_scenarios
    from planner.bench.summary import markdown
    from planner.solve.scenario import BatchOptions

    named = _named(peers)
    lines, peer_lines, kept = [], [], []
    for seed in whole_numbers(seeds, "--seeds"):
        with tempfile.TemporaryDirectory(prefix="gigaplan-scenarios-") as scratch:
            base = generated_problem(Path(scratch), seed, CampusSize(rows, periods))
        drawn = [draw_scenario(base, number) for number in range(count)]
        found = run_scenarios(base, drawn, BatchOptions(gap=gap, n_processes=processes))
        lines.append(_scenario_cells(seed, found, gap, processes))
        runs = [_peer_run(drawn[n], n, peer, gap, peer_time) for peer in named for n in range(min(peer_count, count))]
        peer_lines += [_peer_cells(seed, one, peer_time, processes) for one in runs]
        kept.append({"seed": seed, "ours": asdict(found), "peers": runs})
        say(f"seed {seed}: {found.n_scenarios} scenarios in {found.wall_s:.0f} s, {found.cpu_s:.0f} s of processor")
    columns = ("seed", "scenarios", "gap, median", "nine of ten", "worst", "above the gap asked", "wall clock",
               "processor", "a minute, wall clock", "a minute, by processor")  # fmt: skip
    content = {"rows": rows, "periods": periods, "gap": gap, "processes": processes, "batches": kept}
    peer_columns = ("seed", "peer", "scenario", "to the gap", "a minute", "gap at the end")
    table = markdown(columns, lines) + ("\n" + markdown(peer_columns, peer_lines) if peer_lines else "")
    keep(out, "scenarios", content, table)
    if as_json:
        put_json(content)
        return
    put_table("Scenarios", columns, lines, right=range(len(columns)))
    if peer_lines:
        put_table("Peers, reduced form", peer_columns, peer_lines, right=range(2, len(peer_columns)))


def _named(text: str) -> list[str]:
    from planner.bench.records import BOUND_ONLY, PEERS

    named = [part for part in text.split(",") if part and part != "none"]
    for peer in named:
        if peer not in PEERS or peer in BOUND_ONLY:
            msg = f"found '{peer}'; peers that bring plans are {', '.join(p for p in PEERS if p not in BOUND_ONLY)}"
            raise click.BadParameter(msg, param_hint="--peers")
    return named


def _peer_run(problem: Problem, number: int, peer: str, gap: float, time_limit_s: float) -> dict[str, Any]:
    """When a peer reaches the gap on one scenario, on one thread, read at twelve times."""
    from planner.bench.race import peer_marks
    from planner.bench.reduced import REDUCED

    times = [time_limit_s * part for part in (0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.32, 0.5, 0.65, 0.8, 1.0)]
    marks = peer_marks(problem, peer, REDUCED, times, 1)
    reached = [mark.time_s for mark in marks if mark.gap is not None and mark.gap <= gap]
    return {
        "solver": peer, "scenario": number, "reached_s": min(reached, default=None),
        "marks": [asdict(mark) | {"gap": mark.gap} for mark in marks],
    }  # fmt: skip


def _peer_cells(seed: int, run: dict[str, Any], time_limit_s: float, processes: int) -> tuple[str, ...]:
    from planner.bench.summary import percent

    reached_s, sign = (run["reached_s"], "") if run["reached_s"] else (time_limit_s, "more than ")
    rate = 60.0 * processes / reached_s
    return (
        str(seed), run["solver"], str(run["scenario"]), f"{sign}{reached_s:.1f} s",
        f"{'fewer than ' if sign else ''}{rate:.1f}", percent(run["marks"][-1]["gap"]),
    )  # fmt: skip


def _scenario_cells(seed: int, found: Any, gap: float, processes: int) -> tuple[str, ...]:
    gaps: Sequence[float] = sorted(found.gaps)
    return (
        str(seed), str(len(gaps)), *(f"{100 * gaps[place]:.2f} %" for place in _places(len(gaps))),
        str(sum(one > gap for one in gaps)), f"{found.wall_s:.0f} s", f"{found.cpu_s:.0f} s",
        f"{60 * len(gaps) / found.wall_s:.0f}", f"{found.per_minute(processes):.0f}",
    )  # fmt: skip


def _places(n: int) -> tuple[int, int, int]:
    """Of the median, the ninth of ten and the last in a sorted list."""
    return n // 2, min(9 * n // 10, n - 1), n - 1


@click.command("portfolio")
@click.option("--sites", type=click.IntRange(min=1), default=60, show_default=True)
@click.option("--rows", type=click.IntRange(min=12), default=400, show_default=True, help="Rows of a site, about.")
@click.option("--periods", type=click.IntRange(4, 40), default=16, show_default=True, help="Quarters of the plan.")
@click.option("--seed", type=click.IntRange(min=1), default=101, show_default=True, help="Portfolio to generate.")
@click.option("--time", "time_limit_s", type=click.FloatRange(min=0, min_open=True), default=600.0, show_default=True)
@click.option("--out", type=_OUT, default=Path("runs/bench-portfolio"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def portfolio(sites: int, rows: int, periods: int, seed: int, time_limit_s: float, out: Path, as_json: bool) -> None:
    """Generate a portfolio of many sites, plan it to a run folder as `plan` does, and check that as `verify` does.

    Writes portfolio.json with gap against time, seconds of each part and the peak memory of all processes; the
    portfolio's files and the run lie beside it.
    """
    from planner.bench.many_sites import run_portfolio
    from planner.bench.portfolio import PortfolioSize

    if (out / "run").exists():
        msg = f"{out} holds a run already; name another folder"
        raise click.BadParameter(msg, param_hint="--out")
    out.mkdir(parents=True, exist_ok=True)
    found = run_portfolio(out, seed, PortfolioSize(sites, rows, periods), time_limit_s, say)
    content = {"sites": sites, "rows": rows, "periods": periods, "seed": seed, "time_limit_s": time_limit_s} | found
    from planner.bench.summary import markdown

    shown = {name: value for name, value in content.items() if not isinstance(value, list)}
    keep(out, "portfolio", content, markdown(("what", "found"), shown.items()))
    if as_json:
        put_json(content)
    else:
        put_table("Portfolio", ("what", "found"), list(shown.items()))
