"""Growing lists of the terms of a linear program, with constraints that a variable may open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Terms:
    """Constraints Σ factor · x ≤ right side + gate · one variable; factors are the same in all periods and lanes."""

    shape: tuple[int, int]
    """(n_periods, n_lanes)"""
    n: int = 0
    constraint: list[NDArray[np.int64]] = field(default_factory=list)
    variable: list[NDArray[np.int64]] = field(default_factory=list)
    factor: list[NDArray[np.float64]] = field(default_factory=list)
    gate_variable: list[int] = field(default_factory=list)
    gate: list[NDArray[np.float64]] = field(default_factory=list)
    right_side: list[NDArray[np.float64]] = field(default_factory=list)

    def add(
        self,
        variable: NDArray[np.int64],
        factor: NDArray[np.float64],
        right_side: NDArray[np.float64] | float,
        gate: tuple[int, NDArray[np.float64] | float] = (-1, 0.0),
    ) -> int:
        """One more constraint; returns its number.

        Parameters: variable and factor of each term, -1 and 0 where there is none; right_side and gate broadcast to
        [n_periods, n_lanes]; gate with the variable that it multiplies.
        """
        kept = (variable >= 0) & (factor != 0.0)
        self.variable.append(variable[kept])
        self.factor.append(factor[kept])
        self.constraint.append(np.full(int(kept.sum()), self.n))
        self.gate_variable.append(gate[0])
        self.gate.append(np.broadcast_to(np.asarray(gate[1], np.float64), self.shape))
        self.right_side.append(np.broadcast_to(np.asarray(right_side, np.float64), self.shape))
        self.n += 1
        return self.n - 1


def offsets(group: NDArray[np.int64], n_groups: int) -> NDArray[np.int64]:
    """[n_groups + 1] where each group begins among sorted members."""
    return np.concatenate(([0], np.cumsum(np.bincount(group, minlength=n_groups)))).astype(np.int64)
