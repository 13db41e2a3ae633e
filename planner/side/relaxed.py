"""One part's linear program in HiGHS: what to choose where nothing has to be whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.problem import ColumnKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.side.parts import Part
    from planner.side.rows import SideTerms

_NOISE = 1e-3
"""Below a whole number by so little counts as whole; rows are checked in whole numbers afterwards."""
_FREE = 1e-6
"""What a column may seem to cost beyond what it gains, and still be looked at."""
_LARGEST_GAIN = 1e3
"""Money is counted so that no column gains more than this, which suits HiGHS's tolerances."""


class RelaxedPart:
    """The program of a part, kept in HiGHS; each solve begins afresh at one basis, so answers depend on sides alone."""

    def __init__(self, part: Part, scaled: SideTerms, usual_right: Sequence[int]) -> None:
        """Hand the program over.

        Parameters: scaled, of the whole side program; usual_right, right-hand sides near which others will lie.
        """
        self._part = part
        self._columns = np.array([n for n, kind in enumerate(part.kind) if kind != ColumnKind.SWITCH], np.int64)
        self._chosen_idx = np.flatnonzero([part.kind[n] == ColumnKind.CHOSEN for n in self._columns])
        own = part.column_idx[self._columns]
        self._scale, self._row_scale = scaled.column_scale[own], scaled.row_scale[part.row_idx]
        self._upper = np.zeros(part.row_idx.size)
        self._solver = self._handed_over(scaled.worth_cents[own], scaled.most[own])
        self._basis = None
        if self._run(usual_right) is not None:
            self._basis = self._solver.getBasis()

    def solve(self, right: Sequence[int]) -> tuple[dict[int, int], tuple[int, ...]] | None:
        """Chosen columns rounded down, and those of them that may be worth raising; None where no values hold.

        Parameters: right, [n_rows of the part].
        """
        found = self._run(right)
        if found is None:
            return None
        values, dual = (own[self._chosen_idx] for own in found)
        values = values * self._scale[self._chosen_idx]
        whole = np.floor(values + _NOISE)
        above, free = np.flatnonzero(whole > 0), np.flatnonzero(dual <= _FREE)
        columns = self._columns[self._chosen_idx]
        chosen = dict(zip(columns[above].tolist(), whole[above].astype(np.int64).tolist(), strict=True))
        return chosen, tuple(columns[free].tolist())

    def _run(self, right: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Scaled values of the columns, and what each would cost beyond what it gains."""
        import highspy

        upper = np.array([float(one) for one in right]) / self._row_scale
        for row in np.flatnonzero(upper != self._upper).tolist():
            self._solver.changeRowBounds(row, -highspy.kHighsInf, upper[row])
        self._upper = upper
        self._solver.clearSolver()  # else what it keeps of the last solve may lead to another optimum
        if self._basis is not None:
            self._solver.setBasis(self._basis)
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self._solver.clearSolver()  # the basis may have led it astray
            self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self._solver.getSolution()
        return np.array(solution.col_value), np.array(solution.col_dual)

    def _handed_over(self, gain: NDArray[np.float64], most: NDArray[np.float64]) -> Any:
        import highspy

        terms = [(place, *term) for place, column in enumerate(self._columns) for term in self._part.terms[column]]
        column, row = np.array([one[:2] for one in terms], np.int64).T
        factor = np.array([float(one[2]) for one in terms]) * self._scale[column] / self._row_scale[row]
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = gain.size, self._upper.size
        lp.col_cost_ = -gain * (_LARGEST_GAIN / max(float(np.abs(gain).max()), 1.0))
        lp.col_lower_ = np.zeros(gain.size)
        lp.col_upper_ = np.where(np.isinf(most), highspy.kHighsInf, most)
        lp.row_lower_ = np.full(self._upper.size, -highspy.kHighsInf)
        lp.row_upper_ = np.zeros(self._upper.size)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.searchsorted(column, np.arange(gain.size + 1)).astype(np.int32)
        lp.a_matrix_.index_, lp.a_matrix_.value_ = row.astype(np.int32), factor
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.passModel(lp)
        return solver
