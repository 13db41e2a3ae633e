"""Limits of every power element, in normal operation and under every single failure that can decide."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from planner.lower.contingencies import Contingency, ElementLoads, element_loads, share_of
from planner.lower.flow import ONE, ZERO
from planner.lower.pieces import (
    Coefficients,
    LimitName,
    Piece,
    checked_capacity,
    scaled_capacity,
    scaled_share,
    weighted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.lower.couplings import RowCouplings
    from planner.lower.hosts import Offer, SiteHosts
    from planner.lower.site import EpochState

IT, LIQUID, AIR, SUPPORT = range(4)
Weights = tuple[tuple[int, Fraction], ...]
"""(kind of electrical draw, watts at the load node for each watt of it)."""


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

    def row_loads(self, shares: Iterable[tuple[str, Fraction]], dropped: frozenset[str]) -> RowLoads:
        """Turn shares of load nodes into coefficients of rows.

        Parameters: shares, watts at the element for each watt drawn at each load node; dropped, rows without supply.
        """
        by_row: dict[str, list[Fraction]] = {}
        for node, share in shares:
            if share:
                self._spread(node, share, by_row)
        coefficients: dict[int, Coefficients] = {}
        occupied = 0
        for row, kinds in by_row.items():
            if row in dropped:
                continue
            if row in self.hosts.row_idx:
                coefficients[self.hosts.row_idx[row]] = self._coefficients(tuple(kinds))
            else:
                draw, n_racks = self.hosts.site.occupied[row]
                occupied += n_racks * weighted(kinds, [draw.electrical])[0]
        return RowLoads(coefficients, occupied)

    def _spread(self, node: str, share: Fraction, by_row: dict[str, list[Fraction]]) -> None:
        """Add what one load node asks for each watt of its rows; rows with the same weights share the products."""
        products: dict[int, list[tuple[int, Fraction]]] = {}
        for row, weights in self.rows_behind[node]:
            kinds = by_row.setdefault(row, [ZERO] * 4)
            if id(weights) not in products:
                products[id(weights)] = [(kind, share * weight) for kind, weight in weights]
            for kind, product in products[id(weights)]:
                kinds[kind] = kinds[kind] + product if kinds[kind] else product

    @cached_property
    def _known(self) -> dict[tuple[int, ...], Coefficients]:
        return {}

    def _coefficients(self, kinds: tuple[Fraction, ...]) -> Coefficients:
        scaled = tuple(scaled_share(kind) for kind in kinds)
        found = self._known.get(scaled)
        if found is None:
            found = tuple(sum(s * d for s, d in zip(scaled, draw, strict=True)) for draw in self.offer.electrical)
            self._known[scaled] = found
        return found


def _loads_of(couplings: RowCouplings) -> list[tuple[str, Weights]]:
    """Load nodes that a row draws at: itself, the machinery that its heat drives, its block's support gear."""
    result: list[tuple[str, Weights]] = [(couplings.row, ((IT, ONE),))]
    for drive in couplings.drives:
        weights = ((LIQUID, drive.watts_per_liquid_watt), (AIR, drive.watts_per_air_watt))
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
    for element in element_loads(loads.state, loads.rows_behind, loads.standing):
        n_implied += element.n_implied
        for contingency in element.contingencies:
            piece = _piece(loads, element, contingency)
            if piece.coefficients:
                pieces.append(piece)
    return pieces, n_implied


def _piece(loads: EpochLoads, element: ElementLoads, contingency: Contingency) -> Piece:
    name = LimitName(loads.hosts.site.name, "power", element.element, contingency.failed)
    nodes = element.normal.keys() | contingency.changes.keys()
    shares = [(node, share_of(contingency, element.normal, node)) for node in sorted(nodes)]
    rows = loads.row_loads(shares, contingency.dropped)
    rating_w = loads.hosts.site.graphs.power.nodes[element.element]["rating_w"]
    capacity = scaled_capacity(rating_w) - rows.occupied - scaled_share(contingency.constant_w)
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
            shares.append((node, supply.vector.share(service)))
    constant_w = loads.state.constants.output_w.get(service, ZERO)
    return EpochMeter(loads.row_loads(shares, frozenset()), constant_w)
