"""Pairs of a planned outage and a failure of which nothing hangs on both: above them, what each changes adds up.

A large site has a million of them, so an element is asked first whether it carries the largest of both rises at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.verify.states import States

Output = tuple[int, ...]
"""Watts over the periods of an epoch and without the plan, 2^-32 W."""


@dataclass
class Sums:
    """The loads of elements under such pairs in one epoch, before Flex rows act or once they have."""

    states: States
    epoch: int
    outs: frozenset[int]
    """Elements that stand and may be out for work."""
    normal: Mapping[int, Output]
    """Outputs of every element without failure."""
    _rises: dict[int, dict[int, Output]] = field(default_factory=dict)
    """By element and failure alone, what the failure adds there."""

    def note(self, failed: int, after: Mapping[int, Output]) -> None:
        """Take in what a single failure or group leaves of every element that it touches."""
        for element, output in after.items():
            rise = tuple([now - before for now, before in zip(output, self.normal[element], strict=True)])
            self._rises.setdefault(element, {})[failed] = rise

    def elements(self) -> list[int]:
        """Elements that some planned outage touches."""
        return [element for element in self._rises if self.touches(element)]

    def touches(self, element: int) -> bool:
        """Whether some planned outage touches an element."""
        return not self.outs.isdisjoint(self._rises.get(element, ()))

    def most(self, element: int) -> Output:
        """No less than the load of an element under any pair."""
        rises = self._rises[element]
        largest = tuple(map(max, zip(*rises.values(), strict=True)))
        largest_out = tuple(map(max, zip(*(rises[out] for out in self.outs & rises.keys()), strict=True)))
        return self._together(element, largest_out, largest)

    def above(self, element: int, spare: Sequence[int]) -> Iterator[tuple[int, Output]]:
        """Pairs, by number, under which the load of an element may rise by more than it has to spare in some period.

        Parameters: spare, by period and without the plan.
        """
        rises = self._rises[element]
        least = min(spare)
        by_rise = sorted(((max(rise), failed) for failed, rise in rises.items()), reverse=True)
        for out in self.outs & rises.keys():
            own = max(rises[out])
            for rise, failed in by_rise:
                if own + rise + self._rounding <= least:
                    break
                pair = self.states.adding(self.epoch, out, failed)
                if pair is not None:
                    yield pair, self._together(element, rises[out], rises[failed])

    def every(self, element: int) -> Iterator[tuple[int, Output]]:
        """Every pair that touches an element twice, by number, with its load."""
        rises = self._rises.get(element, {})
        for out in self.outs & rises.keys():
            for failed, rise in rises.items():
                pair = self.states.adding(self.epoch, out, failed)
                if pair is not None:
                    yield pair, self._together(element, rises[out], rise)

    def _together(self, element: int, one: Output, other: Output) -> Output:
        rows = zip(self.normal[element], one, other, strict=True)
        return tuple([before + first + second + self._rounding for before, first, second in rows])

    @property
    def _rounding(self) -> int:
        """Each of three flows is rounded up a few times at every node that it passes, each by less than one unit."""
        return 8 * len(self.states.network.names)
