"""A picture of cost against speed: every configuration on its measured points, shaded by the generation that wins."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from planner.generation_choice.criteria import Criterion, usd_per_million
from planner.generation_choice.life import GRACE_BLACKWELL, TITLES
from planner.generation_choice.wording import UNITS
from sites.schema.common import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from planner.generation_choice.choice import Choice, Option
    from planner.generation_choice.envelope import Line
    from planner.generation_choice.life import RackLife

INK, FAINT, PAPER = "#17211f", "#8b9692", "#ffffff"
_DARK = {
    INK: "#e8efec", FAINT: "#74827d", PAPER: "#161e1c", "#0f7a5f": "#2fb894", "#7a4fc9": "#9d7bea",
}  # fmt: skip
"""What each colour becomes where the reader prefers dark."""
_COLOURS = {GRACE_BLACKWELL: ("#0f7a5f", "#3fa98a", "#7dbf2e"), "vera-rubin": ("#7a4fc9", "#b07ae0", "#d0589b")}
_MARKERS = {Status.MEASURED: "o", Status.PUBLISHED: "s", Status.ESTIMATE: "^", Status.ASSUMPTION: "D"}
_STYLES = ("-", (0, (5, 2)), (0, (2, 2)))
_STEPS = 60
_BATCH_AT = -0.045
"""Where batch work stands on the axis of speed, as a share of the fastest."""


def picture_of(found: Sequence[Choice]) -> str:
    """SVG text, one chart for each basis on which some speed was measured; legible on light and dark.

    Parameters: found, comparisons; those of batch work only have no chart. Raises ValueError when none has.
    """
    shown = [one for one in found if any(one.by_configuration.values())]
    if not shown:
        msg = "found batch work only, and no speed to draw; take a basis with speeds"
        raise ValueError(msg)
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "gigaplan", "font.family": "sans-serif", "font.size": 9.5}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(8.6, 0.4 + 4.3 * len(shown)), facecolor=PAPER, layout="constrained")
        for number, one in enumerate(shown, 1):
            _draw(figure.add_subplot(len(shown), 1, number), one)
        text = io.StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(text, metadata={"Date": None, "Title": "Which generation for which speed"})
    return legible_on_dark(text.getvalue())


def legible_on_dark(svg: str) -> str:
    """A picture whose colours, those of these pictures, turn where the reader prefers dark."""
    rules = "".join(
        f'[style*="fill: {light}"]{{fill:{dark}!important}}[style*="stroke: {light}"]{{stroke:{dark}!important}}'
        for light, dark in _DARK.items()
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    head, mark, rest = svg.partition("<defs>")
    return f"{head}{style}{mark}{rest}"


def _draw(axes: Any, one: Choice) -> None:
    """One basis: lines, points, shades, words."""
    fastest = max(float(own[-1].end) for own in one.by_configuration.values() if own)
    axes.set_facecolor(PAPER)
    numbers = dict.fromkeys(TITLES, 0)
    for life in one.lives:
        _draw_configuration(axes, one, life, numbers[life.generation], fastest)
        numbers[life.generation] += 1
    costs = [option.usd_per_million for line in one.lines for option in line.options]
    scale = "log" if min(costs) > 0 else "linear"
    axes.set(yscale=scale, xlim=(2 * _BATCH_AT * fastest, fastest * 1.03))
    ticks = [tick for tick in axes.get_xticks() if 0 < tick <= fastest]
    axes.set_xticks([_BATCH_AT * fastest, *ticks], ["batch", *(f"{tick:g}" for tick in ticks)])
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_xlabel("tokens/s for each user", color=INK)
    axes.set_ylabel(f"USD for a million {UNITS[one.basis.counts]}", color=INK)
    axes.set_title(f"{one.basis.title}, {one.book.site.name}", color=INK, fontsize=11, loc="left")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes.tick_params(which="both", colors=INK)
    axes.grid(visible=True, axis="y", which="both", color=FAINT, alpha=0.25, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
    _shade(axes, one)
    _explain(axes, one)


def _explain(axes: Any, one: Choice) -> None:
    """The legend, with room above the lines."""
    contested = [territory for territory in one.outcomes[Criterion.COST].territories if territory.contested]
    for name in dict.fromkeys(territory.side.generation for territory in contested):
        axes.fill_between([], [], color=_COLOURS[name][0], alpha=0.2, label=f"{TITLES[name]} costs less")
    statuses = {option.rate.status for line in one.lines for option in line.options if _is_point(option, line.speed)}
    for status in (status for status in Status if status in statuses):
        filled = FAINT if status is Status.MEASURED else PAPER
        label = f"rate {status}" if status is Status.MEASURED else f"rate rests on an {status}"
        label = "rate published" if status is Status.PUBLISHED else label
        axes.plot([], [], marker=_MARKERS[status], color=FAINT, linestyle="none", label=label, markerfacecolor=filled)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.35 if axes.get_yscale() == "log" else high + 0.35 * (high - low))
    axes.legend(fontsize=8.5, frameon=False, labelcolor=INK, ncols=2, loc="upper left").set_in_layout(False)


def _draw_configuration(axes: Any, one: Choice, life: RackLife, number: int, fastest: float) -> None:
    """The cost at every speed, the measured points by their status, and batch work left of it."""
    colours = _COLOURS[life.generation]
    colour = colours[number % len(colours)]
    xs: list[float] = []
    ys: list[float] = []
    for stretch in one.by_configuration[life.configuration.name]:
        for step in range(_STEPS + 1):
            x = stretch.start + (stretch.end - stretch.start) * step / _STEPS
            xs.append(float(x))
            ys.append(_cost(life, stretch.racks, x))
    style = _STYLES[number % len(_STYLES)]
    axes.plot(xs, ys, linestyle=style, color=colour, linewidth=2.0, label=life.configuration.name)
    for line in one.lines:
        for option in line.options:
            if option.life is life and _is_point(option, line.speed):
                x_shown = _BATCH_AT * fastest if line.speed is None else float(line.speed)
                filled = colour if option.rate.status is Status.MEASURED else PAPER
                marker = _MARKERS[option.rate.status]
                axes.plot(
                    [x_shown], [float(option.usd_per_million)], marker, color=colour, markerfacecolor=filled, zorder=4
                )


def _is_point(option: Option, speed: Fraction | None) -> bool:
    """Whether this speed is that of the point itself, and not one that it serves as well."""
    return len(option.rate.points) == 1 and option.rate.points[0].speed_tokens_per_s_user == speed


def _cost(life: RackLife, racks: Line, speed: Fraction) -> float:
    return float(usd_per_million(life, Criterion.COST, racks.at(speed)))


def _shade(axes: Any, one: Choice) -> None:
    """Who wins by cost, as background; speeds that only one generation reaches stay white."""
    for territory in one.outcomes[Criterion.COST].territories:
        if territory.contested:
            colour = _COLOURS[territory.side.generation][0]
            axes.axvspan(float(territory.start), float(territory.end), color=colour, alpha=0.10, linewidth=0)
    for crossing in one.outcomes[Criterion.COST].crossings:
        axes.axvline(float(crossing.speed), color=INK, linewidth=1.0, linestyle=":")
