"""The solver against HiGHS and brute force on small random problems: plans hold, bounds prove, runs repeat."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solve_cases import (
    FULL_SIZE,
    ONE,
    QUICK,
    Size,
    all_plans,
    all_points,
    broken_rules,
    changed,
    other_names,
    proof_of,
    random_certificate,
    random_problem,
    tiny_problem,
    with_limits_reordered,
    with_rows_reordered,
)

from planner.export import highs_optimum
from planner.export.effective import plan_value_cents
from planner.problem import INACTIVE, Plan
from planner.solve import Progress, SolveOptions, Status, StopReason, solve
from planner.solve.certificate import Certificate, bound_cents
from planner.solve.classes import refine
from planner.solve.packing import effective_values
from planner.solve.patterns import row_patterns
from planner.solve.value import objective_cents

if TYPE_CHECKING:
    from planner.problem import Problem

SLOW_SEEDS = [pytest.param(seed, FULL_SIZE, marks=pytest.mark.slow) for seed in range(100, 140)]
SEEDS = [pytest.param(seed, Size(), id=f"{seed}") for seed in range(25)]
CONVERGED = 5e-4
"""Column generation stops where new columns could add less than 2e-4, so bounds of equal problems may differ so far."""


# Plans, optimum and bound


@pytest.mark.parametrize(("seed", "size"), [*SEEDS, *SLOW_SEEDS])
def test_the_plan_holds_and_optimum_lies_between_plan_and_bound(seed: int, size: Size) -> None:
    problem = random_problem(seed, size)
    solution = solve(problem, QUICK)
    assert broken_rules(problem, solution.plan.n_racks) == []
    assert solution.objective == plan_value_cents(problem, solution.plan.n_racks)
    optimum = highs_optimum(problem, time_limit_s=20.0)
    assert broken_rules(problem, optimum.n_racks) == []
    assert optimum.objective_cents <= solution.bound
    # HiGHS proves its optimum within 1e-9, so our plan may be better by as much.
    assert solution.objective <= optimum.dual_bound_cents * (1 + 1e-8) + 1
    assert 0 <= solution.objective <= solution.bound


def test_the_cases_reach_every_kind_of_problem() -> None:
    problems = [random_problem(seed) for seed in range(25)]
    assert any(p.contract_amount for p in problems)
    assert any(not p.contract_amount for p in problems)
    assert any(p.partial_units.all() for p in problems)
    assert any(not p.partial_units.any() for p in problems)
    assert any((p.capacity == INACTIVE).any() for p in problems)
    assert {p.n_systems for p in problems} == {1, 2}
    assert sum(solve(p, SolveOptions(work_limit=1)).objective > 0 for p in problems) >= 15
    assert any(refine(p).counts[0] < p.n_rows for p in problems)


@pytest.mark.parametrize("seed", [1, 4, 9, 13])
def test_plans_come_close_to_the_optimum(seed: int) -> None:
    problem = random_problem(seed)
    best = highs_optimum(problem).objective_cents
    assert solve(problem, SolveOptions(work_limit=3000)).objective >= best * 0.97


@given(seed=st.integers(0, 24), multipliers=st.integers(0, 2**32), bits=st.integers(1, 58))
@settings(max_examples=80)
def test_any_multipliers_prove_a_bound(seed: int, multipliers: int, bits: int) -> None:
    problem = random_problem(seed)
    bound = bound_cents(problem, row_patterns(problem), random_certificate(problem, multipliers, bits))
    assert bound >= best_known(seed)


BEST: dict[int, int] = {}


def best_known(seed: int) -> int:
    """HiGHS's exact value of its optimum, found once for each seed."""
    if seed not in BEST:
        BEST[seed] = highs_optimum(random_problem(seed)).objective_cents
    return BEST[seed]


def test_multipliers_of_nothing_give_the_sum_of_the_best_blocks_alone() -> None:
    problem = tiny_problem(3, partial_units=True, contract=False)
    zero = random_certificate(problem, 0, 1)
    nothing = {item.name: np.zeros_like(getattr(zero, item.name)) for item in fields(Certificate)[:-3]}
    zero = Certificate(**(nothing | {"inside": {}, "contract_amount": 0}))
    expected = 0
    for period in range(2):
        expected += max(0, *(value for value in _block_values(problem, period)))
    assert bound_cents(problem, row_patterns(problem), zero) == expected


