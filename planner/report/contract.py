"""What a plan makes of its contract, in the report: commitments by quarter, milestones, floors and shares, orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.report.steps import StepChart, step_chart
from planner.report.words import amount, dollars, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Milestone:
    """One tranche."""

    name: str
    by: str
    reached: str
    brings: str
    met: bool
    causes: str


@dataclass(frozen=True)
class CommitmentView:
    """One take-or-pay commitment."""

    name: str
    summary: str
    chart: StepChart
    rows: tuple[tuple[str, str, str, str, str], ...]
    """Quarter, reserved, consumed, so far, left."""


@dataclass(frozen=True)
class ClauseLine:
    """One floor or share in the quarters in which it says something."""

    name: str
    quarter: str
    asks: str
    reached: str
    missed: str
    price: str
    met: bool
    causes: str


@dataclass(frozen=True)
class ContractView:
    """What the section shows."""

    milestones: tuple[Milestone, ...]
    commitments: tuple[CommitmentView, ...]
    clauses: tuple[ClauseLine, ...]
    n_met: int
    exits: tuple[tuple[str, ...], ...]
    """Commitment, quarter, notice, left, cost or why there is no way out."""
    orders: tuple[tuple[str, ...], ...]
    """System, delivered, racks used of those delivered, first start, order by, latest order by."""


def contract_view(document: Mapping[str, Any]) -> ContractView | None:
    """Gather the section; None where the portfolio has no clause and states no order lead.

    Parameters: document, the content of `plan.json`.
    """
    terms = document.get("terms")
    if terms is None:
        return None
    clauses = [*_floors(terms["floors"]), *_shares(terms["shares"])]
    ordered = [one for one in terms["orders"] if one["order_by"] is not None]
    view = ContractView(
        milestones=tuple(_milestone(one) for one in terms["tranches"]),
        commitments=tuple(_commitment(one) for one in terms["commitments"]),
        clauses=tuple(line for line in clauses if not line.met),
        n_met=sum(line.met for line in clauses),
        exits=tuple(_exit(one) for one in terms["termination"]),
        orders=tuple(_order(one) for one in ordered),
    )
    shown = (view.milestones, view.commitments, clauses, view.exits, view.orders)
    return view if any(shown) else None


def _counted(value: int, unit: str) -> str:
    """A count of a clause as a person reads it; units of work are thousands of tokens."""
    return f"{value:,} {unit}" if unit == "GPU" or "token" in unit else amount(value, unit)


def _milestone(tranche: Mapping[str, Any]) -> Milestone:
    unit = tranche["unit"]
    brings = [dollars(tranche["cash_cents"])] if tranche["cash_cents"] else []
    brings += [f"{dollars(tranche['rack_budget_cents'])} of rack budget"] if tranche["rack_budget_cents"] else []
    return Milestone(
        name=tranche["name"],
        by=tranche["by"],
        reached=f"{_counted(tranche['reached'], unit)} of {_counted(tranche['target'], unit)}",
        brings=", ".join(brings) or ("not taken" if tranche["met"] else "lost"),
        met=tranche["met"],
        causes=_causes(tranche["causes"]),
    )


def _causes(causes: Mapping[str, Any] | None) -> str:
    """Limits that kept a clause from being met, dearest first."""
    if causes is None:
        return ""
    parts = [f"{one['limit']} (${one['cents_per_rack'] / 100:,.0f} a rack)" for one in causes["limits"]]
    more = causes["n_limits"] - len(causes["limits"])
    parts += [f"{more} more limits"] if more > 0 else []
    parts += [f"{one['n_limits']} × {one['family']} at {one['site']}" for one in causes["unpriced"]]
    return "; ".join(parts) or str(causes["reason"] or "")


def _commitment(clause: Mapping[str, Any]) -> CommitmentView:
    lines = clause["quarters"]
    committed = clause["committed_cents"]
    short = clause["shortfall_cents"]
    due = "is due" if clause["binds"] else "would be due from the customer"
    told = f"{dollars(short)} {due} in {clause['end']}" if short else "all of it is used"
    titles = [f"{one['period']}: {dollars(one['consumed_to_date_cents'])} of {dollars(committed)}" for one in lines]
    chart = step_chart(
        f"Commitment {clause['name']}: rent paid so far against what was committed; the table below has the numbers",
        "billion USD",
        [one["period"] for one in lines],
        [("paid so far", [max(0, one["consumed_to_date_cents"]) / 1e11 for one in lines])],
        [committed / 1e11] * len(lines),
        titles,
    )
    keys = ("reserved_cents", "consumed_cents", "consumed_to_date_cents", "left_cents")
    rows = []
    for one in lines:
        reserved, consumed, so_far, left = (dollars(one[key]) for key in keys)
        rows.append((one["period"], reserved, consumed, so_far, left))
    share = percent(clause["consumed_cents"] / committed if committed else None)
    summary = f"{dollars(clause['consumed_cents'])} of {dollars(committed)} by {clause['end']} ({share}); {told}."
    return CommitmentView(clause["name"], summary, chart, tuple(rows))


def _floors(floors: Sequence[Mapping[str, Any]]) -> Iterator[ClauseLine]:
    for one in floors:
        due, reached, short = (_counted(one[key], one["unit"]) for key in ("due", "reached", "short"))
        price = dollars(one["price_cents"])
        yield ClauseLine(
            one["name"], one["period"], f"{due} or more", reached, f"{short} short", price, one["met"],
            _causes(one["causes"]),
        )  # fmt: skip


def _shares(shares: Sequence[Mapping[str, Any]]) -> Iterator[ClauseLine]:
    for one in shares:
        numerator, _, denominator = one["share"].partition("/")
        limit = int(numerator) / int(denominator or 1)
        word = "at most" if one["binds"] == "at-most" else "at least"
        part = percent(one["part"] / one["whole"] if one["whole"] else None)
        beyond = f"{_counted(one['over'], one['unit'])} {'over' if word == 'at most' else 'under'}"
        yield ClauseLine(
            one["name"], one["period"], f"{word} {percent(limit)}", part, beyond, dollars(one["price_cents"]),
            one["met"], "",
        )  # fmt: skip


def _exit(line: Mapping[str, Any]) -> tuple[str, ...]:
    cost = line["reason"] if line["exit_cents"] is None else dollars(line["exit_cents"])
    return line["commitment"], line["period"], dollars(line["notice_cents"]), dollars(line["left_cents"]), cost


def _order(line: Mapping[str, Any]) -> tuple[str, ...]:
    late = f", {line['late_quarters']} quarters before the plan's start" if line["late_quarters"] else ""
    used = f"{line['n_used']:,} of {line['n_delivered']:,}"
    return line["system"], line["delivered"], used, line["starts"], f"{line['order_by']}{late}", line["latest_order_by"]
