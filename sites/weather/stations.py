"""Bundled years: four public TMY3 stations, compact, and which library sites they stand for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from sites.faults import Fault, InputError
from sites.weather.hours import WeatherYear

if TYPE_CHECKING:
    from pathlib import Path

NEAR_KM = 150.0
"""A station within this distance is taken without a word; farther ones are named as an assumption."""
FARTHEST_KM = 400.0
"""Beyond this distance no bundled station stands for a site that the library does not assign to one."""
_EARTH_KM = 6371.0
_TERMS = (
    "TMY3, NREL/DOE National Solar Radiation Data Base 1991-2005 update, a United States government work free to use "
    "and redistribute; dry and wet bulb rounded to 0.1 K"
)


@dataclass(frozen=True)
class Station:
    """One bundled station."""

    name: str
    title: str
    wmo: str
    latitude: float
    longitude: float
    library_sites: tuple[str, ...]
    """Library sites that it stands for although it is not near, the best of the four."""
    taken_from: str
    """Package whose file was compacted."""


STATIONS = (
    Station(
        "chicago",
        "Chicago O'Hare IL",
        "725300",
        41.98,
        -87.92,
        ("fairwater-wisconsin", "new-carlisle"),
        "EPW file of pyenergyplus-lbnl 26.1.0",
    ),
    Station(
        "champaign",
        "University of Illinois Willard IL",
        "725315",
        40.04,
        -88.28,
        ("reference-1gw", "prometheus"),
        "EPW file of pyenergyplus-lbnl 26.1.0",
    ),
    Station(
        "oklahoma-city",
        "Oklahoma City Will Rogers OK",
        "723530",
        35.38,
        -97.60,
        ("abilene", "abilene-expansion", "colossus-2", "hyperion"),
        "EPW file of pyenergyplus-lbnl 26.1.0",
    ),
    Station(
        "greensboro",
        "Greensboro Piedmont Triad NC",
        "723170",
        36.10,
        -79.95,
        ("fairwater-atlanta",),
        "TMY3 file of pvlib 0.16.1",
    ),
)


def distance_km(station: Station, latitude: float, longitude: float) -> float:
    """Great-circle distance, km; angles in degrees."""
    here, there = math.radians(latitude), math.radians(station.latitude)
    turn = math.radians(longitude - station.longitude)
    cosine = math.sin(here) * math.sin(there) + math.cos(here) * math.cos(there) * math.cos(turn)
    return _EARTH_KM * math.acos(min(1.0, max(-1.0, cosine)))


def station_for(site: str, latitude: float | None, longitude: float | None) -> tuple[Station, str]:
    """The bundled station that stands for a site, and the assumption in words.

    Parameters: site, its name; latitude and longitude in degrees, or None. Raises InputError when no bundled station
    is near and the library assigns none.
    """
    assigned = next((one for one in STATIONS if site in one.library_sites), None)
    if latitude is None or longitude is None:
        if assigned is None:
            raise _no_station(site, "the site gives no latitude and longitude")
        return assigned, f"{assigned.title} stands for {site}"
    nearest = min(STATIONS, key=lambda one: distance_km(one, latitude, longitude))
    station = nearest if assigned is None else assigned
    away_km = distance_km(station, latitude, longitude)
    if assigned is None and away_km > FARTHEST_KM:
        raise _no_station(site, f"the nearest bundled station, {nearest.title}, is {away_km:.0f} km away")
    words = f"{station.title}, {away_km:.0f} km away"
    return station, words if away_km <= NEAR_KM else f"{words}: no public station near {site} is bundled"


def _no_station(site: str, why: str) -> InputError:
    message = f"{why}; give its weather with --weather {site}=FILE.epw"
    return InputError([Fault(site, None, "location", message)])


def bundled_year(station: Station) -> WeatherYear:
    """The hours of a bundled station."""
    target = resources.files("sites.weather") / "data" / f"{station.name}.npz"
    with target.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        dry, wet = arrays["dry_bulb_tenths"], arrays["wet_bulb_tenths"]
    title = f"{station.title} (WMO {station.wmo})"
    return WeatherYear(title, f"{_TERMS}; {station.taken_from}", dry / 10.0, wet / 10.0)


def write_compact(year: WeatherYear, path: Path) -> None:
    """Write a year as a bundled station keeps it: tenths of a degree in 16 bits, the wet bulb not above the dry."""
    dry = np.rint(year.dry_bulb_degc * 10).astype(np.int16)
    wet = np.minimum(np.rint(year.wet_bulb_degc * 10).astype(np.int16), dry)
    np.savez_compressed(path, allow_pickle=False, dry_bulb_tenths=dry, wet_bulb_tenths=wet)
