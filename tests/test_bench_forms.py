"""The reduced form of the exported problem: the same linear optimum, a valid bound in integers, and plans of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from test_export import small_problem

from planner.bench.campus import CampusSize
from planner.bench.judge import judge
from planner.bench.lifting import Lifter
from planner.bench.race import generated_problem
from planner.bench.reduced import FULL, REDUCED, model_of, reduced_model, with_inner_limits
from planner.export.highs import highs_optimum, load_model, scale_model
from planner.export.model import integer_model
from planner.lower import lower
from planner.solve.classes import refine, singletons
from planner.solve.options import SolveOptions
from planner.solve.solve import solve
from sites.world import load_world

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.export.model import IntegerModel
    from planner.problem import Problem

TOYS = Path(__file__).parent.parent / "sites" / "library" / "toys"
TOLERANCE = 1e-6


def optimum(model: IntegerModel, *, whole: bool) -> tuple[float, NDArray[np.int64]]:
    """Cents and column values of the best answer, with or without whole numbers."""
    scaled = scale_model(model)
    solver = load_model(model, scaled)
    if not whole:
        lp = solver.getLp()
        lp.integrality_ = []
        solver.passModel(lp)
    solver.setOptionValue("time_limit", 20.0)
    solver.run()
    values = np.rint(np.array(solver.getSolution().col_value)).astype(np.int64)
    return -solver.getInfo().objective_function_value * 2.0**scaled.objective_shift, values


def problems(tmp_path: Path) -> list[Problem]:
    toys = [lower(load_world(path)).problem for path in sorted(TOYS.glob("*/portfolio.yaml"))[::4]]
    campus = generated_problem(tmp_path, 7, CampusSize(24, 6))
    return [*toys, *(small_problem(seed) for seed in range(3)), campus]


def test_adding_up_like_rows_keeps_the_linear_optimum(tmp_path: Path) -> None:
    n_smaller = 0
    for problem in problems(tmp_path):
        model, classes = integer_model(problem), refine(problem)
        reduced = reduced_model(model, classes)
        n_smaller += len(reduced.columns) < len(model.columns)
        full_cents, _ = optimum(model, whole=False)
        assert optimum(reduced, whole=False)[0] == pytest.approx(full_cents, rel=TOLERANCE, abs=1.0)
        inner_cents, _ = optimum(with_inner_limits(problem, model), whole=False)
        assert optimum(model_of(problem, REDUCED), whole=False)[0] == pytest.approx(inner_cents, rel=TOLERANCE, abs=1.0)
        assert inner_cents <= full_cents + TOLERANCE * abs(full_cents) + 1.0
    assert n_smaller >= 2


def test_single_rows_stay_as_they_are() -> None:
    problem = small_problem(1)
    model = integer_model(problem)
    same = reduced_model(model, singletons(problem))
    assert (same.columns, [row.name for row in same.rows]) == (model.columns, [row.name for row in model.rows])
    np.testing.assert_array_equal(same.racks_column_idx, model.racks_column_idx)
    assert model_of(problem, FULL).rows == model.rows


def test_limits_stated_for_each_system_allow_the_same_points() -> None:
    for seed in range(4):
        problem = small_problem(seed)
        stated = with_inner_limits(problem, integer_model(problem))
        assert optimum(stated, whole=True)[0] == pytest.approx(highs_optimum(problem).objective_cents, abs=1.0)


def test_whole_sums_bound_every_plan(tmp_path: Path) -> None:
    """Every plan's own sums keep the reduced form, so its optimum is never below a plan."""
    for problem in problems(tmp_path)[:-1]:
        best = solve(problem, SolveOptions(backend="numpy", work_limit=200)).objective
        assert optimum(model_of(problem, REDUCED), whole=True)[0] >= best - TOLERANCE * abs(best) - 1.0


def test_the_sums_of_a_plan_keep_the_reduced_form(tmp_path: Path) -> None:
    problem = generated_problem(tmp_path, 9, CampusSize(24, 6))
    classes, model = refine(problem), model_of(problem, REDUCED)
    assert max(np.bincount(classes.row)) > 1
    racks = solve(problem, SolveOptions(backend="numpy", work_limit=400)).plan.n_racks
    sums = np.zeros((int(classes.row.max()) + 1, *racks.shape[1:]), np.int64)
    np.add.at(sums, classes.row, racks)
    value = np.zeros(len(model.columns), np.int64)
    there = model.racks_column_idx >= 0
    value[model.racks_column_idx[there]] = sums[there]
    only_racks = {index for index, column in enumerate(model.columns) if column.name.startswith("n_")}
    n_checked = 0
    for row in model.rows:
        if row.sense == "L" and row.name.startswith("limit_") and set(row.column_idx) <= only_racks:
            assert int(value[list(row.column_idx)] @ np.array(row.coefficient, object)) <= row.right, row.name
            n_checked += 1
    assert n_checked > 0


def test_classes_that_are_not_alike_are_refused(tmp_path: Path) -> None:
    problem = generated_problem(tmp_path, 7, CampusSize(24, 6))
    classes = refine(problem)
    merged = replace(classes, row=np.zeros_like(classes.row))
    with pytest.raises(ValueError, match="not equitable"):
        reduced_model(integer_model(problem), merged)


def test_an_answer_to_the_reduced_form_becomes_a_plan(tmp_path: Path) -> None:
    problem = generated_problem(tmp_path, 7, CampusSize(24, 6))
    cents, values = optimum(model_of(problem, REDUCED), whole=True)
    lifter = Lifter(problem, "numpy")
    verdict = judge(problem, lifter.plan(values))
    assert verdict.faults == ()
    assert 0.8 * cents < verdict.value_cents <= cents * (1 + TOLERANCE)
    nothing = judge(problem, lifter.plan(np.zeros_like(values)))
    assert nothing.faults == ()
