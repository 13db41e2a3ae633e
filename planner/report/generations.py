"""The report's section on generations: which is better for which speed, beside what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.generation_choice.answer import bases_of_both, choices
from planner.generation_choice.criteria import TITLES as CRITERION_TITLES
from planner.generation_choice.criteria import Criterion
from planner.generation_choice.life import Scenario
from planner.generation_choice.wording import (
    UNITS,
    batch_sentence,
    figure,
    grid_lines,
    measured_ranges,
    outcome_sentence,
    speed_text,
    window_sentence,
)
from sites.faults import InputError

if TYPE_CHECKING:
    from planner.generation_choice.choice import Choice, Option, SpeedLine
    from sites.world import World


@dataclass(frozen=True)
class Verdict:
    """What one criterion says."""

    criterion: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """Cost of a million on one configuration at one speed."""

    text: str
    status: str
    """Weakest status that the rate rests on; empty where nothing was measured."""
    cheapest: bool


@dataclass(frozen=True)
class Row:
    """One speed."""

    speed: str
    cells: tuple[Cell, ...]
    worth_most: str
    """Configuration that is worth most for each MW at the meter."""


@dataclass(frozen=True)
class BasisView:
    """One basis of the throughput catalogue."""

    title: str
    unit: str
    conditions: str
    measured: str
    software: tuple[str, ...]
    configurations: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    rows: tuple[Row, ...]
    grid: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class GenerationsView:
    """The section, for one site."""

    site: str
    energy: str
    starts: str
    prices: str
    """How firm the prices of racks are."""
    svg: str | None
    bases: tuple[BasisView, ...]


def generations_view(world: World) -> GenerationsView | None:
    """The section at the portfolio's first site.

    None unless both generations are on offer and were measured, and where they cannot be compared, e.g. because racks
    do no work; `gigaplan explain break-even` says why.
    """
    if not bases_of_both(world):
        return None
    try:
        found = choices(world)
    except InputError:
        return None
    offered = [one.configuration.system for one in found[0].book.lives(Scenario())]
    systems = {system.name: system for system in offered}.values()
    return GenerationsView(
        site=found[0].book.site.name,
        energy=f"{float(found[0].energy_usd_per_mwh):.4g} USD/MWh",
        starts=found[0].lives[0].start,
        prices="; ".join(f"{system.title} {system.price.status}" for system in systems),
        svg=_inline_svg(found),
        bases=tuple(_basis(one) for one in found),
    )


def _inline_svg(found: tuple[Choice, ...]) -> str | None:
    """The picture without what only a file of its own needs."""
    if not any(own for one in found for own in one.by_configuration.values()):
        return None
    from planner.report.generation_picture import picture_of

    text = picture_of(found)
    body = text[text.index("<svg") :]
    before, _, rest = body.partition("<metadata>")
    return before + rest.partition("</metadata>")[2] if rest else body


def _basis(one: Choice) -> BasisView:
    systems = {life.configuration.system.name for life in one.lives}
    curves = [curve for curve in one.basis.curves if curve.system in systems]
    names = tuple(life.configuration.name for life in one.lives)
    return BasisView(
        title=one.basis.title,
        unit=UNITS[one.basis.counts],
        conditions=one.basis.conditions,
        measured="; ".join(measured_ranges(one)),
        software=tuple(f"{curve.system}: {curve.software}, {curve.measured}" for curve in curves),
        configurations=names,
        verdicts=tuple(_verdict(one, criterion) for criterion in one.criteria),
        rows=tuple(_row(line, names) for line in one.lines),
        grid=tuple(grid_lines(one)),
    )


def _verdict(one: Choice, criterion: Criterion) -> Verdict:
    told = (outcome_sentence(one, criterion), batch_sentence(one, criterion), window_sentence(one, criterion))
    title = CRITERION_TITLES[criterion]
    return Verdict(title[:1].upper() + title[1:], tuple(sentence for sentence in told if sentence is not None))


def _row(line: SpeedLine, names: tuple[str, ...]) -> Row:
    by_name = {option.life.configuration.name: option for option in line.options}
    cells = tuple(_cell(by_name.get(name), line.best.get(Criterion.COST)) for name in names)
    return Row(speed_text(line.speed), cells, line.best.get(Criterion.VALUE, "–"))


def _cell(option: Option | None, cheapest: str | None) -> Cell:
    if option is None:
        return Cell("not measured", "", cheapest=False)
    mark = "~" if option.interpolated else ""
    text = f"{mark}{figure(float(option.usd_per_million))}"
    return Cell(text, str(option.rate.status), option.life.configuration.name == cheapest)
