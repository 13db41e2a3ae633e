"""Limits of every power element, in normal operation and under every failure that can decide."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING

from planner.lower.ceilings import Ceilings, ceilings
from planner.lower.contingencies import ElementLoads, element_loads, share_of
from planner.lower.flex import FlexRows, flex_rows
from planner.lower.flow import ONE, ZERO
from planner.lower.pieces import (
    Coefficients,
    LimitName,
    Piece,
    checked_capacity,
    scaled_capacity,
    scaled_ratio,
    scaled_share,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.lower.comparing import Contingency, Share
    from planner.lower.couplings import RowCouplings
    from planner.lower.hosts import Offer, SiteHosts
    from planner.lower.site import EpochState

IT, LIQUID, AIR, SUPPORT = range(4)
Weights = tuple[tuple[int, Fraction], ...]
"""(kind of electrical draw, watts at the load node for each watt of it)."""
ScaledWeights = tuple[tuple[int, int], ...]
"""The same over a common denominator."""


@dataclass(frozen=True)
class RowLoads:
    """What one limit sees of the rows: coefficients for the plan, and the draw of what stands already."""

    coefficients: dict[int, Coefficients]
    occupied: int
    """Scaled by 2^20."""


@dataclass(frozen=True)
class EpochLoads:
    """Load nodes of one site in one epoch and the rows behind each."""

    hosts: SiteHosts
    offer: Offer
    state: EpochState

    @cached_property
    def standing(self) -> frozenset[str]:
        """Rows that exist and may draw."""
        return self.hosts.relevant & self.state.epoch.power

    @cached_property
    def standing_idx(self) -> frozenset[int]:
        """Numbers of the hosting rows among them."""
        return frozenset(self.hosts.row_idx[row] for row in self.standing if row in self.hosts.row_idx)

    @cached_property
    def rows_behind(self) -> dict[str, list[tuple[str, Weights]]]:
        """For every load node, the rows that draw there and how; equal weights are one object."""
        result: dict[str, list[tuple[str, Weights]]] = {}
        known: dict[Weights, Weights] = {}
        for row in sorted(self.standing):
            for node, weights in _loads_of(self.hosts.site.couplings[row]):
                result.setdefault(node, []).append((row, known.setdefault(weights, weights)))
        return result

    @cached_property
    def flex(self) -> FlexRows:
        """Rows that draw less once they have acted."""
        return flex_rows(self.hosts.site, self.state)

    def capped(self, it_cap_w: Mapping[str, Fraction]) -> Ceilings:
        """The most that load nodes draw where the IT power of rows is capped (W, by row)."""
        return ceilings(self.hosts, self.offer, self.rows_behind, it_cap_w)

    @cached_property
    def _scale(self) -> int:
        """Common denominator of all weights."""
        every = {id(weights): weights for rows in self.rows_behind.values() for _, weights in rows}
        return lcm(*(weight.denominator for weights in every.values() for _, weight in weights))

    @cached_property
    def _scaled_behind(self) -> dict[str, list[tuple[str, ScaledWeights]]]:
        """Rows behind every load node with their weights as whole numbers over the common denominator."""
        scaled: dict[int, ScaledWeights] = {}
        for rows in self.rows_behind.values():
            for _, weights in rows:
                if id(weights) not in scaled:
                    scaled[id(weights)] = tuple((kind, int(weight * self._scale)) for kind, weight in weights)
        return {node: [(row, scaled[id(own)]) for row, own in rows] for node, rows in self.rows_behind.items()}

    def row_loads(
        self, shares: Iterable[tuple[str, Share]], dropped: frozenset[str], *, acted: bool = False
    ) -> RowLoads:
        """Turn shares of load nodes into coefficients of rows; in whole numbers over one denominator, so exactly.

        Parameters: shares, watts at the element for each watt drawn at each load node; dropped, rows without supply;
        acted, whether rows have shed and capped after a failure: what they draw at the rack falls, support gear's
        draw does not.
        """
        drawing = [(node, share) for node, share in shares if share[0]]
        common = lcm(*(denominator for _, (_, denominator) in drawing))
        by_row: dict[str, list[int]] = {}
        for node, (numerator, denominator) in drawing:
            self._spread(node, numerator * (common // denominator), by_row)
        rounded = _Rounded(common * self._scale)
        coefficients: dict[int, Coefficients] = {}
        occupied = 0
        for row, kinds in by_row.items():
            if row in dropped:
                continue
            scaled = rounded.up(tuple(kinds), self.flex.share.get(row, ONE) if acted else ONE)
            if row in self.hosts.row_idx:
                coefficients[self.hosts.row_idx[row]] = self._coefficients(scaled)
            else:
                draw, n_racks = self.hosts.site.occupied[row]
                occupied += n_racks * sum(s * d for s, d in zip(scaled, draw.electrical, strict=True))
        return RowLoads(coefficients, occupied)

    def _spread(self, node: str, share: int, by_row: dict[str, list[int]]) -> None:
        """Add what one load node asks for each watt of its rows; rows with the same weights share the products."""
        products: dict[int, list[tuple[int, int]]] = {}
        for row, weights in self._scaled_behind[node]:
            kinds = by_row.get(row)
            if kinds is None:
                kinds = by_row[row] = [0] * 4
            product = products.get(id(weights))
            if product is None:
                product = products[id(weights)] = [(kind, share * weight) for kind, weight in weights]
            for kind, more in product:
                kinds[kind] += more

    @cached_property
    def _known(self) -> dict[tuple[int, ...], Coefficients]:
        return {}

    def _coefficients(self, scaled: tuple[int, ...]) -> Coefficients:
        found = self._known.get(scaled)
        if found is None:
            found = tuple(sum(s * d for s, d in zip(scaled, draw, strict=True)) for draw in self.offer.electrical)
            self._known[scaled] = found
        return found


class _Rounded:
    """Shares of the four kinds of draw over one denominator, rounded up; like rows are rounded once."""

    def __init__(self, denominator: int) -> None:
        self._denominator = denominator
        self._known: dict[tuple[tuple[int, ...], Fraction], tuple[int, ...]] = {}

    def up(self, kinds: tuple[int, ...], left: Fraction) -> tuple[int, ...]:
        """Scaled by 2^20; left, what is left of a row's draws once it has shed and capped: support gear goes on."""
        found = self._known.get((kinds, left))
        if found is None:
            found = tuple(
                scaled_ratio(share, self._denominator)
                if kind == SUPPORT
                else scaled_ratio(share * left.numerator, self._denominator * left.denominator)
                for kind, share in enumerate(kinds)
            )
            self._known[kinds, left] = found
        return found


