"""The power chain of a site: groups of elements, the chains of a lineup and the named redundancy schemes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sites import units
from sites.calendar import Quarter
from sites.schema.catalog import ElementKind
from sites.schema.common import Count, Model, Name, Provenance


class PowerGroup(Model):
    """`count` like elements at one level of the power chain."""

    name: Name
    kind: ElementKind
    equipment: Name
    """Name of power equipment in the catalogue, or in this site's own `equipment`."""
    count: Count = 1
    fed_by: Name
    """`service`, or a group named earlier in this list or, in a building, in the campus's list."""
    sharing: Literal["parallel", "matched"]
    """`parallel`: every member is fed by all members of `fed_by` in equal shares, and by the survivors when one
    fails (N+1 without a common bus element). `matched`: member i by member i modulo their count."""
    in_service: tuple[Quarter, ...] = ()
    """One quarter for each member, or one for all. Empty: with the building; a campus group must give it."""
    house_load: units.Watts = Field(default=0, validate_default=False)  # type: ignore[assignment]
    """Constant draw served by each member (lighting, controls, gate houses)."""
    provenance: Provenance


class ChainStage(Model):
    """One element of each block's chain."""

    kind: ElementKind
    equipment: Name


class NoRedundancy(Model):
    """Rows on one block each and nothing behind it: no UPS, no second feed (a UPS-less GPU hall)."""

    kind: Literal["none"]
    blocks: Count


class SingleBlocks(Model):
    """N: rows on one block each, with UPS; the load of a failed block is lost."""

    kind: Literal["n"]
    blocks: Count


class CommonBus(Model):
    """N+1 on a common bus: `blocks` share one output bus; the bus itself is a single point."""

    kind: Literal["n-plus-1-bus"]
    blocks: Annotated[int, Field(strict=True, ge=2)]
    bus: Name
    """Power equipment of the bus."""


class TwoN(Model):
    """2N: two blocks; every row draws half from each."""

    kind: Literal["2n"]


class BlockRedundant(Model):
    """Catcher: `active` blocks behind static transfer switches to one reserve block."""

    kind: Literal["block-redundant"]
    active: Count
    transfer_switch: Name
    """Power equipment of the switch before each active block's rows."""


class Distributed(Model):
    """Distributed redundant xN/y: rows on pairs of `blocks`, sized so that any one block may fail."""

    kind: Literal["distributed"]
    blocks: Annotated[int, Field(strict=True, ge=3, le=12)]
    make: Annotated[int, Field(strict=True, ge=2)]


Scheme = Annotated[
    NoRedundancy | SingleBlocks | CommonBus | TwoN | BlockRedundant | Distributed, Field(discriminator="kind")
]
