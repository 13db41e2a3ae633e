"""Limits of CDU groups, air handlers and plants at the design day: with their spares out, and after failures."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.draws import Draw, flow_ml_per_min
from planner.lower.facility import AIR_HANDLER, CDU, COOLER
from planner.lower.flow import ONE, ZERO
from planner.lower.pieces import Coefficients, LimitName, Piece, checked_capacity, scaled_capacity, weighted
from sites.expansion.values import known
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.lower.facility import Bank
    from planner.lower.hosts import Offer, SiteHosts
    from planner.lower.site import EpochState
    from sites.catalog.loader import Configuration


LIQUID_HEAT, AIR_HEAT = (1, 0, 0), (0, 1, 1)
"""Which kinds of heat a header takes."""
Shares = tuple[Fraction, Fraction, Fraction]
"""Of liquid heat, of air heat, and of the heat of support gear, which goes to the air of its row."""


@dataclass(frozen=True)
class Left:
    """What is left of a bank: with its spares out, or under a failure of power elements."""

    failed: str | None
    n_units: int
    """0 or less: nothing is left."""
    dead_rows: frozenset[str]
    """Rows without supply, which draw nothing."""


class CoolingLimits:
    """The cooling limits of one site in one epoch."""

    def __init__(self, hosts: SiteHosts, offer: Offer, state: EpochState, occupants: dict[str, Configuration]) -> None:
        """Prepare.

        Parameters: hosts, offer and state of the site; occupants, the configuration of every occupied row.
        """
        self._hosts, self._offer, self._state = hosts, offer, state
        self._occupants = occupants
        self._cooling = hosts.site.graphs.cooling
        self._standing = hosts.relevant & state.epoch.power
        self._standing_idx = frozenset(hosts.row_idx[row] for row in self._standing if row in hosts.row_idx)
        self._rises: dict[str, Fraction] = {}

    def pieces(self) -> list[Piece]:
        """Limits of every bank in service that some row of the plan hangs on: with its spares out, and after failures.

        A failure matters that leaves a bank some units, and fewer than with its spares out.
        """
        found: list[Piece] = []
        failures = self._failures()
        for bank in self._state.facility.banks:
            if bank.node in self._state.epoch.cooling:
                n_units = self._state.facility.n_units(bank)
                normal = Left(None, n_units - bank.spares, frozenset())
                for left in (normal, *_decisive(failures.get(bank, []))):
                    found += self._bank(bank, left)
        return [piece for piece in found if piece.coefficients]

    def _failures(self) -> dict[Bank, list[Left]]:
        """What failures of power elements leave of banks that they take more units from than the spares are."""
        found: dict[Bank, list[Left]] = {}
        for failed, consequence in self._state.consequences.items():
            for bank, n_lost in consequence.n_lost.items():
                n_left = self._state.facility.n_units(bank) - n_lost
                if n_lost > bank.spares and n_left >= 1:
                    dead = consequence.dead_rows & bank.rows & self._standing
                    found.setdefault(bank, []).append(Left(failed, n_left, dead))
        return found

    def _bank(self, bank: Bank, left: Left) -> list[Piece]:
        if bank.kind == CDU:
            return [self._header("liquid", bank, left, LIQUID_HEAT), self._flow(bank, left)]
        if bank.kind == AIR_HANDLER:
            return [self._header("air", bank, left, AIR_HEAT)]
        return [self._plant("dry" if bank.kind == COOLER else "chiller", bank, left)]

    def _rows(self, bank: Bank, left: Left) -> list[str]:
        return sorted((bank.rows & self._standing) - left.dead_rows)

    def _unit(self, bank: Bank, left: Left, key: str) -> tuple[Fraction, int]:
        """Share of a header's load on one unit, and the smallest unit's capacity; 1 and 0 when none is left."""
        if left.n_units <= 0:
            return ONE, 0
        units = [unit for unit in bank.units if unit in self._state.epoch.cooling]
        return Fraction(1, left.n_units), min(int(self._cooling.nodes[unit][key]) for unit in units)

    def _header(self, family: str, bank: Bank, left: Left, weights: tuple[int, int, int]) -> Piece:
        share, heat_w = self._unit(bank, left, "heat_w")
        liquid, air, support = (share * weight for weight in weights)
        rows = self._rows(bank, left)
        return self._piece(family, bank, left, heat_w, dict.fromkeys(rows, (liquid, air, support)))

    def _plant(self, family: str, bank: Bank, left: Left) -> Piece:
        fields = self._cooling.nodes[bank.node]
        heat = "dry_cooler_heat_w" if family == "dry" else "chiller_heat_w"
        share = fields[f"{family}_fraction"] / left.n_units if left.n_units > 0 else ONE
        shares: dict[str, Shares] = {}
        for row in self._rows(bank, left):
            couplings = self._hosts.site.couplings[row]
            liquid = couplings.liquid_plants.get(bank.node, ZERO) * share
            air = couplings.air_plants.get(bank.node, ZERO) * share * (1 + couplings.fan_watts_per_air_watt)
            shares[row] = (liquid, air, air)
        return self._piece(family, bank, left, int(fields[heat]) if left.n_units > 0 else 0, shares)

    def _piece(self, family: str, bank: Bank, left: Left, capacity: int, shares: dict[str, Shares]) -> Piece:
        """A limit on heat by row."""
        heats = [(draw.liquid_w, draw.air_w, draw.support_w) for draw in self._offer.draws]
        known: dict[Shares, Coefficients] = {}
        coefficients: dict[int, Coefficients] = {}
        occupied = 0
        for row, share in shares.items():
            if row in self._hosts.row_idx:
                if share not in known:
                    known[share] = weighted(share, heats)
                coefficients[self._hosts.row_idx[row]] = known[share]
            else:
                draw, n_racks = self._hosts.site.occupied[row]
                occupied += n_racks * weighted(share, [(draw.liquid_w, draw.air_w, draw.support_w)])[0]
        return self._finished(family, bank, left, "W", capacity, coefficients, occupied)

    def _flow(self, bank: Bank, left: Left) -> Piece:
        share, most_ml_per_min = self._unit(bank, left, "flow_ml_per_min")
        coefficients: dict[int, Coefficients] = {}
        occupied = 0
        for row in self._rows(bank, left):
            if row in self._hosts.row_idx:
                flows = self._flows(row, zip(self._offer.configurations, self._offer.draws, strict=True))
                coefficients[self._hosts.row_idx[row]] = weighted([share], flows)
            else:
                draw, n_racks = self._hosts.site.occupied[row]
                occupied += n_racks * weighted([share], self._flows(row, [(self._occupants[row], draw)]))[0]
        return self._finished("flow", bank, left, "mL/min", most_ml_per_min, coefficients, occupied)

    def _flows(self, row: str, racks: Iterable[tuple[Configuration, Draw]]) -> list[tuple[int]]:
        """Flow of one rack of each configuration in this row's loop."""
        fields = self._hosts.site.rows[row]
        flows = []
        for configuration, draw in racks:
            rise_k = min(fields["liquid_rise_k"], self._rise(configuration))
            flows.append((flow_ml_per_min(draw.liquid_w, fields["coolant"], rise_k),))
        return flows

    def _rise(self, configuration: Configuration) -> Fraction:
        name = configuration.system.name
        if name not in self._rises:
            rise_k = known(configuration.system.rise, f"system '{name}'", "rise")
            if rise_k <= 0:
                message = f"found a rise of {rise_k} K; heat leaves by a flow only at a rise above 0 K"
                raise InputError([Fault("catalogue", None, f"system '{name}'", message)])
            self._rises[name] = rise_k
        return self._rises[name]

    def _finished(
        self,
        family: str,
        bank: Bank,
        left: Left,
        unit: str,
        capacity: int,
        coefficients: dict[int, Coefficients],
        occupied: int,
    ) -> Piece:
        epoch = self._state.epoch
        name = LimitName(self._hosts.site.name, family, bank.node, left.failed)
        room = scaled_capacity(capacity) - occupied
        room = checked_capacity(name, unit, room, self._offer.periods[epoch.first_period])
        window = (room,) * (epoch.end_period - epoch.first_period)
        return Piece(name, unit, epoch.first_period, coefficients, window, self._standing_idx)


def _decisive(failures: list[Left]) -> list[Left]:
    """Failures that no other one implies: one that leaves no more units and cuts off no other row."""
    kept: list[Left] = []
    for one in sorted(failures, key=lambda left: (left.n_units, len(left.dead_rows))):
        if not any(other.n_units <= one.n_units and other.dead_rows <= one.dead_rows for other in kept):
            kept.append(one)
    return kept
