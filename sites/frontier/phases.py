"""From dated rows to quarters: what is taken before the plan begins, and which buildings come on in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    from sites.frontier.edition import Campus, Row

START = "2027-Q1"
"""First quarter of both portfolios."""
TODAY = date(2026, 11, 21)
"""Day as of which they are planned: what runs by then belongs to its tenants."""
LARGEST_BUILDING_MW = Decimal(350)
"""Where a row does not say how many buildings it adds, they are taken no larger than this (the largest is 395)."""


@dataclass(frozen=True)
class Phase:
    """Like buildings that come on together."""

    quarter: str
    row: Row
    first_building: int
    n_buildings: int
    it_mw: Decimal
    """Of all of them together."""

    @property
    def building_it_mw(self) -> Decimal:
        """IT power of one of them, to a tenth of a MW."""
        return (self.it_mw / self.n_buildings).quantize(Decimal("0.1"))


def first_full_quarter(day: date) -> str:
    """The first quarter that begins on or after a day, so that what runs from that day on runs in all of it."""
    begins = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    return quarter_name(quarter_of(day) + (day > begins))


def quarter_of(day: date) -> int:
    """Index of the quarter in which a day lies."""
    return quarter_index(f"{day.year}-Q{(day.month - 1) // 3 + 1}")


def service_steps(campus: Campus) -> list[tuple[str, Decimal]]:
    """Power at the meter from each first full quarter on, MW; rows that change nothing are left out."""
    by_quarter = {first_full_quarter(row.day): row.facility_mw for row in campus.rows}
    steps: list[tuple[str, Decimal]] = []
    for quarter, facility_mw in sorted(by_quarter.items()):
        if facility_mw != (steps[-1][1] if steps else 0):
            steps.append((quarter, facility_mw))
    return steps


def taken_mw(campus: Campus) -> Decimal:
    """Power at the meter, MW, of what runs today."""
    return max((row.facility_mw for row in campus.rows if row.day <= TODAY), default=Decimal(0))


def phases(campus: Campus) -> list[Phase]:
    """The steps of IT power that come on after today, and so from the plan's first quarter on."""
    found: list[Phase] = []
    it_mw, buildings = Decimal(0), Decimal(0)
    n_named = 0
    for row in campus.rows:
        if row.it_mw > it_mw:
            if row.day > TODAY:
                n_new = _n_buildings(row, buildings, row.it_mw - it_mw)
                phase = Phase(first_full_quarter(row.day), row, n_named + 1, n_new, row.it_mw - it_mw)
                found.append(phase)
                n_named += n_new
            it_mw = row.it_mw
            # Buildings that come on without more IT power are counted with the next that bring it.
            buildings = buildings if row.buildings is None else row.buildings
    return found


def _n_buildings(row: Row, before: Decimal, more_mw: Decimal) -> int:
    if row.buildings is not None and row.buildings - before >= 1:
        return int(row.buildings - before)
    if row.buildings is not None:
        return 1
    return int((more_mw / LARGEST_BUILDING_MW).to_integral_value(ROUND_CEILING))
