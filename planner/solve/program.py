"""A mixed integer program in the making, and HiGHS on it: variables from 0, rows as dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray  # noqa: TC002  (dataclass fields)


@dataclass
class Program:
    """Maximise Σ gain · x over x from `least` to `most`, some of them whole, with rows `… ≤ upper`."""

    gain: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float]] = field(default_factory=list)

    def variable(self, gain: float, most: float = float("inf"), *, whole: bool = False) -> int:
        """Add a variable; returns its number."""
        self.gain.append(gain)
        self.least.append(0.0)
        self.most.append(most)
        self.whole.append(whole)
        return len(self.gain) - 1

    def at_most(self, terms: dict[int, float], upper: float) -> None:
        """Add a row; one without terms is left out."""
        if terms:
            self.rows.append((terms, upper))

    def fix(self, number: int, value: float) -> None:
        """Hold a variable at a value."""
        self.least[number] = self.most[number] = value


@dataclass(frozen=True)
class Answer:
    """What HiGHS found."""

    values: NDArray[np.float64]
    objective: float


class Relaxed:
    """A program without its whole numbers, kept in HiGHS and solved again from where it stood."""

    def __init__(self, program: Program) -> None:
        """Hand the program over."""
        self._solver = _solver({})
        lp = _lp(program)
        lp.integrality_ = []
        self._solver.passModel(lp)

    def fix(self, numbers: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Hold variables at values."""
        self._solver.changeColsBounds(numbers.size, numbers.astype(np.int32), values, values)

    def limit(self, numbers: NDArray[np.int64], most: NDArray[np.float64]) -> None:
        """Let variables lie between 0 and `most`."""
        self._solver.changeColsBounds(numbers.size, numbers.astype(np.int32), np.zeros(numbers.size), most)

    def solve(self) -> Answer | None:
        """The best answer; None where there is none."""
        return _run(self._solver)


def solve_program(
    program: Program,
    stop: tuple[float, int],
    time_limit_s: float,
    hint: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None,
) -> Answer | None:
    """The best answer that HiGHS finds on one thread; None where it finds none.

    Parameters: stop, relative gap and nodes at which HiGHS ends; time_limit_s, a brake beside them; hint, numbers and
    values of all variables that are to be whole, for HiGHS to begin with the best answer that has them.
    """
    gap, nodes = stop
    solver = _solver({"mip_rel_gap": gap, "mip_max_nodes": nodes, "time_limit": max(time_limit_s, 0.1)})
    solver.passModel(_lp(program))
    if hint is not None:
        solver.setSolution(hint[0].size, hint[0].astype(np.int32), hint[1])
    return _run(solver)


def _solver(options: dict[str, float]) -> Any:
    import highspy

    solver = highspy.Highs()
    for option, value in ({"output_flag": False, "threads": 1} | options).items():
        solver.setOptionValue(option, value)
    return solver


def _lp(program: Program) -> Any:
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.gain), len(program.rows)
    lp.col_cost_ = -np.array(program.gain)
    lp.col_lower_, lp.col_upper_ = np.array(program.least), np.array(program.most)
    lp.row_lower_ = np.full(lp.num_row_, -highspy.kHighsInf)
    lp.row_upper_ = np.array([upper for _, upper in program.rows])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.cumsum([0] + [len(terms) for terms, _ in program.rows]).astype(np.int32)
    lp.a_matrix_.index_ = np.array([number for terms, _ in program.rows for number in terms], np.int32)
    lp.a_matrix_.value_ = np.array([factor for terms, _ in program.rows for factor in terms.values()])
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[whole] for whole in program.whole]
    return lp


def _run(solver: Any) -> Answer | None:
    solver.run()
    values = np.array(solver.getSolution().col_value)
    objective = -solver.getInfo().objective_function_value
    if values.size != solver.getNumCol() or not np.isfinite(objective):
        return None
    return Answer(values, objective)
