"""One edition of Epoch AI's tables: campuses and the dated rows of their power, facts only."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from sites.faults import Fault, InputError
from sites.frontier.cooling import noted_cooling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FACTS = Path(__file__).parent / "facts"
EDITION = date(2026, 8, 22)
"""Rows dated after this day are Epoch AI's projections."""
CITATION = "Epoch AI, Frontier Data Centers, CC BY 4.0, edition of 2026-08-22"

CAMPUSES, TIMELINES, CHIPS = "data_centers.csv", "data_center_timelines.csv", "data_center_chip_quantities.csv"
NOTES, COOLING = "Construction status", "Cooling noted"
_COLUMNS = {
    CAMPUSES: ("Name", "Owner", "Users", "Country", "Address"),
    TIMELINES: ("Data center", "Date", "Buildings operational", "IT power (MW)", "Power (MW)"),
    CHIPS: ("Data center", "Date", "Chip type", "Number of Units"),
}


@dataclass(frozen=True)
class Row:
    """What runs, or is expected to run, from a day on."""

    day: date
    buildings: Decimal | None
    """Buildings that work; None where the table does not say."""
    it_mw: Decimal
    facility_mw: Decimal
    cooling: str
    """Kind of heat rejection that the row's note names, or empty."""

    @property
    def is_projection(self) -> bool:
        """Whether the row lies after the day of the edition."""
        return self.day > EDITION


@dataclass(frozen=True)
class Campus:
    """One campus of the tables."""

    name: str
    owner: str
    users: str
    country: str
    address: str
    rows: tuple[Row, ...]
    """In order of their days."""
    chips: tuple[tuple[date, str], ...]
    """Kinds of chip by the day on which they are first counted."""


def read_edition(folder: Path) -> tuple[Campus, ...]:
    """Campuses of the three tables in a folder, in the order of the first.

    Parameters: folder, Epoch AI's own files or those that `write_facts` made of them. Raises InputError where a file or
    a column is missing, or a figure is no number.
    """
    rows: dict[str, list[Row]] = {}
    for line, record in enumerate(_records(folder, TIMELINES), start=2):
        rows.setdefault(record["Data center"], []).append(_row(record, folder / TIMELINES, line))
    chips: dict[str, list[tuple[date, str]]] = {}
    for record in _records(folder, CHIPS):
        chips.setdefault(record["Data center"], []).append((date.fromisoformat(record["Date"]), record["Chip type"]))
    return tuple(
        Campus(
            record["Name"],
            _plain(record["Owner"]),
            _plain(record["Users"]),
            record["Country"],
            " ".join(record["Address"].split()),
            tuple(sorted(rows.get(record["Name"], []), key=lambda row: row.day)),
            tuple(sorted(chips.get(record["Name"], []))),
        )
        for record in _records(folder, CAMPUSES)
    )


def write_facts(source: Path, out: Path) -> None:
    """Copy the columns that are read here, and of the notes only the kind of cooling that they name.

    Parameters: source, folder of the tables; out, folder to write the three smaller files into.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name, columns in _COLUMNS.items():
        more = (COOLING,) if name == TIMELINES else ()
        records = [{**record, COOLING: _cooling_of(record)} for record in _records(source, name)]
        with (out / name).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, (*columns, *more), extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(records)


def _records(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / name
    if not path.is_file():
        raise InputError([Fault(str(path), None, "", "no such file; name a folder that holds Epoch AI's three tables")])
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = [column for column in _COLUMNS[name] if column not in (reader.fieldnames or ())]
        if missing:
            message = f"columns missing: {', '.join(missing)}; found {', '.join(reader.fieldnames or ())}"
            raise InputError([Fault(str(path), 1, "", message)])
        return list(reader)


def _row(record: Mapping[str, str], path: Path, line: int) -> Row:
    try:
        return Row(
            date.fromisoformat(record["Date"]),
            Decimal(record["Buildings operational"]) if record["Buildings operational"] else None,
            Decimal(record["IT power (MW)"] or 0),
            Decimal(record["Power (MW)"] or 0),
            _cooling_of(record),
        )
    except (ArithmeticError, ValueError) as error:
        found = ", ".join(f"{key} '{record[key]}'" for key in _COLUMNS[TIMELINES])
        message = f"found {found}; a day as 2027-01-31 and numbers are due ({error})"
        raise InputError([Fault(str(path), line, "", message)]) from None


def _cooling_of(record: Mapping[str, str]) -> str:
    return record[COOLING] if COOLING in record else noted_cooling(record.get(NOTES, ""))


def _plain(names: str) -> str:
    """Names without their marks of confidence, which stay in the table."""
    return ", ".join(_without_mark(names.split(",")))


def _without_mark(names: Iterable[str]) -> list[str]:
    return [name.split("#")[0].strip() for name in names if name.strip()]
