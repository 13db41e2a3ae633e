"""Contract clauses in the side program: floors, shares, tranches, take or pay (section 7a of `docs/model.md`)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.verify.money import RATE_ONE
from planner.verify.terms_counts import TermCounts
from sites.calendar import quarter_index
from sites.schema.terms import Measure, Served

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.limits import SiteLimits
    from planner.verify.objective import Ledger
    from planner.verify.side import Place, Side
    from sites.schema.terms import Commitment, Floor, Share, Tranche

RACK_BUDGET = "*:budget:racks"
MILLION = 10**6


def add_contract_terms(side: Side, ledger: Ledger, limits: Mapping[str, SiteLimits]) -> None:
    """Add the rows and columns of every clause, after those of work.

    Parameters: limits of each site, for what a rack draws at its meter.
    """
    counts = TermCounts(ledger, limits)
    for least in counts.portfolio.floors:
        _add_floor(side, counts, least)
    for share in counts.portfolio.shares:
        _add_share(side, counts, share)
    for tranche in counts.portfolio.tranches:
        _add_tranche(side, counts, tranche)
    if ledger.money.rents:
        for commitment in counts.portfolio.commitments:
            _add_commitment(side, counts, commitment)


def _add_floor(side: Side, counts: TermCounts, clause: Floor) -> None:
    for t, quarter in enumerate(counts.ledger.setting.periods):
        due = counts.due(clause, t)
        if due == 0:
            continue
        row, column = f"floor:{clause.name}:{quarter}", f"short:{clause.name}:{quarter}"
        side.column(column, -_paid(counts, price_cents(counts, clause), t), due)
        if isinstance(clause, Served):
            side.row(row, -due)
            _count_sold(side, clause.workloads, row, quarter)
        else:
            side.row(row, -due, counts.racks(clause.measure, clause, t))
        side.term(column, row, -1)


def price_cents(counts: TermCounts, clause: Floor | Share) -> Fraction:
    """Price of one unit short or over, undiscounted cents."""
    price = Fraction(clause.price)
    if isinstance(clause, Served):
        return 100 * price * counts.unit(clause) / MILLION
    return price if clause.measure is Measure.SPEND else 100 * price


def _paid(counts: TermCounts, cents: Fraction, quarter: int) -> int:
    """Cents of a quarter at the plan's start, scaled by 2^20, rounded up."""
    return ceil(RATE_ONE * cents * counts.ledger.money.discount(quarter))


def _add_share(side: Side, counts: TermCounts, clause: Share) -> None:
    periods = counts.ledger.setting.periods
    begin, end = quarter_index(clause.start or periods[0]), quarter_index(clause.end or periods[-1])
    at_most = clause.at_most is not None
    share = Fraction(clause.at_most if clause.at_most is not None else clause.at_least or 0)
    for t, quarter in enumerate(periods):
        if not begin <= quarter_index(quarter) <= end:
            continue
        whole, own = counts.racks(clause.measure, None, t), counts.racks(clause.measure, clause, t)
        most = counts.delivered(t) * max(whole.values(), default=0)
        if most == 0:
            continue
        room: dict[Place, int] = {}
        for place, each in whole.items():
            left = share.numerator * each - share.denominator * own.get(place, 0)
            room[place] = left if at_most else -left
        row, column = f"share:{clause.name}:{quarter}", f"{'over' if at_most else 'under'}:{clause.name}:{quarter}"
        side.row(row, 0, room)
        side.column(column, -_paid(counts, price_cents(counts, clause), t), most)
        side.term(column, row, -share.denominator)


def _add_tranche(side: Side, counts: TermCounts, clause: Tranche) -> None:
    name, by = f"tranche:{clause.name}", quarter_index(clause.by) - counts.first
    cash_cents = 100 * Fraction(clause.cash or 0) * counts.ledger.money.discount(by)
    side.column(name, floor(RATE_ONE * cash_cents), 1)
    if isinstance(clause, Served):
        side.row(name)
        _count_sold(side, clause.workloads, name, clause.by)
    else:
        side.row(name, 0, counts.racks(clause.measure, clause, by))
    side.term(name, name, ceil(Fraction(clause.target) / counts.unit(clause)))
    budget_usd = floor(Fraction(clause.rack_budget or 0))
    for t in range(by + 1, counts.ledger.n_periods):
        if budget_usd:
            side.capacity(name, RACK_BUDGET, t, budget_usd * RATE_ONE)


def _add_commitment(side: Side, counts: TermCounts, clause: Commitment) -> None:
    amount = ceil(100 * Fraction(clause.amount))
    if amount == 0:
        return
    paid: dict[Place, int] = {}
    for quarter in counts.term(clause):
        for place, cents in counts.rent(clause, quarter, refunded=True).items():
            paid[place] = paid.get(place, 0) + cents
    side.row(f"commitment:{clause.name}", -amount, paid)
    last = counts.term(clause)[-1]
    side.column(f"shortfall:{clause.name}", -_paid(counts, Fraction(1), last), amount)
    side.term(f"shortfall:{clause.name}", f"commitment:{clause.name}", -1)


def _count_sold(side: Side, workloads: tuple[str, ...], row: str, until: str) -> None:
    """Take what workloads have sold up to a quarter off what a row asks."""
    for workload in workloads:
        for column, quarter in list(side.sold(workload)):
            if quarter_index(quarter) <= quarter_index(until):
                side.term(column, row, -1)
