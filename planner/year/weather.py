"""Which weather each site of a plan gets: the user's files, else a bundled station with its assumption."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sites.faults import Fault, InputError
from sites.nearest import unknown
from sites.weather.readers import read_weather
from sites.weather.stations import bundled_year, station_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.weather.hours import WeatherYear
    from sites.world import World


@dataclass(frozen=True)
class SiteWeather:
    """The year of one site."""

    year: WeatherYear
    choice: str
    """Whether it was given, or which station stands for the site and how far it is."""


def site_weather(world: World, given: Sequence[str]) -> tuple[SiteWeather, ...]:
    """The weather of every site in order of the portfolio.

    Parameters: given, `FILE` for all sites or `SITE=FILE` for one, later ones winning. Raises InputError for faults of
    the files, unknown sites, and sites without a file or a near station.
    """
    names = [one.name for one in world.sites]
    files: dict[str, Path] = {}
    for text in given:
        site, separator, file = text.partition("=")
        if separator and site not in names and not Path(text).exists():
            raise InputError([Fault("--weather", None, site, unknown("site", site, names))])
        one_site = bool(separator) and site in names
        files |= {site: Path(file)} if one_site else dict.fromkeys(names, Path(text))
    read = {path: read_weather(path) for path in dict.fromkeys(files.values())}
    chosen, faults = [], []
    for one in world.sites:
        if one.name in files:
            chosen.append(SiteWeather(read[files[one.name]], "given"))
            continue
        try:
            place = one.site.location
            station, words = station_for(one.name, place.latitude, place.longitude)
            chosen.append(SiteWeather(bundled_year(station), words))
        except InputError as error:
            faults.extend(error.faults)
    if faults:
        raise InputError(faults)
    return tuple(chosen)
