"""What each failure takes with it: rows without supply, units without power, and rows whose cooling or network goes.

Only what a failure cuts off is looked at: most failures of a large site cut off nothing that feeds a unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from planner.lower.facility import AIR_HANDLER, CDU, CHILLER, COOLER, LEAF, has_supply

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from planner.lower.existence import Epoch
    from planner.lower.facility import Bank, Facility
    from planner.lower.flow import Changed, EpochFlow

CUT_OFF = "drop the row"
"""What happens to a row without supply of its own."""
BANK_STOPS = {
    CDU: "stop all CDUs of the row",
    AIR_HANDLER: "stop all air handlers of the row",
    COOLER: "stop all coolers of the row's plant",
    CHILLER: "stop all chillers of the row's plant",
}
NO_SPARE = {
    CDU: "leave the row too few CDUs, which have no spare",
    AIR_HANDLER: "leave the row too few air handlers, which have no spare",
    COOLER: "leave the row's plant too few coolers, which have no spare",
    CHILLER: "leave the row's plant too few chillers, which have no spare",
}
MACHINERY_STOPS = "stop the pumps, fans or compressors that cool the row"
SUPPORT_STOPS = "stop the network and support gear of the row's block"
TOO_FEW_PLANES = "leave the row's block fewer network planes than it needs"

T = TypeVar("T")


@dataclass(frozen=True)
class Consequence:
    """What one failure takes with it."""

    dead_rows: frozenset[str]
    """Rows without supply: they draw nothing."""
    dropped: dict[str, str]
    """What happens to each row that stops, by row: the dead ones and those that lose cooling or network."""
    n_lost: dict[Bank, int]
    """Units without power, by bank."""
    dead_feeds: frozenset[str]
    """Elements without supply that units or leaves draw from."""


class EpochFacility:
    """The banks and leaf groups of one epoch, asked what a loss of power does to them."""

    def __init__(self, facility: Facility, epoch: Epoch, flow: EpochFlow) -> None:
        """Prepare.

        Parameters: facility of the site; epoch, and its flow.
        """
        self.banks = facility.banks
        self._facility, self._epoch, self._kind = facility, epoch, flow.flow.kind
        self._always_dead = {node for node in facility.feeding & epoch.power if flow.normal[node] is None}

    def n_units(self, bank: Bank) -> int:
        """Units of a bank that are in service."""
        return sum(unit in self._epoch.cooling for unit in bank.units)

    def consequence(self, changed: Changed, base: Consequence | None = None) -> Consequence:
        """What a failure of power elements takes with it.

        Parameters: changed, as from `EpochFlow.after`; base, what another failure takes already, where `changed` was
        walked from that.
        """
        facility = self._facility
        dead = [node for node, supply in changed.items() if supply is None]
        dead_rows = frozenset(node for node in dead if self._kind[node] == "row")
        dropped = dict.fromkeys(sorted(dead_rows), CUT_OFF) | ({} if base is None else base.dropped)
        feeds = facility.feeding.intersection(dead)
        n_lost: dict[Bank, int] = {} if base is None else base.n_lost
        already = frozenset() if base is None else base.dead_feeds
        if feeds:
            feeds |= self._always_dead | already
            n_lost = self._lost_units(feeds)
            for bank, lost in n_lost.items():
                if lost >= self.n_units(bank):
                    self._drop(bank.rows, BANK_STOPS[bank.kind], dropped)
            for group in _touched(facility.leaf_groups_on, feeds):
                if group.whole_planes(self._epoch.power, feeds) < group.planes_needed:
                    self._drop(group.rows, TOO_FEW_PLANES, dropped)
        for node in dead:
            if node in facility.needed_by:
                what = SUPPORT_STOPS if self._kind[node] == "support" else MACHINERY_STOPS
                self._drop(facility.needed_by[node], what, dropped)
        return Consequence(
            dead_rows | (frozenset() if base is None else base.dead_rows), dropped, n_lost, feeds | already
        )

    def concerns(self, changed: Changed) -> bool:
        """Whether a failure takes the supply of a row, of a unit's or leaf's feed, or of machinery or support gear."""
        return any(
            supply is None
            and (self._kind[node] == "row" or node in self._facility.feeding or node in self._facility.needed_by)
            for node, supply in changed.items()
        )

    def _lost_units(self, dead: Collection[str]) -> dict[Bank, int]:
        """Units in service without power, of the banks that lose any."""
        found = {}
        for bank in _touched(self._facility.banks_on, dead):
            lost = sum(
                unit in self._epoch.cooling and not has_supply(feeds, self._epoch.power, dead)
                for unit, feeds in zip(bank.units, bank.fed_by, strict=True)
            )
            if lost:
                found[bank] = lost
        return found

    def _drop(self, rows: Iterable[str], what: str, dropped: dict[str, str]) -> None:
        for row in sorted(rows):
            if row in self._epoch.power:
                dropped.setdefault(row, what)

    def unit_failures(self) -> dict[str, tuple[str, dict[str, str]]]:
        """The failure of one unit of each bank and of one leaf of each block: kind, and the rows that it drops.

        Spares cover the loss of a unit; planes that are not needed cover that of a leaf.
        """
        found: dict[str, tuple[str, dict[str, str]]] = {}
        for bank in self._facility.banks:
            if bank.node in self._epoch.cooling and bank.units:
                dropped: dict[str, str] = {}
                if self.n_units(bank) <= 1:
                    self._drop(bank.rows, BANK_STOPS[bank.kind], dropped)
                elif bank.spares == 0:
                    self._drop(bank.rows, NO_SPARE[bank.kind], dropped)
                found[bank.failure] = bank.kind, dropped
        for group in self._facility.leaf_groups:
            if group.support in self._epoch.power:
                dropped = {}
                if group.planes - 1 < group.planes_needed:
                    self._drop(group.rows, TOO_FEW_PLANES, dropped)
                found[group.failure] = LEAF, dropped
        return found


def _touched(on: Mapping[str, tuple[T, ...]], dead: Iterable[str]) -> Iterable[T]:
    """What hangs on any of these elements, each once."""
    return dict.fromkeys(one for element in sorted(dead) for one in on.get(element, ()))
