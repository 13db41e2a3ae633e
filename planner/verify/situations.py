"""What every load draws in each state from which something may fail: normal operation, and planned outages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import lcm
from typing import TYPE_CHECKING

from planner.verify.draws import ELECTRICAL
from planner.verify.walk import ACTING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from fractions import Fraction

    from planner.verify.network import Outage, Wiring
    from planner.verify.standing import Standing
    from planner.verify.states import States

RowDraws = Mapping[str, Mapping[str, tuple[int, ...]]]
"""Electrical draws of each row that draws anything by kind, for each period, last of all without the plan's racks."""


@dataclass(frozen=True)
class LoadDraws:
    """Exact watts of a load in each period, and without the plan: whole numbers over one denominator."""

    numerators: tuple[int, ...]
    denominator: int

    def rounded_up(self, bits: int) -> tuple[int, ...]:
        """In 2^-bits W."""
        return tuple([-(-(watts << bits) // self.denominator) for watts in self.numerators])

    def floats(self) -> tuple[float, ...]:
        """In W."""
        return tuple([watts / self.denominator for watts in self.numerators])


@dataclass(frozen=True)
class Draws:
    """What every load of one epoch draws, in the periods of that epoch, normally or while an element is out."""

    states: States
    epoch: int
    out: int | None
    """Element out for work; None in normal operation."""
    periods: tuple[int, ...]
    rows: RowDraws
    denominator: int = 1
    """Of the draws of rows, which are whole numbers over it, in W."""
    known: dict[int, LoadDraws] = field(default_factory=dict)

    @property
    def n_columns(self) -> int:
        """Periods, and one without the plan."""
        return len(self.periods) + 1

    @property
    def wiring(self) -> Wiring:
        """Who is alive before anything fails."""
        return self.states.wiring(self.epoch, self.out)

    def draw_w(self, node: int) -> LoadDraws:
        """Exact watts of a load node in each period, and without the plan."""
        if node not in self.known:
            charge = self.states.charges[node]
            constant = charge.constant * self.denominator
            driven = self._driven(node, self.rows.keys())
            numerators = tuple([constant + watts for watts in driven])
            self.known[node] = LoadDraws(numerators, charge.denominator * self.denominator)
        return self.known[node]

    def _driven(self, node: int, which: AbstractSet[str]) -> list[int]:
        """What some rows, all of which draw something, make a load node draw, over its own denominator and ours."""
        total = [0] * self.n_columns
        for rows, kind, each in self.states.charges[node].driven:
            driving = rows & which if len(rows) < len(which) else which & rows
            if driving:
                sums = map(sum, zip(*(self.rows[row][kind] for row in driving), strict=True))
                total = [watts + each * drawn for watts, drawn in zip(total, sums, strict=True)]
        return total

    def loads(self) -> list[int]:
        """Load nodes that stand."""
        return [node for node in self.states.drives if node not in self.wiring.dead]

    def failures(self) -> list[int]:
        """Failures of power elements that start from here."""
        if self.out is None:
            return self.states.contingencies.of_power(self.wiring)
        return self.states.during(self.epoch, self.out)

    def cut_now(self, outage: Outage) -> frozenset[str]:
        """Rows that a failure cuts off beyond those that are off already."""
        network = self.states.network
        return frozenset(network.names[node] for node in outage.dead if network.kinds[node] == "row")

    def silenced(self, outage: Outage) -> dict[int, LoadDraws]:
        """New draws of surviving loads that some row drove which a failure cuts off."""
        network, cut = self.states.network, self.cut_now(outage) & self.rows.keys()
        nodes = {node for row in cut for node in network.needs.get(network.index[row], ())}
        return {node: self._without(node, cut) for node in nodes - outage.dead - self.wiring.dead}

    def _without(self, node: int, cut: AbstractSet[str]) -> LoadDraws:
        """What a load draws but for some rows."""
        all_rows, gone = self.draw_w(node), self._driven(node, cut)
        left = [watts - less for watts, less in zip(all_rows.numerators, gone, strict=True)]
        return LoadDraws(tuple(left), all_rows.denominator)

    def acted(self, flex: Mapping[str, Fraction]) -> Draws:
        """The same once Flex rows have shed and capped; itself where there are none."""
        if not flex:
            return self
        finer = lcm(*(share.denominator for share in flex.values()))
        rows = {row: _acted(draw, int(flex.get(row, 1) * finer), finer) for row, draw in self.rows.items()}
        return replace(self, rows=rows, denominator=self.denominator * finer, known={})

    def while_out(self, out: int) -> Draws:
        """The same while an element is out for work: rows without power draw nothing."""
        outage, index = self.states.outage(self.epoch, out), self.states.network.index
        if self.cut_now(outage).isdisjoint(self.rows):
            return replace(self, out=out)
        rows = {row: draw for row, draw in self.rows.items() if index[row] not in outage.dead}
        return replace(self, out=out, rows=rows, known={})


def _acted(draw: Mapping[str, tuple[int, ...]], left: int, finer: int) -> dict[str, tuple[int, ...]]:
    """Draws of a row over a finer denominator, of which so much is left of what racks may cut."""
    return {kind: tuple([each * (left if kind in ACTING else finer) for each in watts]) for kind, watts in draw.items()}


def situations_of(standing: Standing) -> Iterator[tuple[Draws, tuple[Draws, ...]]]:
    """The draws of a site epoch by epoch: in normal operation, and in every planned outage."""
    states = standing.limits.states
    epochs = [states.epoch(quarter) for quarter in standing.periods]
    for epoch in sorted(set(epochs)):
        periods = tuple(t for t, one in enumerate(epochs) if one == epoch)
        dead = states.wiring(epoch).dead
        electrical = [*(standing.electrical(t) for t in periods), standing.occupied_electrical(periods[0])]
        rows = {
            row: {kind: tuple([one.get(row, _NOTHING)[kind] for one in electrical]) for kind in ELECTRICAL}
            for row in dict.fromkeys(row for one in electrical for row in one)
            if states.network.index[row] not in dead
        }
        normal = Draws(states, epoch, None, periods, rows)
        outs = [out for out in states.contingencies.maintained if out not in dead]
        yield normal, tuple(normal.while_out(out) for out in outs)


_NOTHING = dict.fromkeys(ELECTRICAL, 0)
