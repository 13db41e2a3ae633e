"""`gigaplan bench small`: many small worlds to a proof, each beside HiGHS's optimum and each run verified."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.cli.bench_parts import keep
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from planner.bench.small import SmallSummary

_TOLD = 100
"""Worlds between two lines of progress."""


@click.command("small")
@click.option("--count", type=click.IntRange(min=1), default=1000, show_default=True, help="Worlds to generate.")
@click.option("--first", type=click.IntRange(min=0), default=1001, show_default=True, help="Seed of the first one.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/bench-small"),
              show_default=True)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def small(count: int, first: int, out: Path, as_json: bool) -> None:
    """Plan small generated worlds to a proof of their optimum, and hold each against HiGHS's.

    Every world goes from files to a verified run folder. Ends with an error where a bound, an optimum and a plan are
    not in that order, a plan breaks a rule, or a run is not verified. Writes small.json and small.md.
    """
    from planner.bench.small import run_small, summarise
    from planner.bench.summary import markdown

    results = []
    for seed in range(first, first + count):
        results.append(run_small(seed))
        for fault in results[-1].faults:
            say(f"seed {seed}: {fault}")
        if len(results) % _TOLD == 0:
            say(f"{len(results)} worlds, {sum(one.is_proven for one in results)} proven optimal")
    summary = summarise(results)
    columns, lines = ("small worlds", ""), _lines(summary)
    content = {"summary": asdict(summary), "worlds": [asdict(one) for one in results]}
    keep(out, "small", content, markdown(columns, lines))
    if as_json:
        put_json(content)
    else:
        put_table("", columns, lines, right=(1,))
    if summary.n_faults:
        msg = f"{summary.n_faults} of {count} worlds went wrong; {out / 'small.json'} says how"
        raise AssertionError(msg)


def _lines(summary: SmallSummary) -> list[tuple[str, str]]:
    return [
        ("worlds", f"{summary.n_worlds:,}"),
        ("small enough for a proof", f"{summary.n_small:,}"),
        ("proven optimal", f"{summary.n_proven:,}"),
        ("of these by a tree", f"{summary.n_trees:,}"),
        ("plan below the optimum, median", f"{summary.plan_gaps[0]:.4%}"),
        ("plan below the optimum, worst", f"{summary.plan_gaps[1]:.4%}"),
        ("bound above the optimum, median", f"{summary.bound_gaps[0]:.4%}"),
        ("bound above the optimum, worst", f"{summary.bound_gaps[1]:.4%}"),
        ("processor time of a run, median", f"{summary.plan_cpu_s[0]:.2f} s"),
        ("processor time of a run, longest", f"{summary.plan_cpu_s[1]:.2f} s"),
        ("worlds where HiGHS ended with an error", f"{summary.n_without_peer:,}"),
        ("worlds with a fault", f"{summary.n_faults:,}"),
    ]
