"""One limit as integers: coefficients by row and kind of draw, and a capacity."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from planner.verify.draws import RackDraws

ONE = 2**20
"""Shares and capacities are in units of 2^-20."""


@dataclass(frozen=True)
class Terms:
    """One limit in one period: the sum over rows and kinds of coefficient · draw is at most the capacity."""

    rows: Mapping[str, Mapping[str, int]]
    """Coefficient for each row and kind of draw, scaled by 2^20."""
    capacity: int
    """Scaled by 2^20, less racks that stand already and constants."""

    def coefficient(self, row: str, draws: RackDraws) -> int:
        """Load of one rack of a configuration in a row, scaled by 2^20."""
        return sum(share * draws.draw.get(kind, 0) for kind, share in self.rows.get(row, {}).items())


@dataclass(frozen=True)
class Occupied:
    """Racks that stand in a row already."""

    draws: RackDraws
    n_racks: int


def less_occupied(terms: Terms, coefficient: int) -> Terms:
    """A limit less what stands already, scaled by 2^20."""
    return Terms(terms.rows, terms.capacity - coefficient) if coefficient else terms


def share_of(share: Fraction, n_working: int) -> int:
    """Share of one of the working units, scaled and rounded up; 1 with none left, so that any load is too much."""
    return ceil(share * ONE / n_working) if n_working > 0 else ONE
