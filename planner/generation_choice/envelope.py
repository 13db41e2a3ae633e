"""Who is best along one axis, exactly: lines and products of two lines in rational arithmetic.

Contenders are compared in pairs by a polynomial of degree two at the most, whose sign says who is better. Its roots
part the axis; between two neighbouring roots the order of all contenders stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from math import isqrt
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
Polynomial = tuple[Fraction, Fraction, Fraction]
"""Coefficients of 1, x and x²."""
ROOT_BITS = 64
"""An irrational root is off by less than 2^-64 of the square root that is in it."""
ZERO = Fraction(0)


@dataclass(frozen=True)
class Line:
    """A linear function."""

    at_zero: Fraction
    slope: Fraction = ZERO

    def at(self, x: Fraction) -> Fraction:
        """Its value at x."""
        return self.at_zero + self.slope * x

    def scaled(self, factor: Fraction) -> Line:
        """The line times a number."""
        return Line(self.at_zero * factor, self.slope * factor)

    def less(self, other: Line) -> Polynomial:
        """The line less another."""
        return self.at_zero - other.at_zero, self.slope - other.slope, ZERO

    def times(self, other: Line) -> Polynomial:
        """The product of two lines."""
        cross = self.at_zero * other.slope + self.slope * other.at_zero
        return self.at_zero * other.at_zero, cross, self.slope * other.slope


def through(x0: Fraction, y0: Fraction, x1: Fraction, y1: Fraction) -> Line:
    """The line through two points of different x."""
    slope = (y1 - y0) / (x1 - x0)
    return Line(y0 - slope * x0, slope)


@dataclass(frozen=True)
class Span(Generic[T]):
    """A stretch of the axis, its end included, on which one contender is best."""

    start: Fraction
    end: Fraction
    best: T
    exact_end: bool = True
    """Whether the end is the root itself and not a rational number next to an irrational one."""


def value(polynomial: Polynomial, x: Fraction) -> Fraction:
    """Value of a polynomial at x."""
    at_zero, slope, square = polynomial
    return at_zero + x * (slope + x * square)


def roots(polynomial: Polynomial, start: Fraction, end: Fraction) -> list[tuple[Fraction, bool]]:
    """Roots strictly between start and end, ascending, and whether each is exact; none where it is 0 throughout."""
    at_zero, slope, square = polynomial
    found: list[tuple[Fraction, bool]] = []
    if square:
        root, exact = _square_root(slope * slope - 4 * square * at_zero)
        found = [] if root is None else [((-slope + sign * root) / (2 * square), exact) for sign in (-1, 1)]
    elif slope:
        found = [(-at_zero / slope, True)]
    return sorted({one for one in found if start < one[0] < end})


def _square_root(number: Fraction) -> tuple[Fraction | None, bool]:
    """Square root rounded down to a rational number, None of a negative number, and whether it is exact."""
    if number < 0:
        return None, False
    scaled = number.numerator * number.denominator << (2 * ROOT_BITS)
    root = isqrt(scaled)
    return Fraction(root, number.denominator << ROOT_BITS), root * root == scaled


def best_at(contenders: Sequence[T], difference: Callable[[T, T], Polynomial], x: Fraction) -> T:
    """The best contender at x; of equals the first.

    Parameters: difference, of two contenders: negative where the first is better.
    """
    best = contenders[0]
    for other in contenders[1:]:
        if value(difference(other, best), x) < 0:
            best = other
    return best


def spans(
    contenders: Sequence[T], difference: Callable[[T, T], Polynomial], start: Fraction, end: Fraction
) -> list[Span[T]]:
    """Who is best from start to end, neighbours told apart.

    Parameters: contenders, at least one; difference, of two of them: negative where the first is better.
    """
    cuts: dict[Fraction, bool] = {start: True, end: True}
    for one, other in combinations(contenders, 2):
        for root, exact in roots(difference(one, other), start, end):
            cuts[root] = exact or cuts.get(root, False)
    found: list[Span[T]] = []
    for before, after in pairwise(sorted(cuts)):
        best = best_at(contenders, difference, (before + after) / 2)
        if found and found[-1].best == best:
            found[-1] = Span(found[-1].start, after, best, cuts[after])
        else:
            found.append(Span(before, after, best, cuts[after]))
    return found
