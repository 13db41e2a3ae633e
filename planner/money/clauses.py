"""Cash of contract clauses: instalments, what floors and shares cost where they are broken, take-or-pay shortfalls.

Model, section 7a. Instalments, floors and shares are promises of whoever's books decide; where both together decide, of
the customer. A take-or-pay shortfall is what the customer pays the provider; a plan in the provider's books, which does
not count on it, leaves it out.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.contract_terms import price_cents, share_name, unit_of
from planner.lower.money import CENTS_PER_USD
from planner.money.lines import JOINT, Account, Line
from planner.run.rent_ledger import obligations
from sites.calendar import quarter_index
from sites.schema.portfolio import Perspective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.money.scene import Scene
    from planner.money.table import Table


def add_clauses(table: Table, scene: Scene) -> None:
    """Enter everything that clauses bring and cost."""
    for line, name, quarter, cents in (*_instalments(scene), *_broken(scene), *_shortfalls(scene)):
        table.add(Account(JOINT, line, name), quarter, cents / CENTS_PER_USD)


def last_clause_quarter(scene: Scene) -> int:
    """The last quarter in which a shortfall falls due, counted from the plan's start; −1 where none can."""
    if scene.portfolio.perspective is Perspective.PROVIDER:
        return -1
    return max((_quarter(scene, clause.end) for clause in scene.portfolio.commitments), default=-1)


def _quarter(scene: Scene, name: str) -> int:
    return quarter_index(name) - quarter_index(scene.portfolio.start)


def _instalments(scene: Scene) -> Iterator[tuple[Line, str, int, Fraction]]:
    for clause in scene.portfolio.tranches:
        if scene.decisions.get(f"tranche:{clause.name}", 0):
            yield Line.INSTALMENTS, clause.name, _quarter(scene, clause.by), CENTS_PER_USD * Fraction(clause.cash or 0)


def _broken(scene: Scene) -> Iterator[tuple[Line, str, int, Fraction]]:
    """What is short of floors and over shares, each quarter at its price."""
    portfolio = scene.portfolio
    priced = {
        ("short", clause.name): price_cents(clause, unit_of(clause, portfolio, scene.catalog))
        for clause in portfolio.floors
    }
    priced |= {(share_name(clause), clause.name): price_cents(clause, 1) for clause in portfolio.shares}
    for name, value in scene.decisions.items():
        kind, clause_name, *rest = name.split(":")
        if value and (kind, clause_name) in priced:
            line = Line.FLOORS if kind == "short" else Line.SHARES
            yield line, clause_name, _quarter(scene, rest[-1]), -value * priced[kind, clause_name]


def _shortfalls(scene: Scene) -> Iterator[tuple[Line, str, int, Fraction]]:
    counting = scene.lowered.counting
    if scene.portfolio.perspective is Perspective.PROVIDER or not scene.portfolio.commitments:
        return
    standing = counting.standing(scene.problem.row_names, scene.n_racks)
    for one in obligations(counting, standing, scene.decisions):
        yield Line.SHORTFALL, one.name, _quarter(scene, one.end), Fraction(one.shortfall_cents)
