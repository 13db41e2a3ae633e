"""Whole solves of small problems with work and clauses: plans hold, bounds prove, runs repeat."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from side_cases import SideSize, broken_side_rules, plan_worth, with_side_program
from solve_cases import FULL_SIZE, QUICK, changed, proof_of, random_problem

from planner.problem import Plan, Problem
from planner.side.decide import best_decisions
from planner.solve import solve
from planner.solve.classes import refine
from planner.solve.guide import GuideError, load_guide
from planner.solve.judge import Judge
from planner.solve.recombine import path_pool, recombine
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from pathlib import Path

    from planner.solve.solve import Solution

SEEDS = (1, 2, 3, 5, 6, 8, 9, 10, 11)


@cache
def problem_of(seed: int) -> Problem:
    return with_side_program(random_problem(seed), seed)


@cache
def solution_of(seed: int) -> Solution:
    return solve(problem_of(seed), QUICK)


def decisions_of(solution: Solution, problem: Problem) -> list[int]:
    assert problem.side is not None
    assert solution.decisions is not None
    return [solution.decisions.get(name, 0) for name in problem.side.column_names]


@pytest.mark.parametrize("seed", SEEDS)
def test_plan_and_decisions_hold_and_add_up(seed: int) -> None:
    problem, solution = problem_of(seed), solution_of(seed)
    decisions = decisions_of(solution, problem)
    assert broken_side_rules(problem, solution.plan.n_racks, decisions) == []
    assert solution.objective == plan_worth(problem, solution.plan.n_racks, decisions)
    assert solution.objective <= solution.bound


def test_search_finds_more_than_nothing() -> None:
    nothing = [np.zeros_like(solution_of(seed).plan.n_racks) for seed in SEEDS]
    worth = [objective_cents(problem_of(seed), Plan(n_racks)) for seed, n_racks in zip(SEEDS, nothing, strict=True)]
    better = [solution_of(seed).objective > least for seed, least in zip(SEEDS, worth, strict=True)]
    assert sum(better) >= 7


@pytest.mark.parametrize("seed", [2, 9])
def test_every_backend_finds_the_same_plan(seed: int) -> None:
    problem = problem_of(seed)
    options = replace(QUICK, work_limit=400)
    found = [solve(problem, replace(options, backend=backend)) for backend in ("numpy", "numba")]
    assert (found[0].plan.n_racks == found[1].plan.n_racks).all()
    assert found[0].decisions == found[1].decisions
    assert found[0].bound == found[1].bound


def test_a_stored_guide_gives_the_same_plan(tmp_path: Path) -> None:
    problem, solution = problem_of(1), solution_of(1)
    np.savez_compressed(tmp_path / "guide.npz", allow_pickle=False, **solution.guide.arrays())
    guide = load_guide(tmp_path / "guide.npz", problem)
    assert guide.side_price.any()
    again = solve(problem, replace(QUICK, guide=guide))
    assert (again.plan.n_racks == solution.plan.n_racks).all()
    assert again.decisions == solution.decisions


def test_a_guide_without_prices_fits_a_problem_without_side_program_only(tmp_path: Path) -> None:
    bare = changed(problem_of(1), side=None, constant_cents=0)
    old = solve(bare, QUICK).guide.arrays()
    assert old.pop("side_price").size == 0
    np.savez_compressed(tmp_path / "old.npz", allow_pickle=False, **old)
    assert load_guide(tmp_path / "old.npz", bare).side_price.size == 0
    with pytest.raises(GuideError, match="'side_price' has shape"):
        load_guide(tmp_path / "old.npz", problem_of(1))


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_a_plan_that_prices_rule_out_is_no_better(seed: int) -> None:
    problem, solution = problem_of(seed), solution_of(seed)
    judge = Judge(changed(problem, minimum_demands=()), solution.guide)
    bare = changed(problem, side=None, constant_cents=0)
    random = np.random.default_rng(seed)
    for _ in range(20):
        kept = random.random((problem.n_rows, 1, 1)) < random.random()
        n_racks = solution.plan.n_racks * kept
        worth, rack_worth = (objective_cents(one, Plan(n_racks)) for one in (problem, bare))
        seen = rack_worth + int((judge.priced * n_racks).sum())
        assert not judge.is_no_better(n_racks, seen, worth - 1)
        assert judge.is_no_better(n_racks, seen, 2**60)


@pytest.mark.parametrize("seed", [101, 103])
def test_recombination_counts_what_is_decided_beside_the_paths(seed: int) -> None:
    problem = with_side_program(random_problem(seed, FULL_SIZE), seed, SideSize(has_clauses=False))
    pool = path_pool(problem, proof_of(problem)[1], refine(problem))
    whole = solve(problem, QUICK).plan.n_racks
    worth = []
    for number in range(2):
        part = Plan(whole * (problem.block_of_row_idx % 2 == number)[:, None, None])
        worth.append(objective_cents(problem, part))
        pool.collect(part.n_racks, _block_values(problem, part))
    found = recombine(pool, None)
    assert found is not None
    both = objective_cents(problem, Plan(whole))
    assert objective_cents(problem, Plan(found.astype(np.int32))) >= max(*worth, both - abs(both) // 1000)
    assert both > max(worth)


def _block_values(problem: Problem, plan: Plan) -> np.ndarray:
    bare = changed(problem, side=None, constant_cents=0, contract_amount=0)
    worth = []
    for block in range(problem.n_blocks):
        own = plan.n_racks * (problem.block_of_row_idx == block)[:, None, None]
        worth.append(objective_cents(bare, Plan(own)))
    return np.array(worth)


def test_without_columns_there_is_nothing_to_decide() -> None:
    bare = random_problem(1)
    assert best_decisions(bare, np.zeros((bare.n_rows, bare.n_configurations, bare.n_periods), np.int32)) is None
    assert solve(bare, QUICK).decisions is None
