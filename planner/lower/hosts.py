"""The rows that limits are written over, numbered through the sites, and what may stand in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.lower.draws import Draw, draw_of
from sites.calendar import quarters_from
from sites.portfolio_checks import decision_periods

if TYPE_CHECKING:
    from fractions import Fraction

    from planner.lower.site import LoweredSite
    from sites.catalog.loader import Catalog, Configuration
    from sites.schema.lineup import Conversion
    from sites.schema.portfolio import PortfolioFile


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


def offer_of(portfolio: PortfolioFile, catalog: Catalog) -> Offer:
    """What the portfolio offers, over its decision quarters."""
    configurations = tuple(catalog.configuration(name) for name in portfolio.configurations)
    return Offer(
        configurations=configurations,
        draws=tuple(draw_of(one) for one in configurations),
        systems=tuple(dict.fromkeys(one.system.name for one in configurations)),
        periods=quarters_from(portfolio.start, decision_periods(portfolio)),
    )


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
