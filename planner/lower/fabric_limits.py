"""Limits of leaf groups (host ports of each kind) and of building spines (Gb/s)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from planner.lower.pieces import Coefficients, LimitName, Piece, checked_capacity, scaled_capacity
from planner.problem import SHARE_BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.lower.draws import Draw
    from planner.lower.hosts import Offer, SiteHosts


def fabric_limits(hosts: SiteHosts, offer: Offer) -> list[Piece]:
    """The port limits of every fabric block and the bandwidth limit of every building, in all periods.

    Raises InfeasibleError when what stands already exceeds one.
    """
    fabric = hosts.site.graphs.fabric
    pieces = []
    for node, fields in fabric.nodes(data=True):
        if fields["kind"] == "leaf-group":
            for port_kind, n_ports in sorted(fields["ports_by_kind"].items()):
                name = LimitName(hosts.site.name, "leaf", node, port_kind)
                pieces.append(_limit(hosts, offer, name, "port", int(n_ports), _ports_of(port_kind)))
        elif fields["kind"] == "spine":
            name = LimitName(hosts.site.name, "spine", node)
            pieces.append(_limit(hosts, offer, name, "Gb/s", int(fields["ports_gbps"]), lambda draw: draw.gbps))
    return [piece for piece in pieces if piece.coefficients]


def _ports_of(port_kind: str) -> Callable[[Draw], int]:
    return lambda draw: draw.ports if draw.port_kind == port_kind else 0


def _limit(
    hosts: SiteHosts, offer: Offer, name: LimitName, unit: str, capacity: int, need: Callable[[Draw], int]
) -> Piece:
    needs: Coefficients = tuple(need(draw) << SHARE_BITS for draw in offer.draws)
    coefficients: dict[int, Coefficients] = {}
    occupied = [0] * len(offer.periods)
    for row in sorted(nx.descendants(hosts.site.graphs.fabric, name.element)):
        if row in hosts.row_idx:
            coefficients[hosts.row_idx[row]] = needs
        elif row in hosts.site.occupied:
            draw, n_racks = hosts.site.occupied[row]
            for t in range(hosts.site.first_period_of_row(row, len(offer.periods)), len(offer.periods)):
                occupied[t] += n_racks * need(draw) << SHARE_BITS
    if not any(needs):
        coefficients = {}
    capacities = tuple(
        checked_capacity(name, unit, scaled_capacity(capacity) - used, period)
        for used, period in zip(occupied, offer.periods, strict=True)
    )
    return Piece(name, unit, 0, coefficients, capacities, frozenset(hosts.row_idx.values()))
