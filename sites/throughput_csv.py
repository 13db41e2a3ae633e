"""A pilot's own measurements: a CSV of points that takes the place of the catalogue's for its basis and system."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sites.calendar import quarter_index
from sites.faults import Fault, InputError
from sites.nearest import nearest, shortened, unknown
from sites.schema.common import Sourced, Status
from sites.schema.throughput import RatedPer, ThroughputCurve, ThroughputPoint, WorkKind
from sites.units import parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from sites.catalog.loader import Catalog

TEXT_COLUMNS = ("basis", "system", "profile", "quarter", "source")
UNIT_OF_COLUMN = {"speed": "tokens/s/user", "ttft": "s", "rate": "1/s"}
COLUMNS = ("basis", "system", "profile", "speed", "ttft", "rate", "quarter", "source")
MAY_BE_EMPTY = ("profile", "speed", "ttft")
_HEADING = re.compile(r"^(?P<name>[^\[\]]*?)\s*(?:\[(?P<unit>[^\[\]]*)\])?$")
_NO_POINT = "there is no point in this file; add a line for each, or take the file off the list"
_MOST_FAULTS = 20


@dataclass(frozen=True)
class PilotCurve:
    """One measured curve and the basis that it belongs to."""

    basis: str
    curve: ThroughputCurve


@dataclass(frozen=True)
class _Row:
    """One line of a file, read."""

    file: str
    number: int
    """Place of the file among the pilot files, from 1; what a run calls it by."""
    line: int
    basis: str
    system: str
    profile: str | None
    quarter: str
    source: str
    speed: Fraction | None
    ttft: Fraction | None
    rate: Fraction


@dataclass
class _Reader:
    """The lines of one file as they are read, and what is wrong with them."""

    file: str
    number: int
    catalog: Catalog
    units: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int | None, key: str, message: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(self.file, line, key, message))

    def rows(self, content: bytes) -> list[_Row]:
        """Every line that can be read."""
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.fault(None, "", "this is not UTF-8 text; save the file again as text")
            return []
        if not text.strip():
            self.fault(None, "", _NO_POINT)
            return []
        lines = csv.reader(io.StringIO(text), strict=True)
        rows: list[_Row] = []
        try:
            names = self.heading(next(lines, []))
            for cells in lines if names is not None else ():
                row = self.row(names or [], cells, lines.line_num) if any(cell.strip() for cell in cells) else None
                rows += [row] if row is not None else []
        except csv.Error as error:
            self.fault(lines.line_num, "", f"this line cannot be read: {error}; quote text that holds commas or quotes")
        if not rows and not self.faults:
            self.fault(None, "", _NO_POINT)
        return rows

    def heading(self, cells: Sequence[str]) -> list[str] | None:
        """Names of the columns, None when they cannot be used; keeps the units of quantities."""
        names: list[str] = []
        for cell in cells:
            match = _HEADING.match(cell.strip())
            name = match["name"] if match is not None else cell.strip()
            names.append(name)
            self.column(name, None if match is None else match["unit"], names[:-1])
        for name in COLUMNS:
            if name not in names:
                self.fault(1, name, f"the column '{_titled(name)}' is missing; the columns are {_all_titles()}")
        return None if self.faults else names

    def column(self, name: str, unit: str | None, before: Sequence[str]) -> None:
        """One heading: known, there once, and with a unit exactly where the column holds a quantity."""
        if name not in COLUMNS:
            close = nearest(name, COLUMNS)
            hint = f"did you mean '{_titled(close)}'?" if close is not None else f"the columns are {_all_titles()}"
            self.fault(1, shortened(name), f"unknown column; {hint}")
        elif name in before:
            self.fault(1, name, "this column stands here a second time; remove one")
        elif name in TEXT_COLUMNS and unit is not None:
            self.fault(1, name, f"found the unit '{shortened(unit)}', but this column holds text; write '{name}'")
        elif name in UNIT_OF_COLUMN and unit is None:
            self.fault(1, name, f"found no unit; write it in the heading, for example '{_titled(name)}'")
        elif name in UNIT_OF_COLUMN and unit is not None:
            try:
                parse_quantity(f"1 {unit}", UNIT_OF_COLUMN[name])
                self.units[name] = unit
            except ValueError as error:
                self.fault(1, name, str(error))

    def row(self, names: Sequence[str], cells: Sequence[str], line: int) -> _Row | None:
        """One point, None when something in its line is wrong."""
        if len(cells) != len(names):
            self.fault(line, "", f"found {len(cells)} fields; the heading has {len(names)}, separated by commas")
            return None
        given = dict(zip(names, (cell.strip() for cell in cells), strict=True))
        n_before = len(self.faults)
        for name in COLUMNS:
            if not given[name] and name not in MAY_BE_EMPTY:
                self.fault(line, name, "found nothing; fill this field in")
        numbers = {name: self.quantity(name, given[name], line) for name in UNIT_OF_COLUMN}
        self.names(given, line)
        rate = numbers["rate"]
        if len(self.faults) > n_before or rate is None:
            return None
        return _Row(
            self.file,
            self.number,
            line,
            given["basis"],
            given["system"],
            given["profile"] or None,
            given["quarter"],
            given["source"],
            numbers["speed"],
            numbers["ttft"],
            rate,
        )

    def quantity(self, name: str, text: str, line: int) -> Fraction | None:
        """A number in the unit of its column, in the unit that the schema keeps; None where there is none."""
        if not text:
            return None
        try:
            value = parse_quantity(f"{text} {self.units[name]}", UNIT_OF_COLUMN[name])
        except ValueError:
            self.fault(line, name, f"found '{shortened(text)}'; a number above 0 is due, its unit in the heading")
            return None
        if value <= 0:
            self.fault(line, name, f"found {shortened(text)}; a number above 0 is due, or nothing where none is known")
            return None
        return value

    def names(self, given: dict[str, str], line: int) -> None:
        """Basis, system and profile are the catalogue's, the quarter is one, and training has no speed."""
        basis = self.catalog.throughput.get(given["basis"])
        if basis is None and given["basis"]:
            self.fault(line, "basis", unknown("throughput basis", given["basis"], self.catalog.throughput))
        if basis is not None and basis.kind is WorkKind.TRAINING and given["speed"]:
            self.fault(line, "speed", "this basis measures training, where no user waits; leave the field empty")
        system = self.catalog.rack_systems.get(given["system"])
        if system is None and given["system"]:
            self.fault(line, "system", unknown("rack system", given["system"], self.catalog.rack_systems))
        profiles = [] if system is None else [profile.name for profile in system.profiles]
        if profiles and given["profile"] and given["profile"] not in profiles:
            self.fault(line, "profile", unknown(f"profile of '{given['system']}'", given["profile"], profiles))
        if given["quarter"]:
            try:
                quarter_index(given["quarter"])
            except ValueError as error:
                self.fault(line, "quarter", str(error))


