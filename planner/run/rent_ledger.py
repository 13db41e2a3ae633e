"""The ledger of take-or-pay commitments: what is reserved and consumed quarter by quarter, and what leaving costs."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from planner.lower.money import CENTS_PER_USD
from sites.calendar import quarter_index, quarter_name
from sites.schema.portfolio import Perspective

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    from planner.lower.counted import Counting, Entry
    from sites.schema.terms import Commitment, Termination

NO_WAY_OUT = "the contract names no way out before"


@dataclass(frozen=True)
class RentLine:
    """One quarter of a term; undiscounted cents."""

    period: str
    reserved_cents: int
    """Rent of the racks that stand."""
    consumed_cents: int
    """What of it is paid: without what comes back until racks are accepted."""
    consumed_to_date_cents: int
    left_cents: int
    """Of the commitment, after this quarter."""


@dataclass(frozen=True)
class Obligation:
    """A commitment over its whole term."""

    name: str
    start: str
    end: str
    committed_cents: int
    binds: bool
    """Whether the shortfall is paid in the books that the plan is made for."""
    consumed_cents: int
    shortfall_cents: int
    met: bool
    quarters: tuple[RentLine, ...]


@dataclass(frozen=True)
class Exit:
    """What leaving costs if notice is given in a quarter; undiscounted cents."""

    name: str
    commitment: str
    period: str
    notice_cents: int
    """Rent of the quarters of notice, which stays due."""
    left_cents: int
    """Of the commitment once notice has run out."""
    fee_cents: int | None
    """The share of that which is due at once."""
    exit_cents: int | None
    """Both together."""
    reason: str | None
    """Why there is no way out in this quarter."""


def obligations(
    counting: Counting, standing: NDArray[np.int64], decisions: Mapping[str, int]
) -> tuple[Obligation, ...]:
    """Every commitment of the portfolio against what the plan rents.

    Parameters: standing, [n_groups, n_configurations, n_periods] racks; decisions, of the side program by name.
    """
    binds = counting.portfolio.perspective is Perspective.CUSTOMER
    return tuple(_obligation(counting, one, standing, decisions, binds) for one in counting.portfolio.commitments)


def _obligation(
    counting: Counting, clause: Commitment, standing: NDArray[np.int64], decisions: Mapping[str, int], binds: bool
) -> Obligation:
    amount = ceil(clause.amount * CENTS_PER_USD)
    lines, total = [], 0
    for t in counting.term(clause):
        reserved = _sum(counting.rent(clause, t, refunded=False), standing)
        consumed = _sum(counting.rent(clause, t, refunded=True), standing)
        total += consumed
        lines.append(RentLine(_quarter(counting, t), reserved, consumed, total, max(0, amount - total)))
    shortfall = decisions.get(f"shortfall:{clause.name}", 0) if binds else max(0, amount - total)
    return Obligation(
        clause.name, clause.start, clause.end, amount, binds, total, shortfall, shortfall == 0, tuple(lines)
    )  # fmt: skip


def exits(counting: Counting, committed: Sequence[Obligation]) -> tuple[Exit, ...]:
    """What leaving each commitment costs in each quarter of its term.

    Parameters: committed, as `obligations` gives them.
    """
    named = {one.name: one for one in committed}
    return tuple(line for clause in counting.portfolio.termination for line in _exits(clause, named[clause.commitment]))


def _exits(clause: Termination, obligation: Obligation) -> Iterator[Exit]:
    lines = obligation.quarters
    for number, line in enumerate(lines):
        last = min(number + clause.notice_quarters, len(lines) - 1)
        notice = lines[last].consumed_to_date_cents - line.consumed_to_date_cents
        left = lines[last].left_cents
        share = _share_at(clause, line.period)
        fee = None if share is None else ceil(share * left)
        reason = f"{NO_WAY_OUT} {clause.steps[0].start}" if fee is None else None
        cost = None if fee is None else notice + fee
        yield Exit(clause.name, obligation.name, line.period, notice, left, fee, cost, reason)


def _share_at(clause: Termination, period: str) -> Fraction | None:
    """The step that has begun; None before the first."""
    begun = [step.share for step in clause.steps if quarter_index(step.start) <= quarter_index(period)]
    return begun[-1] if begun else None


def _quarter(counting: Counting, t: int) -> str:
    return quarter_name(quarter_index(counting.portfolio.start) + t)


def _sum(entries: Sequence[Entry], standing: NDArray[np.int64]) -> int:
    return sum(int(standing[group, k, t]) * cents for group, k, t, cents in entries)
