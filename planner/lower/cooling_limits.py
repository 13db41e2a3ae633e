"""Limits of CDU groups, air handlers and plants at the design day, with their spares out."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from planner.lower.draws import Draw, flow_ml_per_min
from planner.lower.flow import ZERO
from planner.lower.pieces import Coefficients, LimitName, Piece, checked_capacity, scaled_capacity, weighted
from sites.expansion.values import known
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planner.lower.hosts import Offer, SiteHosts
    from planner.lower.site import EpochState
    from sites.catalog.loader import Configuration


class CoolingLimits:
    """The cooling limits of one site in one epoch."""

    def __init__(self, hosts: SiteHosts, offer: Offer, state: EpochState, occupants: dict[str, Configuration]) -> None:
        """Prepare.

        Parameters: hosts, offer and state of the site; occupants, the configuration of every occupied row.
        """
        self._hosts, self._offer, self._state = hosts, offer, state
        self._occupants = occupants
        self._cooling = hosts.site.graphs.cooling
        self._standing = sorted(hosts.relevant & state.epoch.power)
        self._standing_idx = frozenset(hosts.row_idx[row] for row in self._standing if row in hosts.row_idx)
        self._rises: dict[str, Fraction] = {}

    def pieces(self) -> list[Piece]:
        """Limits of every header and plant in service that some row of the plan hangs on."""
        found: list[Piece | None] = []
        for node in self._cooling.nodes:
            if node not in self._state.epoch.cooling:
                continue
            kind = self._cooling.nodes[node]["kind"]
            if kind == "liquid-header":
                found += [self._liquid(node), self._flow(node)]
            elif kind == "air-header":
                found.append(self._air(node))
            elif kind == "plant":
                found += [self._plant(node, "dry"), self._plant(node, "chiller")]
        return [piece for piece in found if piece is not None and piece.coefficients]

    def _units(self, header: str) -> tuple[int, list[str]]:
        """Units left with the spares out, and the units in service."""
        units = [unit for unit in self._cooling.predecessors(header) if unit in self._state.epoch.cooling]
        return len(units) - self._cooling.nodes[header]["spares"], units

    def _bank(self, header: str, key: str) -> tuple[Fraction, int]:
        """Share of the header's load on one unit, and the smallest unit's capacity; 1 and 0 when none is left."""
        n_left, units = self._units(header)
        if n_left <= 0:
            return Fraction(1), 0
        return Fraction(1, n_left), min(int(self._cooling.nodes[unit][key]) for unit in units)

    def _liquid(self, header: str) -> Piece:
        share, heat_w = self._bank(header, "heat_w")
        rows = [row for row in self._standing if self._hosts.site.couplings[row].liquid_header == header]
        return self._piece("liquid", header, "W", heat_w, dict.fromkeys(rows, (share, ZERO)))

    def _air(self, header: str) -> Piece:
        share, heat_w = self._bank(header, "heat_w")
        rows = [row for row in self._standing if self._hosts.site.couplings[row].air_header == header]
        return self._piece("air", header, "W", heat_w, dict.fromkeys(rows, (ZERO, share)))

    def _plant(self, plant: str, family: str) -> Piece | None:
        fields = self._cooling.nodes[plant]
        units, heat = ("dry_coolers", "dry_cooler_heat_w") if family == "dry" else ("chillers", "chiller_heat_w")
        fraction = fields[f"{family}_fraction"]
        if not fraction:
            return None
        n_left = fields[f"n_{units}"] - fields[f"{family}_spares"]
        share = fraction / n_left if n_left > 0 else Fraction(1)
        shares = {}
        for row in self._standing:
            couplings = self._hosts.site.couplings[row]
            liquid = couplings.liquid_plants.get(plant, ZERO) * share
            air = couplings.air_plants.get(plant, ZERO) * share * (1 + couplings.fan_watts_per_air_watt)
            if liquid or air:
                shares[row] = (liquid, air)
        return self._piece(family, plant, "W", int(fields[heat]) if n_left > 0 else 0, shares)

    def _piece(
        self, family: str, element: str, unit: str, capacity: int, shares: dict[str, tuple[Fraction, Fraction]]
    ) -> Piece:
        """A limit on heat; shares of liquid and of air heat by row."""
        heats = [(draw.liquid_w, draw.air_w) for draw in self._offer.draws]
        coefficients: dict[int, Coefficients] = {}
        occupied = 0
        for row, share in shares.items():
            if row in self._hosts.row_idx:
                coefficients[self._hosts.row_idx[row]] = weighted(share, heats)
            else:
                draw, n_racks = self._hosts.site.occupied[row]
                occupied += n_racks * weighted(share, [(draw.liquid_w, draw.air_w)])[0]
        return self._finished(family, element, unit, capacity, coefficients, occupied)

    def _flow(self, header: str) -> Piece:
        share, most_ml_per_min = self._bank(header, "flow_ml_per_min")
        coefficients: dict[int, Coefficients] = {}
        occupied = 0
        for row in self._standing:
            if self._hosts.site.couplings[row].liquid_header != header:
                continue
            if row in self._hosts.row_idx:
                flows = self._flows(row, zip(self._offer.configurations, self._offer.draws, strict=True))
                coefficients[self._hosts.row_idx[row]] = weighted([share], flows)
            else:
                draw, n_racks = self._hosts.site.occupied[row]
                occupied += n_racks * weighted([share], self._flows(row, [(self._occupants[row], draw)]))[0]
        return self._finished("flow", header, "mL/min", most_ml_per_min, coefficients, occupied)

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
        element: str,
        unit: str,
        capacity: int,
        coefficients: dict[int, Coefficients],
        occupied: int,
    ) -> Piece:
        epoch = self._state.epoch
        name = LimitName(self._hosts.site.name, family, element)
        left = scaled_capacity(capacity) - occupied
        left = checked_capacity(name, unit, left, self._offer.periods[epoch.first_period])
        window = (left,) * (epoch.end_period - epoch.first_period)
        return Piece(name, unit, epoch.first_period, coefficients, window, self._standing_idx)
