"""What every load draws in each state from which something may fail: normal operation, and planned outages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.verify.walk import ACTING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from planner.verify.network import Outage, Wiring
    from planner.verify.standing import Standing
    from planner.verify.states import States

RowDraws = Mapping[str, Mapping[str, int | Fraction]]
"""Electrical draws of each row by kind, W."""


@dataclass(frozen=True)
class Draws:
    """What every load of one epoch draws, in the periods of that epoch, normally or while an element is out."""

    states: States
    epoch: int
    out: int | None
    """Element out for work; None in normal operation."""
    periods: tuple[int, ...]
    rows: tuple[RowDraws, ...]
    """For each period the electrical draws of each row that runs; last of all without the plan's racks."""
    known: dict[int, list[Fraction]] = field(default_factory=dict)

    @property
    def wiring(self) -> Wiring:
        """Who is alive before anything fails."""
        return self.states.wiring(self.epoch, self.out)

    def draw_w(self, node: int) -> list[Fraction]:
        """Exact watts of a load node in each period, and without the plan."""
        if node not in self.known:
            constant = self.states.network.output_constant_w[node]
            self.known[node] = [constant + self._driven(node, rows, rows.keys()) for rows in self.rows]
        return self.known[node]

    def _driven(self, node: int, rows: RowDraws, which: AbstractSet[str]) -> Fraction:
        """What some rows make a load node draw."""
        total = Fraction(0)
        for drive in self.states.drives[node]:
            if drive.watts_per_watt:
                driving = drive.rows & which if len(drive.rows) < len(which) else which & drive.rows
                total += sum(rows[row][drive.kind] for row in driving) * drive.watts_per_watt
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

    def silenced(self, outage: Outage) -> dict[int, list[Fraction]]:
        """New draws of surviving loads that some row drove which a failure cuts off."""
        network, cut = self.states.network, self.cut_now(outage)
        drawing = cut & {row for rows in self.rows for row in rows} if cut else cut
        nodes = {node for row in drawing for node in network.needs.get(network.index[row], ())}
        return {
            node: [
                watts - self._driven(node, rows, cut & rows.keys())
                for watts, rows in zip(self.draw_w(node), self.rows, strict=True)
            ]
            for node in nodes - outage.dead - self.wiring.dead
        }

    def acted(self, flex: Mapping[str, Fraction]) -> Draws:
        """The same once Flex rows have shed and capped; itself where there are none."""
        if not flex:
            return self
        return replace(self, rows=tuple(_acted(rows, flex) for rows in self.rows), known={})

    def while_out(self, out: int) -> Draws:
        """The same while an element is out for work: rows without power draw nothing."""
        outage, index = self.states.outage(self.epoch, out), self.states.network.index
        cut = self.cut_now(outage)
        if not any(row in cut for rows in self.rows for row in rows):
            return replace(self, out=out)
        dead = outage.dead
        rows = tuple({row: draw for row, draw in one.items() if index[row] not in dead} for one in self.rows)
        return replace(self, out=out, rows=rows, known={})


def _acted(rows: RowDraws, flex: Mapping[str, Fraction]) -> RowDraws:
    return {
        row: {kind: watts * flex[row] if kind in ACTING else watts for kind, watts in draw.items()}
        if row in flex
        else draw
        for row, draw in rows.items()
    }


def situations_of(standing: Standing) -> Iterator[tuple[Draws, tuple[Draws, ...]]]:
    """The draws of a site epoch by epoch: in normal operation, and in every planned outage."""
    states = standing.limits.states
    epochs = [states.epoch(quarter) for quarter in standing.periods]
    for epoch in sorted(set(epochs)):
        periods = tuple(t for t, one in enumerate(epochs) if one == epoch)
        dead = states.wiring(epoch).dead
        electrical = [*(standing.electrical(t) for t in periods), standing.occupied_electrical(periods[0])]
        rows = tuple(
            {row: draw for row, draw in one.items() if states.network.index[row] not in dead} for one in electrical
        )
        normal = Draws(states, epoch, None, periods, rows)
        outs = [out for out in states.contingencies.maintained if out not in dead]
        yield normal, tuple(normal.while_out(out) for out in outs)
