"""The restricted master of the relaxation: a linear program that grows column by column, kept in HiGHS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Columns:
    """Variables from 0 to an upper bound, with what each gains."""

    cost: list[NDArray[np.float64]] = field(default_factory=list)
    upper: list[NDArray[np.float64]] = field(default_factory=list)
    n: int = 0

    def add(self, cost: NDArray[np.float64], upper: NDArray[np.float64] | float) -> NDArray[np.int64]:
        """New columns with these gains and upper bounds; returns their numbers in the shape of `cost`."""
        numbers = np.arange(self.n, self.n + cost.size, dtype=np.int64).reshape(cost.shape)
        self.cost.append(cost.ravel())
        self.upper.append(np.broadcast_to(np.asarray(upper, np.float64), cost.shape).ravel())
        self.n += cost.size
        return numbers


@dataclass
class Rows:
    """Rows `… ≤ upper` or `… = upper`, and their terms."""

    row: list[NDArray[np.int64]] = field(default_factory=list)
    column: list[NDArray[np.int64]] = field(default_factory=list)
    factor: list[NDArray[np.float64]] = field(default_factory=list)
    upper: list[NDArray[np.float64]] = field(default_factory=list)
    equal: list[NDArray[np.bool_]] = field(default_factory=list)
    n: int = 0

    def add(self, upper: NDArray[np.float64], equal: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """New rows `… ≤ upper`, or `… = upper` where `equal`; returns their numbers in the shape of `upper`."""
        numbers = np.arange(self.n, self.n + upper.size, dtype=np.int64).reshape(upper.shape)
        self.upper.append(upper.ravel())
        self.equal.append(np.broadcast_to(np.bool_(False) if equal is None else equal, upper.shape).ravel())
        self.n += upper.size
        return numbers

    def put(self, row: NDArray[np.int64], column: NDArray[np.int64], factor: NDArray[np.float64] | float) -> None:
        """Add terms; arguments broadcast against each other."""
        row, column, spread = np.broadcast_arrays(row, column, np.asarray(factor, np.float64))
        self.row.append(row.ravel())
        self.column.append(column.ravel())
        self.factor.append(spread.ravel())


class Master:
    """The restricted master problem, grown column by column and solved again from where it stood."""

    def __init__(self, columns: Columns, rows: Rows) -> None:
        """Pass the columns and rows that every block column shares."""
        import highspy

        self._solver = highspy.Highs()
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)
        self._solver.passModel(_lp(columns, rows))
        self._equal = np.concatenate(rows.equal)
        self._pending: list[tuple[float, NDArray[np.int64], NDArray[np.float64]]] = []
        self.primal, self.dual = np.zeros(columns.n), np.zeros(rows.n)
        self.status, self.objective = "not solved", 0.0

    def add(self, gain: float, rows: NDArray[np.int64], factors: NDArray[np.float64]) -> None:
        """Remember one column with bounds [0, ∞)."""
        self._pending.append((gain, rows, factors))

    def flush(self) -> None:
        """Hand the remembered columns to the solver."""
        if not self._pending:
            return
        pointer = np.cumsum([0] + [rows.size for _, rows, _ in self._pending])
        rows = np.concatenate([rows for _, rows, _ in self._pending])
        factors = np.concatenate([factors for _, _, factors in self._pending])
        gain = np.array([gain for gain, _, _ in self._pending])
        self.extend(gain, np.full(gain.size, np.inf), (pointer, rows, factors))
        self._pending.clear()

    def extend(
        self,
        gain: NDArray[np.float64],
        upper: NDArray[np.float64],
        terms: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    ) -> None:
        """Hand columns to the solver at once.

        Parameters: gain and upper bound of each; terms: offsets of each column, rows, factors.
        """
        starts, rows, factors = terms
        starts, rows = starts[:-1].astype(np.int32), rows.astype(np.int32)
        self._solver.addCols(gain.size, -gain, np.zeros(gain.size), upper, rows.size, starts, rows, factors)

    def change(self, numbers: NDArray[np.int64], gain: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        """Give columns other gains and upper bounds; the next solve begins where the last one stood."""
        which = numbers.astype(np.int32)
        self._solver.changeColsCost(which.size, which, -gain)
        self._solver.changeColsBounds(which.size, which, np.zeros(which.size), upper)

    def basis(self) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """Where columns and rows stand: which are basic, which at a bound, in HiGHS's numbers."""
        basis = self._solver.getBasis()
        columns = np.array([int(one) for one in basis.col_status], np.int8)
        return columns, np.array([int(one) for one in basis.row_status], np.int8)

    def start_from(self, basis: tuple[NDArray[np.int8], NDArray[np.int8]]) -> None:
        """Let the next solve begin where another problem of the same shape stood."""
        import highspy

        kinds = {int(one): one for one in highspy.HighsBasisStatus.__members__.values()}
        start = highspy.HighsBasis()
        start.col_status = [kinds[int(one)] for one in basis[0]]
        start.row_status = [kinds[int(one)] for one in basis[1]]
        start.valid = True
        self._solver.setBasis(start)

    def solve(self) -> None:
        """Maximise; keeps column values and the multipliers of the rows, ≥ 0 but for equalities."""
        self._solver.run()
        solution = self._solver.getSolution()
        self.status = self._solver.modelStatusToString(self._solver.getModelStatus())
        if solution.dual_valid:
            self.primal = np.array(solution.col_value)
            dual = -np.array(solution.row_dual)
            self.dual = np.where(self._equal, dual, np.maximum(dual, 0.0))
            self.objective = -self._solver.getInfo().objective_function_value


def _lp(columns: Columns, rows: Rows) -> Any:
    import highspy

    row, column = np.concatenate(rows.row), np.concatenate(rows.column)
    factor = np.concatenate(rows.factor)
    kept = factor != 0.0
    order = np.lexsort((row[kept], column[kept]))
    row, column, factor = row[kept][order], column[kept][order], factor[kept][order]
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns.n, rows.n
    lp.col_cost_ = -np.concatenate(columns.cost)
    lp.col_lower_, lp.col_upper_ = np.zeros(columns.n), np.concatenate(columns.upper)
    lp.row_upper_ = np.concatenate(rows.upper)
    lp.row_lower_ = np.where(np.concatenate(rows.equal), lp.row_upper_, -highspy.kHighsInf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate(([0], np.cumsum(np.bincount(column, minlength=columns.n)))).astype(np.int32)
    lp.a_matrix_.index_, lp.a_matrix_.value_ = row.astype(np.int32), factor
    return lp
