"""What the books of a plan assume beside its cash: lives of assets, tax, and facility cost that no plan chooses."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from sites import units
from sites.schema.common import Model, Name, Provenance, Text


class Lives(Model):
    """Over how many years assets are written off in equal parts; a missing one is the catalogue's."""

    servers_years: units.Ratio | None = None
    network_years: units.Ratio | None = None
    facility_years: units.Ratio | None = None
    """Shell and plant, conversions and the connection to the grid."""


class Tax(Model):
    """Tax on income: cash from operation less depreciation; losses are carried forward."""

    applies: bool = Field(default=True, strict=True)
    """Whether it is reckoned; false keeps the rate on file."""
    rate: units.Share


class OperationsPart(Model):
    """A part of what operations without energy cost: staff, maintenance, insurance."""

    name: Name
    title: Text | None = None
    share: units.Share
    provenance: Provenance


def no_more_than_whole(parts: tuple[OperationsPart, ...]) -> tuple[OperationsPart, ...]:
    """Refuse parts of operations that share a name, or are more than the whole together."""
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        msg = f"found {', '.join(names)}; each part of operations stands there once"
        raise ValueError(msg)
    total = sum(part.share for part in parts)
    if total > 1:
        msg = f"found shares that sum to {float(total):g}; the parts of operations are at most 1 together"
        raise ValueError(msg)
    return parts


class Books(Model):
    """How the plan's cash is set into books; none of it decides the plan."""

    lives: Lives = Lives()
    tax: Tax | None = None
    """Missing: books before tax only."""
    facility: Name | None = None
    """Entry of the catalogue's economics: what shell and plant cost for each watt, entered as racks first draw it, less
    the avoidable capex that the plan pays. Missing: only the avoidable capex is in the books."""
    connection: Name | None = None
    """The same for the connection to the grid. Missing: none is in the books."""
    operations: Annotated[tuple[OperationsPart, ...], AfterValidator(no_more_than_whole)] = ()
    """What the cost of operations is made of; what they leave is called other."""
    provenance: Provenance