def _loads_of(couplings: RowCouplings) -> list[tuple[str, Weights]]:
    """Load nodes that a row draws at: itself, the machinery that its heat drives, its block's support gear."""
    result: list[tuple[str, Weights]] = [(couplings.row, ((IT, ONE),))]
    for drive in couplings.drives:
        per_air_watt = drive.watts_per_air_watt  # the heat of support gear goes to the air of its row
        weights = ((LIQUID, drive.watts_per_liquid_watt), (AIR, per_air_watt), (SUPPORT, per_air_watt))
        result.append((drive.node, tuple((kind, weight) for kind, weight in weights if weight)))
    if couplings.support is not None:
        result.append((couplings.support, ((SUPPORT, ONE),)))
    return result


def power_limits(loads: EpochLoads) -> tuple[list[Piece], int]:
    """The limits of every element of one site in one epoch.

    Returns pieces, and the number of contingencies that others imply. Raises InfeasibleError when what stands already
    exceeds an element.
    """
    pieces: list[Piece] = []
    n_implied = 0
    graph = loads.hosts.site.graphs.power
    droppable = loads.standing | loads.flex.share.keys()
    for element in element_loads(loads.state, graph, loads.rows_behind, droppable, loads.flex, loads.capped):
        n_implied += element.n_implied
        fields = graph.nodes[element.element]
        for one in element.contingencies:
            capacity_w = int(fields["rating_w"] if one.failed is None else fields["emergency_w"])
            pieces.append(_piece(loads, element, one, capacity_w))
        pieces += [_piece(loads, element, one, capacity_w, before=True) for one, capacity_w in element.before_action]
    return [piece for piece in pieces if piece.coefficients], n_implied


def _piece(
    loads: EpochLoads, element: ElementLoads, contingency: Contingency, capacity_w: int, *, before: bool = False
) -> Piece:
    """The limit of one element in one contingency; before rows have acted, or after."""
    name = LimitName(loads.hosts.site.name, "power", element.element, contingency.failed, before)
    nodes = element.normal.keys() | contingency.changes.keys()
    shares = [(node, share_of(contingency, element.normal, node)) for node in sorted(nodes)]
    acted = contingency.failed is not None and not before
    rows = loads.row_loads(shares, contingency.dropped, acted=acted)
    capacity = scaled_capacity(capacity_w) - rows.occupied - scaled_share(contingency.constant_w)
    epoch = loads.state.epoch
    capacity = checked_capacity(name, "W", capacity, loads.offer.periods[epoch.first_period])
    window = (capacity,) * (epoch.end_period - epoch.first_period)
    return Piece(name, "W", epoch.first_period, rows.coefficients, window, loads.standing_idx)


@dataclass(frozen=True)
class EpochMeter:
    """Power drawn from the service in normal operation over one epoch."""

    rows: RowLoads
    constant_w: Fraction


def meter_of(loads: EpochLoads) -> EpochMeter:
    """Shares of the service's output: the input of every element that it feeds."""
    service = loads.state.flow.flow.service
    shares = []
    for node in loads.rows_behind:
        supply = loads.state.flow.normal.get(node)
        if supply is not None:
            shares.append((node, (supply.vector.terms.get(service, 0), supply.vector.denominator)))
    constant_w = loads.state.constants.output_w.get(service, ZERO)
    return EpochMeter(loads.row_loads(shares, frozenset()), constant_w)
