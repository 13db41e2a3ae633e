"""What is decided beside the racks, put beside their problem (section 7a of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.committed import committed_cents
from planner.lower.contract_terms import add_contract_terms
from planner.lower.counted import Counting
from planner.lower.refresh_side import with_refreshes
from planner.lower.side_builder import SideBuilder
from planner.lower.work import add_work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from planner.lower.hosts import SiteHosts
    from planner.lower.money import Prices, SiteMoney
    from planner.lower.refresh import Refreshes
    from planner.problem import Problem
    from sites.catalog.loader import Catalog
    from sites.schema.portfolio import PortfolioFile


def with_side(
    problem: Problem,
    portfolio: PortfolioFile,
    catalog: Catalog,
    refreshes: Refreshes,
    hosts: Sequence[SiteHosts],
    monies: Sequence[SiteMoney],
    prices: Prices,
    counted_w: Sequence[Sequence[Fraction]],
) -> Problem:
    """The problem with its side program and with what every plan pays alike; unchanged where neither is asked for.

    Parameters: hosts, monies and counted_w (watts at the meter that clauses count for a rack of each configuration,
    empty where none does), by site in the order of the portfolio.
    """
    n_rows = [len(one.row_idx) for one in hosts]
    group_of_row_idx = np.repeat(np.arange(len(hosts), dtype=np.int32), n_rows)
    builder = SideBuilder(tuple(one.site.name for one in hosts), group_of_row_idx)
    offer = refreshes.offer
    constant_cents = add_work(builder, portfolio, catalog, offer, monies)
    constant_cents += committed_cents(portfolio, catalog, offer)
    counting = Counting(portfolio, offer, prices, builder.group_names, monies, counted_w)
    add_contract_terms(builder, counting, catalog, problem.limits)
    side = builder.build()
    return replace(
        problem, side=None if side is None else with_refreshes(side, refreshes), constant_cents=constant_cents
    )
