"""Two ways to say which rack is better at a speed, and the exact difference of two racks by each.

Where dollars bind, the better rack makes a million tokens for less: its cost over its life, over all that it makes,
both discounted (the levelised cost). Where power binds, it is worth more for each watt that it takes at the meter: what
its tokens fetch less what it costs. The two differ: a cheap rack that makes little fills the same watts with less.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.money import WATTS_PER_MEGAWATT

if TYPE_CHECKING:
    from planner.generation_choice.envelope import Line, Polynomial
    from planner.generation_choice.life import RackLife

MILLION = 10**6
ZERO = Fraction(0)


class Criterion(StrEnum):
    """What is to be least or most."""

    COST = "cost-per-million"
    COST_WITH_FACILITY = "cost-per-million-with-facility"
    VALUE = "value-per-megawatt"


TITLES = {
    Criterion.COST: "cost of a million (dollars bind)",
    Criterion.COST_WITH_FACILITY: "cost of a million with the facility",
    Criterion.VALUE: "value of a MW at the meter (power binds)",
}


@dataclass(frozen=True)
class Serving:
    """A rack that serves: its life, and racks that a rate of 1/s takes over the axis that is looked at."""

    life: RackLife
    racks: Line


def cost_usd(life: RackLife, criterion: Criterion) -> Fraction:
    """Cost of a rack over its life, with its share in the facility where the criterion counts it."""
    facility = life.facility_usd if criterion is Criterion.COST_WITH_FACILITY else None
    return life.cost_usd + (facility or ZERO)


def usd_per_million(life: RackLife, criterion: Criterion, racks: Fraction) -> Fraction:
    """Levelised cost of a million; racks, those that a rate of 1/s takes."""
    return MILLION * cost_usd(life, criterion) / life.work_s * racks


def value_usd_per_megawatt(life: RackLife, racks: Fraction, price_usd: Fraction) -> Fraction:
    """Worth at the plan's start of 1 MW at the meter filled with a rack; price_usd, of one unit of work."""
    worth = price_usd * life.paid_work_s / racks - life.cost_usd
    return WATTS_PER_MEGAWATT * worth / life.meter_w


def difference(one: Serving, other: Serving, criterion: Criterion, price_usd: Line) -> Polynomial:
    """A polynomial over the axis of the racks whose sign says who is better: negative where `one` is.

    Parameters: price_usd, of one unit of work over the same axis; it matters for the value only. The difference of
    two values is multiplied with both numbers of racks, which are positive.
    """
    if criterion is not Criterion.VALUE:
        mine = one.racks.scaled(cost_usd(one.life, criterion) / one.life.work_s)
        return mine.less(other.racks.scaled(cost_usd(other.life, criterion) / other.life.work_s))
    earned = other.racks.scaled(one.life.paid_work_s / one.life.meter_w).less(
        one.racks.scaled(other.life.paid_work_s / other.life.meter_w)
    )
    spent = one.life.cost_usd / one.life.meter_w - other.life.cost_usd / other.life.meter_w
    e0, e1, _ = earned
    p0, p1 = price_usd.at_zero, price_usd.slope
    s0, s1, s2 = (spent * part for part in one.racks.times(other.racks))
    return s0 - p0 * e0, s1 - p0 * e1 - p1 * e0, s2 - p1 * e1
