"""Limits as arrays: what is left of a site's limits once they are joined and implied ones are out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.lower.merging import Limit
from planner.problem import INACTIVE, SHARE_BITS, LimitInfo
from sites.faults import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from planner.lower.pieces import LimitName

CEILING = 2**62
FAMILIES_AFTER_FAILURES = frozenset({"power", "liquid", "flow", "air", "dry", "chiller"})
"""Families whose limits may name a failure."""


@dataclass(frozen=True)
class LimitTable:
    """Limits in order, as the problem has them."""

    names: tuple[LimitName, ...]
    units: tuple[str, ...]
    n_entries: NDArray[np.int64]
    """[n_limits]"""
    row_idx: NDArray[np.int32]
    """[n_entries] ascending within a limit."""
    coefficient: NDArray[np.int64]
    """[n_entries, n_configurations]"""
    capacity: NDArray[np.int64]
    """[n_limits, n_periods]; `INACTIVE` where a limit does not hold."""

    def infos(self) -> list[LimitInfo]:
        """Where each limit comes from."""
        return [_info(name, unit) for name, unit in zip(self.names, self.units, strict=True)]

    def limits(self, first_row: int) -> list[Limit]:
        """The limits once more as they are compared, rows numbered from `first_row` on."""
        ends = np.cumsum(self.n_entries)
        result = []
        for index, name in enumerate(self.names):
            own = slice(ends[index] - self.n_entries[index], ends[index])
            rows = (self.row_idx[own] + first_row).tolist()
            coefficients = dict(zip(rows, map(tuple, self.coefficient[own].tolist()), strict=True))
            capacity = [None if most == INACTIVE else most for most in self.capacity[index].tolist()]
            result.append(Limit(name, self.units[index], capacity, coefficients, frozenset()))
        return result


def limit_table(limits: Sequence[Limit], n_configurations: int, n_positions: Mapping[int, int]) -> LimitTable:
    """The limits that hold in some period, as arrays.

    Parameters: n_positions, of every row. Raises InputError when an integer would not fit.
    """
    active = [limit for limit in limits if limit.is_active]
    _refuse_overflow(active, n_positions)
    entries = [(row, limit.coefficients[row]) for limit in active for row in limit.rows]
    n_periods = len(active[0].capacity) if active else 0
    capacity = [[INACTIVE if most is None else most for most in limit.capacity] for limit in active]
    return LimitTable(
        names=tuple(limit.name for limit in active),
        units=tuple(limit.unit for limit in active),
        n_entries=np.array([len(limit.coefficients) for limit in active], np.int64),
        row_idx=np.array([row for row, _ in entries], np.int32),
        coefficient=np.array([values for _, values in entries], np.int64).reshape(len(entries), n_configurations),
        capacity=np.array(capacity, np.int64).reshape(len(active), n_periods),
    )


def _info(name: LimitName, unit: str) -> LimitInfo:
    contingency = name.detail if name.family in FAMILIES_AFTER_FAILURES else None
    return LimitInfo(name.text, name.site, name.family, name.element, contingency, unit, name.before_action)


def _refuse_overflow(limits: Sequence[Limit], n_positions: Mapping[int, int]) -> None:
    """Refuse what 64-bit integers cannot hold: loads of full rows, or capacities, of 2^62 or more."""
    for limit in limits:
        load = sum(max(values) * n_positions[row] for row, values in limit.coefficients.items())
        most = max(value for value in limit.capacity if value is not None)
        if load >= CEILING or most >= CEILING:
            message = (
                f"limit '{limit.name.text}' may reach {max(load, most) >> SHARE_BITS:,} {limit.unit}; scaled by 2^20 "
                f"it must stay below 2^62, that is {CEILING >> SHARE_BITS:,} {limit.unit}: split the portfolio"
            )
            raise InputError([Fault("portfolio", None, limit.name.text, message)])
