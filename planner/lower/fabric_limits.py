"""Limits of leaf groups (host ports of each kind), of places for support gear, and of building spines (Gb/s)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import networkx as nx

from planner.lower.pieces import Coefficients, LimitName, Piece, checked_capacity, scaled_capacity, scaled_share
from planner.problem import SHARE_BITS
from sites.expansion.values import known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.lower.hosts import Offer, SiteHosts
    from sites.catalog.loader import Configuration
    from sites.schema.catalog import RackSystem


def fabric_limits(hosts: SiteHosts, offer: Offer, occupants: Mapping[str, Configuration]) -> list[Piece]:
    """Ports and support places of every fabric block and bandwidth of every building, in all periods.

    Parameters: occupants, the configuration of every occupied row. Raises InfeasibleError when what stands already
    exceeds a limit.
    """
    site = hosts.site
    pieces = []
    for node, fields in site.graphs.fabric.nodes(data=True):
        if fields["kind"] == "leaf-group":
            for port_kind, n_ports in sorted(fields["ports_by_kind"].items()):
                name = LimitName(site.name, "leaf", node, port_kind)
                needs = tuple((d.ports << SHARE_BITS) * (d.port_kind == port_kind) for d in offer.draws)
                taken = {
                    row: (d.ports << SHARE_BITS) * (d.port_kind == port_kind) for row, (d, _) in site.occupied.items()
                }
                pieces.append(_limit(hosts, offer, name, "port", scaled_capacity(n_ports), needs, taken))
            pieces.append(_support(hosts, offer, node, fields, occupants))
        elif fields["kind"] == "spine":
            name = LimitName(site.name, "spine", node)
            needs = tuple(d.gbps << SHARE_BITS for d in offer.draws)
            taken = {row: d.gbps << SHARE_BITS for row, (d, _) in site.occupied.items()}
            pieces.append(_limit(hosts, offer, name, "Gb/s", scaled_capacity(fields["ports_gbps"]), needs, taken))
    return [piece for piece in pieces if piece.coefficients]


def _support(
    hosts: SiteHosts, offer: Offer, block: str, fields: Mapping[str, Any], occupants: Mapping[str, Configuration]
) -> Piece:
    """Rack places outside the rows for what serves a scalable unit: each rack takes its part of a unit's.

    Gear stands for whole units: where a unit may be part empty, one of a single rack may want a unit's places, and that
    much is kept free.
    """
    capacity = scaled_capacity(fields["support_positions"])
    if fields["partial_units"]:
        kept = max(_places(one.system) * (1 - Fraction(1, _unit(one.system))) for one in offer.configurations)
        capacity = max(capacity - scaled_share(kept), 0)
    needs = tuple(_support_share(one.system) for one in offer.configurations)
    taken = {row: _support_share(one.system) for row, one in occupants.items()}
    return _limit(hosts, offer, LimitName(hosts.site.name, "support", block), "rack", capacity, needs, taken)


def _support_share(system: RackSystem) -> int:
    """Support places of one rack, scaled by 2^20."""
    return scaled_share(_places(system) / _unit(system))


def _places(system: RackSystem) -> Fraction:
    key = "support_positions_per_unit"
    return Fraction(known(getattr(system, key), f"system '{system.name}'", key))


def _unit(system: RackSystem) -> int:
    return known(system.scalable_unit_racks, f"system '{system.name}'", "scalable_unit_racks")


def _limit(
    hosts: SiteHosts,
    offer: Offer,
    name: LimitName,
    unit: str,
    capacity: int,
    needs: Coefficients,
    taken: Mapping[str, int],
) -> Piece:
    """A limit over the rows below a node of the fabric.

    Parameters: capacity, scaled by 2^20; needs, of each configuration; taken, by one rack of each occupied row.
    """
    below = sorted(nx.descendants(hosts.site.graphs.fabric, name.element))
    coefficients = {hosts.row_idx[row]: needs for row in below if row in hosts.row_idx}
    window = tuple(
        checked_capacity(name, unit, capacity - used, period)
        for used, period in zip(_occupied(hosts, below, taken, len(offer.periods)), offer.periods, strict=True)
    )
    rows = frozenset(hosts.row_idx.values())
    return Piece(name, unit, 0, coefficients if any(needs) else {}, window, rows)


def _occupied(hosts: SiteHosts, rows: Iterable[str], taken: Mapping[str, int], n_periods: int) -> list[int]:
    """What racks that stand already take in each period, from the one on in which their row exists."""
    used = [0] * n_periods
    for row in rows:
        if row in hosts.site.occupied and row not in hosts.row_idx:
            _, n_racks = hosts.site.occupied[row]
            for t in range(hosts.site.first_period_of_row(row, n_periods), n_periods):
                used[t] += n_racks * taken[row]
    return used
