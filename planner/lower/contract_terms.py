"""Contract clauses as rows and columns of the side program (model, section 7a).

Floors and shares are broken at a price, so that a plan always exists; a tranche is taken where its milestone is met.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.lower.joint_limits import JOINT, delivered_racks
from planner.lower.limit_table import CEILING
from planner.lower.money import CENTS_PER_USD
from planner.lower.pieces import LimitName
from planner.problem import SHARE_BITS, ColumnKind
from sites.calendar import quarter_index
from sites.faults import Fault, InputError
from sites.schema.portfolio import Perspective
from sites.schema.terms import Measure, Part, Served
from sites.workloads import counts_per_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planner.lower.counted import Counting
    from planner.lower.side_builder import SideBuilder
    from planner.problem import LimitInfo
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.terms import Commitment, Floor, Share, Tranche

_EVERYTHING = Part()
RACK_BUDGET = LimitName(JOINT, "budget", "racks")
MILLION = 10**6


def raises_rack_budget(portfolio: PortfolioFile) -> bool:
    """Whether some tranche adds to the rack budget, which then is no limit to compare others with."""
    return any(tranche.rack_budget for tranche in portfolio.tranches)


def add_contract_terms(builder: SideBuilder, counting: Counting, catalog: Catalog, limits: Sequence[LimitInfo]) -> None:
    """Add the rows and columns of every clause.

    Parameters: builder, with the work that is sold in it; limits, of the problem. Raises InputError where a figure is
    unknown or a limit would grow beyond what 64-bit integers hold.
    """
    terms = _Terms(builder, counting, catalog)
    for floor_ in counting.portfolio.floors:
        terms.add_floor(floor_)
    for share in counting.portfolio.shares:
        terms.add_share(share)
    for tranche in counting.portfolio.tranches:
        terms.add_tranche(tranche, limits)
    if counting.portfolio.perspective is Perspective.CUSTOMER:
        for commitment in counting.portfolio.commitments:
            terms.add_commitment(commitment)


def minimum_at(clause: Floor, quarter: str, unit: int) -> int:
    """What a floor asks in a quarter, in whole units rounded up; 0 before its first step."""
    begun = [step.minimum for step in clause.steps if quarter_index(step.start) <= quarter_index(quarter)]
    return ceil(Fraction(begun[-1]) / unit) if begun else 0


def unit_of(clause: Floor | Tranche, portfolio: PortfolioFile, catalog: Catalog) -> int:
    """How many of what a clause counts one of its units is: 1, or the unit of its workloads."""
    if not isinstance(clause, Served):
        return 1
    workload = next(one for one in portfolio.workloads if one.name == clause.workloads[0])
    return counts_per_unit(catalog.throughput[workload.basis])


def price_cents(clause: Floor | Share, unit: int) -> Fraction:
    """What a unit short or over costs in a quarter, undiscounted."""
    if isinstance(clause, Served):
        return Fraction(clause.price) * unit * CENTS_PER_USD / MILLION
    if clause.measure is Measure.SPEND:
        return Fraction(clause.price)
    return Fraction(clause.price) * CENTS_PER_USD


def share_name(share: Share) -> str:
    """First part of the name of a share's columns."""
    return "over" if share.at_most is not None else "under"


def share_periods(share: Share, periods: Sequence[str]) -> Iterator[int]:
    """Decision quarters in which a share holds."""
    first = quarter_index(share.start or periods[0])
    last = quarter_index(share.end or periods[-1])
    return (t for t, quarter in enumerate(periods) if first <= quarter_index(quarter) <= last)


