"""Side programs in the exported integer problem: HiGHS on it finds what trying everything finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from side_cases import (
    TINY,
    best_decisions,
    broken_side_rules,
    most_capacities,
    plan_worth,
    with_side_program,
)
from solve_cases import all_plans, proof_of, random_problem, tiny_problem

from planner.export import highs_optimum, integer_model, write_mps
from planner.export.effective import plan_value_cents
from planner.solve.certificate import bound_cents

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 7, 9, 11, 13, 15])
def test_highs_finds_what_trying_everything_finds(seed: int) -> None:
    problem = with_side_program(tiny_problem(seed, partial_units=seed % 3 > 0), seed, TINY)
    found = [(racks, best_decisions(problem, racks)) for racks in all_plans(most_capacities(problem))]
    best = max(plan_worth(problem, racks, decisions) for racks, decisions in found if decisions is not None)
    optimum = highs_optimum(problem)
    assert broken_side_rules(problem, optimum.n_racks, list(optimum.decisions)) == []
    assert optimum.objective_cents == plan_worth(problem, optimum.n_racks, list(optimum.decisions)) == best
    assert best <= optimum.dual_bound_cents + 1e-3 < best + 2  # the contract and the decisions are each rounded down


@pytest.mark.parametrize("seed", range(12))
def test_the_optimum_lies_below_the_bound(seed: int) -> None:
    problem = with_side_program(random_problem(seed), seed)
    optimum = highs_optimum(problem)
    assert broken_side_rules(problem, optimum.n_racks, list(optimum.decisions)) == []
    assert bound_cents(problem, *proof_of(problem)) >= optimum.objective_cents


def test_the_mps_file_carries_decisions_and_constant(tmp_path: Path) -> None:
    import highspy

    problem = with_side_program(random_problem(10), 10)
    assert problem.side is not None
    write_mps(problem, tmp_path / "toy.mps")
    text = (tmp_path / "toy.mps").read_text(encoding="ascii")
    assert f"* v0 = {problem.side.column_names[0]}\n" in text
    assert f"* side_0 = {problem.side.row_names[0]}\n" in text
    assert f" right objective {problem.constant_cents}\n" in text
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("mip_rel_gap", 0.0)
    assert solver.readModel(str(tmp_path / "toy.mps")) == highspy.HighsStatus.kOk
    solver.run()
    exact = highs_optimum(problem).objective_cents
    assert -solver.getInfo().objective_function_value == pytest.approx(exact, abs=2.0)


def test_decisions_that_add_to_a_capacity_stand_in_its_row() -> None:
    problem = with_side_program(random_problem(10), 10)
    assert problem.side is not None
    assert problem.side.capacity_amount.size
    model = integer_model(problem)
    place = (int(problem.side.capacity_limit_idx[0]), int(problem.side.capacity_period_idx[0]))
    row = next(row for row in model.rows if row.name == f"limit_{place[0]}_t{place[1]}")
    column = int(np.searchsorted(problem.side.capacity_ptr, 0, side="right")) - 1
    assert row.coefficient[row.column_idx.index(model.decision_column_idx[column])] < 0


def test_another_number_of_decisions_is_refused() -> None:
    problem = with_side_program(random_problem(1), 1)
    racks = np.zeros((problem.n_rows, problem.n_configurations, problem.n_periods), np.int64)
    with pytest.raises(ValueError, match=r"found 0 decisions for the \d+ columns of the side program"):
        plan_value_cents(problem, racks)
