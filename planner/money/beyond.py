"""Facility cost that the plan does not choose, as a line of the books where the portfolio asks for it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from planner.money.lines import BEYOND, Account, Line
from planner.money.table import cents_of
from sites.schema.economics import FacilityCost, PowerBasis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.money.flows import CashFlow
    from planner.money.scene import Scene
    from planner.run.totals import PeriodTotals

_ZERO = Fraction(0)


def beyond_cents(scene: Scene, flow: CashFlow, totals: Sequence[PeriodTotals]) -> dict[Account, tuple[int, ...]]:
    """What the catalogue's figures for each watt say beyond the plan's own capex, by account, [n_quarters].

    The figure is due for each watt by which the plan's racks draw more than ever before at the site, on the figure's
    own basis. What the plan pays as avoidable capex is part of the facility, so only the rest is entered.

    Parameters: totals, one for each decision period.
    """
    books, found = scene.portfolio.books, {}
    for line in sorted(BEYOND):
        name = None if books is None else books.facility if line is Line.FACILITY else books.connection
        entry = None if name is None else scene.catalog.economics[name]
        if not isinstance(entry, FacilityCost):
            continue
        for site in flow.racks:
            watts = _watts(scene, flow, totals, site, entry.basis)
            paid_usd = flow.exact_usd.get(Account(site, Line.SHELL)) if line is Line.FACILITY else None
            cents = cents_of(_entered_usd(watts, entry.cost.value or _ZERO, paid_usd or [_ZERO] * len(flow.quarters)))
            if any(cents):
                found[Account(site, line)] = cents
    return found


def _watts(scene: Scene, flow: CashFlow, totals: Sequence[PeriodTotals], site: str, basis: PowerBasis) -> list[int]:
    """What the plan's racks draw at a site in each decision period."""
    if basis is PowerBasis.METER:
        return [one.plan_meter_w.get(site, 0) for one in totals]
    standing = flow.racks[site].standing
    return [
        sum(int(n) * one.it_w for n, one in zip(standing[:, t], scene.lowered.configurations, strict=True))
        for t in range(len(totals))
    ]


def _entered_usd(watts: Sequence[int], usd_per_w: Fraction, paid_usd: Sequence[Fraction]) -> list[Fraction]:
    """Payments, negative, of what highest draws so far cost beyond what was paid (negative) so far, [n_quarters]."""
    entered, so_far, paid, highest_w = [_ZERO] * len(paid_usd), _ZERO, _ZERO, 0
    for t, drawn_w in enumerate(watts):
        paid -= paid_usd[t]
        highest_w = max(highest_w, drawn_w)
        more = max(_ZERO, usd_per_w * highest_w - paid - so_far)
        entered[t] = -more
        so_far += more
    return entered
