"""What planners read off cash by quarter: net present value, internal rate of return, payback, levelised cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.money import CENTS_PER_USD, HOURS_PER_QUARTER, QUARTERS_PER_YEAR, WATTS_PER_MEGAWATT
from planner.money.lines import CAPITAL, OWNED
from planner.money.work import hours as worked_hours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.money.flows import CashFlow
    from planner.money.scene import Scene


@dataclass(frozen=True)
class Measures:
    """Figures of one plan; None where there is none, with the reason."""

    npv_cents: int
    """Exact entries discounted, rounded down."""
    rounding_cents: int
    """What the objective's coefficients round away: present value less objective."""
    capital_cents: int
    """Racks, network, conversions and avoidable capex, undiscounted."""
    irr_per_year: float | None
    irr_note: str
    payback_quarter: str | None
    """First quarter from which on the sum of all cash so far stays at zero or above."""
    discounted_payback_quarter: str | None
    cost_per_gpu_hour_usd: float | None
    """Present value of all that the racks' owner pays, less what racks bring in the end, over that of the GPU-hours
    sold, or worked where the plan says for what."""
    cost_per_megawatt_year_usd: float | None
    """The same over megawatt-years of sustained rack power."""


def measures(scene: Scene, flow: CashFlow, objective_cents: int) -> Measures:
    """Measure a plan's cash.

    Parameters: flow; objective_cents, of the same plan.
    """
    present_usd = flow.present_value_usd()
    costs_usd = -flow.present_lines_usd(OWNED)
    gpu_hours, megawatt_years = _present_work(scene, flow)
    rate, note = annual_rate(flow.net_cents())
    npv_cents = floor(present_usd * CENTS_PER_USD)
    capital = sum(sum(flow.line_cents(line)) for line in CAPITAL)
    discounted = [usd * factor for usd, factor in zip(flow.quarter_usd(flow.party), flow.discount, strict=True)]
    return Measures(
        npv_cents=npv_cents,
        rounding_cents=npv_cents - objective_cents,
        capital_cents=-capital,
        irr_per_year=rate,
        irr_note=note,
        payback_quarter=payback(flow.quarters, flow.net_cents()),
        discounted_payback_quarter=payback(flow.quarters, discounted),
        cost_per_gpu_hour_usd=float(costs_usd / gpu_hours) if gpu_hours else None,
        cost_per_megawatt_year_usd=float(costs_usd / megawatt_years) if megawatt_years else None,
    )


def _present_work(scene: Scene, flow: CashFlow) -> tuple[Fraction, Fraction]:
    """Discounted GPU-hours sold, or worked where the plan says for what; megawatt-years of sustained rack power."""
    hours = 0 if scene.portfolio.workloads else HOURS_PER_QUARTER * scene.portfolio.money.utilisation
    gpu_hours, megawatt_years = Fraction(0), Fraction(0)
    for k, configuration in enumerate(scene.lowered.configurations):
        for own in flow.racks.values():
            for t in np.flatnonzero(own.standing[k]):
                n_present = int(own.standing[k, t]) * flow.discount[int(t)]
                gpu_hours += n_present * configuration.gpu_packages * hours
                megawatt_years += n_present * Fraction(configuration.it_w, WATTS_PER_MEGAWATT * QUARTERS_PER_YEAR)
    for one in worked_hours(scene):
        gpus = scene.lowered.configurations[scene.configuration_idx[one.configuration]].gpu_packages
        gpu_hours += one.n_hours * gpus * flow.discount[one.quarter]
    return gpu_hours, megawatt_years


def annual_rate(net_cents: Sequence[int]) -> tuple[float | None, str]:
    """Annual internal rate of return of cash by quarter, and what to know of it; None where there is none."""
    import numpy_financial

    signs = [value > 0 for value in net_cents if value]
    n_changes = sum(before != after for before, after in pairwise(signs))
    if n_changes == 0:
        return None, "cash never changes its sign, so no rate makes it worth nothing"
    quarterly = float(numpy_financial.irr([value / CENTS_PER_USD for value in net_cents]))
    if not math.isfinite(quarterly):
        return None, "no rate was found at which the plan is worth nothing"
    note = "" if n_changes == 1 else f"cash changes its sign {n_changes} times, so other rates may fit too"
    return (1 + quarterly) ** QUARTERS_PER_YEAR - 1, note


def payback(quarters: Sequence[str], amounts: Sequence[int | Fraction]) -> str | None:
    """The first quarter from which on the running sum never falls below zero again; None where it ends below."""
    total = Fraction(0)
    since: int | None = None
    for t, amount in enumerate(amounts):
        total += amount
        if total < 0:
            since = None
        elif since is None:
            since = t
    return None if since is None else quarters[since]
