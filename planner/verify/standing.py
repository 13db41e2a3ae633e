"""The racks that stand in each row and period: the plan's, and those that stood already."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.verify.draws import ELECTRICAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planner.verify.draws import RackDraws
    from planner.verify.limits import SiteLimits

Counts = dict[str, list[int]]
"""Racks by configuration, a list over decision periods."""


@dataclass(frozen=True)
class Standing:
    """What stands at one site in the decision periods."""

    limits: SiteLimits
    periods: tuple[str, ...]
    draws: Mapping[str, RackDraws]
    planned: dict[str, Counts]
    """The plan's racks by row."""
    _known: dict[tuple[str, int], dict[str, int]] = field(default_factory=dict, repr=False)
    _columns: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict, repr=False)
    _electrical: dict[int, dict[str, dict[str, int]]] = field(default_factory=dict, repr=False)

    def planned_draw(self, row: str, period: int) -> dict[str, int]:
        """Every kind of draw of the plan's racks in a row."""
        key = (row, period)
        if key not in self._known:
            counts = self.planned.get(row, {})
            self._known[key] = _total((self.draws[name], n[period]) for name, n in counts.items() if n[period])
        return self._known[key]

    def planned_columns(self, row: str) -> Mapping[str, tuple[int, ...]]:
        """Every kind of draw of the plan's racks in a row, over the periods."""
        if row not in self._columns:
            by_period = [self.planned_draw(row, t) for t in range(len(self.periods))]
            kinds = dict.fromkeys(kind for draw in by_period for kind in draw)
            self._columns[row] = {kind: tuple([draw.get(kind, 0) for draw in by_period]) for kind in kinds}
        return self._columns[row]

    def occupied_draw(self, row: str, period: int) -> dict[str, int]:
        """Every kind of draw of the racks that stood already, where the row exists."""
        standing = self.limits.occupied.get(row)
        if standing is None or not self.limits.exists(row, self.periods[period]):
            return {}
        return _total([(standing.draws, standing.n_racks)])

    def total_draw(self, row: str, period: int) -> dict[str, int]:
        """The four electrical kinds of draw of a row, plan and occupied together."""
        planned, occupied = self.planned_draw(row, period), self.occupied_draw(row, period)
        return {kind: planned.get(kind, 0) + occupied.get(kind, 0) for kind in ELECTRICAL}

    def electrical(self, period: int) -> dict[str, dict[str, int]]:
        """The four electrical kinds of draw of every row that draws anything, plan and occupied together."""
        if period not in self._electrical:
            rows = {*self.planned, *self.limits.occupied}
            totals = {row: self.total_draw(row, period) for row in rows}
            self._electrical[period] = {row: total for row, total in totals.items() if any(total.values())}
        return self._electrical[period]

    def occupied_electrical(self, period: int) -> dict[str, dict[str, int]]:
        """The four electrical kinds of draw of the racks that stood already."""
        found = {row: self.occupied_draw(row, period) for row in self.limits.occupied}
        return {row: {kind: draw[kind] for kind in ELECTRICAL} for row, draw in found.items() if draw}

    def load(self, rows: Mapping[str, Mapping[str, int]], period: int) -> int:
        """What the plan's racks put on a limit, scaled by 2^20."""
        total = 0
        for row in self.planned.keys() & rows.keys():
            draw = self.planned_draw(row, period)
            total += sum(share * draw.get(kind, 0) for kind, share in rows[row].items())
        return total


def _total(racks: Iterable[tuple[RackDraws, int]]) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for draws, n_racks in racks:
        for kind, amount in draws.draw.items():
            total[kind] += amount * n_racks
    return dict(total)
