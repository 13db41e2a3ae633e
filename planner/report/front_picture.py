"""A picture of a front: plans, and the line that no plan lies beyond."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from planner.report.generation_picture import FAINT, INK, PAPER, legible_on_dark

_PLAN = "#0f7a5f"
_LIMIT = "#7a4fc9"


@dataclass(frozen=True)
class FrontDots:
    """Values of plans and limits, each the first measure and the second."""

    title: str
    labels: tuple[str, str]
    front: tuple[tuple[float, float], ...]
    others: tuple[tuple[float, float], ...]
    limit: tuple[tuple[float, float], ...]
    """Most of the first measure that any plan can have with so much of the second, by the second."""


def picture_of_front(dots: FrontDots) -> str:
    """SVG text, legible on light and dark.

    Parameters: dots, at least one on the front.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "gigaplan", "font.family": "sans-serif", "font.size": 9.5}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(7.4, 4.6), facecolor=PAPER, layout="constrained")
        _draw(figure.add_subplot(1, 1, 1), dots)
        text = io.StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(text, metadata={"Date": None, "Title": dots.title})
    return legible_on_dark(text.getvalue())


def _draw(axes: Any, dots: FrontDots) -> None:
    """Plans as dots, the front joined, the limit as a line beyond them."""
    axes.set_facecolor(PAPER)
    if dots.limit:
        xs, ys = ([one[1] for one in dots.limit], [one[0] for one in dots.limit])
        axes.plot(xs, ys, color=_LIMIT, linewidth=1.4, linestyle="--", marker="_", label="no plan lies above")
    xs, ys = ([one[1] for one in dots.front], [one[0] for one in dots.front])
    axes.plot(xs, ys, color=_PLAN, linewidth=1.6, marker="o", label="plans of the front")
    if dots.others:
        xs, ys = ([one[1] for one in dots.others], [one[0] for one in dots.others])
        axes.plot(xs, ys, color=FAINT, linestyle="none", marker="o", markerfacecolor=PAPER, label="other plans found")
    axes.set_xlabel(dots.labels[1], color=INK)
    axes.set_ylabel(dots.labels[0], color=INK)
    axes.set_title(dots.title, color=INK, fontsize=11, loc="left")
    axes.tick_params(which="both", colors=INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
    axes.grid(visible=True, color=FAINT, alpha=0.25, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
    axes.legend(fontsize=8.5, frameon=False, labelcolor=INK)
