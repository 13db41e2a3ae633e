"""What each standing rack counts for in contract clauses (model, section 7a, Measures)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import CENTS_PER_USD, resting_configuration
from sites.calendar import quarter_index
from sites.expansion.values import known
from sites.schema.portfolio import Perspective
from sites.schema.terms import Measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from planner.lower.hosts import Offer
    from planner.lower.money import Prices, SiteMoney
    from planner.lower.refresh import Window
    from sites.catalog.loader import Configuration
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.terms import Commitment, Part

Entry = tuple[int, int, int, int]
"""Group, configuration, decision period, and what each rack that stands there counts."""


def measures_meter(portfolio: PortfolioFile) -> bool:
    """Whether some clause counts watts at the meter."""
    return any(
        clause.measure is Measure.METER_W for clause in (*portfolio.floors, *portfolio.shares, *portfolio.tranches)
    )


@dataclass(frozen=True)
class Counting:
    """What racks count for, by measure and part."""

    portfolio: PortfolioFile
    offer: Offer
    prices: Prices
    site_names: tuple[str, ...]
    """Sites in order of the portfolio: the groups of the side program."""
    monies: Sequence[SiteMoney]
    """By group."""
    meter_w: Sequence[Sequence[Fraction]]
    """[n_groups][n_configurations] watts at the meter for which a rack pays the demand charge; empty where no clause
    counts them."""
    windows: Sequence[Window] = ()
    """Configurations of refreshes; in the problem they follow those on offer."""

    @property
    def n_periods(self) -> int:
        """Decision quarters."""
        return len(self.offer.periods)

    def site_idx(self, row_names: Sequence[str]) -> NDArray[np.int64]:
        """[n_rows] group of each row.

        Parameters: row_names, `site:row`.
        """
        number = {name: group for group, name in enumerate(self.site_names)}
        return np.array([number[name.partition(":")[0]] for name in row_names], np.int64)

    def standing(self, row_names: Sequence[str], n_racks: NDArray[np.int32]) -> NDArray[np.int64]:
        """[n_groups, n_configurations, n_periods] standing racks.

        Parameters: row_names, `site:row`; n_racks, [n_rows, n_configurations, n_periods].
        """
        total = np.zeros((len(self.site_names), *n_racks.shape[1:]), np.int64)
        np.add.at(total, self.site_idx(row_names), n_racks.astype(np.int64))
        return total

    def discount(self, t: int) -> Fraction:
        """Worth of money in quarter t at the plan's start."""
        return self.monies[0].discount(t)

    def entries(self, measure: Measure, part: Part, t: int) -> list[Entry]:
        """What the racks of a part count for in decision quarter t; without those that count nothing."""
        stands = t - self._lag_quarters if measure is Measure.ACCEPTED_RACKS else t
        if stands < 0:
            return []
        counts = ((group, k, stands, self.of(measure, group, k, t)) for group, k in self.members(part))
        return [entry for entry in counts if entry[3]]

    def members(self, part: Part) -> Iterator[tuple[int, int]]:
        """Groups and configurations of a part."""
        for group, site in enumerate(self.site_names):
            for k, configuration in enumerate(self.offer.configurations):
                if _is_of(part, site, configuration):
                    yield group, k

    def of(self, measure: Measure, group: int, k: int, t: int) -> int:
        """What one rack counts for in decision quarter t, in whole units.

        Raises InputError where the catalogue does not know the figure.
        """
        configuration = self.offer.configurations[k]
        match measure:
            case Measure.METER_W:
                return floor(self.meter_w[group][k])
            case Measure.IT_W:
                return self.offer.draws[k].it_w
            case Measure.GPUS:
                system = configuration.system
                return int(known(system.gpu_packages, f"system '{system.name}'", "gpu_packages"))
            case Measure.SPEND:
                return self._spend_cents(group, k, t)
            case _:
                return 1

    def _spend_cents(self, group: int, k: int, t: int) -> int:
        """Price of a rack, as the rack budget counts it; for who rents it the rent of the quarter."""
        if self.portfolio.perspective is Perspective.CUSTOMER:
            return self.rent_cents(group, k, t)
        return ceil(self.prices.rack_usd[self.offer.configurations[k].system.name] * CENTS_PER_USD)

    def rent_cents(self, group: int, k: int, t: int) -> int:
        """Rent of a rack in any quarter at the contract's price, undiscounted, whole cents rounded down."""
        configuration = self.offer.configurations[k]
        performance = known(configuration.profile.performance, f"configuration '{configuration.name}'", "performance")
        revenue_usd = self.monies[group].revenue_usd(configuration.system.name, performance, t)
        return floor(revenue_usd * CENTS_PER_USD)

    def rent(self, commitment: Commitment, t: int, *, refunded: bool) -> list[Entry]:
        """Rent of quarter t, which may lie after the decisions, for the racks of a commitment, those of windows too.

        After the decisions racks rest, and go once their life is over. Parameters: refunded, whether what is paid back
        for racks that are not accepted yet, at performance 1, is off.
        """
        last = self.n_periods - 1
        total: dict[tuple[int, int, int], int] = {}
        for group, k in self.members(commitment):
            resting = resting_configuration(self.offer, self.offer.configurations[k].system.name)
            rent = self.rent_cents(group, k if t <= last else resting, t)
            refund = self._refund_cents(group, k, t) if refunded else 0
            for period, cents in (
                (min(t, last), rent - refund),
                (min(t - self._lag_quarters, last), refund),
                (t - self.portfolio.money.economic_life_quarters, -rent),
            ):
                for own in self._as(k, period, min(t, last)) if period >= 0 else ():
                    total[group, own, period] = total.get((group, own, period), 0) + cents
        return [(*place, cents) for place, cents in total.items() if cents]

    def _as(self, k: int, period: int, now: int) -> Iterator[int]:
        """Configuration k, and its windows that are open both in a period and now: racks that have left pay no rent."""
        yield k
        for number, window in enumerate(self.windows, start=len(self.offer.configurations)):
            if window.physical == k and all(window.first_period <= t < window.end_period for t in (period, now)):
                yield number

    def term(self, commitment: Commitment) -> range:
        """Quarters of a term since the plan's start."""
        first = quarter_index(self.portfolio.start)
        return range(quarter_index(commitment.start) - first, quarter_index(commitment.end) - first + 1)

    def _refund_cents(self, group: int, k: int, t: int) -> int:
        """Rent at performance 1, rounded up; 0 without an acceptance lag."""
        if not self._lag_quarters:
            return 0
        system = self.offer.configurations[k].system.name
        one = self.monies[group].revenue_usd(system, Fraction(1), t)
        return ceil(one * CENTS_PER_USD)

    @property
    def _lag_quarters(self) -> int:
        return self.portfolio.money.acceptance_lag_quarters


def _is_of(part: Part, site: str, configuration: Configuration) -> bool:
    system = configuration.system
    named = ((part.sites, site), (part.systems, system.name), (part.vendors, system.vendor))
    return all(names is None or one in names for names, one in named)
