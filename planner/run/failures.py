"""What each failure drops, how full it leaves the survivors, and what racks give up to let them hold.

A failure is the loss of one power element, of one common-mode group, or of one unit of a cooling bank or leaf group;
where a class asks for it, also of any of the first two while an element is out for work.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

from planner.run.banks import SiteBanks
from planner.run.events import Event, pairs, single_events
from planner.run.flow import Flow, SiteFlow
from sites.schema.failures import MAINTENANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from planner.run.flow import RowDraw
    from sites.expansion.graphs import SiteGraphs

_NOISE = 1e-9
"""Relative error that floating point may leave; smaller differences are none."""
_NOISE_W = 1e-3
"""Watts that floating point may add to a load of gigawatts; a load is rounded up to the watt without them."""
HOLDS, DROPS, FORBIDDEN_DROP, OVERLOAD = "holds", "drops", "forbidden-drop", "overload"
_NOTHING = Flow({}, (), frozenset())


@dataclass(frozen=True)
class Failure:
    """The outcome of one failure; the worst survivor is the fullest of those whose load it raises."""

    site: str
    element: str
    """What fails: an element or a bank's unit by its id, a common-mode group by its name, two as `m+f`."""
    kind: str
    dropped_rows: int
    dropped_racks: int
    dropped_gpus: int
    dropped_it_w: int
    shed_w: int
    capped_w: int
    worst_element: str | None
    worst_load_w: int
    worst_rating_w: int
    worst_load: float
    verdict: str


@dataclass(frozen=True)
class PlanRow:
    """What the plan's racks in a row amount to."""

    n_racks: int
    n_gpus: int
    it_w: int


def site_failures(
    site: str, graphs: SiteGraphs, period: str, draws: Mapping[str, RowDraw], plan_rows: Mapping[str, PlanRow]
) -> Iterator[Failure]:
    """Every failure of a site in a period: elements by id, groups, units of banks, then failures during maintenance.

    Parameters: site, its name; graphs; period; draws of rows by row id with occupied racks (W); plan_rows, the plan's
    racks in every row that holds some.
    """
    outcomes = _Outcomes(site, graphs, period, draws, plan_rows)
    dropped: dict[str, frozenset[str]] = {}
    dead: dict[str, frozenset[str]] = {}
    singles: list[Event] = []
    for event in single_events(graphs, outcomes.flow, outcomes.banks):
        after = outcomes.after(event)
        rows = outcomes.dropped(event, after)
        yield outcomes.failure(event, after, rows, outcomes.may_not_drop(event, rows))
        if event.lost:
            dropped[event.name], dead[event.name] = rows, after.dead
            singles.append(event)
    for first, second in pairs(graphs, outcomes.flow, singles, dead):
        event = Event(f"{first.name}+{second.name}", MAINTENANCE, tuple(dict.fromkeys((*first.lost, *second.lost))))
        after = outcomes.after(event)
        rows = outcomes.dropped(event, after)
        new = rows - dropped[first.name] - dropped[second.name]
        yield outcomes.failure(event, after, rows, outcomes.may_not_drop_together(new))


