"""One site prepared for lowering: graphs, couplings, epochs and the flow of each epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from planner.lower.consequences import Consequence, EpochFacility
from planner.lower.constants import ConstantFlow
from planner.lower.couplings import RowCouplings, couple
from planner.lower.draws import Draw, draw_of
from planner.lower.existence import Epoch, epochs
from planner.lower.facility import facility_of
from planner.lower.flow import Changed, EpochFlow, PowerFlow
from planner.lower.maintenance import Maintenance, Met, maintained_elements
from sites.expansion import expand
from sites.schema.failures import COMMON_MODE, MAINTENANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.catalog.loader import Catalog
    from sites.expansion import SiteGraphs
    from sites.expansion.graphs import Graph
    from sites.world import WorldSite


@dataclass(frozen=True)
class EpochState:
    """An epoch with its flows; contingencies are worked out once and kept."""

    epoch: Epoch
    flow: EpochFlow
    constants: ConstantFlow
    common_mode: dict[str, frozenset[str]]
    """Elements of each common-mode group that exist, by the group's name; groups without any are left out."""
    facility: EpochFacility
    maintained: frozenset[str]
    """Elements of the site that are taken out for work while rows run."""

    def at(self, epoch: Epoch, graph: Graph) -> EpochState:
        """The same site in another epoch, without its common-mode groups, for what holds in normal operation.

        Parameters: graph, the power graph as expanded.
        """
        flow = EpochFlow(self.flow.flow, epoch.power)
        return replace(self, epoch=epoch, flow=flow, constants=ConstantFlow(graph, flow), common_mode={})

    @cached_property
    def contingencies(self) -> dict[str, Changed]:
        """What each failure changes: that of each single element, and that of each common-mode group."""
        alone = {element: self.flow.after(frozenset({element})) for element in self.flow.elements}
        return alone | {name: self.flow.after(members) for name, members in self.common_mode.items()}

    @cached_property
    def maintenance(self) -> Maintenance:
        """Planned outages of what exists, and what may fail meanwhile."""
        return Maintenance(self.flow, self.maintained & self.epoch.power, self.common_mode, self.contingencies)

    @cached_property
    def pairs(self) -> dict[str, Met]:
        """Every planned outage and failure that touch something in common, by name; other pairs add up."""
        return {met.pair.name: met for met in self.maintenance.met()} if self.maintained else {}

    @cached_property
    def unit_failures(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Kind of the failure of one unit of each bank and of one leaf of each block, and the rows that it drops."""
        return self.facility.unit_failures()

    def kind_of(self, failed: str) -> str:
        """Kind of a failed element or unit, `common-mode` for a group, `maintenance` for a pair."""
        if failed in self.unit_failures:
            return self.unit_failures[failed][0]
        if failed in self.pairs:
            return MAINTENANCE
        return COMMON_MODE if failed in self.common_mode else str(self.flow.flow.kind[failed])

    def order_of(self, failed: str) -> int:
        """Place of a failure: elements from the top down, groups before them all, and pairs before these."""
        return -1 if failed in self.common_mode else self.flow.flow.position.get(failed, -2)

    @cached_property
    def consequences(self) -> dict[str, Consequence]:
        """What each failure of power elements takes with it; pairs that take nothing more are left out."""
        found = {failed: self.facility.consequence(changed) for failed, changed in self.contingencies.items()}
        more = {
            name: self.facility.consequence(met.more, found[met.base])
            for name, met in self.pairs.items()
            if self.facility.concerns(met.more)
        }
        return found | more

    @cached_property
    def dropped_by(self) -> dict[str, dict[str, str]]:
        """By row, the failures that stop it, and what each does to it: no supply, no cooling or no network."""
        result: dict[str, dict[str, str]] = {}
        dropped = {failed: one.dropped for failed, one in self.consequences.items()}
        dropped |= {failed: rows for failed, (_, rows) in self.unit_failures.items()}
        for failed, rows in dropped.items():
            for row, what in rows.items():
                result.setdefault(row, {})[failed] = what
        return result


@dataclass(frozen=True)
class LoweredSite:
    """One site of the portfolio with everything that its limits are made from."""

    name: str
    buildings: frozenset[str] | None
    """Buildings that are ours to fill; None: every building marked available."""
    graphs: SiteGraphs
    couplings: dict[str, RowCouplings]
    states: tuple[EpochState, ...]
    rows: dict[str, dict[str, Any]]
    """Fields of every row by id."""
    occupied: dict[str, tuple[Draw, int]]
    """Draw of one rack and racks of each row that someone's racks stand in already."""

    @property
    def service_id(self) -> str:
        """Id of the node of the service."""
        return next(node for node, fields in self.graphs.power.nodes(data=True) if fields["kind"] == "service")

    @property
    def service(self) -> dict[str, Any]:
        """Fields of the service: what the site may draw over time, of what kinds, and on what terms."""
        fields: dict[str, Any] = self.graphs.power.nodes[self.service_id]
        return fields

    def state_at(self, period: int) -> EpochState:
        """The epoch of a decision period."""
        return next(state for state in self.states if state.epoch.first_period <= period < state.epoch.end_period)

    def forget(self) -> None:
        """Let go of what has been worked out of failures; it is worked out again when it is asked for."""
        for state in self.states:
            for name in ("contingencies", "maintenance", "pairs", "unit_failures", "consequences", "dropped_by"):
                state.__dict__.pop(name, None)

    def first_period_of_row(self, row: str, n_periods: int) -> int:
        """First decision period in which a row exists; `n_periods` when it never does."""
        return next((s.epoch.first_period for s in self.states if row in s.epoch.power), n_periods)


def prepare(
    world_site: WorldSite, catalog: Catalog, periods: Sequence[str], graphs: SiteGraphs | None = None
) -> LoweredSite:
    """Expand a site and walk its graphs for every epoch of the plan.

    Parameters: world_site; catalog; periods, decision quarters; graphs of the site, where it has been expanded already.
    """
    graphs = graphs or expand(world_site.site, catalog)
    couplings = couple(graphs)
    facility = facility_of(graphs, couplings)
    maintained = maintained_elements(graphs, facility.needed_by)
    flow = PowerFlow(graphs.power)
    states = []
    for epoch in epochs(graphs, couplings, periods):
        epoch_flow = EpochFlow(flow, epoch.power)
        existing = {name: frozenset(members) & epoch.power for name, members in graphs.common_mode.items()}
        states.append(
            EpochState(
                epoch=epoch,
                flow=epoch_flow,
                constants=ConstantFlow(graphs.power, epoch_flow),
                common_mode={name: members for name, members in existing.items() if members},
                facility=EpochFacility(facility, epoch, epoch_flow),
                maintained=maintained,
            )
        )
    rows = {row: fields for row, fields in graphs.containment.nodes(data=True) if fields["kind"] == "row"}
    buildings = world_site.entry.buildings
    return LoweredSite(
        name=world_site.name,
        buildings=None if buildings is None else frozenset(buildings),
        graphs=graphs,
        couplings=couplings,
        states=tuple(states),
        rows=rows,
        occupied={
            row: (draw_of(catalog.configuration(fields["occupied_configuration"])), int(fields["occupied_racks"]))
            for row, fields in rows.items()
            if fields["occupied_racks"]
        },
    )
