"""States of a site: normal operation in each epoch, and what every failure leaves of power, cooling and network."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from planner.verify.contingencies import Contingencies
from planner.verify.drives import charge_of, drives_of, needs_of
from planner.verify.facility import Consequences, Facility, facility_of
from planner.verify.network import Network, Outage, Wiring, network_of, outage_of, wiring_in
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from planner.verify.drives import Charge, Drive
    from sites.expansion import SiteGraphs

NEVER = -1
"""Epoch before anything is in service."""


Change = tuple[frozenset[int], frozenset[tuple[int, tuple[tuple[int, Fraction], ...]]]]
"""Nodes that are dead, and new shares of others."""
NO_CHANGE: Change = (frozenset(), frozenset())


@dataclass(frozen=True)
class State:
    """Who is alive, and how loads share."""

    wiring: Wiring
    outage: Outage | None

    def is_dead(self, node: int) -> bool:
        """Whether a node does not stand or has lost all supply."""
        return node in self.wiring.dead or (self.outage is not None and node in self.outage.dead)

    def shares_of(self, node: int) -> tuple[tuple[int, Fraction], ...]:
        """(source, share) pairs of a live node."""
        if self.outage is not None and node in self.outage.shares:
            return self.outage.shares[node]
        return self.wiring.shares[node]


@dataclass
class States:
    """Every state of one site; what is worked out is kept."""

    graphs: SiteGraphs
    network: Network = field(init=False)
    facility: Facility = field(init=False)
    contingencies: Contingencies = field(init=False)
    drives: dict[int, tuple[Drive, ...]] = field(init=False)
    """What drives each load node."""
    _epochs: dict[str, int] = field(default_factory=dict)
    _wirings: dict[tuple[int, int], Wiring] = field(default_factory=dict)
    _outages: dict[tuple[int, int], Outage] = field(default_factory=dict)
    _consequences: dict[tuple[int, int], Consequences] = field(default_factory=dict)
    _dropping: dict[int, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    _below: dict[int, list[int]] = field(default_factory=dict)
    _reaches: dict[int, dict[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the graphs once."""
        by_name = drives_of(self.graphs)
        self.network = network_of(self.graphs, needs_of(by_name))
        index = self.network.index
        self.drives = {index[name]: drives for name, drives in by_name.items()}
        machinery = {
            index[name]: (name, frozenset(row for drive in drives for row in drive.rows))
            for name, drives in by_name.items()
            if self.network.kinds[index[name]] == "mechanical"
        }
        self.facility = facility_of(self.graphs, index, machinery)
        groups = tuple(
            (name, tuple(index[one] for one in members)) for name, members in self.graphs.common_mode.items()
        )
        self.contingencies = Contingencies(self.network, self.facility, groups, self._maintained())

    def _maintained(self) -> tuple[int, ...]:
        """Elements of a kind that the class of some row below them takes out for work, in order of their ids."""
        found: set[int] = set()
        for row, fields in self.graphs.containment.nodes(data=True):
            if fields["kind"] == "row" and fields["maintenance"]:
                kinds = {str(kind) for kind in fields["maintenance"]}
                found.update(node for node in self.network.above(row) if self.network.kinds[node] in kinds)
        return tuple(sorted(found, key=lambda node: self.network.names[node]))

    @cached_property
    def charges(self) -> dict[int, Charge]:
        """What each load node draws, by node."""
        constants_w = self.network.output_constant_w
        return {node: charge_of(constants_w[node], drives) for node, drives in self.drives.items()}

    @cached_property
    def _dates(self) -> list[int]:
        cooling = {quarter_index(fields["in_service"]) for _, fields in self.graphs.cooling.nodes(data=True)}
        return sorted({*self.network.in_service, *self.network.single_feed_until.values(), *cooling})

    @property
    def last_epoch(self) -> int:
        """The epoch in which everything is in service."""
        return self._dates[-1]

    def epoch(self, quarter: str) -> int:
        """The last date at or before a quarter on which anything changes: equal epochs, equal wiring."""
        if quarter not in self._epochs:
            now = quarter_index(quarter)
            self._epochs[quarter] = max((date for date in self._dates if date <= now), default=NEVER)
        return self._epochs[quarter]

    def below(self, node: int) -> list[int]:
        """Everything under a node, in topological order."""
        if node not in self._below:
            self._below[node] = self.network.below(node)
        return self._below[node]

    def wiring(self, epoch: int, out: int | None = None) -> Wiring:
        """Normal operation in an epoch, or what is left of it while an element is out for work."""
        key = (epoch, -1 if out is None else out)
        if key not in self._wirings:
            if out is None:
                self._wirings[key] = wiring_in(self.network, epoch)
            else:
                self._wirings[key] = self.wiring(epoch).after(self.outage(epoch, out))
        return self._wirings[key]

    def base(self, epoch: int, failed: int | None) -> Wiring:
        """The wiring in which a failure happens: that of maintenance for a failure during it, else the normal one."""
        pair = None if failed is None else self.contingencies.pair(failed)
        return self.wiring(epoch, None if pair is None else pair[0])

    def outage(self, epoch: int, failed: int) -> Outage:
        """What one failure changes in its base wiring."""
        key = (epoch, failed)
        if key not in self._outages:
            pair = self.contingencies.pair(failed)
            nodes = self.contingencies.elements(failed if pair is None else pair[1])
            self._outages[key] = outage_of(self.network, self.base(epoch, failed), failed, nodes)
        return self._outages[key]

    def state(self, epoch: int, failed: int | None) -> State:
        """What is alive in normal operation or after a failure."""
        return State(self.base(epoch, failed), None if failed is None else self.outage(epoch, failed))

    def changed_below(self, epoch: int, failed: int, below: frozenset[int]) -> Change:
        """What a failure, and the planned outage in which it happens, changes among some nodes."""
        pair, outage = self.contingencies.pair(failed), self.outage(epoch, failed)
        dead, shares = outage.dead & below, {node: outage.shares[node] for node in outage.shares.keys() & below}
        if pair is not None:
            before = self.outage(epoch, pair[0])
            dead |= before.dead & below
            shares = {node: before.shares[node] for node in before.shares.keys() & below} | shares
        return dead, frozenset((node, new) for node, new in shares.items() if node not in dead)

    def stands(self, epoch: int, failed: int) -> bool:
        """Whether what fails exists in an epoch."""
        if not self.contingencies.stands(self.wiring(epoch), epoch, failed):
            return False
        return self.contingencies.pair(failed) is None or not self._is_one_alone(epoch, failed)

    def lost_nodes(self, epoch: int, failed: int) -> frozenset[int]:
        """Power nodes that stand in normal operation and that a failure leaves without supply."""
        pair, dead = self.contingencies.pair(failed), self.outage(epoch, failed).dead
        return dead if pair is None else dead | self.outage(epoch, pair[0]).dead

    def cut_rows(self, epoch: int, failed: int) -> frozenset[str]:
        """Rows that a failure leaves without power."""
        network = self.network
        return frozenset(network.names[n] for n in self.lost_nodes(epoch, failed) if network.kinds[n] == "row")

    def consequences(self, epoch: int, failed: int) -> Consequences:
        """What a failure takes of cooling and network."""
        key = (epoch, failed)
        if key not in self._consequences:
            owner, normal = self.contingencies.unit(failed), self.wiring(epoch)
            if owner is None:
                lost = self.lost_nodes(epoch, failed)
                self._consequences[key] = self.facility.after_power(normal, lost, epoch)
            else:
                self._consequences[key] = self.facility.after_unit(owner, normal)
        return self._consequences[key]

    def dropped_rows(self, epoch: int, failed: int) -> frozenset[str]:
        """Rows that a failure stops, for want of power, of cooling or of their network."""
        return self.cut_rows(epoch, failed) | self.consequences(epoch, failed).rows

    def failures(self, epoch: int) -> list[int]:
        """What may fail in an epoch: power elements, groups, units, pairs during maintenance that meet somewhere."""
        normal, contingencies = self.wiring(epoch), self.contingencies
        found = [*contingencies.of_power(normal), *contingencies.of_units(normal, epoch)]
        for out in contingencies.maintained:
            if out not in normal.dead:
                found += self.during(epoch, out)
        return found

    def during(self, epoch: int, out: int) -> list[int]:
        """Pairs of an element that is out for work with everything else that meets it somewhere when it fails."""
        reach = self._reach_of_all(epoch)
        pairs = (self.contingencies.together(out, failed) for failed, other in reach.items() if reach[out] & other)
        return [pair for pair in pairs if pair is not None and not self._is_one_alone(epoch, pair)]

    def adding(self, epoch: int, out: int, failed: int) -> int | None:
        """Number of a pair of which nothing hangs on both, so that each does only what it does alone; else None."""
        reach = self._reach_of_all(epoch)
        return None if reach[out] & reach[failed] else self.contingencies.together(out, failed)

    def _reach_of_all(self, epoch: int) -> dict[int, int]:
        if epoch not in self._reaches:
            failures = self.contingencies.of_power(self.wiring(epoch))
            self._reaches[epoch] = {failed: self._reach(epoch, failed) for failed in failures}
        return self._reaches[epoch]

    def _reach(self, epoch: int, failed: int) -> int:
        """What a failure can change, as bits by node: all below what fails, and what rows drive that it cuts off."""
        network, dead = self.network, self.wiring(epoch).dead
        nodes = {node for node in self.contingencies.elements(failed) if node not in dead}
        found = nodes.union(*(self.below(node) for node in nodes))
        for node in self.outage(epoch, failed).dead:
            found.update(network.needs.get(node, ()))
        bits = bytearray(len(network.names) // 8 + 1)
        for node in found - dead:
            bits[node // 8] |= 1 << node % 8
        return int.from_bytes(bits, "little")

    def _is_one_alone(self, epoch: int, failed: int) -> bool:
        """Whether one part of a pair takes the other out anyhow, so that the pair is a single failure over again."""
        out, meanwhile = self.contingencies.pair(failed) or (failed, failed)
        gone = self.wiring(epoch, out).dead
        return out in self.outage(epoch, meanwhile).dead or set(self.contingencies.elements(meanwhile)) <= gone

    def dropping(self, epoch: int) -> dict[str, tuple[int, ...]]:
        """Failures that stop each row, for the rows that any does; pairs only where neither part alone does."""
        if epoch not in self._dropping:
            found: dict[str, list[int]] = defaultdict(list)
            for failed in self.failures(epoch):
                rows, pair = self.dropped_rows(epoch, failed), self.contingencies.pair(failed)
                for one in pair or ():
                    rows -= self.dropped_rows(epoch, one)
                for row in rows:
                    found[row].append(failed)
            self._dropping[epoch] = {row: tuple(failures) for row, failures in found.items()}
        return self._dropping[epoch]
