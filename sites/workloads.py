"""What a workload asks and pays in a quarter, and what a rack does of it; demand, prices and rates in exact numbers."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from sites.calendar import quarter_index
from sites.schema.throughput import Counted
from sites.throughput import co_design_factor, serving_rate, software_factor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.catalog.loader import Configuration
    from sites.schema.portfolio import PortfolioFile
    from sites.schema.throughput import ThroughputBasis
    from sites.schema.workload import Tier, Workload
    from sites.throughput import ServingRate

QUARTERS_PER_YEAR = 4
TOKENS_PER_UNIT = 1000
_TOKENS = frozenset({Counted.OUTPUT_TOKENS, Counted.TOTAL_TOKENS})


def counts_per_unit(basis: ThroughputBasis) -> int:
    """How many of what a basis counts one unit of work is: 1,000 tokens, else 1."""
    return TOKENS_PER_UNIT if basis.counts in _TOKENS else 1


def demand_rate_per_s(tier: Tier, quarter: str) -> Fraction:
    """Demand of a tier in a quarter, in 1/s of what the basis counts; the last step holds on, before the first is 0."""
    begun = [step.rate for step in tier.demand if quarter_index(step.start) <= quarter_index(quarter)]
    return begun[-1] if begun else Fraction(0)


def price_usd_per_million(tier: Tier, n_quarters: int) -> Fraction:
    """Price of a tier some quarters after the plan's start: price · (1 − decline)^(n/4).

    The power is a float64, taken as the exact rational that it is.
    """
    return tier.price * Fraction(math.pow(float(1 - tier.price_decline_per_year), n_quarters / QUARTERS_PER_YEAR))


def penalty_usd_per_million(tier: Tier) -> Fraction:
    """What each million that is not served costs; 0 where nothing was promised."""
    return tier.penalty or Fraction(0)


def charges_usd_per_million(workload: Workload) -> Fraction:
    """All charges for each million served."""
    return sum((charge.cost for charge in workload.charges), Fraction(0))


def runs_at(workload: Workload, site: str) -> bool:
    """Whether residency lets a workload run at a site."""
    return workload.sites is None or site in workload.sites


def measured_rate(basis: ThroughputBasis, configuration: Configuration, workload: Workload) -> ServingRate:
    """What a rack did at the workload's service level, before gains.

    Raises ThroughputError where no curve reaches it.
    """
    return serving_rate(basis, configuration, workload.speed, workload.ttft)


def expected_rate_per_s(portfolio: PortfolioFile, measured: ServingRate, workload: Workload, quarter: str) -> Fraction:
    """What a rack is expected to do of a workload in a quarter, in 1/s: measured rate · goodput · gains / work factor.

    Software gains that had begun when the curve was measured are in it already; co-design lowers the cost of inference
    only. Parameters: measured, as `measured_rate` gives it. Raises ValueError where the portfolio states no goodput.
    """
    if portfolio.goodput is None:
        msg = f"portfolio '{portfolio.name}' has workloads, but no 'goodput'; add it, for example share: 0.9"
        raise ValueError(msg)
    curve = measured.curve
    gain = software_factor(
        portfolio.software_gains, portfolio.gain_case, curve.system, quarter, curve.measured
    ) * _co_design(portfolio, workload, quarter)
    return measured.rate_per_s * portfolio.goodput.share * gain / workload.work_factor


def _co_design(portfolio: PortfolioFile, workload: Workload, quarter: str) -> Fraction:
    return co_design_factor(portfolio.co_design_gains, quarter) if workload.kind == "inference" else Fraction(1)


def dearer_than_before(tiers: Sequence[Tier], n_quarters: int) -> tuple[Tier, Tier] | None:
    """The first two neighbours of which the later is worth more in a quarter, price and penalty together; None where
    tiers are in order.

    Parameters: n_quarters, since the plan's start.
    """
    worth = [price_usd_per_million(tier, n_quarters) + penalty_usd_per_million(tier) for tier in tiers]
    for number in range(1, len(tiers)):
        if worth[number] > worth[number - 1]:
            return tiers[number - 1], tiers[number]
    return None
