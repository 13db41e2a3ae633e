"""How far the linear limits lie above the nonlinear truth, by level of the facility."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from planner.verify.report import LevelGap, Spread

if TYPE_CHECKING:
    from collections.abc import Iterator

BINDS = 0.97
"""Linear load over capacity from which on an element counts as one that binds."""
TOLERANCE = 1e-9


@dataclass
class Gaps:
    """(linear − true) / true of every element of a site in every period, in its fullest state."""

    site: str
    faults: list[str] = field(default_factory=list)
    _fullest: dict[str, dict[tuple[str, int], tuple[float, float]]] = field(default_factory=dict)
    """By level, element and period: linear load over capacity, and the gap."""

    def note(
        self, level: str, element: str, period: int, linear: float, true: float, capacity: float, when: str
    ) -> None:
        """One element in one state; what is linear may not lie below what is true.

        Parameters: linear, true and capacity in one unit, W or W of heat; when, the state in words.
        """
        if true > linear * (1 + TOLERANCE) + TOLERANCE:
            self.faults.append(
                f"{self.site}:{element} truly carries {true:.1f} W, above the linear {linear:.1f} W, in {when}"
            )
        if true <= 0:
            return
        use, key = linear / capacity if capacity else float("inf"), (element, period)
        states = self._fullest.setdefault(level, {})
        if key not in states or use > states[key][0]:
            states[key] = use, (linear - true) / true

    def levels(self) -> Iterator[LevelGap]:
        """The spread of every level, over what binds and over all."""
        for level, states in self._fullest.items():
            everywhere = [gap for _, gap in states.values()]
            binding = [gap for use, gap in states.values() if use >= BINDS]
            yield LevelGap(
                self.site, level, len({element for element, _ in states}), _spread(everywhere), _spread(binding)
            )


def _spread(gaps: list[float]) -> Spread | None:
    return Spread(len(gaps), min(gaps), median(gaps), max(gaps)) if gaps else None
