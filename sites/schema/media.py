"""Cables and optics of the catalogue: how far each medium reaches, and how a floor plan becomes a cable length."""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from sites import units
from sites.schema.common import Model, Name, Provenance, Sourced, Text


class MediumKind(StrEnum):
    """Kinds of medium, from the shortest reach to the longest."""

    COPPER = "copper"
    """Passive copper, both ends part of the cable."""
    ACTIVE_COPPER = "active-copper"
    """Copper with amplifiers or retimers in its ends."""
    MULTIMODE = "multimode"
    """Multimode fibre with a transceiver at each end."""
    SINGLE_MODE = "single-mode"
    """Single-mode fibre with a transceiver at each end."""


OPTICAL_KINDS = (MediumKind.MULTIMODE, MediumKind.SINGLE_MODE)
"""Kinds whose ends are optical transceivers."""


def _ascending(lengths: tuple[units.Metres, ...]) -> tuple[units.Metres, ...]:
    if any(a >= b for a, b in pairwise(lengths)):
        found = ", ".join(f"{float(length):g} m" for length in lengths)
        msg = f"found {found}; lengths must ascend, each once"
        raise ValueError(msg)
    return lengths


class Medium(Model):
    """A cable for one or more kinds of port."""

    name: Name
    title: Text
    kind: MediumKind
    port_kinds: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Kinds of port that it joins; its reach depends on the speed of their lanes."""
    reach: Sourced[units.Metres]
    """Longest cable that carries the signal."""
    power_per_end: Sourced[units.Watts]
    """What one end draws at the speed of one port."""


class Cabling(Model):
    """From a floor plan to the length of a cable: twice `drop`, plus the way along and across the rows times
    `route_factor`, plus `slack`; rounded up to a length that is sold.
    """

    name: Name
    drop: Sourced[units.Metres]
    """From the tray down to the gear, at each end."""
    route_factor: Sourced[units.Ratio]
    """Way of a tray over the way along and across the rows."""
    slack: Sourced[units.Metres]
    room_run: Sourced[units.Metres]
    """Way between two racks of a building's network room, where spine and core switches stand."""
    lengths: Annotated[tuple[units.Metres, ...], Field(min_length=1), AfterValidator(_ascending)]
    """Lengths in which cables are sold; beyond the last one they are cut to whole multiples of it."""
    provenance: Provenance


class Wiring(Model):
    """How rack systems spread their ports over the leaves of a scalable unit."""

    name: Name
    systems: Annotated[tuple[Name, ...], Field(min_length=1)]
    rails: Sourced[Annotated[int, Field(ge=1)]]
    """Ports of a compute tray that go to different leaves: each leaf serves one rail of whole racks."""
