"""The picture of a race: gap against time, one line for each solver, one faint line for each campus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.bench.summary import medians, targets

if TYPE_CHECKING:
    from pathlib import Path

    from planner.bench.race import Race

_COLOURS = {"gigaplan": "#0b6e4f", "highs": "#c1553b", "cp-sat": "#3b5fc1"}
_NAMES = {"gigaplan": "Gigaplan (proven in integers)", "highs": "HiGHS branch and bound", "cp-sat": "OR-Tools CP-SAT"}
_SMALLEST_GAP = 1e-4
"""Where the axis ends; smaller gaps are drawn on its edge, in percent 0.01."""


def draw_gaps(race: Race, path: Path) -> None:
    """Draw certified gap against time; the suffix of the path says whether PNG or SVG.

    Parameters: race; path, overwritten. A solver without plan or bound at a time has no point there.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for solver in dict.fromkeys(mark.solver for mark in race.marks):
        colour = _COLOURS.get(solver, "#555555")
        for seed in race.request.seeds:
            marks = [mark for mark in race.marks if mark.seed == seed and mark.solver == solver]
            points = [(mark.time_s, 100 * max(mark.gap, _SMALLEST_GAP)) for mark in marks if mark.gap is not None]
            if points:
                axes.plot(*zip(*points, strict=True), color=colour, alpha=0.25, linewidth=0.9)
        lines = [line for line in medians(race) if line.solver == solver and line.gap is not None]
        axes.plot(
            [line.time_s for line in lines],
            [100 * max(line.gap or 0.0, _SMALLEST_GAP) for line in lines],
            color=colour, marker="o", linewidth=2.2, label=_NAMES.get(solver, solver),
        )  # fmt: skip
    aims = targets(race)
    if aims:
        heights = [100 * gap for gap in aims.values()]
        axes.plot(list(aims), heights, linestyle="none", marker="_", markersize=18, color="black", label="our target")
    axes.set(xscale="log", yscale="log", xlabel="seconds of solving", ylabel="gap, % of the bound")
    axes.set_xticks(list(race.request.times_s), [f"{time_s:g}" for time_s in race.request.times_s])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(visible=True, which="both", alpha=0.25)
    n_rows, n_periods = race.request.size.n_rows, race.request.size.n_periods
    axes.set_title(
        f"About {n_rows} rows, {n_periods} quarters, {race.request.n_cores} cores: median of "
        f"{len(race.request.seeds)} campuses", fontsize=10,
    )  # fmt: skip
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=150)