def _block_values(problem: Problem, period: int) -> list[int]:
    """What each filling of the tiny block is worth in one period."""
    values = effective_values(problem)
    result = []
    for pair in product(all_points(problem, 0, 0, period), all_points(problem, 1, 0, period)):
        racks = np.array(pair)
        n_units = -(-int(racks.sum()) // 2)
        worth = int((values.rack[:, :, period] * racks).sum())
        result.append(worth - n_units * int(values.unit_cost[0, 0, period]) - int(values.open_cost[0, period]))
    return result


@pytest.mark.parametrize("seed", range(12))
def test_wider_limits_never_lower_the_bound_at_the_same_multipliers(seed: int) -> None:
    problem = random_problem(seed)
    patterns, proof = proof_of(problem)
    wider = problem.capacity + np.random.default_rng(seed).integers(0, 2 * ONE, problem.capacity.shape) * ONE
    relaxed = changed(problem, capacity=np.where(problem.capacity == INACTIVE, INACTIVE, wider))
    assert bound_cents(relaxed, row_patterns(relaxed), proof) >= bound_cents(problem, patterns, proof)


@pytest.mark.parametrize("seed", range(12))
def test_where_no_multiplier_helps_the_relaxation_is_as_good_as_random_ones(seed: int) -> None:
    problem = random_problem(seed)
    patterns, proof = proof_of(problem)
    found = bound_cents(problem, patterns, proof)
    random = min(bound_cents(problem, patterns, random_certificate(problem, number, 50)) for number in range(5))
    assert found <= random * (1 + CONVERGED) + 1


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("partial_units", [True, False])
def test_every_plan_of_a_tiny_problem_is_worth_no_more_than_optimum_and_bound(seed: int, partial_units: bool) -> None:
    problem = tiny_problem(seed, partial_units=partial_units, n_profiles=1 + seed % 2, contract=seed % 3 > 0)
    worths = [objective_cents(problem, Plan(plan.astype(np.int32))) for plan in all_plans(problem)]
    solution = solve(problem, QUICK)
    assert len(worths) > 1
    assert max(worths) == highs_optimum(problem).objective_cents
    assert solution.objective in worths
    assert solution.objective <= max(worths) <= solution.bound


def test_a_rack_that_only_fills_a_unit_is_paid_for() -> None:
    """Units of two racks, none part empty: the good rack of one row comes with the bad one of the other."""
    problem = changed(
        tiny_problem(0, partial_units=False, n_profiles=1, contract=False),
        capacity=np.array([[ONE, ONE], [ONE, ONE], [14 * ONE, 14 * ONE], [INACTIVE, INACTIVE]]),
        first_period=np.zeros((2, 1), np.int32),
        period_value=np.array([[[100, 100]], [[-90, -90]]]) * 10**6,
        start_value=np.zeros((2, 1, 2), np.int64),
        open_cost=np.zeros((1, 2), np.int64),
        unit_cost=np.zeros((1, 1, 2), np.int64),
    )
    assert bound_cents(problem, *proof_of(problem)) == highs_optimum(problem).objective_cents == 20 * 10**6


# What must not matter


@pytest.mark.parametrize("seed", range(15))
def test_names_do_not_matter(seed: int) -> None:
    problem = random_problem(seed)
    ours, theirs = solve(problem, QUICK), solve(other_names(problem), QUICK)
    assert (ours.bound, ours.objective) == (theirs.bound, theirs.objective)
    np.testing.assert_array_equal(ours.plan.n_racks, theirs.plan.n_racks)


@pytest.mark.parametrize("seed", range(15))
def test_the_order_of_limits_does_not_matter(seed: int) -> None:
    problem = random_problem(seed)
    order = np.random.default_rng(seed).permutation(problem.n_limits)
    reordered = with_limits_reordered(problem, order)
    patterns, proof = proof_of(problem)
    inside = {int(np.flatnonzero(order == limit)[0]): prices for limit, prices in proof.inside.items()}
    moved = Certificate(**{**proof.__dict__, "limit": proof.limit[order], "inside": inside})
    assert bound_cents(reordered, row_patterns(reordered), moved) == bound_cents(problem, patterns, proof)
    ours, theirs = solve(problem, QUICK), solve(reordered, QUICK)
    assert theirs.bound == pytest.approx(ours.bound, rel=CONVERGED, abs=1)
    assert theirs.objective == ours.objective


@pytest.mark.parametrize("seed", range(15))
def test_the_order_of_rows_does_not_matter_to_the_bound(seed: int) -> None:
    problem = random_problem(seed)
    order = np.random.default_rng(seed).permutation(problem.n_rows)
    reordered = with_rows_reordered(problem, order)
    patterns, proof = proof_of(problem)
    moved = Certificate(**{**proof.__dict__, "monotone": proof.monotone[order]})
    assert bound_cents(reordered, row_patterns(reordered), moved) == bound_cents(problem, patterns, proof)
    theirs = bound_cents(reordered, *proof_of(reordered))
    assert theirs == pytest.approx(bound_cents(problem, patterns, proof), rel=CONVERGED, abs=1)


@pytest.mark.parametrize("seed", range(6))
def test_the_same_seed_gives_the_same_plan_on_any_number_of_threads(seed: int) -> None:
    problem = random_problem(seed, FULL_SIZE)
    first = solve(problem, SolveOptions(work_limit=1500, seed=5, n_threads=1))
    for n_threads in (1, 2, 3):
        again = solve(problem, SolveOptions(work_limit=1500, seed=5, n_threads=n_threads))
        np.testing.assert_array_equal(again.plan.n_racks, first.plan.n_racks)
        assert (again.objective, again.bound, again.work) == (first.objective, first.bound, first.work)


def test_both_backends_give_the_same_plan() -> None:
    problem = random_problem(4)
    plans = [solve(problem, SolveOptions(work_limit=800, backend=backend)) for backend in ("numba", "numpy")]
    np.testing.assert_array_equal(plans[0].plan.n_racks, plans[1].plan.n_racks)
    assert [plan.backend for plan in plans] == ["numba", "numpy"]


# Stops


def test_a_time_limit_keeps_the_best_plan_and_says_so() -> None:
    problem = random_problem(4)
    solution = solve(problem, SolveOptions(time_limit_s=0.001))
    assert solution.stop_reason is StopReason.TIME_LIMIT
    assert solution.status is Status.FEASIBLE
    assert solution.objective > 0
    assert broken_rules(problem, solution.plan.n_racks) == []


@pytest.mark.parametrize("n_rounds", [1, 3])
def test_an_interrupt_keeps_the_best_plan_and_says_so(n_rounds: int) -> None:
    problem, seen = random_problem(4), []

    def interrupt(progress: Progress) -> None:
        if progress.stage == "search":
            seen.append(progress)
        if len(seen) == n_rounds:
            raise KeyboardInterrupt

    solution = solve(problem, QUICK, interrupt)
    assert solution.stop_reason is StopReason.INTERRUPTED
    # The kernels' premium loses up to 1,024 cents a period.
    assert 0 <= solution.objective - seen[-1].objective <= 1024 * problem.n_periods
    assert solution.work == seen[-1].work
    assert solution.objective > 0
    assert broken_rules(problem, solution.plan.n_racks) == []


def test_a_work_limit_is_kept_to_the_round_and_more_work_is_never_worse() -> None:
    problem = random_problem(15, FULL_SIZE)
    short, long = solve(problem, SolveOptions(work_limit=1)), solve(problem, SolveOptions(work_limit=3000))
    assert short.stop_reason is StopReason.WORK_LIMIT
    assert short.work < 3000 <= long.work
    assert short.objective <= long.objective


@pytest.mark.parametrize(("limit", "work"), [(1, 1), (7, 7), (20, 16), (383, 376)])
def test_a_work_limit_below_a_round_makes_a_shorter_one(limit: int, work: int) -> None:
    """Fewer lanes where there is not a step for each, then fewer steps; the same on every backend."""
    problem = random_problem(15, FULL_SIZE)
    ours, theirs = (solve(problem, SolveOptions(work_limit=limit, backend=name)) for name in ("numba", "numpy"))
    assert (ours.work, ours.stop_reason) == (work, StopReason.WORK_LIMIT)
    np.testing.assert_array_equal(ours.plan.n_racks, theirs.plan.n_racks)
    assert (ours.objective, ours.work) == (theirs.objective, theirs.work)


def test_a_plan_that_meets_its_bound_is_optimal_and_stops() -> None:
    problem = random_problem(12)
    solution = solve(problem)
    assert (solution.stop_reason, solution.status) == (StopReason.OPTIMAL, Status.OPTIMAL)
    assert solution.objective == solution.bound == highs_optimum(problem).objective_cents
    assert solution.gap == 0.0


def test_progress_tells_every_stage_and_never_falls() -> None:
    told: list[Progress] = []
    solution = solve(random_problem(1), QUICK, told.append)
    assert [one.stage for one in told[:2]] == ["relaxation", "bound"]
    assert {one.stage for one in told[2:]} == {"search"}
    objectives = [one.objective for one in told[2:]]
    assert objectives == sorted(objectives)
    assert told[1].bound is not None
    assert told[1].bound >= solution.bound
    assert all(a.elapsed_s <= b.elapsed_s and a.work <= b.work for a, b in pairwise(told))
