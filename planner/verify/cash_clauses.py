"""Cash of contract clauses, worked out again: instalments, broken floors and shares, take-or-pay shortfalls."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from planner.verify.side_check import standing_by_site
from planner.verify.terms_counts import TermCounts
from planner.verify.terms_rows import price_cents
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.verify.objective import Ledger
    from planner.verify.standing import Counts
    from sites.schema.terms import Commitment

Entry = tuple[str, str, int, Fraction]
"""Name of the clause, line, quarter from the plan's start, and cents."""


def clause_cents(ledger: Ledger, placed: Mapping[str, dict[str, Counts]], values: Mapping[str, int]) -> Iterator[Entry]:
    """Every amount that a clause brings or costs.

    Parameters: values, decisions beside the racks by name of column.
    """
    portfolio, counts = ledger.money.portfolio, TermCounts(ledger, {})
    for tranche in portfolio.tranches:
        if values.get(f"tranche:{tranche.name}"):
            cash = 100 * Fraction(tranche.cash or 0)
            yield tranche.name, "instalments", quarter_index(tranche.by) - counts.first, cash
    for line, kinds, clauses in (
        ("broken floors", ("short",), portfolio.floors), ("broken shares", ("over", "under"), portfolio.shares),
    ):  # fmt: skip
        for clause in clauses:
            for t, quarter in enumerate(ledger.setting.periods):
                missed = sum(values.get(f"{kind}:{clause.name}:{quarter}", 0) for kind in kinds)
                yield clause.name, line, t, -missed * price_cents(counts, clause)
    for commitment, last in shortfall_quarters(ledger):
        cents = values.get(f"shortfall:{commitment.name}", 0)
        if not ledger.money.rents:  # between the two of a chain it moves by what is not rented, whatever was decided
            cents = max(0, ceil(100 * Fraction(commitment.amount)) - _rented_cents(counts, commitment, placed))
        yield commitment.name, "take-or-pay shortfall", last, Fraction(cents)


def shortfall_quarters(ledger: Ledger) -> list[tuple[Commitment, int]]:
    """Commitments and the quarter in which what was not used falls due; a provider's plan counts on none."""
    portfolio = ledger.money.portfolio
    first = quarter_index(portfolio.start)
    clauses = () if portfolio.perspective == "provider" else portfolio.commitments
    return [(clause, quarter_index(clause.end) - first) for clause in clauses]


def _rented_cents(counts: TermCounts, clause: Commitment, placed: Mapping[str, dict[str, Counts]]) -> int:
    """Rent of the whole term at the contract's price, less what comes back until racks are accepted."""
    standing = standing_by_site(placed)
    return sum(
        cents * standing[site, name][when]
        for quarter in counts.term(clause)
        for (site, name, when), cents in counts.rent(clause, quarter, refunded=True).items()
        if (site, name) in standing
    )
