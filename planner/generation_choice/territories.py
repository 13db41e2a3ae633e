"""Which rack is best at which speed, and where the choice of generation flips: exact, never beyond a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from planner.generation_choice.criteria import Criterion, Serving, difference
from planner.generation_choice.envelope import Line, Span, spans, value
from planner.generation_choice.life import GRACE_BLACKWELL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.generation_choice.envelope import Polynomial
    from planner.generation_choice.life import RackLife
    from planner.generation_choice.stretches import Stretch

ZERO = Fraction(0)


@dataclass(frozen=True)
class Side:
    """What serves on one side of a crossing."""

    configuration: str
    generation: str
    software: str
    segment: str
    """Speeds of the measured points that it rests on."""


@dataclass(frozen=True)
class Territory:
    """Speeds, the last included, at which one configuration with one software is the best."""

    start: Fraction
    end: Fraction
    side: Side
    contested: bool
    """Whether both generations were measured as fast as this."""


@dataclass(frozen=True)
class Crossing:
    """A speed at which the better generation changes; both were measured there."""

    speed: Fraction
    """In tokens/s/user; up to it and at it the slower side is better."""
    slower: Side
    faster: Side
    exact: bool
    """Whether it is the root itself, and not a rational number next to an irrational one."""
    jump: bool
    """Whether a measured curve ends there, so that the better one changes without a tie."""


@dataclass(frozen=True)
class Outcome:
    """Who is best over all speeds by one criterion."""

    territories: tuple[Territory, ...]
    crossings: tuple[Crossing, ...]

    @property
    def generations(self) -> tuple[str, ...]:
        """Generations in order of speed, where both were measured; one where the choice never flips."""
        contested = [one.side.generation for one in self.territories if one.contested]
        return tuple(name for index, name in enumerate(contested) if not index or contested[index - 1] != name)


@dataclass(frozen=True)
class Contender:
    """A configuration in one range of speeds."""

    serving: Serving
    stretch: Stretch

    @property
    def side(self) -> Side:
        """What it is called."""
        life = self.serving.life
        return Side(life.configuration.name, life.generation, self.stretch.curve.software, self.stretch.segment)


@dataclass(frozen=True)
class _Piece:
    """The best contender over a range of speeds in which all is linear."""

    span: Span[Contender]
    price_usd: Line
    contested: bool


def rental_price(
    lives: Sequence[RackLife], racks: Mapping[str, Line], start: Fraction, end: Fraction
) -> list[Span[Line]]:
    """What a unit of work costs who rents the Grace Blackwell racks that do it for the least, over an axis.

    In USD at the prices of the plan's first quarter; empty where no Grace Blackwell rack was measured.

    Parameters: racks, those that a rate of 1/s takes, by configuration, lines from start to end.
    """
    rents = [
        racks[life.configuration.name].scaled(life.rental_usd_per_s)
        for life in lives
        if life.generation == GRACE_BLACKWELL and life.configuration.name in racks
    ]
    return spans(rents, Line.less, start, end) if rents else []


def outcome(
    lives: Sequence[RackLife],
    by_configuration: Mapping[str, tuple[Stretch, ...]],
    criterion: Criterion,
    price_usd: Fraction | None = None,
) -> Outcome:
    """Who is best from speed 0 to the fastest that was measured.

    Parameters: by_configuration, what each configuration takes; price_usd, of one unit of work, for the value only.
    None: as `rental_price` has it; where that is not known nobody is best by value.
    """
    pieces = list(_pieces(lives, by_configuration, criterion, price_usd))
    return Outcome(tuple(_territories(pieces)), tuple(_crossings(pieces, criterion)))


def _pieces(
    lives: Sequence[RackLife],
    by_configuration: Mapping[str, tuple[Stretch, ...]],
    criterion: Criterion,
    price_usd: Fraction | None,
) -> Iterator[_Piece]:
    cuts = sorted({cut for own in by_configuration.values() for one in own for cut in (one.start, one.end)})
    for start, end in pairwise(cuts):
        contenders = list(_in_cell(lives, by_configuration, start, end))
        contested = len({one.serving.life.generation for one in contenders}) > 1
        for price in _prices(lives, contenders, criterion, price_usd, Span(start, end, Line(ZERO))):
            less = partial(_difference, criterion=criterion, price_usd=price.best)
            for span in spans(contenders, less, price.start, price.end):
                yield _Piece(span, price.best, contested)


def _prices(
    lives: Sequence[RackLife],
    contenders: Sequence[Contender],
    criterion: Criterion,
    price_usd: Fraction | None,
    cell: Span[Line],
) -> list[Span[Line]]:
    """Price of a unit of work over a cell of speeds; costs do not ask for it."""
    if criterion is not Criterion.VALUE:
        return [cell]
    if price_usd is not None:
        return [Span(cell.start, cell.end, Line(price_usd))]
    racks = {one.serving.life.configuration.name: one.serving.racks for one in contenders}
    return rental_price(lives, racks, cell.start, cell.end)


def _difference(one: Contender, other: Contender, criterion: Criterion, price_usd: Line) -> Polynomial:
    return difference(one.serving, other.serving, criterion, price_usd)


def _in_cell(
    lives: Sequence[RackLife], by_configuration: Mapping[str, tuple[Stretch, ...]], start: Fraction, end: Fraction
) -> Iterator[Contender]:
    """Every configuration that was measured as fast as this cell."""
    for life in lives:
        for stretch in by_configuration.get(life.configuration.name, ()):
            if stretch.start <= start and end <= stretch.end:
                yield Contender(Serving(life, stretch.racks), stretch)


def _territories(pieces: Sequence[_Piece]) -> Iterator[Territory]:
    """Territories, neighbours of one side put together."""
    last: Territory | None = None
    for piece in pieces:
        own = Territory(piece.span.start, piece.span.end, piece.span.best.side, piece.contested)
        if last is not None and (last.side, last.contested, last.end) == (own.side, own.contested, own.start):
            own = Territory(last.start, own.end, own.side, own.contested)
        elif last is not None:
            yield last
        last = own
    if last is not None:
        yield last


def _crossings(pieces: Sequence[_Piece], criterion: Criterion) -> Iterator[Crossing]:
    for before, after in pairwise(pieces):
        one, other = before.span.best, after.span.best
        flips = one.serving.life.generation != other.serving.life.generation
        if flips and before.contested and after.contested:
            speed = before.span.end
            apart = value(_difference(one, other, criterion, after.price_usd), speed) != 0
            yield Crossing(speed, one.side, other.side, before.span.exact_end, apart and before.span.exact_end)
