"""Shares of one watt: what each load puts on an element, in normal operation and after a failure.

`F[f, e, j]` of section 2 of `docs/model.md`, exact, by walking down from the element e.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from planner.verify.network import LOADS
from planner.verify.states import States

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.verify.network import Network
    from sites.expansion import SiteGraphs

ZERO = Fraction(0)
SHARE_BITS = 20
ACTING = frozenset({"it_w", "liquid_w", "air_w"})
"""Kinds of draw that racks of a Flex row cut after a failure; their support gear runs on."""
RowShares = dict[str, Fraction]
"""Shares of one row by kind of draw."""


@dataclass(frozen=True)
class Shares:
    """Exact shares of rows on one element, and the constants that reach it."""

    rows: dict[str, RowShares]
    constant_w: Fraction
    """House loads, no-load losses and fixed watts at the element's output, together."""

    @cached_property
    def scaled(self) -> dict[str, dict[str, int]]:
        """Coefficients: each share times 2^20, rounded up once."""
        return {
            row: {kind: -(-(share.numerator << SHARE_BITS) // share.denominator) for kind, share in kinds.items()}
            for row, kinds in self.rows.items()
        }


def acted(row: str, shares: Mapping[str, Fraction], flex: Mapping[str, Fraction]) -> RowShares:
    """Shares of a row once its racks have shed and capped what they may."""
    if row not in flex:
        return dict(shares)
    return {kind: share * flex[row] if kind in ACTING else share for kind, share in shares.items()}


@dataclass
class Walker:
    """Walks over one site's power graph; everything it works out is kept by wiring."""

    graphs: SiteGraphs
    states: States = field(init=False)
    _shares: dict[tuple[int, int, int, bool], Shares] = field(default_factory=dict)
    _above: dict[str, frozenset[int]] = field(default_factory=dict)
    _carriers: dict[int, frozenset[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the graph once."""
        self.states = States(self.graphs)

    @property
    def network(self) -> Network:
        """The power network."""
        return self.states.network

    @cached_property
    def flex(self) -> dict[str, Fraction]:
        """Share of their draw that rows with Flex go on with after a failure, where it is below 1."""
        return {
            row: Fraction(fields["flex_share"])
            for row, fields in self.graphs.containment.nodes(data=True)
            if fields["kind"] == "row" and fields["flex_share"] < 1
        }

    def shares(self, epoch: int, element: int, failed: int | None = None, *, before_action: bool = False) -> Shares:
        """Shares of every row on an element's output, in an epoch, after one failure or in normal operation.

        Rows that the failure cuts off draw nothing, neither their racks nor what cools and connects them. After a
        failure Flex rows have acted, unless `before_action`.
        """
        acts = failed is not None and not before_action and bool(self.flex)
        key = (epoch, element, -1 if failed is None else failed, acts)
        if key not in self._shares:
            full = self._walk(epoch, element, failed)
            rows = {row: acted(row, kinds, self.flex) for row, kinds in full.rows.items()} if acts else full.rows
            self._shares[key] = Shares(rows, full.constant_w)
        return self._shares[key]

    def slowest_s(self, shares: Shares) -> Fraction | None:
        """How long the slowest Flex row that loads an element takes to act; None when none does."""
        rows = self.graphs.containment.nodes
        return max(
            (Fraction(rows[row]["flex_within_s"]) for row in shares.rows.keys() & self.flex.keys()), default=None
        )

    def ancestors(self, row: str) -> frozenset[int]:
        """Everything that carries any of a row's draws: above the row, its machinery and its support gear."""
        if row not in self._above:
            self._above[row] = self.network.above(row)
        return self._above[row]

    def carriers(self, load: int) -> frozenset[int]:
        """Everything that carries any of what one load draws."""
        if load not in self._carriers:
            self._carriers[load] = self.network.carriers(load)
        return self._carriers[load]

    def most_carried_w(self, load: int, draws: Mapping[str, int]) -> int:
        """At least the watts that any element can carry for what draws of these kinds make a load draw.

        Shares of a load sum to one, so no element carries more than the losses on the way make of it.
        """
        drawn = sum((drive.watts_per_watt * draws[drive.kind] for drive in self.states.drives[load]), ZERO)
        return ceil(self._gains[load] * drawn)

    @cached_property
    def _gains(self) -> list[Fraction]:
        """For each node the largest product of the loss factors of what lies above it."""
        gains: list[Fraction] = []
        for sources in self.network.sources:
            gains.append(max((gains[s.node] * self.network.factor[s.node] for s in sources), default=Fraction(1)))
        return gains

    def row_shares(self, epoch: int, row: str, failed: int | None, wanted: frozenset[int]) -> dict[int, RowShares]:
        """Shares of one row on the output of wanted elements and what lies between, before any action of Flex rows.

        The same shares as `shares`, found by walking up from the row; empty when the row is cut off.
        """
        state = self.states.state(epoch, failed)
        node = self.network.index[row]
        if state.is_dead(node):
            return {}
        asked: dict[int, dict[str, Fraction]] = {}
        for load in (node, *self.network.needs.get(node, ())):
            drives = [drive for drive in self.states.drives[load] if row in drive.rows and drive.watts_per_watt]
            asked[load] = {} if state.is_dead(load) else {drive.kind: drive.watts_per_watt for drive in drives}
        carried: dict[int, RowShares] = {}
        between = self._between(row, wanted)
        for one in sorted({*between, *asked}, reverse=True):
            if state.is_dead(one) or not (asked.get(one) or carried.get(one)):
                continue
            factor = self.network.factor[one]
            drawn = asked.get(one) or {kind: watts * factor for kind, watts in carried[one].items()}
            for source, share in state.shares_of(one):
                if source not in between:
                    continue
                kinds = carried.setdefault(source, defaultdict(Fraction))
                for kind, watts in drawn.items():
                    kinds[kind] += share * watts
        return carried

    def _between(self, row: str, wanted: frozenset[int]) -> set[int]:
        """Ancestors of a row that are wanted or lie below something wanted."""
        found: set[int] = set()
        for node in sorted(self.ancestors(row)):
            if node in wanted or any(edge.node in found for edge in self.network.sources[node]):
                found.add(node)
        return found

    def _walk(self, epoch: int, element: int, failed: int | None) -> Shares:
        state = self.states.state(epoch, failed)
        reach = {element: Fraction(1)}
        rows: dict[str, RowShares] = defaultdict(lambda: defaultdict(Fraction))
        constant_w = self.network.output_constant_w[element]
        for node in self.states.below(element):
            if state.is_dead(node):
                continue
            drawn = sum((share * reach[source] for source, share in state.shares_of(node) if source in reach), ZERO)
            if not drawn:
                continue
            constant_w += drawn * self._constant_w(node)
            if self.network.kinds[node] in LOADS:
                for drive in self.states.drives[node]:
                    for row in drive.rows if drive.watts_per_watt else ():
                        if not state.is_dead(self.network.index[row]):
                            rows[row][drive.kind] += drawn * drive.watts_per_watt
            else:
                reach[node] = drawn * self.network.factor[node]
        return Shares({row: dict(kinds) for row, kinds in rows.items()}, constant_w)

    def _constant_w(self, node: int) -> Fraction:
        """Constant watts at the input of a node: house load or fixed watts through it, and its no-load loss."""
        network = self.network
        return network.output_constant_w[node] * network.factor[node] + network.input_constant_w[node]
