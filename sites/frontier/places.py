"""What Epoch AI's tables do not say of a campus: its file, region, climate and price of energy."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TABLES = Path(__file__).parent / "tables"
CAMPUSES, REGIONS, STATIONS = "campuses.csv", "regions.csv", "stations.csv"
ASSUMED_WET_BULB_DEGC = "26"
"""Where no wet bulb of a station is at hand: at or above all of those in the table."""


@dataclass(frozen=True)
class Place:
    """Where a campus is, and what follows from that."""

    site: str
    """Name of the site in the library."""
    is_generated: bool
    """False: the library holds a file of it that is kept by hand."""
    region: Mapping[str, str]
    station: Mapping[str, str]

    def location(self) -> dict[str, Any]:
        """The site's `location`: the middle of its region, since no coordinates are in the tables."""
        return {
            "country": self.region["country"],
            "region": self.region["region"],
            "latitude": float(self.region["latitude"]),
            "longitude": float(self.region["longitude"]),
            "provenance": {
                "status": "assumption",
                "source": "Middle of the state or province, recalled, for maps only; the tables give no coordinates",
            },
        }

    def climate(self, is_wet: bool) -> dict[str, Any]:
        """The design day of the station that stands for the place, with a wet bulb where the plant evaporates water."""
        source = f"{self.station['station']}, the nearest station at hand: {self.station['source']}"
        wet: dict[str, Any] = {}
        if is_wet:
            degc = self.station["design wet bulb [degC]"]
            wet["design_wet_bulb"] = f"{degc or ASSUMED_WET_BULB_DEGC} degC"
            source += "; " + (self.station["wet bulb source"] if degc else "the wet bulb is an assumption")
        return {
            "design_dry_bulb": f"{self.station['design dry bulb [degC]']} degC",
            **wet,
            "recirculation": "1.5 K",
            "provenance": {"status": "estimate", "source": f"{source}; recirculation is an assumption"},
        }

    def energy(self) -> dict[str, Any]:
        """The price of energy and where it comes from."""
        return {
            "energy_price": f"{self.region['energy price [USD/MWh]']} USD/MWh",
            "energy_price_provenance": {"status": self.region["status"], "source": self.region["source"]},
        }


@cache
def _table(name: str) -> dict[str, dict[str, str]]:
    with (_TABLES / name).open(newline="", encoding="utf-8") as stream:
        records = list(csv.DictReader(stream))
    return {next(iter(record.values())): record for record in records}


def place_of(campus: str) -> Place:
    """The place of a campus by its name in Epoch AI's tables; raises InputError where a table does not know it."""
    entry = _found(CAMPUSES, campus)
    region, station = _found(REGIONS, entry["region"]), _found(STATIONS, entry["station"])
    return Place(entry["site"], entry["file"] == "generated", region, station)


def _found(name: str, key: str) -> dict[str, str]:
    table = _table(name)
    if key not in table:
        message = f"no line for '{key}'; add one, as for '{next(iter(table))}'"
        raise InputError([Fault(str(_TABLES / name), None, "", message)])
    return table[key]
