"""`gigaplan explain break-even`."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.cli.exits import BAD_INPUT, Ended
from planner.cli.screen import put_json, put_table, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planner.generation_choice.choice import Choice, Option, SpeedLine

_STATUS_LETTERS = "m measured, p published, e estimate, a assumption, the weakest that a rate rests on"
_LEGEND = f"Letters: status of the rate ({_STATUS_LETTERS}); ~ interpolated between two measured points."


class Quantity(click.ParamType[Fraction]):
    """A number in one unit, written with it or bare."""

    name = "number"

    def __init__(self, unit: str) -> None:
        """Keep the unit as `sites.units` spells it."""
        self.unit = unit

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """An exact number above 0; a usage error names what was found otherwise."""
        from sites.units import parse_quantity

        text = str(value).strip()
        try:
            number = parse_quantity(text if " " in text else f"{text} {self.unit}", self.unit)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if number <= 0:
            self.fail(f"found {text}; a number above 0 is due, e.g. 2.5", param, ctx)
        return number


@click.command("break-even")
@click.argument("file", default="claude-on-azure-1gw")
@click.option("--basis", help="One throughput basis of the catalogue; all on which both were measured unless named.")
@click.option("--site", help="Site whose tariff and meter count; the portfolio's first unless named.")
@click.option("--speed", "speeds", multiple=True, type=Quantity("tokens/s/user"),
              help="List this speed too, in tokens/s/user; may be repeated.")  # fmt: skip
@click.option("--token-price", type=Quantity("USD/million"),
              help="USD for a million that is made; what renting Grace Blackwell costs unless given.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw cost against speed as SVG.")
def command(
    file: str, basis: str | None, site: str | None, speeds: tuple[Fraction, ...], token_price: Fraction | None,
    as_json: bool, picture: Path | None,
) -> None:  # fmt: skip
    """Weigh Grace Blackwell against Vera Rubin on measured curves, in the money of the portfolio FILE.

    For each basis (one benchmark; never mixed): what a million tokens costs on each configuration on offer at each
    speed, what a megawatt at the meter is worth, where the better generation changes, and which price of energy, price
    of a rack, delay or price of tokens would change it. Nothing is extrapolated beyond the fastest measured speed.

    \b
    Examples:
      gigaplan explain break-even
      gigaplan explain break-even claude-on-azure-1gw --basis deepseek-r1-mlperf-v6-1 --picture choice.svg
      gigaplan explain break-even claude-on-azure-1gw --site abilene-expansion --token-price 0.10 --json
    """
    from planner.generation_choice.answer import choices
    from planner.generation_choice.document import documents
    from sites.world import load_world

    found = choices(load_world(file), basis, site, token_price, speeds)
    if as_json:
        put_json(documents(found))
    else:
        _show(found)
    if picture is not None:
        _draw(found, picture)


def _draw(found: Sequence[Choice], picture: Path) -> None:
    """Write the picture, unless there is no speed to draw."""
    from planner.report.generation_picture import picture_of

    if not any(one.by_configuration[name] for one in found for name in one.by_configuration):
        say("gigaplan: only batch work was measured on both generations, so there is no speed to draw; nothing written")
        raise Ended(BAD_INPUT)
    picture.write_text(picture_of(found), encoding="utf-8")
    say(f"drawn in {picture}")


def _show(found: Sequence[Choice]) -> None:
    if not found:
        click.echo(
            "No throughput basis has curves of both generations on offer; measure one and name the file in "
            "'throughput_files' of the portfolio."
        )
        return
    for one in {choice.book.workload: choice for choice in reversed(found)}.values():
        _show_racks(one)
    for one in found:
        _show_choice(one)


def _show_racks(one: Choice) -> None:
    """What one rack of each configuration costs over its life."""
    from planner.generation_choice.life import Scenario

    terms, book = one.book.portfolio.money, one.book
    lines = [
        (
            life.configuration.name,
            *(
                f"{float(usd) / 1e6:.3f}"
                for usd in (life.rack_usd, life.network_usd, life.energy_usd + life.demand_usd)
            ),
            f"{float(life.upkeep_usd) / 1e6:.3f}",
            f"{float(life.cost_usd) / 1e6:.3f}",
            "–" if life.facility_usd is None else f"{float(life.facility_usd) / 1e6:.3f}",
            f"{float(life.meter_w) / 1e3:.1f}",
            str(life.configuration.system.price.status),
        )
        for life in book.lives(Scenario())
    ]
    columns = ("rack", "price", "network", "energy", "operations", "cost", "facility, apart", "kW at meter", "price is")
    title = (
        f"One rack, {book.workload}: M USD over {terms.economic_life_quarters} quarters from {one.lives[0].start}, "
        f"discounted at {float(terms.discount_rate_per_year):.1%} to {book.portfolio.start}; {book.site.name}, "
        f"{float(one.energy_usd_per_mwh):.4g} USD/MWh"
    )
    put_table(title, columns, lines, right=range(1, 8))


def _show_choice(one: Choice) -> None:
    """Everything about one basis."""
    from planner.generation_choice.criteria import TITLES
    from planner.generation_choice.wording import (
        UNITS,
        batch_sentence,
        measured_ranges,
        outcome_sentence,
        window_sentence,
    )

    click.echo(f"{one.basis.title} ({one.basis.name})")
    click.echo(f"Counts {UNITS[one.basis.counts]}. {one.basis.conditions}")
    click.echo(f"Measured, in tokens/s/user: {'; '.join(measured_ranges(one))}.\n")
    _show_curves(one)
    _show_costs(one)
    _show_power(one)
    for criterion in one.criteria:
        click.echo(f"By {TITLES[criterion]}:")
        told = (outcome_sentence(one, criterion), batch_sentence(one, criterion), window_sentence(one, criterion))
        for sentence in filter(None, told):
            click.echo(f"- {sentence}")
    click.echo("")
    _show_thresholds(one)
    _show_grid(one)


def _show_curves(one: Choice) -> None:
    systems = {life.configuration.system.name for life in one.lives}
    lines = [
        (
            curve.system,
            curve.profile or "not published",
            curve.software,
            curve.measured,
            ", ".join("batch" if p.speed is None else f"{float(p.speed.value or 0):g}" for p in curve.points),
            ", ".join(dict.fromkeys(str(point.rate.status) for point in curve.points)),
        )
        for curve in one.basis.curves
        if curve.system in systems
    ]
    put_table("Curves", ("system", "profile", "software", "measured", "speeds", "rates are"), lines)


def _names(one: Choice) -> list[str]:
    return [life.configuration.name for life in one.lives]


def _cells(line: SpeedLine, names: Sequence[str], cell: Callable[[Option], str]) -> list[str]:
    """A cell for each configuration that was measured as fast."""
    by_name = {option.life.configuration.name: option for option in line.options}
    return [cell(by_name[name]) if name in by_name else "not measured" for name in names]


def _cost_cell(option: Option) -> str:
    from planner.generation_choice.wording import figure

    mark = "~" if option.interpolated else ""
    return f"{mark}{figure(float(option.usd_per_million))} {str(option.rate.status)[0]}"


def _show_costs(one: Choice) -> None:
    """Where dollars bind."""
    from planner.generation_choice.criteria import Criterion
    from planner.generation_choice.wording import UNITS, figure, speed_text

    def facility(line: SpeedLine) -> str:
        found = [o for o in line.options if o.life.configuration.name == line.best.get(Criterion.COST)]
        per_million = found[0].facility_usd_per_million if found else None
        return "–" if per_million is None else figure(float(per_million), 3)

    lines = [
        (
            speed_text(line.speed),
            *_cells(line, _names(one), _cost_cell),
            line.best.get(Criterion.COST, "–"),
            facility(line),
        )
        for line in one.lines
    ]
    columns = ("tokens/s/user", *_names(one), "cheapest", "its facility, apart")
    title = f"USD for a million {UNITS[one.basis.counts]}"
    put_table(title, columns, lines, right=range(len(_names(one)) + 1))
    click.echo(f"{_LEGEND}\n")


def _show_power(one: Choice) -> None:
    """Where power binds."""
    from planner.generation_choice.criteria import Criterion
    from planner.generation_choice.wording import figure, speed_text

    names = _names(one)
    most = max(float(option.units_per_megawatt_year) for line in one.lines for option in line.options)
    thousands = int(math.log10(most)) // 3

    def cell(option: Option) -> str:
        value, made = option.value_usd_per_megawatt_year, float(option.units_per_megawatt_year) / 1000**thousands
        return f"{made:.4g} / {'–' if value is None else f'{float(value) / 1e6:.2f}'}"

    lines = []
    for line in one.lines:
        price = line.usd_per_million_price
        shown = "–" if price is None else figure(float(price))
        lines.append((speed_text(line.speed), *_cells(line, names, cell), line.best.get(Criterion.VALUE, "–"), shown))
    columns = ("tokens/s/user", *names, "worth most", "at USD for a million")
    title = f"A MW-year at the meter: 10^{3 * thousands} made / M USD of value, costs taken off"
    put_table(title, columns, lines, right=range(len(names) + 1))
    if one.price_usd_per_million is None:
        click.echo(
            "Price of a million: what it costs who rents the Grace Blackwell racks that do it for the least, at the "
            "market's rental; it falls as rentals do. Faster tokens are dearer by it; --token-price takes another.\n"
        )


def _show_thresholds(one: Choice) -> None:
    """What would flip the choice at each speed."""
    from planner.generation_choice.criteria import Criterion
    from planner.generation_choice.thresholds import Lever
    from planner.generation_choice.wording import range_text, speed_text, threshold_text

    wanted = {
        "rack, cost": (Lever.RACK_PRICE, Criterion.COST),
        "rack, value": (Lever.RACK_PRICE, Criterion.VALUE),
        "energy, cost": (Lever.ENERGY_PRICE, Criterion.COST),
        "energy, value": (Lever.ENERGY_PRICE, Criterion.VALUE),
        "rate, cost": (Lever.RATE, Criterion.COST),
        "rate, value": (Lever.RATE, Criterion.VALUE),
        "slip, value": (Lever.SLIP, Criterion.VALUE),
        "a million, value": (Lever.TOKEN_PRICE, Criterion.VALUE),
    }
    lines = []
    for line in (line for line in one.lines if line.contested):
        cells = [
            "; ".join(threshold_text(one, line, t) for t in line.thresholds if (t.lever, t.criterion) == key) or "none"
            for key in wanted.values()
        ]
        lines.append((speed_text(line.speed), *cells))
    title = "What flips the choice: the value at which both generations are equal, all else as above"
    put_table(title, ("tokens/s/user", *wanted), lines, right=(0,))
    click.echo(
        "Grace Blackwell is better above that price of a Vera Rubin rack and from that slip on, Vera Rubin above that "
        "factor on its rate and that price of a million, unless it is said. None: at no price of energy up to 1,000 "
        "USD/MWh, no price of a rack up to four times the present one, no slip up to 24 quarters. *: within the "
        "catalogue's range."
    )
    click.echo(f"Ranges: {'; '.join(range_text(known) for known in one.ranges)}.\n")


def _show_grid(one: Choice) -> None:
    """The choice with one lever moved; steps with the same outcome in one line."""
    from planner.generation_choice.wording import grid_lines

    columns = ("if", "cost: batch", "cost: by tokens/s/user", "value of a MW: batch", "value of a MW: by tokens/s/user")
    put_table("The choice with one thing changed", columns, grid_lines(one))
    click.echo(
        "Cost does not move with a slip: a rack that comes later is paid later and works later. Its worth does: the "
        "place stays empty until then, and the price of work falls.\n"
    )
