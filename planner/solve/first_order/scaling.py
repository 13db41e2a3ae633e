"""Equilibration of the compact program, and its arrays for the kernels.

Every variable is counted in what it may be at most, every constraint in its largest term; then one pass of Pock and
Chambolle's scaling by sums ("Diagonal preconditioning for first order primal-dual algorithms", 2011). Ruiz's scaling,
with which PDLP begins, undoes the boxes: racks of 150 kW and units of 8 racks then differ by a factor of a thousand,
and the iteration hardly moves. A variable has one scale for all periods, so that isotone stays isotone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels.contract import FirstOrderModel
from planner.problem import SHARE_BITS
from planner.solve.first_order.terms import offsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.solve.first_order.program import CompactProgram


@dataclass(frozen=True)
class Scaled:
    """The program in the kernels' units."""

    model: FirstOrderModel
    variable_scale: NDArray[np.float64]
    """[n_variables] a scaled value times this is the value."""
    constraint_scale: NDArray[np.float64]
    """[n_constraints] a scaled multiplier times this and the money is in cents."""
    money_cents: float


def scaled(program: CompactProgram, dtype: type[np.floating]) -> Scaled:
    """Equilibrate a program.

    Parameters: dtype, of all floats that the kernels see.
    """
    entries = _Entries(program)
    variable_scale, constraint_scale = entries.scales()
    gain, upper = np.stack([*program.gain, entries.rate]), np.stack([*program.upper, entries.upper])
    money = float(np.sqrt(np.square(gain[..., 0] * variable_scale[:, None]).sum())) or 1.0
    order = np.lexsort((entries.constraint, entries.variable))
    factor = entries.factor * constraint_scale[entries.constraint] * variable_scale[entries.variable]
    gated = np.flatnonzero(entries.gate_variable >= 0)
    gated = gated[np.argsort(entries.gate_variable[gated], kind="stable")]
    of_gate = np.where(entries.gate_variable >= 0, variable_scale[entries.gate_variable], 0.0) * constraint_scale
    n_variables, n_constraints = gain.shape[0], entries.gate.shape[0]
    revenue = entries.revenue * variable_scale[: entries.revenue.shape[0], None, None] * constraint_scale[-1]
    return Scaled(
        FirstOrderModel(
            constraint_ptr=offsets(entries.constraint, n_constraints - 1),
            constraint_variable_idx=entries.variable,
            constraint_factor=factor.astype(dtype),
            variable_ptr=offsets(entries.variable[order], n_variables - 1),
            variable_constraint_idx=entries.constraint[order],
            variable_factor=factor[order].astype(dtype),
            gate_variable_idx=entries.gate_variable,
            gate_ptr=offsets(entries.gate_variable[gated], n_variables - 1),
            gate_constraint_idx=gated,
            gate=(entries.gate * of_gate[:, None, None]).astype(dtype),
            right_side=(entries.right_side * constraint_scale[:, None, None]).astype(dtype),
            gain=(gain * variable_scale[:, None, None] / money).astype(dtype),
            upper=(upper / variable_scale[:, None, None]).astype(dtype),
            revenue=revenue.astype(dtype),
            n_isotone=program.n_isotone,
            amount=(entries.amount / variable_scale[-1]).astype(dtype),
        ),
        variable_scale, constraint_scale, money,
    )  # fmt: skip


class _Entries:
    """The program's terms as arrays, with the premium as last variable and its revenue as last constraint."""

    def __init__(self, program: CompactProgram) -> None:
        terms, problems = program.terms, program.problems
        self.constraint = np.concatenate([*terms.constraint, np.zeros(0, np.int64)])
        self.variable = np.concatenate([*terms.variable, np.zeros(0, np.int64)])
        self.factor = np.concatenate([*terms.factor, np.zeros(0)])
        order = np.lexsort((self.variable, self.constraint))
        self.constraint, self.variable, self.factor = self.constraint[order], self.variable[order], self.factor[order]
        self.gate_variable = np.array([*terms.gate_variable, -1], np.int64)
        nothing = np.zeros(terms.shape)
        self.gate = np.stack([*terms.gate, nothing])
        self.right_side = np.stack([*terms.right_side, nothing])
        self.revenue = program.revenue()
        self.amount = np.array([float(problem.contract_amount) for problem in problems])
        self.rate = np.stack([problem.contract_rate / 2.0**SHARE_BITS for problem in problems], axis=-1)
        self.upper = np.broadcast_to(self.amount, terms.shape)
        if self.revenue.shape[0]:
            self.revenue = np.concatenate((self.revenue, nothing[None]))
        self.box = np.stack([*program.upper, self.upper]).max(axis=(1, 2))
        self._n = (len(program.gain) + 1, self.gate.shape[0])

    def scales(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of variables and constraints: boxes, largest terms, sums."""
        gated = np.flatnonzero(self.gate_variable >= 0)
        earned = np.abs(self.revenue).max(axis=(1, 2)) if self.revenue.shape[0] else np.zeros(0)
        earning, last = np.flatnonzero(earned), (self._n[0] - 1, self._n[1] - 1)
        variable = np.concatenate((self.variable, self.gate_variable[gated], earning, [last[0]]))
        constraint = np.concatenate((self.constraint, gated, np.full(earning.size, last[1]), [last[1]]))
        most = np.abs(self.gate[gated]).max(axis=(1, 2))
        size = np.concatenate((np.abs(self.factor), most, earned[earning], [1.0]))
        by_variable, by_constraint = np.where(self.box > 0.0, self.box, 1.0), np.ones(self._n[1])
        for join, halved in ((np.maximum, False), (np.add, True)):
            now = size * by_variable[variable] * by_constraint[constraint]
            of_variable, of_constraint = np.zeros(self._n[0]), np.zeros(self._n[1])
            join.at(of_variable, variable, now)
            join.at(of_constraint, constraint, now)
            if halved:
                by_variable /= np.sqrt(np.where(of_variable > 0.0, of_variable, 1.0))
                by_constraint /= np.sqrt(np.where(of_constraint > 0.0, of_constraint, 1.0))
            else:
                by_constraint /= np.where(of_constraint > 0.0, of_constraint, 1.0)
        by_constraint[-1] = 1.0 / by_variable[-1]  # the kernels take the premium's factor in its own constraint to be 1
        return by_variable, by_constraint
