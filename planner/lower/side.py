"""What is decided beside the racks, put beside their problem (section 7a of `docs/model.md`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.committed import committed_cents
from planner.lower.contract_terms import add_contract_terms
from planner.lower.refresh_side import with_refreshes
from planner.lower.side_builder import SideBuilder
from planner.lower.work import add_work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.lower.counted import Counting
    from planner.lower.hosts import SiteHosts
    from planner.lower.refresh import Refreshes
    from planner.problem import Problem
    from sites.catalog.loader import Catalog


def with_side(
    problem: Problem, catalog: Catalog, hosts: Sequence[SiteHosts], counting: Counting, refreshes: Refreshes
) -> Problem:
    """The problem with its side program and with what every plan pays alike; unchanged where neither is asked for.

    Parameters: hosts, by site in the order of the portfolio; counting, of the same sites.
    """
    portfolio, offer = counting.portfolio, counting.offer
    n_rows = [len(one.row_idx) for one in hosts]
    group_of_row_idx = np.repeat(np.arange(len(hosts), dtype=np.int32), n_rows)
    builder = SideBuilder(counting.site_names, group_of_row_idx)
    constant_cents = add_work(builder, portfolio, catalog, offer, counting.monies)
    constant_cents += committed_cents(portfolio, catalog, offer)
    add_contract_terms(builder, counting, catalog, problem.limits)
    side = builder.build()
    return replace(
        problem, side=None if side is None else with_refreshes(side, refreshes), constant_cents=constant_cents
    )
