"""Which limits kept a plan from what a clause asks: those that bind then, dearest first by the certificate's prices."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import SHARE_BITS
from planner.run.loads import binds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from planner.problem import Problem

_MOST_NAMED = 8
NOTHING_STANDS = "no row of the part may hold a rack yet"
NOTHING_BINDS = "no limit binds: to reach it would cost more than it brings"


@dataclass(frozen=True)
class Cause:
    """A limit that binds and has a price in the certificate."""

    limit: str
    unit: str
    cents_per_unit: float
    """What one unit more of the limit would be worth in that quarter, by the certificate."""
    cents_per_rack: float
    """The same for as much of it as the largest rack takes, so that limits of all kinds compare."""


@dataclass(frozen=True)
class Unpriced:
    """Limits of one family that bind and that the certificate keeps row by row, without a price."""

    site: str
    family: str
    n_limits: int


@dataclass(frozen=True)
class Causes:
    """Why a clause was missed."""

    limits: tuple[Cause, ...]
    """Dearest first, at most eight."""
    n_limits: int
    """Of limits that bind and have a price."""
    unpriced: tuple[Unpriced, ...]
    reason: str | None
    """Where no limit is to blame."""


def prices_of_certificate(certificate: Mapping[str, Any]) -> dict[tuple[str, str], Fraction]:
    """Cents for a unit of a limit in a quarter, by name and quarter: its own price and the dearest inside a block.

    Parameters: certificate, the content of `certificate.json`.
    """
    grid = 1 << int(certificate["scale_bits"])
    prices: dict[tuple[str, str], Fraction] = {}
    for name, by_period in certificate["limits"].items():
        for period, text in by_period.items():
            prices[name, period] = Fraction(int(text), grid)
    inside: dict[tuple[str, str], Fraction] = {}
    for name, by_system in certificate["inside"].items():
        for by_period in by_system.values():
            for period, text in by_period.items():
                inside[name, period] = max(inside.get((name, period), Fraction(0)), Fraction(int(text), grid))
    return {key: prices.get(key, Fraction(0)) + inside.get(key, Fraction(0)) for key in {*prices, *inside}}


@dataclass(frozen=True)
class Blame:
    """Finds the causes of what was missed in a plan."""

    problem: Problem
    """With the capacities that the plan's decisions leave."""
    loads: NDArray[np.int64]
    """[n_limits, n_periods] scaled by 2^20."""
    prices: Mapping[tuple[str, str], Fraction]

    @cached_property
    def _binding(self) -> NDArray[np.bool_]:
        return binds(self.problem, self.loads)

    def causes(self, part: NDArray[np.bool_], t: int) -> Causes:
        """Why no more racks of a part stand in quarter t.

        Parameters: part, [n_rows, n_configurations] what of the plan counts; t below 0: before the plan's start.
        """
        problem = self.problem
        if t < 0 or not (part & (problem.first_period <= t)).any():
            return Causes((), 0, (), NOTHING_STANDS)
        priced: list[Cause] = []
        unpriced: Counter[tuple[str, str]] = Counter()
        for index in np.flatnonzero(self._binding[:, t]):
            coefficient = self._largest(int(index), part)
            if not coefficient:
                continue
            info = problem.limits[index]
            price = self.prices.get((info.name, problem.periods[t]), Fraction(0))
            if price:
                of_rack = price * coefficient / (1 << SHARE_BITS)
                priced.append(Cause(info.name, info.unit, float(price), float(of_rack)))
            else:
                unpriced[info.site, info.family] += 1
        priced.sort(key=lambda one: (-one.cents_per_rack, one.limit))
        kept = tuple(Unpriced(*key, n) for key, n in sorted(unpriced.items()))
        reason = None if priced or kept else NOTHING_BINDS
        return Causes(tuple(priced[:_MOST_NAMED]), len(priced), kept, reason)

    def _largest(self, index: int, part: NDArray[np.bool_]) -> int:
        """The most that a rack of the part takes of a limit, scaled by 2^20; 0 where it takes none."""
        entries = slice(self.problem.limit_ptr[index], self.problem.limit_ptr[index + 1])
        taken = self.problem.entry_coefficient[entries] * part[self.problem.entry_row_idx[entries]]
        return int(taken.max(initial=0))
