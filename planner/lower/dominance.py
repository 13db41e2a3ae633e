"""Leave out a limit in the periods in which another one implies it.

a implies b in a period when coefficient_b / capacity_b ≤ coefficient_a / capacity_a for every row and every
configuration that may stand there: every point that a allows, b allows. Only limits that touch the same rows are
compared: those along one chain, and those of one row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.lower.lowered import DroppedLimit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from planner.lower.merging import Limit

KEPT_FAMILIES = frozenset({"position"})
"""Never left out, so that every row always shows its plainest limit."""
_SLACK = 1e-9
"""Of the floating-point sieve; what passes is decided in integers."""


def drop_implied(limits: Sequence[Limit], eligible: Sequence[Sequence[bool]]) -> list[DroppedLimit]:
    """Make implied limits inactive where they are implied.

    Parameters: limits, changed in place; eligible, [n_rows][n_configurations]. Returns what was left out; of limits
    that imply each other the earlier one stays.
    """
    groups: dict[tuple[int, ...], list[Limit]] = {}
    for limit in limits:
        groups.setdefault(limit.rows, []).append(limit)
    dropped: list[DroppedLimit] = []
    for rows, group in groups.items():
        if len(group) > 1:
            dropped += _drop_in_group(group, rows, eligible)
    return dropped


def _drop_in_group(
    group: list[Limit], rows: tuple[int, ...], eligible: Sequence[Sequence[bool]]
) -> Iterable[DroppedLimit]:
    table = _Table(group, rows, eligible)
    columns: dict[tuple[int | None, ...], list[int]] = {}
    for t in range(len(group[0].capacity)):
        columns.setdefault(tuple(limit.capacity[t] for limit in group), []).append(t)
    implied: dict[tuple[int, int], list[int]] = {}
    for capacities, periods in columns.items():
        for small, large in table.implied(capacities).items():
            implied.setdefault((small, large), []).extend(periods)
            for t in periods:
                group[small].capacity[t] = None
    return [
        DroppedLimit(group[small].name.text, group[large].name.text, tuple(sorted(periods)))
        for (small, large), periods in implied.items()
    ]


class _Table:
    """Coefficients of the eligible configurations of limits over the same rows."""

    def __init__(self, group: list[Limit], rows: tuple[int, ...], eligible: Sequence[Sequence[bool]]) -> None:
        wanted = [(row, k) for row in rows for k, may in enumerate(eligible[row]) if may]
        self._exact = [[limit.coefficients[row][k] for row, k in wanted] for limit in group]
        self._always = [limit.name.family in KEPT_FAMILIES for limit in group]
        self._rough: NDArray[np.float64] = np.array(self._exact, dtype=np.float64)

    def implied(self, capacities: tuple[int | None, ...]) -> dict[int, int]:
        """For every limit that another implies at these capacities, that other one."""
        active = [i for i, capacity in enumerate(capacities) if capacity is not None]
        per_unit = {i: self._rough[i] / max(float(capacities[i] or 0), 1e-6) for i in active}
        kept: list[int] = []
        found: dict[int, int] = {}
        for one in active:
            if self._always[one]:
                kept.append(one)
                continue
            larger = next((other for other in kept if self._implies(other, one, capacities, per_unit)), None)
            if larger is not None:
                found[one] = larger
                continue
            for other in [o for o in kept if not self._always[o] and self._implies(one, o, capacities, per_unit)]:
                kept.remove(other)
                found[other] = one
            kept.append(one)
        return found

    def _implies(
        self, large: int, small: int, capacities: tuple[int | None, ...], per_unit: dict[int, NDArray[np.float64]]
    ) -> bool:
        if not bool(np.all(per_unit[small] <= per_unit[large] * (1 + _SLACK))):
            return False
        above, below = capacities[large] or 0, capacities[small] or 0
        pairs = zip(self._exact[large], self._exact[small], strict=True)
        if above == 0:
            return all(b == 0 or a > 0 for a, b in pairs)
        return all(b * above <= a * below for a, b in pairs)
