"""Read a year of hourly weather from an EPW or a CSV file, or raise every fault with its line."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sites.faults import Fault, InputError
from sites.loading import read_bytes
from sites.nearest import shortened
from sites.weather.hours import N_HOURS, WeatherYear
from sites.weather.moist_air import STANDARD_PRESSURE_PA, saturation_pressure_pa, wet_bulb_degc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

DRY_BULB, WET_BULB, HUMIDITY, DEW_POINT, PRESSURE = (
    "dry_bulb_degc",
    "wet_bulb_degc",
    "relative_humidity_percent",
    "dew_point_degc",
    "pressure_pa",
)
RANGES = {
    DRY_BULB: (-60.0, 60.0),
    WET_BULB: (-60.0, 45.0),
    HUMIDITY: (0.0, 110.0),
    DEW_POINT: (-70.0, 45.0),
    PRESSURE: (50_000.0, 110_000.0),
}
"""What an hour may hold, column by column; outside lies a missing value's mark or a wrong unit."""
_EPW_HEADER_LINES = 8
_EPW_COLUMNS = {DRY_BULB: 6, DEW_POINT: 7, HUMIDITY: 8, PRESSURE: 9}
_EPW_LEAST_FIELDS = 10
_MOST_FAULTS = 10


@dataclass
class _Columns:
    """Columns as they are read, and what is wrong with them."""

    file: str
    values: dict[str, list[float]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def take(self, name: str, text: str, line: int) -> None:
        """Keep one number, or say what is wrong with it."""
        low, high = RANGES[name]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            message = f"found '{shortened(text.strip())}'; allowed is a number from {low:g} to {high:g}"
            self.faults.append(Fault(self.file, line, name, message))
            value = low
        self.values.setdefault(name, []).append(value)

    def finish(self) -> dict[str, NDArray[np.float64]]:
        """The columns, each of 8,760 hours; raises InputError with the first faults and the number of the rest."""
        n_hours = len(self.values.get(DRY_BULB, []))
        if n_hours != N_HOURS:
            hint = "; leave 29 February out" if n_hours == N_HOURS + 24 else ""
            self.faults.append(Fault(self.file, None, "", f"found {n_hours} hours; a year has {N_HOURS}{hint}"))
        if self.faults:
            more = len(self.faults) - _MOST_FAULTS
            rest = [Fault(self.file, None, "", f"{more} more faults are not listed")] if more > 0 else []
            raise InputError([*self.faults[:_MOST_FAULTS], *rest])
        return {name: np.array(column, dtype=np.float64) for name, column in self.values.items()}


def read_weather(path: Path) -> WeatherYear:
    """Read a weather file by its suffix, `.epw` or `.csv`; raises InputError with the line of every fault."""
    suffix = path.suffix.lower()
    if suffix not in {".epw", ".csv"}:
        raise InputError([Fault(str(path), None, "", f"the suffix is '{suffix}'; allowed are '.epw' and '.csv'")])
    try:
        lines = read_bytes(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError([Fault(str(path), None, "", "this is not UTF-8 text; save the file again as text")]) from None
    return read_epw(lines, str(path)) if suffix == ".epw" else read_csv(lines, str(path))


def read_epw(lines: list[str], file: str) -> WeatherYear:
    """Read the lines of an EnergyPlus weather file: dry bulb, humidity and pressure of 8,760 hours.

    Source of the format: EnergyPlus, Auxiliary Programs, weather file data dictionary.
    """
    if not lines or not lines[0].startswith("LOCATION,"):
        raise InputError([Fault(file, 1, "", "an EPW file begins with 'LOCATION,'; name an EPW file")])
    columns = _Columns(file)
    for number, line in enumerate(lines[_EPW_HEADER_LINES:], _EPW_HEADER_LINES + 1):
        fields = line.split(",")
        if len(fields) < _EPW_LEAST_FIELDS:
            message = f"found {len(fields)} fields; an hour has {_EPW_LEAST_FIELDS} or more, separated by commas"
            columns.faults.append(Fault(file, number, "", message))
            continue
        for name, position in _EPW_COLUMNS.items():
            columns.take(name, fields[position], number)
    named = lines[0].split(",")
    return _year(", ".join(named[1:4]), file, columns.finish())


def read_csv(lines: list[str], file: str) -> WeatherYear:
    """Read the lines of a CSV file: a heading, then 8,760 hours.

    Columns: `dry_bulb_degc`, one of `wet_bulb_degc`, `relative_humidity_percent` and `dew_point_degc`, and if given
    `pressure_pa` (sea level otherwise).
    """
    heading = [name.strip() for name in lines[0].split(",")] if lines else []
    _require_heading(heading, file)
    columns = _Columns(file)
    for number, line in enumerate(lines[1:], 2):
        fields = line.split(",")
        if len(fields) != len(heading):
            message = f"found {len(fields)} fields; the heading has {len(heading)}"
            columns.faults.append(Fault(file, number, "", message))
            continue
        for name, text in zip(heading, fields, strict=True):
            columns.take(name, text, number)
    return _year(file, file, columns.finish())


def _require_heading(heading: list[str], file: str) -> None:
    unknown = [name for name in heading if name not in RANGES]
    moisture = [name for name in (WET_BULB, HUMIDITY, DEW_POINT) if name in heading]
    if unknown or DRY_BULB not in heading or len(moisture) != 1 or len(set(heading)) != len(heading):
        message = (
            f"found the columns {_listed(heading)}; write '{DRY_BULB}', one of '{WET_BULB}', '{HUMIDITY}' and "
            f"'{DEW_POINT}', and if known '{PRESSURE}', each once"
        )
        raise InputError([Fault(file, 1, "", message)])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{shortened(name)}'" for name in names) or "none"


def _year(title: str, file: str, columns: Mapping[str, NDArray[np.float64]]) -> WeatherYear:
    """Put a year together; the wet bulb comes from the humidity where the file does not give it."""
    dry = columns[DRY_BULB]
    if WET_BULB in columns:
        wet = columns[WET_BULB]
        above = np.nonzero(wet > dry)[0]
        if len(above):
            message = f"the wet bulb is above the dry bulb in {len(above)} hours, first in hour {above[0] + 1}"
            raise InputError([Fault(file, None, WET_BULB, f"{message}; mend the columns")])
    else:
        pressure = columns.get(PRESSURE, np.full(N_HOURS, STANDARD_PRESSURE_PA))
        if DEW_POINT in columns and HUMIDITY not in columns:
            vapour = saturation_pressure_pa(columns[DEW_POINT])
        else:
            vapour = saturation_pressure_pa(dry) * columns[HUMIDITY] / 100
        wet = wet_bulb_degc(dry, vapour, pressure)
    return WeatherYear(title, f"file {file}", dry, wet)
