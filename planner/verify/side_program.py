"""The whole side program of a portfolio, from its input files alone (section 7a of `docs/model.md`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.verify.side import Side
from planner.verify.work import add_work

if TYPE_CHECKING:
    from planner.verify.objective import Ledger


def side_program(ledger: Ledger) -> Side:
    """Rows and columns of every clause of the portfolio, and what its plans lose alike.

    Empty where nothing but racks is decided and nothing is paid for before it is placed.
    """
    side = Side()
    add_work(side, ledger)
    for system in dict.fromkeys(supply.system for supply in ledger.money.portfolio.supply):
        if ledger.money.is_committed(system):
            for cents in ledger.money.committed_cents(system):
                side.lose(cents)
    return side