def read_pilot_files(files: Sequence[tuple[str, bytes]], catalog: Catalog) -> tuple[PilotCurve, ...]:
    """The curves that pilot files hold together, in order of their first lines.

    Parameters: files, shown name and bytes of each. Raises InputError with every fault of all of them, lines named.
    """
    rows: list[_Row] = []
    faults: list[Fault] = []
    for number, (name, content) in enumerate(files, 1):
        reader = _Reader(name, number, catalog)
        rows += reader.rows(content)
        faults += _first(reader.faults, name)
    curves: dict[tuple[str, str, str | None], list[_Row]] = defaultdict(list)
    for row in rows:
        curves[row.basis, row.system, row.profile].append(row)
    for listed in curves.values():
        faults.extend(_order_faults(listed))
    if faults:
        raise InputError(faults)
    return tuple(PilotCurve(basis, _curve(listed)) for (basis, _, _), listed in curves.items())


def with_pilots(catalog: Catalog, pilots: Sequence[PilotCurve]) -> Catalog:
    """The catalogue with pilot curves in the place of all its curves of the same basis and system."""
    throughput = dict(catalog.throughput)
    for name in dict.fromkeys(pilot.basis for pilot in pilots):
        measured = tuple(pilot.curve for pilot in pilots if pilot.basis == name)
        systems = {curve.system for curve in measured}
        kept = tuple(curve for curve in throughput[name].curves if curve.system not in systems)
        throughput[name] = throughput[name].model_copy(update={"curves": (*kept, *measured)})
    return replace(catalog, throughput=throughput)


def _order_faults(rows: Sequence[_Row]) -> Iterator[Fault]:
    """Points of one curve ascend in speed, an offline one first, each speed once, all of one quarter."""
    first = rows[0]
    for index, row in enumerate(rows[1:], 1):
        before = rows[index - 1]
        twin = next((one for one in rows[:index] if one.speed == row.speed), None)
        if twin is not None:
            what = "an offline point" if row.speed is None else f"{float(row.speed):g} tokens/s/user"
            where = f"line {twin.line}" if twin.file == row.file else f"line {twin.line} of '{twin.file}'"
            message = f"{what} of this basis, system and profile stands in {where} already; remove one"
            yield Fault(row.file, row.line, "speed", message)
        elif row.speed is None or (before.speed is not None and row.speed < before.speed):
            found = "an offline point" if row.speed is None else f"{float(row.speed):g} tokens/s/user"
            message = f"found {found} after {float(before.speed or 0):g}; sort by speed, a point without speed first"
            yield Fault(row.file, row.line, "speed", message)
        if row.quarter != first.quarter:
            message = f"found {row.quarter} in a curve of {first.quarter}; the points of a curve are of one quarter"
            yield Fault(row.file, row.line, "quarter", message)


def _curve(rows: Sequence[_Row]) -> ThroughputCurve:
    first = rows[0]
    return ThroughputCurve(
        system=first.system,
        profile=first.profile,
        profile_reason=None if first.profile is not None else "The file does not name the profile",
        software=f"as measured in pilot file {first.number}",
        measured=first.quarter,
        per=RatedPer.RACK,
        points=tuple(_point(row) for row in rows),
    )


def _point(row: _Row) -> ThroughputPoint:
    at = f"Pilot file {row.number}, line {row.line}"

    def sourced(value: Fraction | None) -> Sourced[Fraction]:
        reason = None if value is not None else "The file does not give it"
        return Sourced(value=value, source=row.source, status=Status.MEASURED, note=at, reason=reason)

    speed = None if row.speed is None else sourced(row.speed)
    return ThroughputPoint(speed=speed, ttft=sourced(row.ttft), rate=sourced(row.rate))


def _first(faults: list[Fault], file: str) -> list[Fault]:
    """The first faults of a file, and how many more there are."""
    more = len(faults) - _MOST_FAULTS
    rest = [Fault(file, None, "", f"{more} more faults are not listed")] if more > 0 else []
    return [*faults[:_MOST_FAULTS], *rest]


def _titled(name: str) -> str:
    """A column's heading with the usual unit."""
    return f"{name} [{UNIT_OF_COLUMN[name]}]" if name in UNIT_OF_COLUMN else name


def _all_titles() -> str:
    return ", ".join(f"'{_titled(name)}'" for name in COLUMNS)
