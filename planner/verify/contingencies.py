"""What may fail at a site: single elements, common-mode groups, units of banks, and anything during maintenance.

Failures are numbered: elements by their node, then groups, units, and pairs of a maintained element with a failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sites.schema.failures import COMMON_MODE, MAINTENANCE

if TYPE_CHECKING:
    from planner.verify.facility import Facility
    from planner.verify.network import Network, Wiring


@dataclass(frozen=True)
class Contingencies:
    """Every failure of a site by number and by name."""

    network: Network
    facility: Facility
    groups: tuple[tuple[str, tuple[int, ...]], ...]
    """Name and elements of each common-mode group."""
    maintained: tuple[int, ...]
    """Elements that may be out for work, in order of their ids."""

    @cached_property
    def _first_group(self) -> int:
        return len(self.network.names)

    @cached_property
    def _first_unit(self) -> int:
        return self._first_group + len(self.groups)

    @cached_property
    def _first_pair(self) -> int:
        return self._first_unit + len(self.facility.units)

    @cached_property
    def _meanwhile(self) -> tuple[int, ...]:
        """What may fail while an element is out for work: single elements in order of their ids, then groups."""
        singles = sorted(self.network.elements, key=lambda node: self.network.names[node])
        return (*singles, *range(self._first_group, self._first_unit))

    @cached_property
    def _place(self) -> dict[int, int]:
        """Place of everything that may fail meanwhile."""
        return {failed: place for place, failed in enumerate(self._meanwhile)}

    @cached_property
    def _rank(self) -> dict[int, int]:
        """Place of every maintained element."""
        return {out: rank for rank, out in enumerate(self.maintained)}

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Numbers by name of everything that is neither a single element nor a pair."""
        return {self.name(failed): failed for failed in range(self._first_group, self._first_pair)}

    def pair(self, failed: int) -> tuple[int, int] | None:
        """The maintained element and the failure meanwhile, or None for a failure alone."""
        if failed < self._first_pair:
            return None
        rank, place = divmod(failed - self._first_pair, len(self._meanwhile))
        return self.maintained[rank], self._meanwhile[place]

    def together(self, out: int, failed: int) -> int | None:
        """Number of a pair, or None where it is none: of two maintained elements the first by id is out, once."""
        names = self.network.names
        if out in self.elements(failed) or (failed in self._rank and names[failed] < names[out]):
            return None
        return self._first_pair + self._rank[out] * len(self._meanwhile) + self._place[failed]

    def unit(self, failed: int) -> str | None:
        """The bank or block that loses one unit of its own, or None for a failure of power elements."""
        if not self._first_unit <= failed < self._first_pair:
            return None
        return self.facility.units[failed - self._first_unit].owner

    def elements(self, failed: int) -> tuple[int, ...]:
        """Power elements that a failure takes out."""
        if failed < self._first_group:
            return (failed,)
        if failed < self._first_unit:
            return self.groups[failed - self._first_group][1]
        pair = self.pair(failed)
        return () if pair is None else (pair[0], *self.elements(pair[1]))

    def name(self, failed: int) -> str:
        """Id of the element or the unit, name of the group, or both parts joined by `+`."""
        if failed < self._first_group:
            return self.network.names[failed]
        if failed < self._first_unit:
            return self.groups[failed - self._first_group][0]
        pair = self.pair(failed)
        if pair is None:
            return self.facility.units[failed - self._first_unit].failure
        return f"{self.name(pair[0])}+{self.name(pair[1])}"

    def kind(self, failed: int) -> str:
        """Kind of the element or the unit, or that of groups or of maintenance."""
        if failed < self._first_group:
            return self.network.kinds[failed]
        if failed < self._first_unit:
            return COMMON_MODE
        return MAINTENANCE if failed >= self._first_pair else self.facility.units[failed - self._first_unit].kind

    def number(self, name: str) -> int:
        """Number of the failure of this name; raises KeyError when there is none."""
        if name in self.network.index:
            return self.network.index[name]
        if name in self._numbers:
            return self._numbers[name]
        for at, sign in enumerate(name):
            out, failed = self.network.index.get(name[:at]), self._alone(name[at + 1 :])
            if sign == "+" and out in self._rank and failed in self._place:
                together = self.together(out, failed)
                if together is not None:
                    return together
        raise KeyError(name)

    def _alone(self, name: str) -> int | None:
        return self.network.index.get(name, self._numbers.get(name))

    def stands(self, normal: Wiring, quarter: int, failed: int) -> bool:
        """Whether what fails exists: an element, any of a group, both of a pair, the place of a unit."""
        pair, owner = self.pair(failed), self.unit(failed)
        if pair is not None:
            return all(self.stands(normal, quarter, one) for one in pair)
        if owner is not None:
            return self.facility.stands(owner, normal, quarter)
        return any(node not in normal.dead for node in self.elements(failed))

    def of_power(self, normal: Wiring) -> list[int]:
        """Single elements and groups that may fail in a wiring."""
        numbers = [*self.network.elements, *range(self._first_group, self._first_unit)]
        return [failed for failed in numbers if any(node not in normal.dead for node in self.elements(failed))]

    def of_units(self, normal: Wiring, quarter: int) -> list[int]:
        """Unit failures of what stands in a quarter."""
        numbers = range(self._first_unit, self._first_pair)
        return [failed for failed in numbers if self.stands(normal, quarter, failed)]
