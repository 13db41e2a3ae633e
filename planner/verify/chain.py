"""The plan in floating point with what the linear limits only bound: losses and machinery at their actual load.

Nothing here decides whether a limit holds; it shows that the physics stays inside the linear model, and by how much.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from planner.verify.conservatism import Gaps
from planner.verify.failures import HEAT_FAMILIES
from planner.verify.flow import WATT_BITS, Flow, TrueLosses
from planner.verify.machinery import machines_of
from planner.verify.network import SERVICE
from planner.verify.power import After, Normal
from planner.verify.report import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.cooling_limits import HeatShares
    from planner.verify.facility import Bank
    from planner.verify.machinery import Machine
    from planner.verify.network import Network
    from planner.verify.plant_hour import DesignHour
    from planner.verify.situations import Draws, LoadDraws
    from planner.verify.standing import Standing

_WATT = 1 << WATT_BITS
_TOLERANCE = 1e-9
METER = "meter"
_BANKS = {"liquid": "liquid-header", "air": "air-header", "dry": "coolers", "chiller": "chillers"}
"""Levels of cooling banks by the family of their limit."""


@dataclass
class Chain:
    """What the nonlinear chain of one site shows."""

    site: str
    standing: Standing
    hours: Mapping[str, DesignHour]
    """Design hour of every plant by node."""
    gaps: Gaps = field(init=False)
    machines: dict[int, Machine] = field(init=False)
    fullest: float = 0.0
    """Highest true load over what is permitted, of any element, in any period, after any failure."""
    fullest_name: str = ""
    n_evaluated: int = 0
    meter_excess_w: float = 0.0
    """Most by which the linear meter lies above the true one."""
    faults: list[str] = field(default_factory=list)
    _normal: tuple[Draws, Flow[float]] | None = None
    """Draws and true flow of the epoch at hand without failure, Flex rows having acted."""
    _planned: tuple[int, Flow[float]] | None = None
    """True flow during the planned outage of an element."""
    _sound: dict[tuple[int, int, int], tuple[tuple[int, ...], tuple[float, ...]]] = field(default_factory=dict)
    """Pairs of linear and true outputs without fault of elements after failures of the epoch at hand, by identity."""

    def __post_init__(self) -> None:
        """Read what the machinery is made of."""
        limits = self.standing.limits
        self.gaps = Gaps(self.site)
        self.machines = machines_of(limits.graphs, limits.states, self.hours)

    def look(self, state: Normal | After) -> None:
        """Compare one state with its linear flow."""
        if isinstance(state, Normal):
            flow = self._flow(state.draws, {})
            acting = state.draws.acted(self.standing.limits.walker.flex)
            self._normal = acting, flow if acting is state.draws else self._flow(acting, {})
            self._planned = None
            self._sound = {}
            network = state.draws.states.network
            for node, linear in state.flow.output.items():
                rating_w = network.rating_w[node]
                if rating_w is not None:
                    self._compare(state.draws, node, linear, flow.output[node], rating_w, "normal operation")
            self._meter(state, flow)
            self._banks(state.draws, flow)
        else:
            self._after(state)

    def _after(self, state: After) -> None:
        draws = state.draws.acted(self.standing.limits.walker.flex)
        states, failed = draws.states, state.outage.failed
        base = self._base(draws)
        after = base.after(state.outage, self._changed(draws, failed, state.silenced))
        when = f"the failure of {states.contingencies.name(failed)}"
        for node, linear in state.acted.items():
            true = after.get(node)
            if true is None:
                continue
            key = (node, id(linear), id(true))
            if key in self._sound:
                self.n_evaluated += len(draws.periods)
            elif self._compare(draws, node, linear, true, states.network.emergency_w[node], when):
                self._sound[key] = linear, true

    def _changed(self, draws: Draws, failed: int, silenced: Mapping[int, LoadDraws]) -> dict[int, tuple[float, ...]]:
        """True draws of loads that a failure changes: of those that rows drove, and of machinery that lost units."""
        states = draws.states
        lost = states.consequences(draws.epoch, failed).lost
        changed = {node: self._true(node, watts, lost) for node, watts in silenced.items()}
        for node, machine in self.machines.items() if lost else ():
            alive = not states.state(draws.epoch, failed).is_dead(node)
            if node not in changed and alive and not machine.banks.isdisjoint(lost):
                changed[node] = self._true(node, draws.draw_w(node), lost)
        return changed

    def _base(self, draws: Draws) -> Flow[float]:
        """The true flow of the state in which a failure happens, Flex rows having acted."""
        if self._normal is None:
            msg = "a failure is looked at before normal operation"
            raise ValueError(msg)
        acting, normal = self._normal
        if draws.out is None:
            return normal
        if self._planned is None or self._planned[0] != draws.out:
            outage = draws.states.outage(draws.epoch, draws.out)
            changed = self._changed(acting, draws.out, acting.silenced(outage))
            self._planned = draws.out, normal.while_out(outage, changed)
        return self._planned[1]

    def _flow(self, draws: Draws, lost: Mapping[str, int]) -> Flow[float]:
        network = draws.states.network
        loads = {node: self._true(node, draws.draw_w(node), lost) for node in draws.loads()}
        return Flow(network, draws.wiring, loads, TrueLosses(network), draws.n_columns)

    def _true(self, node: int, charged: LoadDraws, lost: Mapping[str, int]) -> tuple[float, ...]:
        """What a load draws where the limits charge some."""
        machine, charged_w = self.machines.get(node), charged.floats()
        return charged_w if machine is None else tuple([machine.draw_w(watts, lost) for watts in charged_w])

    def _compare(
        self,
        draws: Draws,
        node: int,
        linear: tuple[int, ...],
        true: tuple[float, ...],
        permitted_w: int,
        when: str,
    ) -> bool:
        """Whether an element in one state keeps within what is permitted, and not above the linear flow."""
        network, n_faults = draws.states.network, len(self.faults) + len(self.gaps.faults)
        self.n_evaluated += len(draws.periods)
        for t, linear_units, true_w in zip(draws.periods, linear, true, strict=False):
            self._one(network, node, t, linear_units / _WATT, true_w, permitted_w, when)
        return len(self.faults) + len(self.gaps.faults) == n_faults

    def _one(
        self, network: Network, node: int, t: int, linear_w: float, true_w: float, permitted_w: int, when: str
    ) -> None:
        share = true_w / permitted_w if permitted_w else float(true_w > 0) * 2
        if share > self.fullest:
            self.fullest, self.fullest_name = share, f"{network.names[node]} in {when}"
        if true_w > permitted_w * (1 + _TOLERANCE) + _TOLERANCE:
            self.faults.append(f"{self.site}:{network.names[node]} carries {true_w:.0f} W of {permitted_w} in {when}")
        self.gaps.note(network.kinds[node], network.names[node], t, linear_w, true_w, permitted_w, when)

    def _meter(self, state: Normal, flow: Flow[float]) -> None:
        """Power at the service against its step."""
        network = state.draws.states.network
        service = network.index[SERVICE]
        if service in state.draws.wiring.dead:
            return
        for at, t in enumerate(state.draws.periods):
            linear_w, true_w = state.flow.output[service][at] / _WATT, flow.output[service][at]
            step_w = self.standing.limits.service_w(self.standing.periods[t])
            self.meter_excess_w = max(self.meter_excess_w, linear_w - true_w)
            self.gaps.note(METER, SERVICE, t, linear_w, true_w, step_w, "normal operation")

    def _banks(self, draws: Draws, flow: Flow[float]) -> None:
        """Heat of every bank with spares out: by the limits, and with handlers' fans as they draw."""
        for bank in draws.states.facility.banks.values():
            [family] = HEAT_FAMILIES.intersection(bank.families)
            n_working = len(bank.standing(draws.epoch)) - bank.spares
            if bank.in_service > draws.epoch or n_working < 1:
                continue
            unit_w = self.standing.limits.banks.unit_capacity(
                family, bank.place, self.standing.periods[draws.periods[0]]
            )
            shares = self.standing.limits.banks.heat_shares(family, bank.place)
            idle_w = self._idle_fans_w(bank, family, draws, flow)
            heat_w = _heat_w(shares, draws)
            for at, t in enumerate(draws.periods):
                true_w = heat_w[at] - idle_w[at]
                self.gaps.note(_BANKS[family], bank.name, t, heat_w[at], true_w, unit_w * n_working, "normal operation")

    def _idle_fans_w(self, bank: Bank, family: str, draws: Draws, flow: Flow[float]) -> list[float]:
        """Heat of handlers' fans that the limits charge to a bank of a plant and that does not arise at part load."""
        limits, idle_w = self.standing.limits, [0.0] * len(draws.periods)
        if family not in {"dry", "chiller"}:
            return idle_w
        fraction = float(limits.graphs.cooling.nodes[bank.place][f"{family}_fraction"])
        for header in {header for header, _, medium in limits.banks.on_plant[bank.place] if medium == "air"}:
            node = self._fans[header]
            if node in flow.output:
                pairs = zip(draws.draw_w(node).floats(), flow.output[node], strict=True)
                idle_w = [
                    sum_w + fraction * (charged_w - true_w)
                    for sum_w, (charged_w, true_w) in zip(idle_w, pairs, strict=False)
                ]
        return idle_w

    @cached_property
    def _fans(self) -> dict[str, int]:
        """The mechanical load of every header."""
        limits = self.standing.limits
        return {limits.graphs.power.nodes[limits.network.names[node]]["loop"]: node for node in self.machines}


