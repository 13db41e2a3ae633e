"""Whether the plan's racks keep every limit but the power limits, to the last unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.verify.power import Overload
from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.verify.joint import AllLimits
    from planner.verify.standing import Standing


def check_limits(
    standing: Mapping[str, Standing],
    everything: AllLimits,
    periods: Sequence[str],
    raised: Mapping[tuple[str, str], int],
) -> Check:
    """Every limit of cooling, fabric, places, dates, meter and money, in every period.

    Parameters: standing, racks by site; raised, what decisions beside the racks add to capacities, by limit and
    quarter, scaled by 2^20.
    """
    faults: list[str] = []
    n_limits = 0
    loads = {f"{site}:{row}": (one, row) for site, one in standing.items() for row in one.planned}
    names = [*everything.site_names(None), *everything.joint_names()]
    for t, quarter in enumerate(periods):
        for name in [*names, *everything.site_names(quarter)]:
            terms = everything.terms(name, quarter)
            if terms is None:
                continue
            n_limits += 1
            load = 0
            for row in loads.keys() & terms.rows.keys():
                own_site, own = loads[row]
                load += own_site.load({own: terms.rows[row]}, t)
            capacity = terms.capacity + raised.get((name, quarter), 0)
            if load > capacity:
                faults.append(str(Overload(name, quarter, load, capacity)))
    return check_of("limits", faults, f"{n_limits} limits of cooling, fabric, floor, meter, dates and money hold")
