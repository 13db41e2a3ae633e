"""Pictures of what was measured: gap against time, and time against rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.bench.records import BOUND_ONLY, OURS
from planner.bench.reduced import REDUCED
from planner.bench.summary import medians, targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from planner.bench.records import Race
    from planner.bench.summary import Median

_COLOURS = {"gigaplan": "#0b6e4f", "highs": "#c1553b", "highs-ipm": "#c99a2e", "cp-sat": "#3b5fc1", "pdlp": "#7d4fa8"}
_NAMES = {
    "gigaplan": "Gigaplan (proven in integers)", "highs": "HiGHS branch and bound", "highs-ipm": "HiGHS interior point",
    "cp-sat": "OR-Tools CP-SAT", "pdlp": "OR-Tools PDLP",
}  # fmt: skip
_SMALLEST_GAP = 1e-4
"""Where the axis ends; smaller gaps are drawn on its edge, in percent 0.01."""


def draw_gaps(race: Race, path: Path) -> None:
    """Draw gap against time: the median of each solver and form, with a band from the least to the largest.

    Parameters: race; path, overwritten, whose suffix says whether PNG or SVG. A solver without plan or bound at a time
    has no point there; one that brings bounds only is drawn against the best plan of all.
    """
    figure, axes = _canvas(5.6)
    lines = medians(race)
    for solver, form in race.entries:
        own = [line for line in lines if (line.solver, line.form) == (solver, form) and line.gap is not None]
        if own:
            _draw_solver(axes, solver, form, own)
    aims = targets(race)
    if aims:
        heights = [100 * gap for gap in aims.values()]
        axes.plot(list(aims), heights, linestyle="none", marker="_", markersize=18, color="black", label="our target")
    axes.set(xscale="log", yscale="log", xlabel="seconds of solving", ylabel="gap, % of the bound")
    axes.set_xticks(list(race.times_s), [f"{time_s:g}" for time_s in race.times_s])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.set_title(
        f"About {race.size.n_rows} rows, {race.size.n_periods} quarters, {race.n_cores} cores: median of "
        f"{len(race.seeds)} campuses, least to worst", fontsize=10,
    )  # fmt: skip
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, handlelength=3.5)
    figure.savefig(path, dpi=150)


def _draw_solver(axes: Any, solver: str, form: str, lines: Sequence[Median]) -> None:
    times = [line.time_s for line in lines]
    colour, name = _COLOURS.get(solver, "#555555"), _NAMES.get(solver, solver)
    label = name if solver == OURS else f"{name}, {form}" + (", bound only" if solver in BOUND_ONLY else "")
    style, marker = ("--", "s") if form == REDUCED else ("-", "o")
    gaps = [_shown(line.gap) for line in lines]
    axes.plot(times, gaps, style, color=colour, marker=marker, linewidth=2.0, markersize=5, label=label)
    most = [_shown(line.gap if line.worst_gap is None else line.worst_gap) for line in lines]
    axes.fill_between(times, [_shown(line.least_gap) for line in lines], most, color=colour, alpha=0.12, linewidth=0)


def _shown(gap: float | None) -> float:
    return 100 * max(gap or 0.0, _SMALLEST_GAP)


def draw_scaling(series: Mapping[str, Sequence[tuple[float, float]]], quantity: str, path: Path) -> None:
    """Draw seconds against a size on logarithmic axes, with a line of slope 1 through the first point of each.

    Parameters: series, (size, seconds) by name; quantity, the size's name; path, overwritten.
    """
    figure, axes = _canvas(4.6)
    for name, points in series.items():
        sizes = [size for size, _ in points]
        (line,) = axes.plot(sizes, [seconds for _, seconds in points], marker="o", linewidth=2.0, label=name)
        first_size, first_s = points[0]
        proportional = [first_s * size / first_size for size in sizes]
        axes.plot(sizes, proportional, ":", color=line.get_color(), linewidth=1.0)
    axes.plot([], [], ":", color="black", linewidth=1.0, label="proportional to size")
    axes.set(xscale="log", yscale="log", xlabel=quantity, ylabel="processor seconds")
    ticks = sorted({size for points in series.values() for size, _ in points})
    axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=150)


def _canvas(height_in: float) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height_in), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()