class _Terms:
    """Clauses on their way into a builder."""

    def __init__(self, builder: SideBuilder, counting: Counting, catalog: Catalog) -> None:
        self._builder, self._counting, self._catalog = builder, counting, catalog
        self._portfolio, self._offer = counting.portfolio, counting.offer

    def add_floor(self, clause: Floor) -> None:
        """One shortfall for each quarter in which something is due."""
        unit = unit_of(clause, self._portfolio, self._catalog)
        for t, quarter in enumerate(self._offer.periods):
            minimum = minimum_at(clause, quarter, unit)
            if not minimum:
                continue
            racks = [] if isinstance(clause, Served) else self._counting.entries(clause.measure, clause, t)
            row = self._builder.row(f"floor:{clause.name}:{quarter}", -minimum, racks)
            cost = self._cost_scaled(price_cents(clause, unit), t)
            short = self._builder.column(f"short:{clause.name}:{quarter}", -cost, minimum, ColumnKind.NEEDED)
            self._builder.term(short, row, -1)
            if isinstance(clause, Served):
                self._add_sold(clause, row, quarter)

    def add_share(self, clause: Share) -> None:
        """What is over a share, or under it, in each quarter in which it holds.

        With x = p/q the part is over by s where q·s ≥ q·part − p·whole; whole numbers, whatever the share.
        """
        sign, share = (1, clause.at_most) if clause.at_most is not None else (-1, clause.at_least or Fraction(0))
        p, q = Fraction(share).as_integer_ratio()
        own = set(self._counting.members(clause))
        for t in share_periods(clause, self._offer.periods):
            quarter = self._offer.periods[t]
            counted = self._counting.entries(clause.measure, _EVERYTHING, t)
            racks = [
                (group, k, period, sign * count * (p - q if (group, k) in own else p))
                for group, k, period, count in counted
            ]
            most = self._most(counted, t)
            if not most:
                continue
            name = share_name(clause)
            row = self._builder.row(f"share:{clause.name}:{quarter}", 0, racks)
            cost = self._cost_scaled(price_cents(clause, 1), t)
            column = self._builder.column(f"{name}:{clause.name}:{quarter}", -cost, most, ColumnKind.NEEDED)
            self._builder.term(column, row, -q)

    def _most(self, counted: Sequence[tuple[int, int, int, int]], t: int) -> int:
        """The most that all racks can count for: every rack delivered by then, each the largest count."""
        delivered = sum(
            delivered_racks(self._portfolio, supply.system, self._offer.periods[t]) for supply in self._portfolio.supply
        )
        return delivered * max((count for *_, count in counted), default=0)

    def add_tranche(self, clause: Tranche, limits: Sequence[LimitInfo]) -> None:
        """A switch that may only be on where the milestone is met in time."""
        unit = unit_of(clause, self._portfolio, self._catalog)
        by = self._offer.periods.index(clause.by)
        worth = floor(CENTS_PER_USD * (clause.cash or 0) * self._counting.discount(by) * (1 << SHARE_BITS))
        racks = [] if isinstance(clause, Served) else self._counting.entries(clause.measure, clause, by)
        row = self._builder.row(f"tranche:{clause.name}", 0, racks)
        column = self._builder.column(f"tranche:{clause.name}", worth, 1, ColumnKind.SWITCH)
        self._builder.term(column, row, ceil(Fraction(clause.target) / unit))
        if isinstance(clause, Served):
            self._add_sold(clause, row, clause.by)
        if clause.rack_budget:
            self._raise_budget(clause, column, range(by + 1, len(self._offer.periods)), limits)

    def _raise_budget(self, clause: Tranche, column: int, periods: range, limits: Sequence[LimitInfo]) -> None:
        """Add to the rack budget; there is no such limit where racks cost nothing."""
        self._refuse_overflow()
        amount = floor(clause.rack_budget or 0) << SHARE_BITS
        for number, limit in enumerate(limits):
            if limit.name == RACK_BUDGET.text:
                for t in periods:
                    self._builder.capacity(column, number, t, amount)

    def _refuse_overflow(self) -> None:
        """Refuse a budget that 64-bit integers cannot hold once every tranche is paid."""
        budgets = [self._portfolio.money.rack_budget, *(one.rack_budget for one in self._portfolio.tranches)]
        total_usd = sum(floor(usd or 0) for usd in budgets)
        if total_usd << SHARE_BITS >= CEILING:
            message = (
                f"the rack budget may reach {total_usd:,} USD with every tranche; scaled by 2^20 it must stay below "
                f"2^62, that is {CEILING >> SHARE_BITS:,} USD: lower the budget or the tranches"
            )
            raise InputError([Fault(f"portfolio {self._portfolio.name}", None, "tranches", message)])

    def add_commitment(self, clause: Commitment) -> None:
        """What is not rented by the end of the term falls due in its last quarter."""
        amount = ceil(clause.amount * CENTS_PER_USD)
        if not amount:
            return
        counting = self._counting
        total: dict[tuple[int, int, int], int] = {}
        for t in counting.term(clause):
            for *place, cents in counting.rent(clause, t, refunded=True):
                key = (place[0], place[1], place[2])
                total[key] = total.get(key, 0) + cents
        row = self._builder.row(f"commitment:{clause.name}", -amount, [(*place, n) for place, n in total.items()])
        cost = self._cost_scaled(Fraction(1), counting.term(clause)[-1])
        column = self._builder.column(f"shortfall:{clause.name}", -cost, amount, ColumnKind.NEEDED)
        self._builder.term(column, row, -1)

    def _cost_scaled(self, cents: Fraction, t: int) -> int:
        """Undiscounted cents of quarter t as the cost of a unit of a column, rounded up."""
        return ceil(cents * self._counting.discount(t) * (1 << SHARE_BITS))

    def _add_sold(self, clause: Served, row: int, until: str) -> None:
        """Count what the clause's workloads have sold up to a quarter."""
        last = quarter_index(until)
        for name, column in self._builder.column_idx.items():
            kind, workload, *rest = name.split(":")
            if kind == "sold" and workload in clause.workloads and quarter_index(rest[-1]) <= last:
                self._builder.term(column, row, -1)
