"""Switches that a compute network takes, and how many endpoints two tiers hold."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from planner.fidelity.computation import TERA, Computation
from planner.network.bill import rails_of
from planner.network.tiers import LeafGroup, leaves_by_rail, leaves_packed, tiers_of
from sites.faults import Fault, InputError
from sites.schema.common import Count, Name

if TYPE_CHECKING:
    from planner.fidelity.reader import Reader

Part = Literal["leaf", "spine", "core", "all"]


def ports_of(reader: Reader, switch: str) -> int:
    """All ports of a switch of the catalogue."""
    entry = reader.entry("switch", switch, reader.catalog.switches)
    return int(reader.number(f"{switch}.ports", entry.ports))


def n_switches(leaves: LeafGroup, n_planes: int, n_ports: int, part: Part) -> Fraction:
    """Switches of one part of a network over all its leaves.

    Parameters: leaves of the whole network; planes; ports of each switch above the leaves.
    """
    tiers = tiers_of(leaves.n_leaves, leaves.n_uplinks, leaves.group_size, n_planes, n_ports)
    counts = {"leaf": leaves.n_leaves, "spine": tiers.n_spines, "core": tiers.n_cores}
    return Fraction(sum(counts.values()) if part == "all" else counts[part])


class UnitSwitches(Computation):
    """Switches that whole scalable units of a rack system take, each leaf serving one rail of whole racks."""

    kind: Literal["unit-switches"]
    system: Name
    switch: Name
    units: Count
    planes: Annotated[int, Field(ge=1)] = 1
    part: Part = "all"

    @property
    def unit(self) -> str:
        """Switches."""
        return "switches"

    def compute(self, reader: Reader) -> Fraction:
        """The rule of the network bill."""
        system = reader.entry("rack system", self.system, reader.catalog.rack_systems)
        n_racks = int(reader.number(f"{self.system}.scalable_unit_racks", system.scalable_unit_racks))
        n_rack_ports = int(reader.number(f"{self.system}.ports", system.ports))
        n_ports, n_rails = ports_of(reader, self.switch), rails_of(self.system, reader.catalog)
        one = None
        if n_rails is not None:
            one = leaves_by_rail(n_racks, n_rack_ports, lcm(n_rails, self.planes), n_ports // 2)
        if one is None:
            message = f"no leaf of '{self.switch}' takes the rail of a rack of '{self.system}'; name a larger switch"
            raise InputError([Fault("public figures", None, self.system, message)])
        leaves = LeafGroup(self.units * one.n_leaves, one.n_uplinks, one.group_size)
        return n_switches(leaves, self.planes, n_ports, self.part)


class PortSwitches(Computation):
    """Switches that so many host ports take, packed into as few leaves as hold them."""

    kind: Literal["port-switches"]
    switch: Name
    ports: Count
    part: Part = "all"

    @property
    def unit(self) -> str:
        """Switches."""
        return "switches"

    def compute(self, reader: Reader) -> Fraction:
        """The rule of the network bill."""
        n_ports = ports_of(reader, self.switch)
        return n_switches(leaves_packed(self.ports, 1, n_ports // 2), 1, n_ports, self.part)


class TwoTierEndpoints(Computation):
    """Host ports that a non-blocking network of two tiers holds: the most leaves that their spines still join."""

    kind: Literal["two-tier-endpoints"]
    switch: Name

    @property
    def unit(self) -> str:
        """Host ports."""
        return "ports"

    def compute(self, reader: Reader) -> Fraction:
        """Full leaves, one more at a time, until the rule of the network bill takes a third tier."""
        n_ports = ports_of(reader, self.switch)
        n_leaves = next(n for n in range(1, n_ports**2) if tiers_of(n + 1, n_ports // 2, 1, 1, n_ports).n_tiers > 2)
        return Fraction(n_leaves * (n_ports // 2))


class SwitchBandwidth(Computation):
    """All ports of a switch at their speed."""

    kind: Literal["switch-bandwidth"]
    switch: Name

    @property
    def unit(self) -> str:
        """Terabits a second."""
        return "Tb/s"

    def compute(self, reader: Reader) -> Fraction:
        """Ports times speed."""
        entry = reader.entry("switch", self.switch, reader.catalog.switches)
        speed = reader.number(f"{self.switch}.port_speed", entry.port_speed)
        return ports_of(reader, self.switch) * speed / TERA
