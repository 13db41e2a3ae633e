"""How far a site's load may fall or rise at once: racks of one synchronous job move together (`docs/model.md`)."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from planner.lower.pieces import Coefficients, LimitName, Piece, checked_capacity, scaled_capacity
from planner.problem import SHARE_BITS
from sites.calendar import quarter_index
from sites.expansion.values import known
from sites.faults import Fault, InputError
from sites.supply import watts_at

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from planner.lower.hosts import Offer, SiteHosts
    from planner.lower.site import LoweredSite
    from sites.catalog.loader import Configuration
    from sites.schema.portfolio import PortfolioFile

SYNCHRONOUS = "training"
"""The kind of workload whose racks fall and rise together."""


def swing_steps(site: LoweredSite, portfolio: PortfolioFile) -> tuple[tuple[str, Fraction], ...] | None:
    """What the site's load may change by at once, from quarter on; None where nobody asks.

    Nobody asks where the service has no such rule, or where the racks do not move together.
    """
    steps: tuple[tuple[str, Fraction], ...] | None = site.service["swing_steps"]
    kinds = {portfolio.money.workload, *(workload.kind for workload in portfolio.workloads)}
    return steps if SYNCHRONOUS in kinds else None


def swing_w(configuration: Configuration) -> int | None:
    """How far one rack falls and rises at once, in W; None when what it smooths itself is not known.

    ceil(it_w · (1 − idle) · (1 − smoothing)): from all of its draw to idle, less what its own storage takes.
    """
    where = f"configuration '{configuration.name}'"
    smoothing = configuration.system.swing_smoothing.value
    if smoothing is None:
        return None
    it_w = ceil(known(configuration.profile.sustained_max, where, "sustained_max"))
    return ceil(it_w * (1 - known(configuration.profile.idle, where, "idle")) * (1 - smoothing))


def swing_limit(
    hosts: SiteHosts, offer: Offer, portfolio: PortfolioFile, occupants: Mapping[str, Configuration]
) -> list[Piece]:
    """The limit on the swing of a site from its service's first step on; none where nobody asks.

    Parameters: occupants, the configuration of every occupied row. Raises InputError when the swing of one of them is
    not known, InfeasibleError when what stands already exceeds the limit.
    """
    steps = swing_steps(hosts.site, portfolio)
    if steps is None:
        return []
    name = LimitName(hosts.site.name, "swing", hosts.site.service_id)
    n_periods = len(offer.periods)
    used = _occupied(hosts, occupants, n_periods)
    start = quarter_index(hosts.site.service["capacity_steps"][0][0]) - quarter_index(offer.periods[0])
    first = min(max(start, 0), n_periods)
    window = tuple(
        checked_capacity(name, "W", scaled_capacity(watts_at(steps, offer.periods[t])) - used[t], offer.periods[t])
        for t in range(first, n_periods)
    )
    needs: Coefficients = tuple((swing_w(one) or 0) << SHARE_BITS for one in offer.configurations)
    rows = frozenset(hosts.row_idx.values())
    return [Piece(name, "W", first, dict.fromkeys(sorted(rows), needs), window, rows)] if rows and window else []


def _occupied(hosts: SiteHosts, occupants: Mapping[str, Configuration], n_periods: int) -> list[int]:
    """Swing of the racks that stand already by period, scaled by 2^20."""
    used = [0] * n_periods
    for row, (_, n_racks) in hosts.site.occupied.items():
        own_w = swing_w(occupants[row])
        if own_w is None:
            message = (
                f"row '{row}' is occupied by {occupants[row].name}, whose 'swing_smoothing' the catalogue does not "
                "know; the site limits its swing, so enter a figure with its source, or the rule 'none' with a reason"
            )
            raise InputError([Fault(f"site {hosts.site.name}", None, "service.swing", message)])
        for t in range(hosts.site.first_period_of_row(row, n_periods), n_periods):
            used[t] += n_racks * own_w << SHARE_BITS
    return used
