"""Power limits of a site: every element in normal operation and after every single failure, in every period.

Flows rounded up in integers clear most limits at once. Only those that come within their rounding of the rating are
summed by the published rule, share by share; what that finds decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from planner.verify.draws import ELECTRICAL
from planner.verify.flow import WATT_BITS, Flow, RoundedUp
from planner.verify.limits import ONE, Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from planner.verify.network import Network, Outage, Wiring
    from planner.verify.standing import Standing
    from planner.verify.walk import Walker

_STEPS = 2 ** (WATT_BITS - 20)
"""Rounded-flow units in one unit of 2^-20 W."""


@dataclass(frozen=True)
class EpochDraws:
    """What every load of one epoch draws, in the periods of that epoch."""

    walker: Walker
    epoch: int
    periods: tuple[int, ...]
    rows: tuple[dict[str, dict[str, int]], ...]
    """For each period the electrical draws of each row that exists; last of all without the plan's racks."""
    known: dict[int, list[Fraction]] = field(default_factory=dict)

    @property
    def wiring(self) -> Wiring:
        """Normal operation."""
        return self.walker.wiring(self.epoch)

    def draw_w(self, node: int) -> list[Fraction]:
        """Exact watts of a load node in each period, and without the plan."""
        if node not in self.known:
            constant = self.walker.network.output_constant_w[node]
            self.known[node] = [constant + self._driven(node, rows, rows.keys()) for rows in self.rows]
        return self.known[node]

    def _driven(self, node: int, rows: dict[str, dict[str, int]], which: AbstractSet[str]) -> Fraction:
        """What some rows make a load node draw."""
        total = Fraction(0)
        for drive in self.walker.drives[node]:
            if drive.watts_per_watt:
                driving = drive.rows & which if len(drive.rows) < len(which) else which & drive.rows
                total += sum(rows[row][drive.kind] for row in driving) * drive.watts_per_watt
        return total

    def loads(self) -> list[int]:
        """Load nodes that stand."""
        return [node for node in self.walker.drives if node not in self.wiring.dead]

    def dropped_rows(self, outage: Outage) -> frozenset[str]:
        """Rows that a failure cuts off."""
        network = self.walker.network
        return frozenset(network.names[node] for node in outage.dead if network.kinds[node] == "row")

    def silenced(self, outage: Outage) -> dict[int, list[Fraction]]:
        """New draws of surviving loads that some dropped row drove."""
        network, dropped = self.walker.network, self.dropped_rows(outage)
        drawing = dropped & {row for rows in self.rows for row in rows} if dropped else dropped
        nodes = {node for row in drawing for node in network.needs.get(network.index[row], ())}
        return {
            node: [
                watts - self._driven(node, rows, dropped & rows.keys())
                for watts, rows in zip(self.draw_w(node), self.rows, strict=True)
            ]
            for node in nodes - outage.dead - self.wiring.dead
        }


def epochs_of(standing: Standing) -> Iterator[EpochDraws]:
    """The draws of a site epoch by epoch."""
    walker = standing.limits.walker
    epochs = [walker.epoch(quarter) for quarter in standing.periods]
    for epoch in sorted(set(epochs)):
        periods = tuple(t for t, one in enumerate(epochs) if one == epoch)
        dead = walker.wiring(epoch).dead
        electrical = [*(standing.electrical(t) for t in periods), standing.occupied_electrical(periods[0])]
        rows = tuple(
            {row: draw for row, draw in one.items() if walker.network.index[row] not in dead} for one in electrical
        )
        yield EpochDraws(walker, epoch, periods, rows)


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
    reserved: dict[tuple[int, int], dict[int | None, int]] = field(default_factory=dict)
    """By epoch, element and failure what it carries without the plan, in 2^-32 W, rounded up; None without failure."""

    def run(self, seen: Callable[[EpochDraws, Flow[int], Outage, dict[int, list[int]]], None]) -> None:
        """Check every limit; `seen` is shown what each failure leaves, for the failure table."""
        for draws in epochs_of(self.standing):
            network, wiring = draws.walker.network, draws.wiring
            arithmetic = RoundedUp(network)
            loads = {node: _scaled(draws.draw_w(node)) for node in draws.loads()}
            flow = Flow(network, wiring, loads, arithmetic, len(draws.rows))
            check = _EpochCheck(self, draws, network)
            for element in network.elements:
                if element not in wiring.dead:
                    check.limit(element, None, flow.output[element])
            for failed in network.failures(wiring):
                outage = draws.walker.outage(draws.epoch, failed)
                silenced = {node: _scaled(watts) for node, watts in draws.silenced(outage).items()}
                after = flow.after(outage, silenced)
                for element, output in after.items():
                    check.limit(element, failed, output)
                seen(draws, flow, outage, after)


def _scaled(watts: list[Fraction]) -> list[int]:
    return [ceil(value * 2**WATT_BITS) for value in watts]


class _EpochCheck:
    """Ratings of one epoch with room for the rounding of the published rule."""

    def __init__(self, power: PowerCheck, draws: EpochDraws, network: Network) -> None:
        self.power, self.draws, self.network = power, draws, network
        # One unit of 2^-20 W for each watt drawn and each kind, and one for the constants: no ceil adds more.
        self._everywhere = [
            (1 + sum(sum(kinds.values()) for kinds in rows.values())) * _STEPS for rows in draws.rows
        ]
        self._below: dict[int, list[int]] = {}

    def limit(self, element: int, failed: int | None, output: list[int]) -> None:
        """Check one element after one failure in all periods of the epoch."""
        rating_w = self.network.rating_w[element]
        if rating_w is None:
            return
        *planned, without = output
        self.power.n_limits += len(planned)
        self.power.reserved.setdefault((self.draws.epoch, element), {})[failed] = without
        capacity = rating_w << WATT_BITS
        if max(planned) + max(self._everywhere) <= capacity:
            return
        for at, watts in enumerate(planned):
            if watts + self._everywhere[at] > capacity and watts + self._allowance(element)[at] > capacity:
                self._exact(element, failed, at)

    def _allowance(self, element: int) -> list[int]:
        """Rounding of the published rule at one element: what is drawn by rows that it can reach at all."""
        if element not in self._below:
            drives = self.draws.walker.drives
            reached: dict[str, set[str]] = {kind: set() for kind in ELECTRICAL}
            for node in self.draws.walker.below(element):
                for drive in drives.get(node, ()):
                    if drive.watts_per_watt:
                        reached[drive.kind].update(drive.rows)
            self._below[element] = [
                (1 + sum(rows[row][kind] for kind, names in reached.items() for row in names & rows.keys())) * _STEPS
                for rows in self.draws.rows
            ]
        return self._below[element]

    def _exact(self, element: int, failed: int | None, at: int) -> None:
        """The published rule to the last unit."""
        self.power.n_exact += 1
        period = self.draws.periods[at]
        quarter = self.power.standing.periods[period]
        names = self.network.names
        contingency = None if failed is None else self.network.failure_name(failed)
        terms: Terms | None = self.power.standing.limits.terms("power", names[element], contingency, quarter)
        if terms is None:
            return
        load = self.power.standing.load(terms.rows, period)
        if load > terms.capacity:
            name = ":".join([self.power.site, "power", names[element], *([contingency] if contingency else [])])
            self.power.overloads.append(Overload(name, quarter, load, terms.capacity))
