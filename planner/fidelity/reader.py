"""Reads figures of the catalogue for a computation, and remembers which ones and from where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

from sites.faults import Fault, InputError
from sites.nearest import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sites.catalog.loader import Catalog, Configuration
    from sites.schema.common import Sourced, Status
    from sites.schema.economics import EconomicEntry

E = TypeVar("E")
Entry = TypeVar("Entry", bound="EconomicEntry")


class Case(StrEnum):
    """Which end of a catalogue figure is read."""

    LOW = "low"
    VALUE = "value"
    HIGH = "high"


@dataclass(frozen=True)
class Ingredient:
    """One figure that a computation has used."""

    where: str
    status: Status
    sources: tuple[str, ...]
    """Keys of the catalogue's sources."""


class Reader:
    """A catalogue that keeps a list of the figures taken from it."""

    def __init__(self, catalog: Catalog) -> None:
        """Nothing taken yet."""
        self.catalog = catalog
        self._taken: dict[str, Ingredient] = {}

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """Every figure taken, once, in order."""
        return tuple(self._taken.values())

    def number(self, where: str, figure: Sourced[Any] | None, case: Case = Case.VALUE) -> Fraction:
        """One end of a figure in its base unit; raises InputError where it is missing or null.

        Parameters: where, entry and key of the catalogue; figure; case, which end of it.
        """
        value = None if figure is None else getattr(figure, case.value)
        if figure is None or value is None:
            found = "missing" if figure is None else f"null ({figure.reason or f'no {case} is given'})"
            message = f"this figure is {found}; a public figure is computed from it, so give a value with its source"
            raise InputError([Fault("catalogue", None, where, message)])
        self.note(where if case is Case.VALUE else f"{where} ({case})", figure.status, figure.source)
        return Fraction(value)

    def note(self, where: str, status: Status, source: str) -> None:
        """Remember an ingredient that is no figure of the catalogue, such as the layout of a site.

        Parameters: where; status; source, keys separated by commas.
        """
        self._taken[where] = Ingredient(where, status, tuple(key.strip() for key in source.split(",")))

    def configuration(self, name: str) -> Configuration:
        """A configuration; raises InputError for one that the catalogue does not have."""
        try:
            return self.catalog.configuration(name)
        except KeyError as error:
            raise InputError([Fault("public figures", None, name, str(error.args[0]))]) from None

    def entry(self, what: str, name: str, entries: Mapping[str, E]) -> E:
        """An entry by name; raises InputError that names the nearest one.

        Parameters: what kind of entry, in words; name; entries by name.
        """
        if name not in entries:
            raise InputError([Fault("public figures", None, name, unknown(what, name, entries))])
        return entries[name]

    def economic(self, name: str, kind: type[Entry]) -> Entry:
        """An entry of the family `economics`; raises InputError where it is missing or of another kind."""
        entry = self.entry("entry of 'economics'", name, self.catalog.economics)
        if not isinstance(entry, kind):
            due = kind.model_fields["kind"].annotation
            message = f"'{name}' is of kind '{entry.kind}', but {due} is due here"
            raise InputError([Fault("public figures", None, name, message)])
        return entry
