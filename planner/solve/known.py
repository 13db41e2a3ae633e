"""What was proven for one problem of a graph, carried over to another: multipliers that move with the values.

Any multipliers prove a bound. Those of a problem that is solved are near the best for another while its racks are
worth the same; where values have changed, the prices of the limits that its racks used take up the change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.problem import INACTIVE, SHARE_BITS
from planner.solve.certificate import SCALE_BITS, Certificate
from planner.solve.patterns import limits_inside_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.classes import Classes
    from planner.solve.relaxation import Relaxation

_SMALLEST = 1e-6
"""Racks of a class below which a configuration counts as unused."""


class JointLoads:
    """How much the rows of each class load limits over several blocks, class by class."""

    def __init__(self, graph: Problem, classes: Classes) -> None:
        """Add coefficients up.

        Parameters: graph, any of the problems; classes, alike in all of them.
        """
        _, self.row_idx, self.n_rows = np.unique(classes.row, return_index=True, return_counts=True)
        _, first, member = np.unique(classes.limit, return_index=True, return_inverse=True)
        limit = np.repeat(np.arange(graph.n_limits), np.diff(graph.limit_ptr))
        load = np.zeros((first.size, self.row_idx.size, graph.n_configurations))
        np.add.at(load, (member[limit], classes.row[graph.entry_row_idx]), graph.entry_coefficient / 2.0**SHARE_BITS)
        joint = np.flatnonzero(limits_inside_blocks(graph)[first] < 0)
        self.limit_idx = first[joint]
        self.members = [np.flatnonzero(member == one) for one in joint]
        self.load = load[joint] / self.n_rows[:, None]
        """[n_joint_limit_classes, n_row_classes, n_configurations] units for a rack, all members of the class."""


@dataclass(frozen=True)
class Known:
    """Multipliers of a problem that was solved before, with what tells how they fare in another."""

    proof: Certificate
    relaxation: Relaxation
    capacity: NDArray[np.int64]
    value: NDArray[np.int64]
    """Of each standing rack, start values by parts."""

    def distance(self, problem: Problem, value: NDArray[np.int64]) -> float:
        """How far another problem is from this one, in cents: what its limits and racks are worth more or less here.

        Parameters: value [n_rows, n_configurations, n_periods] of each standing rack in the other problem.
        """
        change = np.where(self.capacity == INACTIVE, 0, problem.capacity - self.capacity)
        racks = float((self.relaxation.racks * np.abs(value - self.value)).sum())
        return racks + float((np.abs(change) * self.relaxation.limit).sum())

    def moved(self, problem: Problem, value: NDArray[np.int64], loads: JointLoads) -> Certificate:
        """The multipliers with prices of joint limits moved so that racks in use earn about what they earned.

        Least squares over the racks of each period; no price falls below nothing.
        Parameters: value, see `distance`; loads, over the classes of the graph.
        """
        rows = loads.row_idx
        change = (value - self.value)[rows].astype(np.float64)
        racks = self.relaxation.racks[rows] * loads.n_rows[:, None, None]
        priced = (self.relaxation.limit[loads.limit_idx] > 0) & (problem.capacity[loads.limit_idx] != INACTIVE)
        limit = self.proof.limit.copy()
        for t in np.flatnonzero(priced.any(axis=0)):
            active, used = np.flatnonzero(priced[:, t]), racks[:, :, t] > _SMALLEST
            if not used.any():
                continue
            weight = np.sqrt(racks[:, :, t][used])
            table = loads.load[active][:, used].T * weight[:, None]
            scale = np.maximum(np.abs(table).max(axis=0), 1e-300)
            steps = np.linalg.lstsq(table / scale, change[:, :, t][used] * weight, rcond=None)[0] / scale
            for one, step in zip(active, steps, strict=True):
                own = loads.members[one]
                limit[own, t] = max(int(limit[own[0], t]) + int(step * 2.0 ** (SCALE_BITS - SHARE_BITS)), 0)
        return replace(self.proof, limit=limit)
