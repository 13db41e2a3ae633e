"""The same plan in everybody's books, in the report: lines side by side, depreciation and tax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.words import dollars, percent
from planner.run.document import npv_cents

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTIES = ("provider", "customer", "chain")
MOST_RATE = 10.0


@dataclass(frozen=True)
class BookRow:
    """One line for provider, customer and chain."""

    label: str
    cells: tuple[str, str, str]
    strong: bool = False


@dataclass(frozen=True)
class AssetRow:
    """One class of assets."""

    asset: str
    life: str
    source: str
    bought: str
    written_off: str
    left: str


@dataclass(frozen=True)
class BooksView:
    """What the section shows."""

    perspective: str
    rows: tuple[BookRow, ...]
    tax: str
    assets: tuple[AssetRow, ...]
    reconciliation: tuple[tuple[str, str], ...]
    is_open: bool
    """Whether more than the provider's money is asked for."""


def books_view(document: Mapping[str, Any]) -> BooksView | None:
    """Gather the section; None where the plan moves no money.

    Parameters: document, the content of `plan.json`.
    """
    books = document["books"]
    if not any(books[party]["lines"] for party in PARTIES):
        return None
    rate = books["tax_rate"]
    return BooksView(
        perspective=books["perspective"],
        rows=(*_lines(books), *_measures(books, taxed=rate is not None)),
        tax="Before tax: the portfolio states none." if rate is None else f"Tax: {percent(rate)} of income.",
        assets=tuple(_asset(one) for one in books["depreciation"] if any(one["additions_cents"])),
        reconciliation=_reconciliation(document),
        is_open=rate is not None or books["perspective"] != "provider" or bool(books["beyond_cents"]),
    )


def _lines(books: Mapping[str, Any]) -> list[BookRow]:
    """Undiscounted sums of every line, tiers and charges summed, the customer's lines first."""
    totals: dict[str, dict[str, int]] = {party: {} for party in PARTIES}
    for party in PARTIES:
        for one in books[party]["lines"]:
            label = one["line"].partition(":")[0] if one["line"].startswith("service") else one["line"]
            totals[party][label] = totals[party].get(label, 0) + sum(one["cents"])
    labels = dict.fromkeys(label for party in ("customer", "provider") for label in totals[party])
    rows = [_row(label, [totals[party].get(label) for party in PARTIES]) for label in labels]
    net = [sum(books[party]["net_cents"]) for party in PARTIES]
    return [*rows, _row("net cash", net, strong=True)]


def _row(label: str, cents: list[int | None] | list[int], *, strong: bool = False) -> BookRow:
    provider, customer, chain = ("" if one is None else dollars(one) for one in cents)
    return BookRow(label[:1].upper() + label[1:], (provider, customer, chain), strong)


def _measures(books: Mapping[str, Any], *, taxed: bool) -> list[BookRow]:
    def texts(key: str) -> list[Any]:
        return [books[party][key] for party in PARTIES]

    def row(label: str, cells: list[str], *, strong: bool = False) -> BookRow:
        return BookRow(label, (cells[0], cells[1], cells[2]), strong)

    found = [
        row("Net present value", [dollars(one) for one in texts("npv_cents")], strong=True),
        row("Internal rate of return a year", [_rate(one) for one in texts("irr_per_year")]),
        row("Paid back", [one or "never" for one in texts("payback_quarter")]),
    ]
    if taxed:
        found += [
            _row("depreciation", [-sum(one) for one in texts("depreciation_cents")]),
            _row("tax", [-sum(one) for one in texts("tax_cents")]),
            _row("net cash after tax", [sum(one) for one in texts("after_tax_cents")], strong=True),
            row("Net present value after tax", [dollars(one) for one in texts("npv_after_tax_cents")], strong=True),
            row("Internal rate of return after tax", [_rate(one) for one in texts("irr_after_tax_per_year")]),
        ]
    return found


def _rate(rate: float | None) -> str:
    """A rate of return; one beyond all use is not spelt out."""
    return "over 1,000 %" if rate is not None and rate > MOST_RATE else percent(rate)


def _asset(schedule: Mapping[str, Any]) -> AssetRow:
    life = schedule["life_quarters"]
    return AssetRow(
        asset=schedule["asset"].capitalize(),
        life="unknown" if life is None else f"{life / 4:g} years",
        source=schedule["source"],
        bought=dollars(sum(schedule["additions_cents"])),
        written_off=dollars(sum(schedule["charge_cents"])),
        left=dollars(schedule["value_cents"][-1]),
    )


def _reconciliation(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """How the objective becomes the net present value of the books that it was chosen in, to the cent."""
    books = document["books"]
    worth = npv_cents(document)
    steps = (
        ("What the plan is worth by the published model", worth),
        ("Cents that its coefficients round away", books["coefficients_cents"]),
        ("Rounding of each entry to the cent", books["entries_cents"]),
        ("Facility and connection that the plan does not choose", books["beyond_cents"]),
        (f"Net present value in the {books['perspective']}'s books", books[books["perspective"]]["npv_cents"]),
    )
    return tuple((label, f"{cents / 100:,.2f}".replace("-", "−")) for label, cents in steps)
