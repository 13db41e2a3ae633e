"""`gigaplan year`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from planner.cli.options import backend_option
from planner.cli.screen import put_json, put_table, say


@click.command("year")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--weather", multiple=True, metavar="[SITE=]FILE", help="EPW or CSV file, for one site or for all.")
@click.option("--scenarios", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Years to work out.")
@click.option("--period", metavar="QUARTER", help="Whose racks run all year; the plan's last quarter unless given.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Draws the scenarios' offsets.")
@backend_option
@click.option("--threads", type=click.IntRange(1, 256), default=2, show_default=True, help="Threads for scenarios.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(
    run: Path,
    weather: tuple[str, ...],
    scenarios: int,
    period: str | None,
    seed: int,
    backend: str,
    threads: int,
    as_json: bool,
) -> None:
    """Run the racks of the run folder RUN through 8,760 hours of weather.

    Gives annual PUE, water, energy by stage and source, the peak hour, curtailed energy, and the hours in which an
    element or a plant exceeds its rating, at the average power of each configuration. The first scenario is the year
    as it is; the others shift its temperature and load.

    \b
    Examples:
      gigaplan year runs/reference-1gw
      gigaplan year runs/reference-1gw --weather my-station.epw --scenarios 100
      gigaplan year runs/claude-on-azure-1gw --weather fairwater-atlanta=atlanta.csv --json
    """
    from planner.year.year import YearRequest, year_of_run

    request = YearRequest(weather, scenarios, period, seed, backend=backend, n_threads=threads)
    found = year_of_run(run, request)
    if as_json:
        put_json(found)
        return
    _put_sites(found)
    _put_energy(found)
    _put_over_rating(found)
    _put_supply(found)
    for one in found["sites"]:
        say(f"{one['site']}: weather of {one['weather']['title']} ({one['weather']['choice']})")


def _put_sites(found: dict[str, Any]) -> None:
    """One line for each site and one for all."""
    columns = ("", "PUE", "over scenarios", "L/kWh", "GWh", "peak MW", "peak hour", "no compressor h", "over rating h")
    lines = [
        (
            name,
            _ratio(one["pue"], "base"),
            f"{_ratio(one['pue'], 'lowest')} to {_ratio(one['pue'], 'highest')}",
            "–" if one["wue_litres_per_kwh"] is None else f"{one['wue_litres_per_kwh']['base']:.2f}",
            f"{one['facility_mwh']['base'] / 1e3:,.1f}",
            f"{one['peak_mw']['base']:,.1f}",
            one["peak_hour"],
            f"{one['hours_without_compressor']:,}" if "hours_without_compressor" in one else "",
            f"{one['hours_over_rating']['base']:,}" if "hours_over_rating" in one else "",
        )
        for name, one in [*((one["site"], one) for one in found["sites"]), ("all", found["total"])]
    ]
    n_scenarios = len(found["scenarios"])
    title = f"{found['portfolio']}, racks of {found['period']}, {n_scenarios} scenario{'' if n_scenarios == 1 else 's'}"
    put_table(title, columns, lines, right=(1, 3, 4, 5, 7, 8))


def _ratio(values: dict[str, float] | None, key: str) -> str:
    return "–" if values is None else f"{values[key]:.3f}"


def _put_energy(found: dict[str, Any]) -> None:
    """Energy by stage, GWh in the base year."""
    names = list(found["total"]["energy_mwh"])
    columns = ("GWh", *(one["site"] for one in found["sites"]), "all")
    parts = [*(one["energy_mwh"] for one in found["sites"]), found["total"]["energy_mwh"]]
    lines = [(name.replace("_", " "), *(f"{part[name] / 1e3:,.2f}" for part in parts)) for name in names]
    put_table("", columns, lines, right=tuple(range(1, len(columns))))


def _put_over_rating(found: dict[str, Any]) -> None:
    """What exceeds its rating, if anything does."""
    lines = [
        (one["site"], over["kind"], over["first"], over["n_alike"], over["base_hours"], over["most_hours"])
        for one in found["sites"]
        for over in one["over_rating"]
    ]
    if lines:
        columns = ("site", "kind", "first", "alike", "hours, base year", "hours, worst scenario")
        put_table("Over rating", columns, lines, right=(3, 4, 5))
    else:
        say("no element and no plant exceeds its rating in any hour of any scenario")


def _put_supply(found: dict[str, Any]) -> None:
    """What stands beside the firm service, water that is evaporated, and failures that Flex would have to answer."""
    for one in found["sites"]:
        name, supply, risk = one["site"], one["supply"], one["flex_at_risk"]
        if supply["non_firm_mw"]:
            say(
                f"{name}: {supply['hours_on_non_firm']:,} hours draw {supply['non_firm_mwh']:,.0f} MWh of the "
                f"{supply['non_firm_mw']:,.0f} MW that are not firm; {supply['curtailed_hours']:g} curtailed hours "
                f"take {supply['curtailed_mwh']:,.0f} MWh at the most"
            )
        for plant, energy_mwh in supply["generation_mwh"].items():
            say(f"{name}: {plant} generates {energy_mwh / 1e3:,.1f} GWh")
        if one["hours_with_evaporation"]:
            say(f"{name}: {_water(one['water_litres'])} in {one['hours_with_evaporation']:,} hours")
        if risk is not None:
            say(
                f"{name}: after the loss of {risk['failure']} an element exceeds its rating in "
                f"{risk['hours']['base']:,} hours of the year until Flex acts"
            )


def _water(litres: dict[str, float | None]) -> str:
    """Water of a year in words; the makeup where the coolers' cycles of concentration are known."""
    evaporated = f"{(litres['evaporated'] or 0) / 1e3:,.0f} m³ of water evaporate"
    if litres["makeup"] is None or litres["bleed"] is None:
        return f"{evaporated} (the bleed is not known: 'cycles_of_concentration' is missing)"
    return f"{evaporated} and {litres['bleed'] / 1e3:,.0f} m³ are bled"
