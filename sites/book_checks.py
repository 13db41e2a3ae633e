"""The books of a portfolio against the catalogue: entries of its economics exist, and lives are whole quarters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sites.nearest import unknown
from sites.schema.economics import FacilityCost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.catalog.loader import Catalog
    from sites.faults import Fault
    from sites.loading import Document
    from sites.schema.portfolio import PortfolioFile

_QUARTERS_PER_YEAR = 4


def book_faults(portfolio: Document[PortfolioFile], catalog: Catalog) -> Iterator[Fault]:
    """Every fault of the key `books` that shows only beside the catalogue."""
    books = portfolio.value.books
    if books is None:
        return
    costs = {name: entry for name, entry in catalog.economics.items() if isinstance(entry, FacilityCost)}
    for key in ("facility", "connection"):
        name = getattr(books, key)
        if name is not None and name not in costs:
            yield portfolio.fault(unknown("facility cost of the catalogue's economics", name, costs), "books", key)
        elif name is not None and costs[name].cost.value is None:
            message = f"'{name}' has no known cost: {costs[name].cost.reason}; name another entry, or leave the key out"
            yield portfolio.fault(message, "books", key)
    for key in type(books.lives).model_fields:
        years = getattr(books.lives, key)
        if years is not None and (not years or (years * _QUARTERS_PER_YEAR).denominator != 1):
            message = f"found {float(years):g} years; a life is a whole number of quarters above 0, e.g. 5.5 years"
            yield portfolio.fault(message, "books", "lives", key)
