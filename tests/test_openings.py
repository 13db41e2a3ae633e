"""Openings of sites and phases: what they cost, what they prove, and that the plan opens what pays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from solve_cases import broken_rules, random_problem

from planner.export import highs_optimum
from planner.problem import Opening
from planner.solve.certificate import bound_cents
from planner.solve.feasible import holds
from planner.solve.options import SolveOptions
from planner.solve.patterns import row_patterns
from planner.solve.solve import solve
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from planner.problem import Problem

OPTIONS = SolveOptions(backend="numpy", work_limit=2_000, n_threads=1)


def with_openings(problem: Problem, seed: int) -> Problem:
    """Blocks in groups of one to three, most of them to be opened at a cost about as large as what they are worth."""
    random = np.random.default_rng([seed, 7])
    found, block = [], 0
    while block < problem.n_blocks:
        n = int(random.integers(1, 4))
        blocks = tuple(range(block, min(block + n, problem.n_blocks)))
        block += n
        if random.random() < 0.8:
            cents = int(random.integers(1, 12)) * 60_000_000 * len(blocks)
            cost = tuple(cents - cents * t // 50 for t in range(problem.n_periods))
            found.append(Opening(f"phase-{len(found)}", blocks, cost))
    return replace(problem, openings=tuple(found))


@pytest.mark.parametrize("seed", range(24))
def test_the_best_plan_lies_between_plan_and_bound(seed: int) -> None:
    problem = with_openings(random_problem(seed), seed)
    solution = solve(problem, OPTIONS)
    optimum = highs_optimum(problem).objective_cents
    print(seed, solution.objective, optimum, solution.bound, len(problem.openings))
    assert solution.objective <= optimum <= solution.bound
    assert holds(problem, solution.plan)
    assert broken_rules(problem, solution.plan.n_racks) == []
    assert solution.objective == objective_cents(problem, solution.plan)
    assert bound_cents(problem, row_patterns(problem), solution.certificate) == solution.bound
