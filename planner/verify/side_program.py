"""The whole side program of a portfolio, from its input files alone (section 7a of `docs/model.md`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.verify.refresh_side import add_spells
from planner.verify.side import Side
from planner.verify.terms_rows import add_contract_terms
from planner.verify.work import add_work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.limits import SiteLimits
    from planner.verify.objective import Ledger


def side_program(ledger: Ledger, limits: Mapping[str, SiteLimits]) -> Side:
    """Rows and columns of every clause of the portfolio, and what its plans lose alike.

    Empty where nothing but racks is decided and nothing is paid for before it is placed. Parameters: limits of each
    site, as what racks draw at its meter may count for clauses.
    """
    side = Side()
    add_work(side, ledger)
    add_contract_terms(side, ledger, limits)
    add_spells(side, ledger)
    for system in dict.fromkeys(supply.system for supply in ledger.money.portfolio.supply):
        if ledger.money.is_committed(system):
            for cents in ledger.money.committed_cents(system):
                side.lose(cents)
    return side
