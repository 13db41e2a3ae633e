"""What one rack of a configuration draws, in whole units rounded up (section 3 of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from sites.expansion.values import known

if TYPE_CHECKING:
    from sites.catalog.loader import Configuration

HEAT_CAPACITY_J_PER_L_K = {"water": 4170, "pg25": 3960}
"""Density times specific heat; 14.4 and 15.15 L/min for each kW·K⁻¹ of heat."""
SECONDS_TIMES_MILLILITRES = 60_000
BITS_PER_GIGABIT = 10**9


@dataclass(frozen=True)
class Draw:
    """One rack of one configuration."""

    it_w: int
    liquid_w: int
    air_w: int
    support_w: int
    kg: int
    port_kind: str
    ports: int
    gbps: int
    positions: int

    @property
    def electrical(self) -> tuple[int, int, int, int]:
        """The four electrical kinds of draw: IT, liquid heat, air heat, support."""
        return self.it_w, self.liquid_w, self.air_w, self.support_w


def draw_of(configuration: Configuration) -> Draw:
    """The draws of one rack. Raises InputError when the catalogue does not know a figure that decides a limit."""
    system, profile = configuration.system, configuration.profile
    where = f"configuration '{configuration.name}'"
    it_w = ceil(known(profile.sustained_max, where, "sustained_max"))
    liquid = it_w * known(profile.liquid_share, where, "liquid_share")
    ports = known(system.ports, where, "ports")
    return Draw(
        it_w=it_w,
        liquid_w=ceil(liquid),
        air_w=it_w - floor(liquid),
        support_w=ceil(known(profile.support_power, where, "support_power")),
        kg=ceil(known(system.weight, where, "weight")),
        port_kind=system.port_kind,
        ports=ports,
        gbps=ceil(ports * known(system.port_speed, where, "port_speed") / BITS_PER_GIGABIT),
        positions=known(system.positions, where, "positions"),
    )


def flow_ml_per_min(liquid_w: int, coolant: str, rise_k: Fraction) -> int:
    """Technology-loop flow for `liquid_w` watts at a rise of `rise_k`: heat / (density · heat capacity · rise)."""
    return ceil(Fraction(liquid_w * SECONDS_TIMES_MILLILITRES) / (HEAT_CAPACITY_J_PER_L_K[coolant] * rise_k))
