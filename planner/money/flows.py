"""Cash of a plan by site, line and quarter: every term of the objective before it is discounted (model, section 7).

Each entry is exact and rounded once to the cent, against whoever receives it first: receipts down, payments up; what
one party pays to the other is the same cents in both books. The table's sums are sums of its entries, so they add up
to the cent. The exact entries, discounted, give the objective but for the cents that its coefficients round away.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.money.clauses import add_clauses, last_clause_quarter
from planner.money.lines import Account, Line, Party, sign
from planner.money.owner import add_owner
from planner.money.purchase import add_purchases, last_payment_quarter
from planner.money.refresh import add_refresh
from planner.money.rental import add_rental
from planner.money.scene import scene_of
from planner.money.table import Exact, Table, cents_of, of_all_systems
from planner.money.work import add_work
from sites.calendar import quarters_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from planner.lower.lowered import Lowered
    from planner.money.scene import Scene
    from planner.money.standing import SiteRacks
    from sites.world import World


@dataclass(frozen=True)
class CashFlow:
    """Cash of one plan, undiscounted, between all parties."""

    party: Party
    """In whose books the plan was chosen."""
    quarters: tuple[str, ...]
    """From the plan's start to the last quarter with cash."""
    exact_usd: Exact
    """By account and system, [n_quarters]; transfers as the provider has them."""
    entry_cents: dict[Account, tuple[int, ...]]
    """By account, systems summed, [n_quarters]; each entry rounded once."""
    invested_cents: dict[Account, tuple[int, ...]]
    """Prices of assets by the quarter from which they are in service, negative."""
    discount: tuple[Fraction, ...]
    """[n_quarters]"""
    racks: dict[str, SiteRacks]
    """Racks of each site in every quarter."""

    @property
    def cents(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """Entries of the plan's own books by site and label, [n_quarters]; payments negative."""
        return {(account.site, account.label): values for account, values in self.book(self.party).items()}

    def sign(self, party: Party, line: Line) -> int:
        """How entries of a line count in a party's books: 1 as they are, −1 turned round, 0 not at all."""
        return sign(party, line, self.party)

    def book(self, party: Party) -> dict[Account, tuple[int, ...]]:
        """Entries of a party's books by account, [n_quarters]; payments negative."""
        return {
            account: tuple(self.sign(party, account.line) * cents for cents in values)
            for account, values in self.entry_cents.items()
            if self.sign(party, account.line)
        }

    def net_cents(self, party: Party | None = None) -> tuple[int, ...]:
        """Sum of all lines of a party's books in each quarter; of the plan's own books without one."""
        return tuple(sum(column) for column in zip(*self.book(party or self.party).values(), strict=True))

    def line_cents(self, line: Line) -> tuple[int, ...]:
        """Sum of a line's entries over the sites in each quarter, whoever's they are."""
        own = [values for account, values in self.entry_cents.items() if account.line == line]
        return tuple(sum(column) for column in zip((0,) * len(self.quarters), *own, strict=True))

    def quarter_usd(self, party: Party) -> tuple[Fraction, ...]:
        """Exact sum of a party's entries in each quarter."""
        total = [Fraction(0)] * len(self.quarters)
        for account, values in self.exact_usd.items():
            own = self.sign(party, account.line)
            for t, usd in enumerate(values if own else ()):
                total[t] += own * usd
        return tuple(total)

    def present_value_usd(self, party: Party | None = None) -> Fraction:
        """Exact sum of a party's discounted entries; of the plan's own books without one."""
        quarterly = zip(self.quarter_usd(party or self.party), self.discount, strict=True)
        return sum((usd * factor for usd, factor in quarterly), start=Fraction(0))

    def present_lines_usd(self, lines: frozenset[Line]) -> Fraction:
        """Exact sum of the discounted entries of some lines, whoever's they are."""
        return sum(
            (self._present(values) for account, values in self.exact_usd.items() if account.line in lines),
            start=Fraction(0),
        )

    def _present(self, values: list[Fraction]) -> Fraction:
        return sum((usd * factor for usd, factor in zip(values, self.discount, strict=True)), start=Fraction(0))


def cash_flow(
    world: World, lowered: Lowered, n_racks: NDArray[np.int32], decisions: Mapping[str, int] | None = None
) -> CashFlow:
    """Work out the cash of a plan to the end of its racks' lives.

    Parameters: world and lowered; n_racks, [n_rows, n_configurations, n_periods]; decisions, of the side program by
    name of column, missing where there is none.
    """
    return flow_of(scene_of(world, lowered, n_racks, decisions))


def flow_of(scene: Scene) -> CashFlow:
    """Work out the cash of a plan from what it depends on."""
    table = Table(_n_quarters(scene))
    add_work(table, scene)
    add_rental(table, scene)
    add_clauses(table, scene)
    add_owner(table, scene)
    add_purchases(table, scene)
    add_refresh(table, scene)
    exact = table.entries()
    return CashFlow(
        party=Party(scene.portfolio.perspective),
        quarters=quarters_from(scene.portfolio.start, table.n_quarters),
        exact_usd=exact,
        entry_cents={account: cents_of(values) for account, values in of_all_systems(exact).items()},
        invested_cents={account: cents_of(values) for account, values in of_all_systems(table.invested()).items()},
        discount=tuple(scene.any_money.discount(t) for t in range(table.n_quarters)),
        racks=scene.racks,
    )


def _n_quarters(scene: Scene) -> int:
    """To the end of the last rack's life, or the last payment for racks or under a contract where that is later."""
    lives = scene.n_decided - 1 + scene.life_quarters
    return max(lives, last_payment_quarter(scene) + 1, last_clause_quarter(scene) + 1)
