"""Limits of cooling banks: with spares out, and after failures that take more units than that."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import floor
from typing import TYPE_CHECKING

from planner.verify.draws import flow_kind
from planner.verify.facility import Bank, rows_on_plant
from planner.verify.terms import ONE, Terms, share_of
from sites.calendar import quarter_index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planner.verify.states import States
    from sites.expansion import SiteGraphs

HEADER_FAMILIES = {"liquid-header": ("liquid", "flow"), "air-header": ("air",), "plant": ("dry", "chiller")}
_PLANT_FIELDS = {
    "dry": ("dry_fraction", "n_dry_coolers", "dry_spares", "dry_cooler_heat_w"),
    "chiller": ("chiller_fraction", "n_chillers", "chiller_spares", "chiller_heat_w"),
}
HeatShares = dict[str, dict[str, Fraction]]
"""By row and kind of draw the watts of heat, or mL/min of flow, for each unit of draw."""


@dataclass(frozen=True)
class BankState:
    """A bank with more units lost than it has spares."""

    bank: Bank
    failed: int
    """Number of the failure."""
    n_left: int
    silent: frozenset[str]
    """Rows of the bank that the failure leaves without power: they give no heat."""


@dataclass
class BankLimits:
    """Limits of headers and plants; racks that stand already are not taken off here."""

    graphs: SiteGraphs
    states: States
    _after: dict[int, list[BankState]] = field(default_factory=dict)
    _heat: dict[tuple[str, str], HeatShares] = field(default_factory=dict)

    def names(self) -> Iterator[tuple[str, str]]:
        """(family, header or plant) of every limit without failure."""
        for node, fields in self.graphs.cooling.nodes(data=True):
            for family in HEADER_FAMILIES.get(fields["kind"], ()):
                yield family, node

    def terms(self, family: str, place: str, failed: int | None, quarter: str) -> Terms | None:
        """One limit in a period, or None where it does not exist; raises KeyError for an unknown header or plant."""
        fields = self.graphs.cooling.nodes[place]
        if family not in HEADER_FAMILIES.get(fields["kind"], ()):
            msg = f"'{place}' has no limit of family '{family}'"
            raise KeyError(msg)
        if quarter_index(fields["in_service"]) > quarter_index(quarter):
            return None
        if family in _PLANT_FIELDS and not Fraction(fields[_PLANT_FIELDS[family][0]]):
            return None
        if failed is None:
            return self._with_left(family, place, self._normal_left(family, place, quarter), frozenset(), quarter)
        state = self._state(family, place, failed, quarter)
        return None if state is None else self._with_left(family, place, state.n_left, state.silent, quarter)

    def _state(self, family: str, place: str, failed: int, quarter: str) -> BankState | None:
        """The bank of a limit after a failure; None where its spares suffice, or nothing is left of it."""
        states, epoch = self.states, self.states.epoch(quarter)
        bank = states.facility.banks.get(f"{place}:{family}" if family in _PLANT_FIELDS else place)
        if bank is None or states.contingencies.unit(failed) or not states.stands(epoch, failed):
            return None
        return self._bank_state(bank, failed, epoch)

    def _bank_state(self, bank: Bank, failed: int, epoch: int) -> BankState | None:
        n_lost = self.states.consequences(epoch, failed).lost.get(bank.name, 0)
        n_left = len(bank.standing(epoch)) - n_lost
        if n_lost <= bank.spares or n_left < 1:
            return None
        return BankState(bank, failed, n_left, self.states.cut_rows(epoch, failed) & bank.rows)

    def states_after_failures(self, epoch: int) -> list[BankState]:
        """Banks with more units lost than spares, of failures that leave one alike the first."""
        if epoch not in self._after:
            found: dict[tuple[str, int, frozenset[str]], BankState] = {}
            for failed in self.states.failures(epoch):
                if self.states.contingencies.unit(failed) is None:
                    for name in self.states.consequences(epoch, failed).lost:
                        state = self._bank_state(self.states.facility.banks[name], failed, epoch)
                        if state is not None:
                            found.setdefault((name, state.n_left, state.silent), state)
            self._after[epoch] = list(found.values())
        return self._after[epoch]

    def _normal_left(self, family: str, place: str, quarter: str) -> int:
        """Units with the spares out."""
        fields, now = self.graphs.cooling.nodes[place], quarter_index(quarter)
        if family in _PLANT_FIELDS:
            _, count_key, spares_key, _ = _PLANT_FIELDS[family]
            return int(fields[count_key] - fields[spares_key])
        units = [self.graphs.cooling.nodes[unit] for unit in self.graphs.cooling.predecessors(place)]
        n_standing = sum(quarter_index(unit["in_service"]) <= now for unit in units)
        return n_standing - int(fields["spares"])

    def _with_left(self, family: str, place: str, n_left: int, silent: frozenset[str], quarter: str) -> Terms:
        rows = {
            row: {kind: share_of(share, n_left) for kind, share in kinds.items()}
            for row, kinds in self.heat_shares(family, place).items()
            if row not in silent
        }
        return Terms(rows, self.unit_capacity(family, place, quarter) * ONE if n_left > 0 else 0)

    def unit_capacity(self, family: str, place: str, quarter: str) -> int:
        """Heat in W, or flow in mL/min, of the smallest unit in service, rounded down."""
        fields, now = self.graphs.cooling.nodes[place], quarter_index(quarter)
        if family in _PLANT_FIELDS:
            heat_w: int = floor(fields[_PLANT_FIELDS[family][3]])
            return heat_w
        key = "flow_ml_per_min" if family == "flow" else "heat_w"
        units = [self.graphs.cooling.nodes[unit] for unit in self.graphs.cooling.predecessors(place)]
        return min((floor(unit[key]) for unit in units if quarter_index(unit["in_service"]) <= now), default=0)

    def heat_shares(self, family: str, place: str) -> HeatShares:
        """What each row puts on a whole bank; heat of support gear goes with the air, fans of the handlers on top."""
        key = (family, place)
        if key not in self._heat:
            self._heat[key] = self._plant(family, place) if family in _PLANT_FIELDS else self._header(family, place)
        return self._heat[key]

    def _header(self, family: str, header: str) -> HeatShares:
        rows = sorted(self.graphs.cooling.successors(header))
        one = Fraction(1)
        if family == "liquid":
            return {row: {"liquid_w": one} for row in rows}
        if family == "air":
            return {row: {"air_w": one, "support_w": one} for row in rows}
        fields = self.graphs.containment.nodes
        return {row: {flow_kind(fields[row]["coolant"], fields[row]["liquid_rise_k"]): one} for row in rows}

    def _plant(self, family: str, plant: str) -> HeatShares:
        cooling = self.graphs.cooling
        fraction = Fraction(cooling.nodes[plant][_PLANT_FIELDS[family][0]])
        rows: HeatShares = {}
        for header, row, medium in self.on_plant[plant]:
            kinds = rows.setdefault(row, {})
            if medium == "liquid":
                kinds["liquid_w"] = fraction
            else:
                share = fraction * (1 + Fraction(cooling.nodes[header]["watts_per_heat_watt"]))
                kinds |= {"air_w": share, "support_w": share}
        return rows

    @cached_property
    def on_plant(self) -> dict[str, list[tuple[str, str, str]]]:
        """(header, row, medium) of everything whose heat ends in each plant."""
        return rows_on_plant(self.graphs.cooling)
