"""Configurations that close: folded and not, a problem has the same plans, values and bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_cases import Size, random_problem, with_minimum_demands, with_windows

from planner.bench.judge import judge
from planner.export import highs_optimum
from planner.problem import may_stand
from planner.solve import SolveOptions, Status, solve
from planner.solve.certificate import bound_cents
from planner.solve.folding import folded
from planner.solve.patterns import row_patterns

if TYPE_CHECKING:
    from planner.problem import Problem

OPTIONS = SolveOptions(work_limit=200, n_lanes=4, n_threads=1)
SEEDS = range(3000, 3012)


def _problem(seed: int) -> Problem:
    problem = random_problem(seed, Size(n_blocks=2, n_periods=4))
    return with_windows(with_minimum_demands(problem, seed) if seed % 4 == 0 else problem, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_slots_and_configurations_have_the_same_plans_values_and_bound(seed: int) -> None:
    problem = _problem(seed)
    form = folded(problem)
    assert form is not None
    assert folded(form.slots) is None
    solution = solve(form.slots, OPTIONS)
    plan = form.plan(solution.plan)
    ours = judge(problem, plan.n_racks)
    assert not ours.faults
    assert ours.value_cents == solution.objective
    own = bound_cents(form.slots, row_patterns(form.slots), solution.certificate)
    assert bound_cents(problem, row_patterns(problem), form.certificate(solution.certificate)) == own


def test_best_plans_are_found_and_proven() -> None:
    n_proven = n_asked = 0
    for seed in SEEDS:
        problem = _problem(seed)
        solution, best = solve(problem, OPTIONS), highs_optimum(problem)
        assert not solution.plan.n_racks[~may_stand(problem)].any()
        assert not judge(problem, best.n_racks).faults
        assert best.objective_cents <= solution.bound
        if not problem.minimum_demands:
            n_asked += 1
            n_proven += solution.status is Status.OPTIMAL and solution.objective == best.objective_cents
    assert n_proven >= n_asked - 1


def test_nothing_is_folded_where_nothing_closes() -> None:
    problem = random_problem(7)
    assert problem.closed is None
    assert folded(problem) is None
    assert (may_stand(problem) == (problem.first_period[:, :, None] <= np.arange(problem.n_periods))).all()
