"""What may fail, what fails together, and what rows were promised when it does."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from sites.calendar import Quarter
from sites.schema.catalog import ElementKind
from sites.schema.common import Model, Name, Provenance, Text


class FailureKind(StrEnum):
    """What may fail: one power element of a kind, a common-mode group, or one unit of a bank."""

    LINE = "line"
    MAIN_TRANSFORMER = "main-transformer"
    FEEDER = "feeder"
    SWITCHBOARD = "switchboard"
    UNIT_SUBSTATION = "unit-substation"
    UPS = "ups"
    BUS = "bus"
    TRANSFER_SWITCH = "transfer-switch"
    BUSWAY = "busway"
    COMMON_MODE = "common-mode"
    CDU = "cdu"
    AIR_HANDLER = "air-handler"
    COOLER = "cooler"
    """Any unit of heat rejection that is no chiller: dry, adiabatic or closed wet."""
    CHILLER = "chiller"
    LEAF = "leaf"


COMMON_MODE = str(FailureKind.COMMON_MODE)
"""Kind of the failure of a common-mode group."""

UNIT_FAILURES = tuple(
    str(kind)
    for kind in (FailureKind.CDU, FailureKind.AIR_HANDLER, FailureKind.COOLER, FailureKind.CHILLER, FailureKind.LEAF)
)
"""Kinds of failure of one unit of a bank."""

MAINTENANCE = "maintenance"
"""Kind of a failure while another element is out for work; no class is asked about it, so it is no `FailureKind`."""


class Availability(Model):
    """What the rows were promised when any single element, unit or common-mode group fails."""

    name: Name
    may_drop_on: tuple[FailureKind, ...] = ()
    """Kinds of element or unit whose single failure may drop a row of this class; `common-mode`: that of a group."""
    maintenance: tuple[ElementKind, ...] = ()
    """Kinds of power element that are taken out for work while the rows run: a planned outage drops none of them, and
    what fails meanwhile is a contingency of its own."""
    may_drop_in_maintenance: bool = False
    """Whether a failure during maintenance may drop a row that neither of the two would drop alone."""
    single_feed_until: Quarter | None = None
    """Before this quarter a row runs as soon as one of its feeds exists; from it on all of them are due. Missing: rows
    wait for all of their feeds."""
    provenance: Provenance


class CommonMode(Model):
    """Elements that one event takes out together: feeders in one duct bank, boards of one lineup."""

    name: Name
    """The failure is called by it, as `power:element:name` in limits."""
    members: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Ids of power elements (`b1/h1/l01/ups-2`), or ids without their number for all that are so numbered: `feeder`,
    `b1/feeder`, `b1/h1/l01/ups`."""
    provenance: Provenance
