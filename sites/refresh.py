"""Names and dates of what a portfolio's refreshes offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sites.calendar import quarter_index

if TYPE_CHECKING:
    from fractions import Fraction

    from sites.schema.portfolio import PortfolioFile
    from sites.schema.refresh import Refresh

DOWN = "down"
"""Last part of the name of the configuration in which nothing stands at work."""


@dataclass(frozen=True)
class RefreshOption:
    """A refresh in one of its quarters; to the planner a system of its own."""

    refresh: Refresh
    quarter: str
    begins: int
    """Quarters from the plan's start until the old racks leave."""

    @property
    def name(self) -> str:
        """Of the system: `before>after@quarter`."""
        return f"{self.refresh.before}>{self.refresh.after}@{self.quarter}"

    @property
    def ends(self) -> int:
        """Quarters from the plan's start until the new racks stand."""
        return self.begins + self.refresh.downtime_quarters

    def configuration_name(self, name: str) -> str:
        """Of a configuration of the old or the new system, or of `DOWN`, as one of the option."""
        return f"{self.name}/{name}"


def refresh_options(portfolio: PortfolioFile) -> tuple[RefreshOption, ...]:
    """Every refresh in every quarter that it may happen in, in order of the file."""
    first = quarter_index(portfolio.start)
    return tuple(
        RefreshOption(refresh, quarter, quarter_index(quarter) - first)
        for refresh in portfolio.refresh
        for quarter in refresh.quarters
    )


def resale_share(refresh: Refresh, age_quarters: int) -> Fraction:
    """Share of its price that a rack of an age brings; the last step holds on."""
    return [step.share for step in refresh.resale if step.age_quarters <= age_quarters][-1]