class _Outcomes:
    """Works out what failures of one site do in one period."""

    def __init__(
        self,
        site: str,
        graphs: SiteGraphs,
        period: str,
        draws: Mapping[str, RowDraw],
        plan_rows: Mapping[str, PlanRow],
    ) -> None:
        """Prepare normal operation, and operation once all flexible rows have acted."""
        self._site, self._graphs, self._plan_rows = site, graphs, plan_rows
        self.flow = SiteFlow(graphs, period, draws)
        self.banks = SiteBanks(graphs, period, self.flow, draws)
        acted = {row: float(share) for row in draws if (share := self._row(row)["flex_share"]) < 1}
        self._acted = SiteFlow(graphs, period, draws, acted) if acted else self.flow

    def _row(self, row: str) -> dict[str, Any]:
        fields: dict[str, Any] = self._graphs.containment.nodes[row]
        return fields

    def after(self, event: Event) -> Flow:
        """Power flow once the flexible rows have acted; a unit of a bank leaves it as it is."""
        return self._acted.after(*event.lost) if event.lost else _NOTHING

    def dropped(self, event: Event, after: Flow) -> frozenset[str]:
        """Rows of the plan without power, cooling or network."""
        rows = {*after.dropped_rows, *self.banks.rows_dropped(after.dead, event.bank)}
        return frozenset(row for row in rows if row in self._plan_rows)

    def may_not_drop(self, event: Event, dropped: Iterable[str]) -> bool:
        """Whether a single failure drops a row that was promised to hold: it may be out for work as well."""
        promised = (self._row(row) for row in dropped)
        return any(event.kind not in row["may_drop_on"] or event.kind in row["maintenance"] for row in promised)

    def may_not_drop_together(self, dropped: Iterable[str]) -> bool:
        """Whether rows that a failure during maintenance drops, and neither of the two alone, were promised to hold."""
        promised = (self._row(row) for row in dropped)
        return any(row["maintenance"] and not row["may_drop_in_maintenance"] for row in promised)

    def failure(self, event: Event, after: Flow, dropped: Iterable[str], forbidden: bool) -> Failure:
        """The line of one failure.

        Parameters: event; after, its power flow; dropped, rows of the plan; forbidden, whether one of them was
        promised to hold.
        """
        rows = [self._plan_rows[row] for row in dropped]
        worst, load, rating = self._worst_survivor(event, after)
        shed_w, capped_w = self._given_up(event)
        overload = load > rating * (1 + _NOISE)
        verdict = OVERLOAD if overload else FORBIDDEN_DROP if forbidden else DROPS if rows else HOLDS
        return Failure(
            site=self._site,
            element=event.name,
            kind=event.kind,
            dropped_rows=len(rows),
            dropped_racks=sum(row.n_racks for row in rows),
            dropped_gpus=sum(row.n_gpus for row in rows),
            dropped_it_w=sum(row.it_w for row in rows),
            shed_w=shed_w,
            capped_w=capped_w,
            worst_element=worst,
            worst_load_w=ceil(load - _NOISE_W),
            worst_rating_w=rating,
            worst_load=round(load / rating, 9) if rating else 0.0,
            verdict=verdict,
        )

    def _worst_survivor(self, event: Event, after: Flow) -> tuple[str | None, float, int]:
        """The survivor with the highest load over capacity among those whose load rises; ties to the first by id."""
        loads = {bank.name: (bank.load_w, bank.capacity_w) for bank in self.banks.survivors(after.dead, event.bank)}
        for node, load_w in after.output_w.items():
            emergency_w = self._graphs.power.nodes[node].get("emergency_w")
            if emergency_w is not None and load_w > self.flow.normal_output_w(node) + _NOISE_W:
                loads[node] = load_w, int(emergency_w)
        worst: tuple[str | None, float, int] = (None, 0.0, 0)
        highest = -1.0
        for name in sorted(loads):
            load_w, capacity_w = loads[name]
            ratio = load_w / capacity_w if capacity_w else 2.0
            if ratio > highest * (1 + _NOISE):
                worst, highest = (name, load_w, capacity_w), ratio
        return worst

    def _given_up(self, event: Event) -> tuple[int, int]:
        """Watts that the plan's flexible rows shed and cap where a survivor is over its rating before they act."""
        if self._acted is self.flow or not event.lost:
            return 0, 0
        before = self.flow.after(*event.lost)
        nodes = self._graphs.power.nodes
        overloaded = [
            node
            for node, load_w in before.output_w.items()
            if "rating_w" in nodes[node] and load_w > float(nodes[node]["rating_w"]) + _NOISE_W
        ]
        rows = {row for node in overloaded for row in self.flow.rows_on(node, before.dead) if row in self._plan_rows}
        shed_w = capped_w = Fraction(0)
        for row in rows:
            flex = self._row(row)["flex"]
            if flex is not None:
                shed_w += flex.sheddable * self._plan_rows[row].it_w
                capped_w += flex.cappable * (1 - flex.cap_to) * self._plan_rows[row].it_w
        return ceil(shed_w), ceil(capped_w)
