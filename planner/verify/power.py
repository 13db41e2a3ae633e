"""Power limits of a site: every element in normal operation and after every failure, in every period.

Flows rounded up in integers clear most limits at once. Only those that come within their rounding of the rating are
summed by the published rule, share by share; what that finds decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.verify.draws import ELECTRICAL
from planner.verify.flow import WATT_BITS, Flow, RoundedUp
from planner.verify.joint import limit_name
from planner.verify.limits import BEFORE
from planner.verify.situations import Draws, LoadDraws, situations_of
from planner.verify.sums import Sums
from planner.verify.terms import ONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from planner.verify.network import Outage
    from planner.verify.standing import Standing

_STEPS = 2 ** (WATT_BITS - 20)
"""Rounded-flow units in one unit of 2^-20 W."""
Outputs = dict[int, tuple[int, ...]]
"""Outputs of elements over the periods of an epoch and without the plan, 2^-32 W."""
Load = tuple[int, bool]
"""A failure, and whether Flex rows have yet to act."""


@dataclass(frozen=True)
class After:
    """What one failure of power elements leaves."""

    draws: Draws
    """Draws of the state in which it happens."""
    normal: Flow[int]
    """Flow of normal operation."""
    outage: Outage
    silenced: dict[int, LoadDraws]
    """New draws of loads that some row drove which it cuts off, Flex rows having acted."""
    before: Outputs
    """Elements that it touches, before Flex rows act."""
    acted: Outputs
    """The same once they have."""
    out_before: Outputs
    """What a planned outage, in which it happens, touches, before Flex rows act; empty for a failure alone."""
    out_acted: Outputs
    """The same once they have."""


@dataclass(frozen=True)
class Normal:
    """Normal operation of an epoch."""

    draws: Draws
    flow: Flow[int]


@dataclass(frozen=True)
class Overload:
    """A limit that the plan breaks."""

    name: str
    period: str
    load_scaled: int
    capacity_scaled: int

    def __str__(self) -> str:
        """The limit, the period and by how much, in W."""
        over_w = Fraction(self.load_scaled - self.capacity_scaled, ONE)
        return f"{self.name} in {self.period} is over by {float(over_w):.6g}"


@dataclass
class PowerCheck:
    """The power limits of one site."""

    site: str
    standing: Standing
    n_limits: int = 0
    """Limits looked at, one for each element, failure and period."""
    n_exact: int = 0
    """Those that needed the published rule share by share."""
    overloads: list[Overload] = field(default_factory=list)
    reserved: dict[tuple[int, int], dict[Load | None, int]] = field(default_factory=dict)
    """By epoch and element, for the failures that touch it, what it carries without the plan, in 2^-32 W, rounded up;
    None without failure."""
    sums: dict[tuple[int, bool], Sums] = field(default_factory=dict)
    """By epoch, and whether Flex rows have yet to act, pairs of which each failure does only what it does alone."""
    _without: dict[tuple[int, int], dict[Load | None, int]] = field(default_factory=dict)
    rounding: dict[int, int] = field(default_factory=dict)
    """By epoch, what rounding here and in the published rule may make of them at the most, in 2^-32 W."""

    def states(self) -> Iterator[Normal | After]:
        """Check every limit, and show every state on the way: normal operation of each epoch, then its failures."""
        for normal, planned in situations_of(self.standing):
            check = _EpochCheck(self, normal)
            flow = _flow(normal)
            network = normal.states.network
            for element in network.elements:
                if element not in normal.wiring.dead:
                    check.limit(element, None, flow.output[element], network.rating_w[element] or 0)
            yield Normal(normal, flow)
            acting = normal.acted(self.standing.limits.walker.flex)
            acted = flow if acting is normal else _flow(acting)
            outs = frozenset(draws.out for draws in planned if draws.out is not None)
            for before in (False, True) if outs and acting is not normal else (False,) if outs else ():
                base = flow if before else acted
                self.sums[normal.epoch, before] = Sums(normal.states, normal.epoch, outs, base.output)
            yield from self._failures(normal, flow, (flow, acted), check)
            check.sums()
            for draws in planned:
                full, eased = _while_out(flow, normal, draws), _while_out(acted, acting, draws)
                yield from self._failures(draws, flow, (full, eased if acting is not normal else full), check)

    def _failures(
        self, draws: Draws, normal: Flow[int], flows: tuple[Flow[int], Flow[int]], check: _EpochCheck
    ) -> Iterator[After]:
        """Every failure that starts from one state.

        Parameters: draws of the state; normal operation; flows of the state, before and after Flex rows act.
        """
        states, emergency_w = draws.states, draws.states.network.emergency_w
        flex = self.standing.limits.walker.flex
        full, acted = flows
        acting = draws.acted(flex)
        out_before, out_acted = _touched_while_out(draws, full), _touched_while_out(draws, acted)
        for failed in draws.failures():
            outage = states.outage(draws.epoch, failed)
            silenced = acting.silenced(outage)
            after = acted.after(outage, _scaled_all(silenced))
            before = full.after(outage, _scaled_all(draws.silenced(outage))) if flex else after
            for element, output in after.items():
                check.limit(element, (failed, False), output, emergency_w[element])
            for element, output in before.items() if flex else ():
                check.limit(element, (failed, True), output, emergency_w[element])
            if draws.out is None and (draws.epoch, False) in self.sums:
                self.sums[draws.epoch, False].note(failed, after)
            if draws.out is None and (draws.epoch, True) in self.sums:
                self.sums[draws.epoch, True].note(failed, before)
            yield After(draws, normal, outage, silenced, before, after, out_before, out_acted)

    def most_without(self, epoch: int, element: int) -> int:
        """No less than what an element carries without the plan in any state, in 2^-32 W."""
        most = list(self.reserved[epoch, element].values())
        most += [sums.most(element)[-1] for sums in self._sums_on(epoch, element)]
        return max(most)

    def without(self, epoch: int, element: int) -> dict[Load | None, int]:
        """What an element carries without the plan in every state that touches it, in 2^-32 W."""
        key = (epoch, element)
        if key not in self._without:
            found = self._without[key] = dict(self.reserved[key])
            for sums in self._sums_on(epoch, element):
                before = sums is self.sums.get((epoch, True))
                found.update({(pair, before): output[-1] for pair, output in sums.every(element)})
        return self._without[key]

    def _sums_on(self, epoch: int, element: int) -> list[Sums]:
        both = (self.sums.get((epoch, before)) for before in (False, True))
        return [sums for sums in both if sums is not None and sums.touches(element)]


def _touched_while_out(draws: Draws, flow: Flow[int]) -> Outputs:
    """Outputs of everything that a planned outage can change: all that is above what it cuts."""
    if draws.out is None:
        return {}
    outage, network = draws.states.outage(draws.epoch, draws.out), draws.states.network
    found: set[int] = set()
    ahead = [*outage.dead, *outage.shares]
    ahead += [node for row in draws.cut_now(outage) for node in network.needs.get(network.index[row], ())]
    while ahead:
        for edge in network.sources[ahead.pop()]:
            if edge.node not in found:
                found.add(edge.node)
                ahead.append(edge.node)
    return {node: flow.output[node] for node in found - outage.dead if node in flow.output}


def _while_out(flow: Flow[int], normal: Draws, planned: Draws) -> Flow[int]:
    """The flow that a planned outage leaves of one without failure."""
    outage = normal.states.outage(normal.epoch, planned.out) if planned.out is not None else None
    return flow if outage is None else flow.while_out(outage, _scaled_all(normal.silenced(outage)))


def _flow(draws: Draws) -> Flow[int]:
    loads = {node: draws.draw_w(node).rounded_up(WATT_BITS) for node in draws.loads()}
    network = draws.states.network
    return Flow(network, draws.wiring, loads, RoundedUp(network), draws.n_columns)


def _scaled_all(loads: dict[int, LoadDraws]) -> Outputs:
    return {node: watts.rounded_up(WATT_BITS) for node, watts in loads.items()}


class _EpochCheck:
    """Ratings of one epoch with room for the rounding of the published rule."""

    def __init__(self, power: PowerCheck, draws: Draws) -> None:
        self.power, self.draws, self.network = power, draws, draws.states.network
        # One unit of 2^-20 W for each watt drawn and each kind, and one for the constants: no ceil adds more.
        self._everywhere = self._allowed(watts for kinds in draws.rows.values() for watts in kinds.values())
        self._most_everywhere = max(self._everywhere)
        self._below: dict[int, list[int]] = {}
        # Flows are rounded up a few times at every node that they pass, each by less than one unit.
        power.rounding[draws.epoch] = 2 * self._everywhere[-1] + 16 * len(self.network.names)

    def limit(self, element: int, load: Load | None, output: tuple[int, ...], capacity_w: int) -> None:
        """Check one element in one state in all periods of the epoch.

        Parameters: capacity_w, no more than what the element may carry in that state.
        """
        if self.network.rating_w[element] is None:
            return
        *planned, without = output
        self.power.n_limits += len(planned)
        self.power.reserved.setdefault((self.draws.epoch, element), {})[load] = without
        capacity = capacity_w << WATT_BITS
        if max(planned) + self._most_everywhere <= capacity:
            return
        for at, watts in enumerate(planned):
            if watts + self._everywhere[at] > capacity and watts + self._allowance(element)[at] > capacity:
                self._exact(element, load, at)

    def sums(self) -> None:
        """Check pairs of which each failure does only what it does alone: by both rises at once, where that will do."""
        for before in (False, True):
            sums = self.power.sums.get((self.draws.epoch, before))
            for element in [] if sums is None else sums.elements():
                if sums is None or self.network.rating_w[element] is None:
                    continue
                self._sum(sums, element, before)

    def _sum(self, sums: Sums, element: int, before: bool) -> None:
        capacity_w = self.network.emergency_w[element]
        capacity, most = capacity_w << WATT_BITS, sums.most(element)
        self.power.n_limits += len(most) - 1
        if max(most[:-1]) + self._most_everywhere <= capacity:
            return
        pairs = zip(sums.normal[element], self._everywhere, strict=True)
        spare = [capacity - output - everywhere for output, everywhere in pairs][:-1]
        for pair, output in sums.above(element, spare):
            self.limit(element, (pair, before), output, capacity_w)

    def _allowance(self, element: int) -> list[int]:
        """Rounding of the published rule at one element: what is drawn by rows that it can reach at all."""
        if element not in self._below:
            drives = self.draws.states.drives
            reached: dict[str, set[str]] = {kind: set() for kind in ELECTRICAL}
            for node in self.draws.states.below(element):
                for drive in drives.get(node, ()):
                    if drive.watts_per_watt:
                        reached[drive.kind].update(drive.rows)
            rows = self.draws.rows
            drawn = (rows[row][kind] for kind, names in reached.items() for row in names & rows.keys())
            self._below[element] = self._allowed(drawn)
        return self._below[element]

    def _allowed(self, drawn: Iterable[tuple[int, ...]]) -> list[int]:
        """What rounding may make of some draws in each period, and of those without the plan."""
        columns = zip([0] * self.draws.n_columns, *drawn, strict=True)
        return [(1 + sum(column)) * _STEPS for column in columns]

    def _exact(self, element: int, load: Load | None, at: int) -> None:
        """The published rule to the last unit."""
        self.power.n_exact += 1
        period = self.draws.periods[at]
        quarter = self.power.standing.periods[period]
        details = self._details(load)
        terms = self.power.standing.limits.terms("power", self.network.names[element], details, quarter)
        if terms is None:
            return
        drawn = self.power.standing.load(terms.rows, period)
        if drawn > terms.capacity:
            name = limit_name(self.power.site, "power", self.network.names[element], details)
            self.power.overloads.append(Overload(name, quarter, drawn, terms.capacity))

    def _details(self, load: Load | None) -> tuple[str, ...]:
        if load is None:
            return ()
        name = self.draws.states.contingencies.name(load[0])
        return (name, BEFORE) if load[1] else (name,)
