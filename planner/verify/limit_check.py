"""Whether the plan's racks keep every limit but the power limits, to the last unit."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from planner.verify.power import Overload
from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.verify.joint import AllLimits
    from planner.verify.standing import Standing

    Rows = Mapping[str, Mapping[str, int]]


def check_limits(
    loads: Loads,
    everything: AllLimits,
    periods: Sequence[str],
    raised: Mapping[tuple[str, str], int],
) -> Check:
    """Every limit of cooling, fabric, places, dates, meter and money, in every period.

    Parameters: loads of the plan's racks; raised, what decisions beside the racks add to capacities, by limit and
    quarter, scaled by 2^20.
    """
    faults: list[str] = []
    n_limits = 0
    names = [*everything.site_names(None), *everything.joint_names()]
    for quarter in periods:
        for name in [*names, *everything.site_names(quarter)]:
            terms = everything.terms(name, quarter)
            if terms is None:
                continue
            n_limits += 1
            load = loads.of(terms.rows, quarter)
            capacity = terms.capacity + raised.get((name, quarter), 0)
            if load > capacity:
                faults.append(str(Overload(name, quarter, load, capacity)))
    return check_of("limits", faults, f"{n_limits} limits of cooling, fabric, floor, meter, dates and money hold")


class Loads:
    """What the plan's racks put on limits, over all periods at once: many limits ask for the same rows again."""

    def __init__(self, standing: Mapping[str, Standing], periods: Sequence[str]) -> None:
        self._draws = {
            f"{site}:{row}": one.planned_columns(row) for site, one in standing.items() for row in one.planned
        }
        self._place = {quarter: t for t, quarter in enumerate(periods)}
        self._known: dict[int, tuple[Rows, list[int]]] = {}

    def of(self, rows: Rows, quarter: str) -> int:
        """The load in a period, scaled by 2^20; raises KeyError where a quarter is none.

        Parameters: rows of a limit as `site:row`. What is known of them holds them, as it is known by their identity.
        """
        if id(rows) not in self._known:
            self._known[id(rows)] = rows, self._sum(rows)
        return self._known[id(rows)][1][self._place[quarter]]

    def _sum(self, rows: Rows) -> list[int]:
        alike: dict[int, list[tuple[int, ...]]] = defaultdict(list)
        for row in self._draws.keys() & rows.keys():
            draws = self._draws[row]
            for kind, share in rows[row].items():
                if kind in draws:
                    alike[share].append(draws[kind])
        total = [0] * len(self._place)
        for share, drawn in alike.items():
            sums = map(sum, zip(*drawn, strict=True))
            total = [load + share * watts for load, watts in zip(total, sums, strict=True)]
        return total
