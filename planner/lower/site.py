"""One site prepared for lowering: graphs, couplings, epochs and the flow of each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from planner.lower.constants import ConstantFlow
from planner.lower.couplings import RowCouplings, couple
from planner.lower.draws import Draw, draw_of
from planner.lower.existence import Epoch, epochs
from planner.lower.flow import EpochFlow, PowerFlow, Supply
from sites.expansion import expand
from sites.schema.site import COMMON_MODE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from sites.catalog.loader import Catalog
    from sites.expansion import SiteGraphs
    from sites.world import WorldSite


@dataclass(frozen=True)
class EpochState:
    """An epoch with its flows; contingencies are worked out once and kept."""

    epoch: Epoch
    flow: EpochFlow
    constants: ConstantFlow
    common_mode: dict[str, frozenset[str]]
    """Elements of each common-mode group that exist, by the group's name; groups without any are left out."""

    @cached_property
    def contingencies(self) -> dict[str, dict[str, Supply | None]]:
        """What each failure changes: that of each single element, and that of each common-mode group."""
        alone = {element: self.flow.after(frozenset({element})) for element in self.flow.elements}
        return alone | {name: self.flow.after(members) for name, members in self.common_mode.items()}

    def kind_of(self, failed: str) -> str:
        """Kind of a failed element, or `common-mode` for a group."""
        return COMMON_MODE if failed in self.common_mode else str(self.flow.flow.kind[failed])

    def order_of(self, failed: str) -> int:
        """Place of a failure: elements from the top down, groups before them all."""
        return -1 if failed in self.common_mode else self.flow.flow.position[failed]

    @cached_property
    def dropped_by(self) -> dict[str, tuple[str, ...]]:
        """Failures, by element or group, that leave a row without supply, by row."""
        result: dict[str, list[str]] = {}
        for element, changed in self.contingencies.items():
            for node, supply in changed.items():
                if supply is None and self.flow.flow.kind[node] == "row":
                    result.setdefault(node, []).append(element)
        return {row: tuple(elements) for row, elements in result.items()}


@dataclass(frozen=True)
class LoweredSite:
    """One site of the portfolio with everything that its limits are made from."""

    name: str
    buildings: frozenset[str] | None
    """Buildings that are ours to fill; None: every building marked available."""
    energy_price_usd_per_mwh: Fraction
    graphs: SiteGraphs
    couplings: dict[str, RowCouplings]
    states: tuple[EpochState, ...]
    rows: dict[str, dict[str, Any]]
    """Fields of every row by id."""
    occupied: dict[str, tuple[Draw, int]]
    """Draw of one rack and racks of each row that someone's racks stand in already."""

    def state_at(self, period: int) -> EpochState:
        """The epoch of a decision period."""
        return next(state for state in self.states if state.epoch.first_period <= period < state.epoch.end_period)

    def first_period_of_row(self, row: str, n_periods: int) -> int:
        """First decision period in which a row exists; `n_periods` when it never does."""
        return next((s.epoch.first_period for s in self.states if row in s.epoch.power), n_periods)


def prepare(world_site: WorldSite, catalog: Catalog, periods: Sequence[str]) -> LoweredSite:
    """Expand a site and walk its graphs for every epoch of the plan.

    Parameters: world_site; catalog; periods, decision quarters.
    """
    graphs = expand(world_site.site, catalog)
    couplings = couple(graphs)
    flow = PowerFlow(graphs.power)
    states = []
    for epoch in epochs(graphs, couplings, periods):
        epoch_flow = EpochFlow(flow, epoch.power)
        existing = {name: frozenset(members) & epoch.power for name, members in graphs.common_mode.items()}
        groups = {name: members for name, members in existing.items() if members}
        states.append(EpochState(epoch, epoch_flow, ConstantFlow(graphs.power, epoch_flow), groups))
    rows = {row: fields for row, fields in graphs.containment.nodes(data=True) if fields["kind"] == "row"}
    buildings = world_site.entry.buildings
    return LoweredSite(
        name=world_site.name,
        buildings=None if buildings is None else frozenset(buildings),
        energy_price_usd_per_mwh=world_site.site.energy_price,
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
