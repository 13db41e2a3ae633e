"""The cash of a run as its documents state it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.money.measures import Measures, measures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.money.flows import CashFlow
    from planner.money.scene import Scene


@dataclass(frozen=True)
class CashLine:
    """One line of the table at one site."""

    site: str
    line: str
    cents: tuple[int, ...]
    """[n_quarters] undiscounted, payments negative."""


@dataclass(frozen=True)
class CashLedger:
    """Cash by site, line and quarter to the end of the last rack's life, and what is measured by it."""

    quarters: tuple[str, ...]
    lines: tuple[CashLine, ...]
    net_cents: tuple[int, ...]
    """[n_quarters] sum of all lines."""
    measures: Measures


def cash_ledger(scene: Scene, flow: CashFlow, objective_cents: int) -> CashLedger:
    """State a plan's cash.

    Parameters: flow and objective_cents, of the same plan.
    """
    return CashLedger(
        quarters=flow.quarters,
        lines=tuple(CashLine(site, label, cents) for (site, label), cents in flow.cents.items()),
        net_cents=flow.net_cents(),
        measures=measures(scene, flow, objective_cents),
    )


def cash_rows(ledger: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The table of `cash.csv`: an entry for each site, line and quarter with cash.

    Parameters: ledger, the key `cash` of a plan document.
    """
    for line in ledger["lines"]:
        for quarter, cents in zip(ledger["quarters"], line["cents"], strict=True):
            if cents:
                yield {"site": line["site"], "line": line["line"], "quarter": quarter, "cents": cents}
