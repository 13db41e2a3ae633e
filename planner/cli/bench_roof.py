"""`gigaplan bench kernels` and `bench roofline`: kernels against the memory roof of this machine."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

from planner.cli.bench_parts import keep, whole_numbers
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from planner.bench.roof import RoofPoint

_COLUMNS = ("program", "kernel", "floats", "threads", "a call", "least bytes", "share of triad", "gathered bytes",
            "share of triad in their cache")  # fmt: skip


@click.command("kernels")
@click.option("--rows", type=click.IntRange(min=12), default=600, show_default=True, help="Rows of a campus, about.")
@click.option("--periods", type=click.IntRange(4, 40), default=16, show_default=True, help="Quarters of the plan.")
@click.option("--seeds", default="101,102,103", show_default=True, help="Campuses; figures are medians over them.")
@click.option("--lanes", type=click.IntRange(min=1), default=64, show_default=True, help="Of the program over classes.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/bench-kernels"))
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def kernels(rows: int, periods: int, seeds: str, lanes: int, out: Path, as_json: bool) -> None:
    """Measure the bytes a second of loads and gains, compiled, against a triad in the same process.

    On one thread and two, each with arrays of its own, by processor time. Writes kernels.json and kernels.md.
    """
    from planner.bench.campus import CampusSize
    from planner.bench.race import generated_problem
    from planner.bench.roof import measure, programs
    from planner.bench.summary import markdown

    found: list[tuple[str, int, RoofPoint]] = []
    for seed in whole_numbers(seeds, "--seeds"):
        with tempfile.TemporaryDirectory(prefix="gigaplan-kernels-") as scratch:
            problem = generated_problem(Path(scratch), seed, CampusSize(rows, periods))
        for name, model in programs(problem, lanes):
            found += [(name, seed, point) for n_threads in (1, 2) for point in measure(model, n_threads)]
        say(f"campus {seed}: {len(found)} measurements so far")
    lines = _lines(found)
    points = [{"program": name, "seed": seed} | asdict(point) for name, seed, point in found]
    keep(
        out, "kernels", {"rows": rows, "periods": periods, "lanes": lanes, "points": points}, markdown(_COLUMNS, lines)
    )
    if as_json:
        put_json({"points": points})
        return
    put_table("Loads and gains", _COLUMNS, lines, right=range(3, len(_COLUMNS)))


def _lines(found: list[tuple[str, int, RoofPoint]]) -> list[tuple[str, ...]]:
    """Medians over the campuses."""
    lines: list[tuple[str, ...]] = []
    ordered = sorted(found, key=lambda each: _key(each[0], each[2]))
    for (program, kernel, precision, n_threads), group in groupby(ordered, key=lambda each: _key(each[0], each[2])):
        own = [point for _, _, point in group]
        least, gathered = median(point.least_bytes for point in own), median(point.gathered_bytes for point in own)
        lines.append(
            (
                program, kernel, precision, str(n_threads), f"{1e3 * median(point.call_s for point in own):.3f} ms",
                f"{least / 1e6:.1f} MB", f"{median(point.least_share for point in own):.0%}",
                f"{gathered / 1e6:.1f} MB", f"{median(point.gathered_share for point in own):.0%}",
            )
        )  # fmt: skip
    return lines


def _key(program: str, point: RoofPoint) -> tuple[str, str, str, int]:
    return program, point.kernel, point.precision, point.n_threads


_EVERY = ("kernel", "floats", "a call", "least bytes", "operations a byte", "GB/s", "triad, GB/s", "share of triad")


@click.command("roofline")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/bench-roofline"))
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def roofline(out: Path, as_json: bool) -> None:
    """Measure every kernel, compiled, on the calls of docs/kernels.md's roofline table, against a triad.

    On one thread, by processor time, each beside a triad over as many bytes. Writes roofline.json and roofline.md.
    """
    from planner.bench.every_kernel import measure_every
    from planner.bench.summary import markdown

    found = list(measure_every())
    lines = [
        (
            each.kernel, each.floats, f"{1e3 * each.call_s:.3g} ms", f"{each.n_bytes / 1e6:.2f} MB",
            f"{each.operations_a_byte:.3g}", f"{each.n_bytes / each.call_s / 1e9:.3g}",
            f"{each.n_bytes / each.triad_s / 1e9:.3g}", f"{100 * each.share:.2g} %",
        )
        for each in found
    ]  # fmt: skip
    points = [asdict(each) for each in found]
    keep(out, "roofline", {"points": points}, markdown(_EVERY, lines))
    if as_json:
        put_json({"points": points})
        return
    put_table("Every kernel", _EVERY, lines, right=range(2, len(_EVERY)))
