"""What commitments, the way out of them and orders must say (section 7a of `docs/model.md`), from the files alone."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

from sites.calendar import quarter_index, quarter_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.terms_counts import TermCounts
    from sites.schema.portfolio import Supply
    from sites.schema.terms import Commitment

Line = dict[str, Any]


def due_obligations(
    counts: TermCounts, standing: Mapping[tuple[str, str], list[int]], values: Mapping[str, int]
) -> list[Line]:
    """Each commitment with its quarters.

    Parameters: standing racks by site and configuration, a list over decision periods; values of the side program.
    """
    lines = []
    for clause in counts.portfolio.commitments:
        quarters = _quarters(counts, clause, standing)
        amount, consumed = _amount(clause), sum(line["consumed_cents"] for line in quarters)
        binds = counts.ledger.money.rents
        shortfall = values.get(f"shortfall:{clause.name}", 0) if binds else max(0, amount - consumed)
        lines.append(
            {
                "name": clause.name,
                "committed_cents": amount,
                "binds": binds,
                "consumed_cents": consumed,
                "shortfall_cents": shortfall,
                "met": shortfall == 0,
                "quarters": quarters,
            }
        )
    return lines


def _amount(clause: Commitment) -> int:
    return ceil(100 * Fraction(clause.amount))


def _quarters(counts: TermCounts, clause: Commitment, standing: Mapping[tuple[str, str], list[int]]) -> list[Line]:
    """The quarters of a term, in order."""
    lines: list[Line] = []
    to_date = 0
    for quarter in counts.term(clause):
        reserved, consumed = (
            sum(
                cents * standing[site, name][t]
                for (site, name, t), cents in counts.rent(clause, quarter, refunded=refunded).items()
                if (site, name) in standing
            )
            for refunded in (False, True)
        )
        to_date += consumed
        lines.append(
            {
                "period": quarter_name(counts.first + quarter),
                "reserved_cents": reserved,
                "consumed_cents": consumed,
                "consumed_to_date_cents": to_date,
                "left_cents": max(0, _amount(clause) - to_date),
            }
        )
    return lines


def due_exits(counts: TermCounts, standing: Mapping[tuple[str, str], list[int]]) -> list[Line]:
    """What leaving costs in each quarter of each term: rent of the notice, and a share of what is left after it."""
    found = []
    commitments = {clause.name: clause for clause in counts.portfolio.commitments}
    for clause in counts.portfolio.termination:
        quarters = _quarters(counts, commitments[clause.commitment], standing)
        for number, line in enumerate(quarters):
            end = quarters[min(number + clause.notice_quarters, len(quarters) - 1)]
            begun = [step.share for step in clause.steps if quarter_index(step.start) <= quarter_index(line["period"])]
            notice = end["consumed_to_date_cents"] - line["consumed_to_date_cents"]
            fee = ceil(begun[-1] * end["left_cents"]) if begun else None
            found.append(
                {
                    "name": clause.name,
                    "commitment": clause.commitment,
                    "period": line["period"],
                    "notice_cents": notice,
                    "left_cents": end["left_cents"],
                    "fee_cents": fee,
                    "exit_cents": None if fee is None else fee + notice,
                }
            )
    return found


def due_orders(counts: TermCounts, standing: Mapping[tuple[str, str], list[int]]) -> list[Line]:
    """Every delivery of which the plan uses racks, first delivered, first started, and its latest order.

    Racks of a refresh stay taken of the deliveries of both systems.
    """
    lines = []
    for supply in counts.portfolio.supply:
        racks = [0] * counts.ledger.n_periods
        for (_, name), n_racks in standing.items():
            each = counts.ledger.setting.draws[name].draw.get(f"delivered:{supply.system}", 0)
            racks = [a + each * b for a, b in zip(racks, n_racks, strict=True)]
        lines += _of_supply(counts, supply, racks)
    return lines


def _of_supply(counts: TermCounts, supply: Supply, racks: list[int]) -> list[Line]:
    """Orders of one system.

    Parameters: racks of it that stand in each decision quarter.
    """
    lines, taken, lead = [], 0, supply.order_lead_quarters
    for delivery in supply.deliveries:
        used = min(delivery.racks, racks[-1] - taken)
        if used > 0:
            order = None if lead is None else quarter_index(delivery.quarter) - lead
            starts = counts.ledger.setting.periods[[n > taken for n in racks].index(True)]
            lines.append(
                {
                    "system": supply.system,
                    "delivered": delivery.quarter,
                    "n_delivered": delivery.racks,
                    "n_used": used,
                    "starts": starts,
                    "committed": supply.committed,
                    "order_by": None if order is None else quarter_name(order),
                    "late_quarters": None if order is None else max(0, counts.first - order),
                    "latest_order_by": None if lead is None else quarter_name(quarter_index(starts) - lead),
                }
            )
        taken += delivery.racks
    return lines