def _heat_w(shares: HeatShares, draws: Draws) -> list[float]:
    """What rows put on a bank in each period, and without the plan: exact sums, each to its nearest float."""
    alike: dict[tuple[int, int], list[tuple[int, ...]]] = defaultdict(list)
    for row in shares.keys() & draws.rows.keys():
        for kind, share in shares[row].items():
            alike[share.numerator, share.denominator].append(draws.rows[row][kind])
    total = [Fraction(0)] * draws.n_columns
    for ratio, drawn in alike.items():
        sums = map(sum, zip(*drawn, strict=True))
        total = [heat + Fraction(*ratio) * watts for heat, watts in zip(total, sums, strict=True)]
    return [float(heat) for heat in total]


def check_chain(chains: list[Chain]) -> Check:
    """No element exceeds what it may carry with losses and machinery at actual load; nothing linear lies below that."""
    faults = [fault for chain in chains for fault in (*chain.faults, *chain.gaps.faults)]
    fullest = max(chains, key=lambda chain: chain.fullest)
    n_evaluated = sum(chain.n_evaluated for chain in chains)
    excess_w = max(chain.meter_excess_w for chain in chains)
    held = (
        f"{n_evaluated} loads with losses and machinery at actual load: fullest {fullest.fullest:.2%}, {fullest.site}:"
        f"{fullest.fullest_name}; the linear meter is conservative by up to {excess_w:.0f} W"
    )
    return check_of("nonlinear chain", faults, held)
