"""Columns and rows of the side program in the programs that search solves: switches whole, the rest continuous."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.side.rows import SideTerms, side_terms
from planner.solve.formulation import MONEY_CENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.problem import Problem
    from planner.solve.program import Program

_MARGIN = 0.01
"""Share of an instalment's target that is asked for beyond it, at the most: rounding loses some racks."""


class SideColumns:
    """The variables of one program for what is decided beside the racks; none without a side program."""

    def __init__(self, problem: Problem, program: Program) -> None:
        """Add the variables; their rows come with `rows`, what they add to a limit with `added`."""
        self._problem, self._program = problem, program
        self._terms = None if problem.side is None else side_terms(problem.side)
        self.numbers = np.zeros(0, np.int64)
        if self._terms is not None:
            each = zip(self._terms.worth_cents / MONEY_CENTS, self._terms.most, self._terms.is_whole, strict=True)
            numbers = [program.variable(float(gain), float(most), whole=bool(own)) for gain, most, own in each]
            self.numbers = np.array(numbers, np.int64)

    @property
    def switches(self) -> NDArray[np.int64]:
        """Numbers of the variables that are to be 0 or 1."""
        return self.numbers if self._terms is None else self.numbers[self._terms.is_whole]

    def added(self, limit: int, period: int) -> dict[int, float]:
        """What a unit of each variable adds to a capacity, scaled by 2^20."""
        found: dict[int, float] = {}
        terms = self._terms
        if terms is None:
            return found
        places = (terms.capacity_limit_idx == limit) & (terms.capacity_period_idx == period)
        for entry in np.flatnonzero(places):
            number = int(self.numbers[terms.capacity_column_idx[entry]])
            found[number] = found.get(number, 0.0) + float(terms.capacity[entry])
        return found

    def rows(self, rack: NDArray[np.int64], group: NDArray[np.int64]) -> None:
        """Add the rows.

        Parameters: rack, [n_classes, n_configurations, n_periods] numbers of variables that count racks, -1 where there
        is none; group [n_classes] of the side program that each class of rows lies in.
        """
        if self._terms is None:
            return
        found, terms, number = _with_margin(self._terms, group), self._terms, self.numbers
        racks = zip(
            terms.rack_row_idx.tolist(), terms.rack_group_idx, terms.rack_configuration_idx, terms.rack_period_idx,
            terms.rack.tolist(), strict=True,
        )  # fmt: skip
        rows: list[dict[int, float]] = [{} for _ in terms.right]
        for row, column, factor in zip(terms.term_row_idx.tolist(), terms.term_column_idx, found, strict=True):
            rows[row][int(number[column])] = rows[row].get(int(number[column]), 0.0) + float(factor)
        members = [np.flatnonzero(group == own) for own in range(int(terms.rack_group_idx.max(initial=-1)) + 1)]
        for row, own, configuration, period, each in racks:
            for variable in rack[members[own], configuration, period].tolist():
                if variable >= 0:
                    rows[row][variable] = rows[row].get(variable, 0.0) - each
        for terms_of_row, right in zip(rows, terms.right.tolist(), strict=True):
            self._program.at_most(terms_of_row, right)


def _with_margin(terms: SideTerms, group: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n_terms] factors, targets of switches raised by what a rack in each class of rows counts, up to the margin."""
    n_classes = np.bincount(group, minlength=int(terms.rack_group_idx.max(initial=-1)) + 1)
    most = np.zeros((terms.right.size, n_classes.size))
    np.maximum.at(most, (terms.rack_row_idx, terms.rack_group_idx), np.abs(terms.rack))
    lost = most @ n_classes
    is_target = terms.is_whole[terms.term_column_idx] & (terms.term > 0)
    margin = np.minimum(_MARGIN * terms.term, np.where(lost > 0, lost, np.inf)[terms.term_row_idx])
    return np.where(is_target, terms.term + margin, terms.term)
