"""What lowering hands on: the problem, and what reports need to speak of it in the words of the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from planner.lower.counted import Counting
    from planner.lower.refresh import Refreshes
    from planner.lower.site import LoweredSite
    from planner.problem import Problem
    from sites.expansion import SiteGraphs
    from sites.schema.lineup import Conversion


@dataclass(frozen=True)
class RowInfo:
    """Where a row of the problem stands; ids are those of the site's graphs."""

    site: str
    row: str
    building: str
    hall: str
    lineup: str
    block: str
    positions: int
    in_service: str


@dataclass(frozen=True)
class OccupiedRow:
    """A row that someone else's racks stand in already."""

    site: str
    row: str
    building: str
    hall: str
    lineup: str
    configuration: str
    n_racks: int
    owner: str
    first_period: int
    """First decision period in which the row exists; the number of periods when it never does."""


@dataclass(frozen=True)
class ConfigurationInfo:
    """What one rack of a configuration is and draws."""

    name: str
    system: str
    profile: str
    generation: str
    gpu_packages: int
    it_w: int
    liquid_w: int
    air_w: int
    support_w: int


@dataclass(frozen=True)
class MeterLoad:
    """Power that one site draws from its service in normal operation, scaled by 2^20 (watts)."""

    site: str
    first_row: int
    """Of the site's rows in the problem, which follow one another."""
    coefficient: NDArray[np.int64]
    """[n_rows of the site, n_configurations, n_periods] for each standing rack."""
    constant: tuple[int, ...]
    """[n_periods] losses, house loads and fixed power that do not depend on racks."""
    occupied: tuple[int, ...]
    """[n_periods] draw of racks that stand already."""
    capacity_w: tuple[int, ...]
    """[n_periods] the service step, whole watts."""


@dataclass(frozen=True)
class DroppedLimit:
    """A limit that another one implies in some periods, so that it need not be carried there."""

    name: str
    implied_by: str
    periods: tuple[int, ...]


@dataclass(frozen=True)
class Lowered:
    """The lowered problem with the names, graphs and side figures that reports need."""

    problem: Problem
    rows: tuple[RowInfo, ...]
    """In the order of `problem.row_names`."""
    configurations: tuple[ConfigurationInfo, ...]
    """On offer; in the problem those of refreshes follow them."""
    occupied: tuple[OccupiedRow, ...]
    meters: tuple[MeterLoad, ...]
    """One for each site, in the order of the portfolio."""
    dropped: tuple[DroppedLimit, ...]
    """Limits implied by others that are not in the problem, at every level above a comparison of contingencies."""
    n_contingencies_dropped: int
    """Contingencies of single elements without transferred load, or implied by another contingency of that element."""
    sites: dict[str, LoweredSite]
    """Graphs, flows and epochs of each site."""
    conversions: dict[tuple[str, str], Conversion]
    """What is converted for racks of a system, by `site:row` and system."""
    refreshes: Refreshes
    """Systems and configurations of the problem beside those on offer."""
    counting: Counting
    """What racks count for in contract clauses."""

    @property
    def graphs(self) -> dict[str, SiteGraphs]:
        """The expanded graphs of each site."""
        return {name: site.graphs for name, site in self.sites.items()}
