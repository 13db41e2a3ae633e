"""What would have to change for the other generation to be the better one at a speed: closed form, all being linear.

At one speed, cost and value of a rack are straight lines over the price of energy, over the price of a Vera Rubin rack
and over the price of a token, so the value at which both generations are equal is a quotient. A slip counts in whole
quarters and is looked for quarter by quarter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from planner.generation_choice.criteria import MILLION, Criterion, cost_usd
from planner.generation_choice.envelope import Line, Polynomial, best_at, spans
from planner.generation_choice.life import VERA_RUBIN, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from planner.generation_choice.life import LifeBook, RackLife

ZERO, ONE = Fraction(0), Fraction(1)
MOST_USD_PER_MWH, MOST_PRICE_FACTOR, MOST_SLIP_QUARTERS = Fraction(1000), Fraction(4), 24
"""How far is looked: a price of energy, a factor on the price of a rack, and quarters, beyond all that is quoted."""
MOST_TOKEN_PRICE_FACTOR, MOST_RATE_FACTOR = 100, Fraction(100)


class Lever(StrEnum):
    """What is changed."""

    ENERGY_PRICE = "energy-price"
    RACK_PRICE = "rack-price-of-vera-rubin"
    SLIP = "slip-of-vera-rubin"
    RATE = "rate-of-vera-rubin"
    """As a factor on every rate of it."""
    TOKEN_PRICE = "price-of-a-million"


@dataclass(frozen=True)
class Threshold:
    """A value of a lever at which the better generation changes, all else as in the portfolio."""

    lever: Lever
    criterion: Criterion
    value: Fraction
    """USD/MWh, USD for a rack, factor on the rate, USD for a million, or the first quarter of delay that flips it."""
    below: str
    """Generation that is better at less."""
    above: str
    """Generation that is better at more, for a slip at this value already."""


@dataclass(frozen=True)
class _Scored:
    """What a configuration scores over a lever; less is better."""

    life: RackLife
    score: Line


def generation_at(
    lives: Sequence[RackLife], racks: Mapping[str, Fraction], criterion: Criterion, price_usd: Fraction
) -> str:
    """The better generation at one speed.

    Parameters: racks, those that a rate of 1/s takes, by configuration, missing where it was not measured; price_usd,
    of one unit of work.
    """
    scored = [
        _Scored(life, Line(_score(life, criterion, racks[life.configuration.name], price_usd)))
        for life in lives
        if life.configuration.name in racks
    ]
    return best_at(scored, _less, ZERO).life.generation


def thresholds(
    book: LifeBook, racks: Mapping[str, Fraction], criterion: Criterion, price_usd: Fraction
) -> tuple[Threshold, ...]:
    """Every value of every lever at which the better generation changes at one speed.

    Parameters: racks, those that a rate of 1/s takes, by configuration; price_usd, of one unit of work.
    """
    lives = [life for life in book.lives(Scenario()) if life.configuration.name in racks]
    found = [
        *_flips(
            _over_energy_price(lives, racks, criterion, price_usd), MOST_USD_PER_MWH, Lever.ENERGY_PRICE, criterion
        ),
        *_over_rack_price(book, lives, racks, criterion, price_usd),
        *_over_slip(book, racks, criterion, price_usd),
        *_over_rate(lives, racks, criterion, price_usd),
    ]
    if criterion is Criterion.VALUE:
        scored = [_Scored(one, _token_line(one, racks[one.configuration.name])) for one in lives]
        most = price_usd * MILLION * MOST_TOKEN_PRICE_FACTOR
        found += _flips(scored, most, Lever.TOKEN_PRICE, criterion)
    return tuple(found)


def _score(life: RackLife, criterion: Criterion, racks: Fraction, price_usd: Fraction) -> Fraction:
    """What is to be the least: cost of a unit of work, or the value of a watt with its sign turned."""
    if criterion is Criterion.VALUE:
        return (life.cost_usd - price_usd * life.paid_work_s / racks) / life.meter_w
    return cost_usd(life, criterion) / life.work_s * racks


def _cost_weight(life: RackLife, criterion: Criterion, racks: Fraction) -> Fraction:
    """What one dollar of cost over a life adds to the score."""
    return 1 / life.meter_w if criterion is Criterion.VALUE else racks / life.work_s


def _over_energy_price(
    lives: Sequence[RackLife], racks: Mapping[str, Fraction], criterion: Criterion, price_usd: Fraction
) -> list[_Scored]:
    found = []
    for life in lives:
        own = racks[life.configuration.name]
        weight = _cost_weight(life, criterion, own)
        base = _score(life, criterion, own, price_usd) - weight * life.energy_usd
        found.append(_Scored(life, Line(base, weight * life.energy_mwh)))
    return found


def _over_rack_price(
    book: LifeBook, lives: Sequence[RackLife], racks: Mapping[str, Fraction], criterion: Criterion, price_usd: Fraction
) -> Iterator[Threshold]:
    """In USD for a rack of the Vera Rubin system on offer that is better just below."""
    scored = []
    for life in lives:
        own = racks[life.configuration.name]
        moved = life.rack_usd * _cost_weight(life, criterion, own) if life.generation == VERA_RUBIN else ZERO
        scored.append(_Scored(life, Line(_score(life, criterion, own, price_usd) - moved, moved)))
    later = next(life.configuration.system.name for life in lives if life.generation == VERA_RUBIN)
    for one in _flips(scored, MOST_PRICE_FACTOR, Lever.RACK_PRICE, criterion):
        yield Threshold(one.lever, criterion, one.value * book.prices.rack_usd[later], one.below, one.above)


def _over_slip(
    book: LifeBook, racks: Mapping[str, Fraction], criterion: Criterion, price_usd: Fraction
) -> Iterator[Threshold]:
    by_slip = [
        generation_at(book.lives(Scenario(slip_quarters=slip)), racks, criterion, price_usd)
        for slip in range(MOST_SLIP_QUARTERS + 1)
    ]
    for slip, (before, after) in enumerate(pairwise(by_slip), 1):
        if before != after:
            yield Threshold(Lever.SLIP, criterion, Fraction(slip), before, after)


def _over_rate(
    lives: Sequence[RackLife], racks: Mapping[str, Fraction], criterion: Criterion, price_usd: Fraction
) -> Iterator[Threshold]:
    """Cost is linear in the inverse of the factor, value in the factor itself."""
    by_value = criterion is Criterion.VALUE
    scored = []
    for life in lives:
        score = _score(life, criterion, racks[life.configuration.name], price_usd)
        if life.generation != VERA_RUBIN:
            scored.append(_Scored(life, Line(score)))
            continue
        fixed = life.cost_usd / life.meter_w if by_value else ZERO
        scored.append(_Scored(life, Line(fixed, score - fixed)))
    for one in _flips(scored, MOST_RATE_FACTOR, Lever.RATE, criterion):
        if by_value:
            yield one
        else:
            yield Threshold(one.lever, criterion, 1 / one.value, one.above, one.below)


def _token_line(life: RackLife, racks: Fraction) -> Line:
    """Value of a watt, its sign turned, over the price of a million."""
    return Line(life.cost_usd / life.meter_w, -life.paid_work_s / racks / life.meter_w / MILLION)


def _flips(scored: Sequence[_Scored], most: Fraction, lever: Lever, criterion: Criterion) -> Iterator[Threshold]:
    """Where the generation of the best changes between 0 and the most."""
    less: Callable[[_Scored, _Scored], Polynomial] = _less
    for before, after in pairwise(spans(scored, less, ZERO, most)):
        below, above = before.best.life.generation, after.best.life.generation
        if below != above:
            yield Threshold(lever, criterion, before.end, below, above)


def _less(one: _Scored, other: _Scored) -> Polynomial:
    return one.score.less(other.score)
