"""The plan in the books of provider, customer and both together: cash, depreciation and tax, in whole cents.

The plan was chosen in one party's books, before tax; the others show what the same racks mean to the others. What one
pays to the other is the same cents in both, so the sum of the two is the chain's to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from planner.money.beyond import beyond_cents
from planner.money.depreciation import Schedule, schedules
from planner.money.lines import BEYOND, CAPITAL, Line, Party
from planner.money.measures import annual_rate, payback

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planner.money.flows import CashFlow
    from planner.money.lines import Account
    from planner.money.scene import Scene
    from planner.run.totals import PeriodTotals
    from sites.schema.books import OperationsPart
    from sites.world import World

_UNTAXED = CAPITAL | BEYOND
"""Payments for assets, which reach income as depreciation."""


@dataclass(frozen=True)
class BookLine:
    """One line of a party's books, sites summed."""

    line: str
    cents: tuple[int, ...]
    """[n_quarters] payments negative."""


@dataclass(frozen=True)
class Book:
    """One party's books, in cents by quarter."""

    lines: tuple[BookLine, ...]
    net_cents: tuple[int, ...]
    depreciation_cents: tuple[int, ...]
    income_cents: tuple[int, ...]
    """What is taxed before losses are carried forward: cash but for payments for assets, less depreciation."""
    tax_cents: tuple[int, ...]
    after_tax_cents: tuple[int, ...]
    npv_cents: int
    """Net cash discounted, rounded down."""
    npv_after_tax_cents: int
    irr_per_year: float | None
    irr_note: str
    irr_after_tax_per_year: float | None
    irr_after_tax_note: str
    payback_quarter: str | None
    payback_after_tax_quarter: str | None


@dataclass(frozen=True)
class Books:
    """The same plan in everybody's books."""

    perspective: Party
    """In whose books, before tax, the plan was chosen."""
    tax_rate: float | None
    """None where no tax is reckoned."""
    depreciation: tuple[Schedule, ...]
    provider: Book
    customer: Book
    chain: Book
    coefficients_cents: int
    """What the objective's coefficients round away."""
    entries_cents: int
    """What rounding each entry to the cent takes."""
    beyond_cents: int
    """Present value of what is in the books and not in the plan: with the two before and the objective it makes the net
    present value of the perspective's books."""


def books_of(scene: Scene, flow: CashFlow, totals: Sequence[PeriodTotals], objective_cents: int) -> Books:
    """Set a plan's cash into the books of both parties.

    Parameters: totals, one for each decision period; objective_cents, of the same plan.
    """
    world = scene.world
    beyond = beyond_cents(scene, flow, totals)
    written_off = schedules(world, {**flow.invested_cents, **beyond}, len(flow.quarters))
    maker = _Maker(world, flow, beyond, written_off)
    provider, customer = maker.book(Party.PROVIDER), maker.book(Party.CUSTOMER)
    chain = maker.both(provider, customer)
    own = {Party.PROVIDER: provider, Party.CUSTOMER: customer, Party.CHAIN: chain}[flow.party]
    exact_cents = floor(flow.present_value_usd() * 100)
    extra_cents = sum(
        flow.sign(flow.party, account.line) * floor(maker.present_cents(values)) for account, values in beyond.items()
    )
    return Books(
        perspective=flow.party,
        tax_rate=None if maker.tax_rate is None else float(maker.tax_rate),
        depreciation=written_off,
        provider=provider,
        customer=customer,
        chain=chain,
        coefficients_cents=exact_cents - objective_cents,
        entries_cents=own.npv_cents - extra_cents - exact_cents,
        beyond_cents=extra_cents,
    )


