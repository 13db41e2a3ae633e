"""The side program: what is decided beside the racks, by name (section 7a of `docs/model.md`)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from planner.verify.money import RATE_ONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Place = tuple[str, str, int]
"""Site, configuration and decision period."""
Raised = tuple[str, int]
"""A joint limit by name, and a decision period."""


@dataclass(frozen=True)
class SideRow:
    """Σ coefficient·v ≤ right + Σ racks·n, n the standing racks of a site, configuration and period."""

    right: int
    racks: Mapping[Place, int]


@dataclass(frozen=True)
class SideColumn:
    """A whole number v from 0 to `most`."""

    worth_scaled: int
    """Cents of a unit, discounted, scaled by 2^20."""
    most: int
    terms: dict[str, int] = field(default_factory=dict)
    """What a unit takes of a row's right-hand side, by row."""
    raises: dict[Raised, int] = field(default_factory=dict)
    """What a unit adds to the capacity of a joint limit, scaled by 2^20."""


@dataclass
class Side:
    """Rows and columns; each clause of the portfolio adds its own."""

    rows: dict[str, SideRow] = field(default_factory=dict)
    columns: dict[str, SideColumn] = field(default_factory=dict)
    constant_cents: int = 0
    """What every plan earns alike; racks that are paid for, placed or not, are a loss."""

    def row(self, name: str, right: int = 0, racks: Mapping[Place, int] | None = None) -> None:
        """Add a row. Raises ValueError where the name is taken.

        Parameters: racks, what a standing rack adds to the right-hand side, by site, configuration and period.
        """
        _unused(name, self.rows)
        self.rows[name] = SideRow(right, {place: each for place, each in (racks or {}).items() if each})

    def column(self, name: str, worth_scaled: int, most: int) -> None:
        """Add a column. Raises ValueError where the name is taken.

        Parameters: worth_scaled, cents of a unit, discounted, scaled by 2^20.
        """
        _unused(name, self.columns)
        self.columns[name] = SideColumn(worth_scaled, most)

    def term(self, column: str, row: str, coefficient: int) -> None:
        """Say what a unit of a column takes of a row. Raises KeyError where there is no such column or row."""
        if row not in self.rows:
            raise KeyError(row)
        terms = self.columns[column].terms
        terms[row] = terms.get(row, 0) + coefficient

    def capacity(self, column: str, limit: str, period: int, amount_scaled: int) -> None:
        """Say what a unit of a column adds to the capacity of a joint limit, scaled by 2^20."""
        raises = self.columns[column].raises
        raises[limit, period] = raises.get((limit, period), 0) + amount_scaled

    def lose(self, cents: int) -> None:
        """Take whole cents from every plan."""
        self.constant_cents -= cents

    def sold(self, workload: str) -> Iterator[tuple[str, str]]:
        """Columns of units sold of a workload, with the quarter of each."""
        for name in self.columns:
            if name.startswith(f"sold:{workload}:"):
                yield name, name.rpartition(":")[2]

    def worth_cents(self, values: Mapping[str, int]) -> int:
        """What decisions are worth, rounded down to the cent once for all; a column that is not named counts 0."""
        return sum(self.columns[name].worth_scaled * n for name, n in values.items()) // RATE_ONE

    def used(self, values: Mapping[str, int]) -> dict[str, int]:
        """What decisions take of each row that they are in."""
        total: dict[str, int] = defaultdict(int)
        for name, n in values.items():
            for row, coefficient in self.columns[name].terms.items():
                total[row] += coefficient * n
        return total

    def raised(self, values: Mapping[str, int]) -> dict[Raised, int]:
        """What decisions add to capacities, scaled by 2^20."""
        total: dict[Raised, int] = defaultdict(int)
        for name, n in values.items():
            for place, amount in self.columns[name].raises.items():
                total[place] += amount * n
        return total

    @cached_property
    def most_raised(self) -> dict[Raised, int]:
        """What decisions may add to capacities at the most, scaled by 2^20; asked once everything is in."""
        total: dict[Raised, int] = defaultdict(int)
        for column in self.columns.values():
            for place, amount in column.raises.items():
                total[place] += column.most * max(0, amount)
        return dict(total)


def right_of(row: SideRow, standing: Mapping[tuple[str, str], list[int]]) -> int:
    """What the racks of a plan leave a row to use.

    Parameters: standing racks by site and configuration, a list over decision periods.
    """
    racks = (
        each * standing[site, configuration][t]
        for (site, configuration, t), each in row.racks.items()
        if (site, configuration) in standing
    )
    return row.right + sum(racks)


def _unused(name: str, names: Mapping[str, object]) -> None:
    if name in names:
        msg = f"'{name}' stands in the side program already"
        raise ValueError(msg)
