"""The cash that a plan states, worked out again from its placements: every site, line and quarter to the cent."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from planner.verify.cash_table import label, sign
from planner.verify.report import Check, check_of
from sites.calendar import quarters_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.cash_table import CashTable

_SHOWN = 5


def check_cash(plan: Mapping[str, Any], table: CashTable) -> Check:
    """Every entry of the cash table, its sums, and that discounting it gives the objective but for rounding."""
    cash, money = plan.get("cash") or {}, table.ledger.money
    quarters = quarters_from(money.portfolio.start, table.n_quarters)
    decider = str(money.portfolio.perspective)
    own = {
        (site, label(line, item)): (sign(decider, line, decider), usd)
        for (site, line, item), usd in table.entries().items()
    }
    due = {key: [side * floor(100 * one) for one in usd] for key, (side, usd) in own.items() if side}
    stated = {(one.get("site"), one.get("line")): list(one.get("cents") or ()) for one in cash.get("lines") or ()}
    faults = [
        f"'{line}' at '{site}' is {due.get((site, line))}, stated {stated.get((site, line))}"
        for site, line in sorted({*due, *stated}, key=str)
        if due.get((site, line)) != stated.get((site, line))
    ][:_SHOWN]
    if list(cash.get("quarters") or ()) != list(quarters):
        faults.append(f"the quarters are not {quarters[0]} to {quarters[-1]}")
    net = [sum(column) for column in zip(*due.values(), strict=True)] if due else []
    if list(cash.get("net_cents") or ()) != net:
        faults.append("the lines do not add up to 'net_cents'")
    present_usd = sum(
        (side * one * money.discount(t) for side, usd in own.values() for t, one in enumerate(usd)), Fraction(0)
    )
    faults += _measures(
        cash.get("measures") or {}, floor(100 * present_usd), plan.get("npv_cents", plan.get("objective"))
    )
    return check_of("cash", faults, f"{len(due)} lines over {table.n_quarters} quarters reconcile to the cent")


def _measures(stated: Mapping[str, Any], due: int, objective: object) -> list[str]:
    faults = []
    if stated.get("npv_cents") != due:
        faults.append(f"'npv_cents' is {due}, stated {stated.get('npv_cents')}")
    if isinstance(objective, int) and stated.get("rounding_cents") != due - objective:
        faults.append(f"'rounding_cents' is {due - objective}, stated {stated.get('rounding_cents')}")
    return faults