@dataclass(frozen=True)
class _Maker:
    world: World
    flow: CashFlow
    beyond: Mapping[Account, Sequence[int]]
    written_off: Sequence[Schedule]

    @property
    def tax_rate(self) -> Fraction | None:
        """Rate of the tax that is reckoned."""
        books = self.world.portfolio.books
        return books.tax.rate if books is not None and books.tax is not None and books.tax.applies else None

    def present_cents(self, cents: Iterable[int]) -> Fraction:
        """Discounted sum, exact."""
        return sum((c * factor for c, factor in zip(cents, self.flow.discount, strict=True)), start=Fraction(0))

    def book(self, party: Party) -> Book:
        """Books of one party."""
        lines = self._lines(party)
        n_quarters = len(self.flow.quarters)
        net = _summed(lines.values(), n_quarters)
        depreciation = _summed((one.charge_cents for one in self.written_off if party is Party.PROVIDER), n_quarters)
        earned = _summed((values for (line, _), values in lines.items() if line not in _UNTAXED), n_quarters)
        income = tuple(cash - charge for cash, charge in zip(earned, depreciation, strict=True))
        tax = tax_cents(income, self.tax_rate or Fraction(0))
        labelled = self._labelled(lines)
        npv = floor(self.present_cents(net))
        npv_after_tax = floor(self.present_cents(_less(net, tax)))
        return self._measured(labelled, net, depreciation, income, tax, npv, npv_after_tax)

    def both(self, provider: Book, customer: Book) -> Book:
        """Books of the chain: the two parties' added up, and their lines without what one pays to the other."""
        lines = self._labelled(self._lines(Party.CHAIN))

        def added(key: str) -> tuple[int, ...]:
            return tuple(a + b for a, b in zip(getattr(provider, key), getattr(customer, key), strict=True))

        return self._measured(
            lines,
            added("net_cents"),
            added("depreciation_cents"),
            added("income_cents"),
            added("tax_cents"),
            provider.npv_cents + customer.npv_cents,
            provider.npv_after_tax_cents + customer.npv_after_tax_cents,
        )

    def _measured(
        self,
        lines: tuple[BookLine, ...],
        net: tuple[int, ...],
        depreciation: tuple[int, ...],
        income: tuple[int, ...],
        tax: tuple[int, ...],
        npv_cents: int,
        npv_after_tax_cents: int,
    ) -> Book:
        after_tax = _less(net, tax)
        (rate, note), (taxed_rate, taxed_note) = annual_rate(net), annual_rate(after_tax)
        return Book(
            lines=lines,
            net_cents=net,
            depreciation_cents=depreciation,
            income_cents=income,
            tax_cents=tax,
            after_tax_cents=after_tax,
            npv_cents=npv_cents,
            npv_after_tax_cents=npv_after_tax_cents,
            irr_per_year=rate,
            irr_note=note,
            irr_after_tax_per_year=taxed_rate,
            irr_after_tax_note=taxed_note,
            payback_quarter=payback(self.flow.quarters, net),
            payback_after_tax_quarter=payback(self.flow.quarters, after_tax),
        )

    def _lines(self, party: Party) -> dict[tuple[Line, str], tuple[int, ...]]:
        """Lines of a party's books by line and label, sites summed."""
        found: dict[tuple[Line, str], tuple[int, ...]] = {}
        for account, values in {**self.flow.entry_cents, **self.beyond}.items():
            own, key = self.flow.sign(party, account.line), (account.line, account.label)
            if own:
                before = found.get(key, (0,) * len(values))
                found[key] = tuple(total + own * cents for total, cents in zip(before, values, strict=True))
        return found

    def _labelled(self, lines: Mapping[tuple[Line, str], tuple[int, ...]]) -> tuple[BookLine, ...]:
        """Lines by label, operations by its parts where the portfolio states them."""
        books = self.world.portfolio.books
        parts = books.operations if books is not None else ()
        found: list[BookLine] = []
        for (line, label), values in lines.items():
            if line is Line.OPERATIONS and parts:
                found += _by_parts(label, values, parts)
            else:
                found.append(BookLine(label, values))
        return tuple(found)


def tax_cents(income_cents: Sequence[int], rate: Fraction) -> tuple[int, ...]:
    """Tax of each quarter on income less the losses carried forward so far, rounded up to the cent."""
    losses, tax = 0, []
    for income in income_cents:
        taxable = max(0, income - losses)
        losses = max(0, losses - income)
        tax.append(ceil(rate * taxable))
    return tuple(tax)


def _by_parts(label: str, values: Sequence[int], parts: Sequence[OperationsPart]) -> list[BookLine]:
    """A line cut by shares into whole cents that sum to it; the last part takes what the others leave."""
    names = [part.title or part.name for part in parts]
    shares = [part.share for part in parts]
    if sum(shares) < 1:
        names.append("other")
    cuts = [[floor(cents * share) for cents in values] for share in shares[: len(names) - 1]]
    last = [cents - sum(cut[t] for cut in cuts) for t, cents in enumerate(values)]
    return [BookLine(f"{label}: {name}", tuple(cut)) for name, cut in zip(names, [*cuts, last], strict=True)]


def _summed(columns: Iterable[Sequence[int]], n_quarters: int) -> tuple[int, ...]:
    total = [0] * n_quarters
    for values in columns:
        total = [a + b for a, b in zip(total, values, strict=True)]
    return tuple(total)


def _less(net: Sequence[int], tax: Sequence[int]) -> tuple[int, ...]:
    return tuple(cash - paid for cash, paid in zip(net, tax, strict=True))
