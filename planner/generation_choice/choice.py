"""What the comparison of two generations comes to: every speed, where the choice flips, and what would flip it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from planner.generation_choice.criteria import Criterion
    from planner.generation_choice.life import LifeBook, RackLife
    from planner.generation_choice.stretches import Stretch
    from planner.generation_choice.territories import Outcome
    from planner.generation_choice.thresholds import Lever, Threshold
    from sites.schema.throughput import ThroughputBasis
    from sites.throughput import ServingRate


@dataclass(frozen=True)
class LeverRange:
    """What the catalogue says that a lever may be."""

    lever: Lever
    low: Fraction | None
    value: Fraction | None
    high: Fraction | None
    says: str
    """Which entry it is, or why there is no range."""

    def holds(self, number: Fraction) -> bool | None:
        """Whether a value lies in the range; None where there is none."""
        return None if self.low is None or self.high is None else self.low <= number <= self.high


@dataclass(frozen=True)
class Option:
    """One configuration at one speed."""

    life: RackLife
    rate: ServingRate
    usd_per_million: Fraction
    facility_usd_per_million: Fraction | None
    units_per_megawatt_year: Fraction
    """Worked in a year, its share of hours sold, by the racks that 1 MW at the meter feeds."""
    value_usd_per_megawatt_year: Fraction | None
    """Value at the plan's start over the discounted years of a life; None where no price of a token is known."""

    @property
    def interpolated(self) -> bool:
        """Whether it lies between two measured points."""
        return len(self.rate.points) > 1


@dataclass(frozen=True)
class SpeedLine:
    """All configurations at one speed."""

    speed: Fraction | None
    """In tokens/s/user; None: batch work, where no user waits."""
    usd_per_million_price: Fraction | None
    """Price of a million at which the value is reckoned."""
    options: tuple[Option, ...]
    """Those that were measured as fast as this."""
    best: Mapping[Criterion, str]
    """Configuration that is best by each criterion."""
    thresholds: tuple[Threshold, ...]
    """What flips the choice; empty where only one generation was measured."""
    rate_range: LeverRange
    """How far the catalogue's ranges of both generations' rates let the rate of Vera Rubin move against the other."""

    @property
    def contested(self) -> bool:
        """Whether both generations were measured as fast as this."""
        return len({one.life.generation for one in self.options}) > 1


@dataclass(frozen=True)
class GridLine:
    """The choice with one lever moved, all else as in the portfolio."""

    lever: Lever
    value: Fraction
    """USD/MWh, quarters, or the change of the price of a rack in percent."""
    outcomes: Mapping[Criterion, Outcome]
    batch: Mapping[Criterion, str]
    """Better generation for batch work."""


@dataclass(frozen=True)
class Choice:
    """Grace Blackwell against Vera Rubin on one basis at one site."""

    basis: ThroughputBasis
    book: LifeBook
    lives: tuple[RackLife, ...]
    """Of the configurations on offer that were measured on the basis."""
    by_configuration: Mapping[str, tuple[Stretch, ...]]
    criteria: tuple[Criterion, ...]
    lines: tuple[SpeedLine, ...]
    """Batch work first, then by speed."""
    outcomes: Mapping[Criterion, Outcome]
    grid: tuple[GridLine, ...]
    ranges: tuple[LeverRange, ...]
    price_usd_per_million: Fraction | None
    """As it was given; None: what renting Grace Blackwell costs, at each speed."""

    @property
    def energy_usd_per_mwh(self) -> Fraction:
        """What energy costs at the site's tariff in the quarter in which racks start."""
        return self.book.supply.usd_per_mwh(self.lives[0].start)
