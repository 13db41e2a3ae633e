"""The rows that limits are written over, numbered through the sites, and what may stand in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    from planner.lower.draws import Draw
    from planner.lower.site import LoweredSite
    from sites.catalog.loader import Configuration
    from sites.schema.lineup import Conversion


@dataclass(frozen=True)
class Offer:
    """What the portfolio offers, in the order of the problem."""

    configurations: tuple[Configuration, ...]
    draws: tuple[Draw, ...]
    systems: tuple[str, ...]
    periods: tuple[str, ...]

    @property
    def system_idx(self) -> tuple[int, ...]:
        """System of each configuration."""
        return tuple(self.systems.index(one.system.name) for one in self.configurations)

    @property
    def electrical(self) -> tuple[tuple[int, int, int, int], ...]:
        """The four electrical draws of every configuration."""
        return tuple(draw.electrical for draw in self.draws)


@dataclass(frozen=True)
class SiteHosts:
    """The rows of one site in which the plan may place something."""

    site: LoweredSite
    row_idx: dict[str, int]
    """Number in the problem of every hosting row."""
    n_positions: dict[int, int]
    floor_uniform_kg_per_m2: dict[str, Fraction] = field(default_factory=dict)
    """Of rows that take nothing as they stand: the rating of their floor once converted."""
    conversions: dict[tuple[str, str], Conversion] = field(default_factory=dict)
    """What is converted for racks of a system, by row and system."""

    @property
    def relevant(self) -> frozenset[str]:
        """Rows that may draw anything: hosting or occupied."""
        return frozenset(self.row_idx) | frozenset(self.site.occupied)
